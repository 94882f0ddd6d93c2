//! The stage between reading and evaluation that adds what a record lacks and earlier records of its host told. It knows
//! neither rules nor formats; documents come and go as ECS in JSON.

mod added;
mod addition;
mod context;
mod facts;
mod identity;
mod image;
mod implied;
mod installers;
mod records;
mod table;

pub(crate) use added::listed;
pub use context::Context;
pub(crate) use implied::{IMPLIED, with_os};
pub(crate) use installers::installs;
pub use records::Records;

use crate::json::Projection;
use crate::sources::{Place, Unwritten};
use std::sync::Arc;

/// The fields that are picked out of records whose documents are not written yet.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The fields that decide whether a record may meet a condition, then those that the process table reads beside them.
    pub projection: Arc<Projection>,
    /// How many decide.
    pub deciding: usize,
    numbering: facts::Numbering,
    additions: addition::Slots,
}

impl Wanted {
    /// The fields that decide, and those that the process table reads.
    pub fn new<'p>(deciding: impl Iterator<Item = &'p str>) -> Self {
        let mut paths: Vec<&str> = deciding.collect();
        let deciding = paths.len();
        for path in facts::PATHS {
            if !paths[..deciding].contains(&path) {
                paths.push(path);
            }
        }
        let projection = Projection::new(paths);
        let (numbering, additions) = (facts::Numbering::of(&projection), addition::Slots::of(&projection));
        Self { projection: Arc::new(projection), deciding, numbering, additions }
    }
}

/// One document on its way through the stage.
pub struct Document {
    /// The ECS document, one line.
    pub json: Vec<u8>,
    /// Where in its file it came from.
    pub place: Place,
}

/// What has been through the stage.
pub enum Ready {
    /// One document.
    Document(Document),
    /// Records whose documents are not written yet.
    Records(Box<Records>),
}

/// Adds context. Documents of one host come in order of their files' first timestamps, then of their records.
pub trait Enricher: Send {
    /// One document. `stream` names the host of documents that name none (`--host-name`, else the file's folder). Whatever
    /// is ready goes to `out`, changed or not, each document exactly once; what was added is listed in `contraband.added`.
    fn document(&mut self, stream: &str, document: Document, out: &mut Vec<Ready>);
    /// Documents that are not written yet.
    fn records(&mut self, stream: &str, records: Unwritten, out: &mut Vec<Ready>);
    /// The end of all input: what is still held back goes to `out`.
    fn finish(&mut self, out: &mut Vec<Ready>);
}

/// The stage that a scan runs.
pub fn enricher(wanted: Wanted) -> Box<dyn Enricher> {
    Box::new(Context::new(wanted))
}
