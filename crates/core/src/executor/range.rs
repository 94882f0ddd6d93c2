//! A plain file read in pieces, by whichever thread has time: each piece is the lines that start in a range of bytes. It knows no JSON.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes of a range, where nobody asks for less: all passes over it find it in a processor's own memory.
pub(super) const LENGTH: u64 = 256 << 10;

/// From here on a line is long: only one at a time is held whole.
const LONG: usize = 4 << 20;

/// A file of lines that is read at any place. Offsets are counted from the start of its text.
#[derive(Debug)]
pub(super) struct Ranged {
    pub file: File,
    /// Where the text starts, and its length when the file was opened: what is added later is not read.
    pub start: u64,
    pub length: u64,
    pub max_line: usize,
    /// Bytes read, for all to see.
    pub count: Arc<AtomicU64>,
    pub stop: Arc<AtomicBool>,
    pub long: Mutex<()>,
    /// Where lines are looked for that must be read in order.
    pub marks: Option<Marks>,
}

/// What is known of the lines that must be read in order.
#[derive(Debug, Default)]
pub(super) struct Marks {
    known: Mutex<Known>,
    finished: Condvar,
}

#[derive(Debug, Default)]
struct Known {
    /// Ranges that have not been looked through.
    pending: usize,
    /// Offset of the first such line.
    first: Option<u64>,
    /// Where each range starts, and how many records it has before the first such line.
    records: Vec<(u64, u64)>,
}

/// The first line that must be read in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub offset: u64,
    /// Records before it.
    pub records: u64,
}

/// One range of a file, on its way to a thread.
#[derive(Debug)]
pub(super) struct Range {
    pub file: Arc<Ranged>,
    pub from: u64,
    pub to: u64,
}

impl Range {
    pub(super) fn new(file: &Arc<Ranged>, from: u64, to: u64) -> Self {
        if let Some(marks) = &file.marks {
            marks.lock().pending += 1;
        }
        Self { file: Arc::clone(file), from, to }
    }
}

/// A range counts as looked through when it is gone, even if nobody looked at it: whoever waits for it must not wait for ever.
impl Drop for Range {
    fn drop(&mut self) {
        if let Some(marks) = &self.file.marks {
            marks.lock().pending -= 1;
            marks.finished.notify_all();
        }
    }
}

impl Marks {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The line at an offset must be read in order.
    pub(super) fn set(&self, offset: u64) {
        let mut known = self.lock();
        known.first = Some(known.first.map_or(offset, |first| first.min(offset)));
    }

    /// How many records a range has before the first line that must be read in order.
    pub(super) fn count(&self, from: u64, records: u64) {
        self.lock().records.push((from, records));
    }
}

/// The lines that start in a range.
#[derive(Debug, Default)]
pub(super) struct Piece<'r> {
    /// Where they lie in the buffer.
    pub first: usize,
    /// Offset of the first.
    pub offset: u64,
    /// After them came a line that is too long to be kept.
    pub too_long: bool,
    /// Why reading ended early.
    pub error: Option<String>,
    /// Held as long as the buffer is a long one.
    long: Option<MutexGuard<'r, ()>>,
}

impl Ranged {
    /// Whether a line is known that must be read in order.
    pub(super) fn is_marked(&self) -> bool {
        self.marks.as_ref().is_some_and(|marks| marks.lock().first.is_some())
    }

    /// The first line that must be read in order, when all ranges so far have been looked through; `None` where nobody wants to wait.
    pub(super) fn mark_when_known(&self, stopped: impl Fn() -> bool) -> Option<Mark> {
        const PATIENCE: Duration = Duration::from_millis(20);
        let marks = self.marks.as_ref()?;
        let mut known = marks.lock();
        while known.pending > 0 {
            if stopped() {
                return None;
            }
            known = marks.finished.wait_timeout(known, PATIENCE).unwrap_or_else(PoisonError::into_inner).0;
        }
        let offset = known.first.filter(|_| !stopped())?;
        // The range that holds the line counts those before it.
        let before = known.records.iter().filter(|(from, _)| *from <= offset);
        Some(Mark { offset, records: before.map(|(_, records)| records).sum() })
    }

    /// Reads from an offset to the end of the text.
    pub(super) fn reader(self: &Arc<Self>, at: u64) -> impl Read + Send + use<> {
        Tail { file: Arc::clone(self), at }
    }

