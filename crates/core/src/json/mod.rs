//! JSON lines to the values a plan asks for: one walk over the text that checks all of it and decodes only what is
//! wanted. It knows no rules; what to pick out comes as a [`Projection`].
//!
//! Names: `{"process": {"name": …}}` and `{"process.name": …}` are the same field, at any level and in any mixture; arrays and
//! arrays of objects are flattened, nulls dropped. An escaped lone surrogate reads as U+FFFD. A key that an object has
//! twice is a fault (Elasticsearch refuses such a document), and its last value counts.

mod clean;
mod cursor;
mod ends;
mod projection;
mod scanner;
mod text;
#[cfg(target_arch = "x86_64")]
mod vector;

pub use clean::without_duplicates;
pub use cursor::Cursor;
pub(crate) use ends::Ends;
pub(crate) use projection::Sought;
pub use projection::{Node, Projection, ROOT};
pub(crate) use scanner::Seen;
pub use scanner::{Extent, Scanner};
pub use text::{unescape, write_string};

/// The deepest nesting that is read, which is what Elasticsearch's parser allows.
pub const MAX_DEPTH: usize = 1000;

/// Why a line is not a JSON document, and the byte at which that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Counted under this name.
    pub kind: BrokenKind,
    /// Byte in the line, from 0.
    pub at: usize,
}

/// What can be wrong with the text of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokenKind {
    /// A byte that the grammar does not allow here.
    Unexpected,
    /// The text ends inside the document.
    Truncated,
    /// Text goes on after the document.
    Trailing,
    /// An unescaped control character in a string.
    ControlCharacter,
    /// A backslash before something that is no escape.
    Escape,
    /// Deeper than [`MAX_DEPTH`].
    TooDeep,
    /// Valid JSON, but no object.
    NoObject,
    /// A key twice in one object: read again by [`without_duplicates`].
    DuplicateKey,
}

impl BrokenKind {
    /// The fault's kind, as counted in the summary.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unexpected | Self::Trailing | Self::ControlCharacter | Self::Escape => "broken JSON",
            Self::Truncated => "truncated JSON",
            Self::TooDeep => "nested too deep",
            Self::NoObject => "no JSON object",
            Self::DuplicateKey => "duplicate key",
        }
    }

    /// One line for people.
    pub fn message(self) -> &'static str {
        match self {
            Self::Unexpected => "a character that JSON does not allow here",
            Self::Truncated => "the line ends inside the document",
            Self::Trailing => "text after the end of the document",
            Self::ControlCharacter => "an unescaped control character in a string",
            Self::Escape => "an invalid escape in a string",
            Self::TooDeep => "nested deeper than 1000 levels",
            Self::NoObject => "an event is a JSON object",
            Self::DuplicateKey => "an object has a key twice; the last value counts",
        }
    }
}
