//! The stage between reading and evaluation that adds what a record lacks and earlier records of its host told. It knows
//! neither rules nor formats; documents come and go as ECS in JSON.

mod added;
mod context;
mod facts;
mod installers;
mod table;

pub use context::Context;
pub(crate) use installers::installs;

use crate::sources::Place;

/// One document on its way through the stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The ECS document, one line.
    pub json: Vec<u8>,
    /// Number of its file in the scan.
    pub file: u32,
    /// Where in its file it came from.
    pub place: Place,
}

/// Adds context. Documents of one host come in order of their files' first timestamps, then of their records.
pub trait Enricher: Send {
    /// One document. `stream` names the host of documents that name none (`--host-name`, else the file's folder). Whatever
    /// is ready goes to `out`, changed or not, each document exactly once; what was added is listed in `contraband.added`.
    fn push(&mut self, stream: &str, document: Document, out: &mut Vec<Document>);
    /// The end of all input: what is still held back goes to `out`.
    fn finish(&mut self, out: &mut Vec<Document>);
}

/// The stage that a scan runs.
pub fn enricher() -> Box<dyn Enricher> {
    Box::new(Context::default())
}
