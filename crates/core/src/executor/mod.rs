//! The scan as a whole: reads input in order, hands chunks to threads, puts what they find back into order.
//!
//! Output is the same, byte for byte, whatever the number of threads and the size of the chunks.

mod chains;
mod collect;
mod engine;
mod gate;
mod held;
mod hosts;
mod marks;
mod matches;
mod options;
mod pool;
mod range;
mod read;
mod scan;
mod streams;
mod summary;
mod work;
mod write;

pub use engine::Engine;
pub use options::{EngineOptions, Output, Position, ScanOptions};
pub use scan::{Next, Scan, Watch};
pub use summary::{FaultSummary, FileSummary, HostsSummary, Summary};
