//! Where bytes come from: files, folders, archives, standard input, memory. It gives bytes in order, decompressed and in
//! UTF-8, and says what a file is; what the bytes mean is not known here.

mod archive;
mod documents;
#[cfg(test)]
mod kept;
mod lines;
mod open;
mod patient;
mod recognise;
mod rotation;
mod table;
mod utf16;
mod walk;

pub use archive::{Member, members};
pub use documents::Splitter;
pub use lines::{LineReader, Lines};
pub use open::{Opened, Wrapping, open, open_stream};
pub use patient::Patient;
pub use recognise::{HEAD, Layout, Shape, recognise, unread};
pub use rotation::{order, same_log};
pub use table::Table;
pub use walk::{Found, walk};

/// One thing to read, as the caller names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A file, a folder (walked), or `-` for standard input.
    Path(String),
    /// NDJSON, or any other format, in memory.
    Bytes(Vec<u8>),
}
