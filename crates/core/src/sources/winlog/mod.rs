//! What every form of the Windows event log has in common: the record, how its XML is read, and how a mapping (data, in
//! `content/sources/windows`) makes of it the document that Winlogbeat with its modules writes. Knows no file format.

mod convert;
mod document;
mod mapper;
mod mapping;
mod prepared;
mod record;
mod routes;
mod steps;
mod time;
mod tree;
mod wishes;

pub use mapper::{RecordMapper, Selection};
pub use mapping::property_names;
pub use prepared::{Asked, MOVING, Prepared, Scratch, Stored, Values};
pub use record::{ELEMENTS, Record, SYSTEM, System};
pub use time::push_filetime;
pub use tree::{Name, Tree};
pub use wishes::Wishes;