    /// Reads the lines that start in `from..to` into the buffer, which ends after them.
    pub(super) fn read(&self, from: u64, to: u64, buffer: &mut Vec<u8>) -> Piece<'_> {
        // A line starts where the byte before it is a line break.
        let low = from.saturating_sub(1);
        let mut piece = Piece { offset: from, ..Piece::default() };
        buffer.clear();
        let mut ended = self.more(low, (to - low) as usize, buffer, &mut piece.error);
        self.count.fetch_add(buffer.len() as u64 - (from - low).min(buffer.len() as u64), Ordering::Relaxed);
        if from > 0 {
            piece.first = memchr::memchr(b'\n', buffer).map_or(buffer.len(), |at| at + 1);
            piece.offset = low + piece.first as u64;
        }
        if piece.first >= buffer.len() {
            // Every line here started before.
            buffer.clear();
            piece.first = 0;
            return piece;
        }
        let last = memchr::memrchr(b'\n', &buffer[piece.first..]).map_or(piece.first, |at| piece.first + at + 1);
        let mut searched = buffer.len();
        while last < buffer.len() && !ended {
            if buffer.len() - last > self.max_line {
                piece.too_long = true;
                break;
            }
            if buffer.len() - last > LONG && piece.long.is_none() {
                piece.long = Some(self.long.lock().unwrap_or_else(PoisonError::into_inner));
            }
            if self.stop.load(Ordering::Relaxed) {
                buffer.truncate(last);
                return piece;
            }
            let step = (buffer.len() / 4).clamp(16 << 10, 8 << 20);
            ended = self.more(low + searched as u64, step, buffer, &mut piece.error);
            if let Some(at) = memchr::memchr(b'\n', &buffer[searched..]) {
                buffer.truncate(searched + at + 1);
                return piece;
            }
            searched = buffer.len();
        }
        if piece.too_long {
            buffer.truncate(last);
        }
        piece
    }

    /// Appends up to `length` bytes from an offset; true at the end of the text.
    fn more(&self, offset: u64, length: usize, buffer: &mut Vec<u8>, error: &mut Option<String>) -> bool {
        let wanted = self.length.saturating_sub(offset).min(length as u64) as usize;
        let old = buffer.len();
        buffer.resize(old + wanted, 0);
        let mut got = 0;
        while got < wanted {
            match read_at(&self.file, &mut buffer[old + got..], self.start + offset + got as u64) {
                Ok(0) => break,
                Ok(more) => got += more,
                Err(failure) if failure.kind() == ErrorKind::Interrupted => {}
                Err(failure) => {
                    *error = Some(failure.to_string());
                    break;
                }
            }
        }
        buffer.truncate(old + got);
        got < wanted || offset + got as u64 >= self.length
    }
}

/// The rest of a file.
struct Tail {
    file: Arc<Ranged>,
    at: u64,
}

impl Read for Tail {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let wanted = self.file.length.saturating_sub(self.at).min(out.len() as u64) as usize;
        let got = read_at(&self.file.file, &mut out[..wanted], self.file.start + self.at)?;
        self.at += got as u64;
        Ok(got)
    }
}

#[cfg(unix)]
fn read_at(file: &File, out: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, out, offset)
}

#[cfg(windows)]
fn read_at(file: &File, out: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, out, offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn pieces(text: &str, bound: u64, max_line: usize) -> Vec<(String, u64, bool)> {
        let mut file = crate::spill::temporary_file().expect("a temporary file");
        file.write_all(format!("xyz{text}").as_bytes()).expect("room for it");
        let length = text.len() as u64;
        let (count, stop, long) = (Arc::default(), Arc::default(), Mutex::default());
        let ranged = Ranged { file, start: 3, length, max_line, count, stop, long, marks: None };
        let mut buffer = Vec::new();
        let mut out = Vec::new();
        for from in (0..length).step_by(bound as usize) {
            let piece = ranged.read(from, (from + bound).min(length), &mut buffer);
            assert_eq!(piece.error, None);
            if !buffer.is_empty() || piece.too_long {
                let text = String::from_utf8(buffer[piece.first..].to_vec()).expect("text");
                out.push((text, piece.offset, piece.too_long));
            }
        }
        assert_eq!(ranged.count.load(Ordering::Relaxed), length);
        out
    }

    #[test]
    fn ranges_have_each_line_once() {
        for text in ["a\nbcd\n\n\nefghijklmnop\nq", "\n", "", "abc", "abc\n", "\n\nab\n"] {
            for bound in 1..text.len() as u64 + 2 {
                let pieces = pieces(text, bound, 100);
                let mut at = 0;
                for (lines, offset, too_long) in &pieces {
                    assert_eq!((*offset, *too_long), (at, false), "{text:?} by {bound}");
                    at += lines.len() as u64;
                    assert!(lines.ends_with('\n') || at == text.len() as u64);
                }
                assert_eq!(at, text.len() as u64, "{text:?} by {bound}");
            }
        }
    }

    #[test]
    fn a_line_beyond_the_limit_is_told_once() {
        let text = format!("a\n{}\nb\n", "x".repeat(100_000));
        for bound in [1_000, 7_777, 200_000] {
            let pieces = pieces(&text, bound, 50_000);
            let told = pieces.iter().filter(|piece| piece.2).count();
            let kept: String = pieces.iter().map(|piece| piece.0.as_str()).collect();
            if bound < 200_000 {
                assert_eq!((kept.as_str(), told), ("a\nb\n", 1), "{bound}");
            } else {
                assert_eq!(
                    (kept.as_str(), told),
                    (text.as_str(), 0),
                    "its reader measures lines that are there as a whole"
                );
            }
        }
    }
}
