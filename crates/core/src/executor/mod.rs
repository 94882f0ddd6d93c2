//! The scan as a whole: reads input in order, hands chunks to threads, puts what they find back into order.
//!
//! Output is the same, byte for byte, whatever the number of threads and the size of the chunks.

mod collect;
mod engine;
mod gate;
mod options;
mod range;
mod read;
mod scan;
mod summary;
mod work;

pub use engine::Engine;
pub use options::{EngineOptions, Output, Position, ScanOptions};
pub use scan::{Next, Scan, Watch};
pub use summary::{FaultSummary, FileSummary, Summary};

use std::fs::{File, OpenOptions};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

/// A nameless temporary file: gone when it is closed (where the system allows to unlink open files), else with the process.
pub fn temporary_file() -> io::Result<File> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("contraband-{}-{number}.tmp", std::process::id()));
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
    let _ = std::fs::remove_file(&path);
    Ok(file)
}
