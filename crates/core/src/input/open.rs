//! Opening: through compression and byte order marks to the bytes of the text.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use encoding_rs::{UTF_16BE, UTF_16LE};
use flate2::read::MultiGzDecoder;

use super::patient::Patient;
use super::recognise::HEAD;
use super::utf16::Utf16Reader;

/// What lay around the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapping {
    /// Nothing.
    Plain,
    /// One or more gzip members.
    Gzip,
    /// Zstandard frames.
    Zstd,
    /// A zip archive: its members are files of their own.
    Zip,
}

/// An opened file.
pub enum Opened {
    /// A regular file of plain UTF-8: any part of it can be read at any time. The text starts after the byte order mark.
    Seekable {
        /// The file.
        file: File,
        /// Size when it was opened.
        size: u64,
        /// Where the text starts.
        start: u64,
        /// The first bytes of the text.
        head: Vec<u8>,
    },
    /// Anything else, once through.
    Stream {
        /// The text, from its start.
        reader: Box<dyn Read + Send>,
        /// Its first bytes, which the reader gives again.
        head: Vec<u8>,
        /// What it was wrapped in.
        wrapping: Wrapping,
    },
    /// A zip archive.
    Archive(File),
}

/// Opens a path. What is no regular file may wait for its writer; it ends when `stop` is set.
pub fn open(path: &Path, stop: &Arc<AtomicBool>) -> io::Result<Opened> {
    if !std::fs::metadata(path)?.is_file() {
        let path = path.to_owned();
        return open_stream(Box::new(Patient::new(move || File::open(path), Arc::clone(stop))), 0);
    }
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    let magic = fill(&mut file, 4)?;
    file.seek(SeekFrom::Start(0))?;
    match wrapping(&magic) {
        Wrapping::Zip => Ok(Opened::Archive(file)),
        Wrapping::Plain if !is_utf16(&magic) => {
            let start = if magic.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
            file.seek(SeekFrom::Start(start))?;
            let head = fill(&mut file, HEAD)?;
            Ok(Opened::Seekable { file, size: metadata.len(), start, head })
        }
        _ => open_stream(Box::new(file), 0),
    }
}

/// Opens a stream: standard input, a FIFO, memory, a member of an archive. `depth` counts what it is wrapped in already.
pub fn open_stream(mut reader: Box<dyn Read + Send>, depth: usize) -> io::Result<Opened> {
    let magic = fill(&mut reader, 4)?;
    let kind = wrapping(&magic);
    let whole: Box<dyn Read + Send> = Box::new(Cursor::new(magic.clone()).chain(reader));
    match kind {
        Wrapping::Zip => Ok(Opened::Archive(spooled(whole)?)),
        Wrapping::Gzip => text(Box::new(MultiGzDecoder::new(whole)), kind, depth),
        Wrapping::Zstd => text(Box::new(zstd::stream::read::Decoder::new(whole)?), kind, depth),
        Wrapping::Plain => text(whole, kind, depth),
    }
}

/// The text inside one layer of compression; one more layer is opened, a third is left as it is.
fn text(mut reader: Box<dyn Read + Send>, wrapped: Wrapping, depth: usize) -> io::Result<Opened> {
    let head = fill(&mut reader, HEAD)?;
    let inner = wrapping(&head);
    if depth < 2 && wrapped != Wrapping::Plain && inner != Wrapping::Plain {
        return open_stream(Box::new(Cursor::new(head).chain(reader)), depth + 1);
    }
    let mark = if is_utf16(&head) {
        2
    } else if head.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    let little = head.starts_with(b"\xff\xfe");
    let rest = Cursor::new(head[mark..].to_vec()).chain(reader);
    if mark != 2 {
        return Ok(Opened::Stream { reader: Box::new(rest), head: head[mark..].to_vec(), wrapping: wrapped });
    }
    let mut reader = Utf16Reader::new(rest, if little { UTF_16LE } else { UTF_16BE });
    let head = fill(&mut reader, HEAD)?;
    let reader = Box::new(Cursor::new(head.clone()).chain(reader));
    Ok(Opened::Stream { reader, head, wrapping: wrapped })
}

/// A zip archive can only be read with seeking: what comes as a stream is kept in a nameless temporary file.
fn spooled(mut reader: Box<dyn Read + Send>) -> io::Result<File> {
    let mut file = crate::spill::temporary_file()?;
    io::copy(&mut reader, &mut file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

fn wrapping(magic: &[u8]) -> Wrapping {
    match magic {
        [0x1f, 0x8b, ..] => Wrapping::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Wrapping::Zstd,
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Wrapping::Zip,
        _ => Wrapping::Plain,
    }
}

fn is_utf16(magic: &[u8]) -> bool {
    magic.starts_with(b"\xff\xfe") || magic.starts_with(b"\xfe\xff")
}

/// Up to `size` bytes; fewer only at the end, or where a damaged stream ends: the damage comes up again when it is read on.
fn fill(reader: &mut impl Read, size: usize) -> io::Result<Vec<u8>> {
    let mut head = vec![0; size];
    let mut filled = 0;
    while filled < size {
        match reader.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if filled == 0 => return Err(error),
            Err(_) => break,
        }
    }
    head.truncate(filled);
    Ok(head)
}
