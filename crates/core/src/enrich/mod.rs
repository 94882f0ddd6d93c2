//! The stage between reading and evaluation that adds what a record lacks and earlier records of its host told. It knows
//! neither rules nor formats; documents come and go as ECS in JSON.

mod added;
mod context;
mod facts;
mod implied;
mod installers;
mod table;

pub use context::Context;
pub use facts::PATHS;
pub(crate) use implied::{IMPLIED, with_os};
pub(crate) use installers::installs;

use crate::json::Projection;
use crate::sources::{Place, Render, Unwritten};
use std::sync::Arc;

/// What is known of a document.
pub enum Content {
    /// The ECS document, one line.
    Json(Vec<u8>),
    /// A document that is not written yet, and what is to be added to it: members, each behind a comma.
    Unwritten(Unwritten, Vec<u8>),
}

impl Content {
    /// Bytes that it holds in memory.
    pub fn held(&self) -> usize {
        match self {
            Content::Json(json) => json.len(),
            Content::Unwritten(record, additions) => record.raw.size() + record.picked.size() + additions.len(),
        }
    }
}

impl Render for Content {
    fn render(&self, out: &mut Vec<u8>) {
        match self {
            Content::Json(json) => out.extend_from_slice(json),
            Content::Unwritten(record, additions) => {
                record.raw.render(out);
                if !additions.is_empty() && out.pop_if(|last| *last == b'}').is_some() {
                    out.extend_from_slice(additions);
                    out.push(b'}');
                }
            }
        }
    }

    fn size(&self) -> usize {
        match self {
            Content::Json(json) => json.len(),
            Content::Unwritten(record, _) => record.raw.size(),
        }
    }
}

/// The fields that are picked out of records whose documents are not written yet.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The rules' fields, then [`PATHS`].
    pub projection: Arc<Projection>,
    /// Number of the first of [`PATHS`] among them.
    pub facts: u32,
}

/// One document on its way through the stage.
pub struct Document {
    /// The document.
    pub content: Content,
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
pub fn enricher(wanted: Wanted) -> Box<dyn Enricher> {
    Box::new(Context::new(wanted))
}
