//! Windows event log files (EVTX, [MS-EVEN6] and libyal's format description): a header, then chunks of 64 KiB that can each
//! be read without the others. Damage costs the record or the chunk that it is in, and is named with its offset. Nothing is
//! known here of what the records mean.

mod binxml;
mod kinds;
mod library;
mod shape;
mod values;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use binxml::{Chunk, Damage};
use kinds::{Kinds, Tools};
use library::Library;

use super::parallel::Ahead;
use super::winlog::{Record, RecordMapper, Wishes};
use super::{Decoder, Fault, Place, Render, Settings, Sink, Unwritten, UnwrittenRecord};
use crate::value::{Extent, Picked};

const FILE_MAGIC: &[u8] = b"ElfFile\0";
const CHUNK_MAGIC: &[u8] = b"ElfChnk\0";
const FILE_HEADER: usize = 4096;
const CHUNK: usize = 65_536;
const CHUNK_HEADER: usize = 512;
const RECORD_MAGIC: [u8; 4] = [0x2a, 0x2a, 0, 0];
const RECORD_HEADER: usize = 24;
/// Chunks that are cut at a time.
const BATCH: usize = 16;
/// How many buffers of chunks that were cut are kept, to be used again.
const KEPT: usize = 6;
/// Chunks that a thread takes at a time.
const SHARE: usize = 4;

/// Whether a file starts as EVTX does.
pub fn recognise(head: &[u8]) -> bool {
    head.starts_with(FILE_MAGIC) || head.starts_with(CHUNK_MAGIC)
}

/// A decoder for one file.
pub fn decoder(settings: &Settings) -> Box<dyn Decoder> {
    Box::new(Evtx::new(settings))
}

/// The decoder: it holds back at most [`BATCH`] chunks, and those that threads decode ahead.
struct Evtx {
    how: How,
    /// Bytes of the file, and behind them room for more.
    buffer: Vec<u8>,
    /// How many bytes are there.
    filled: usize,
    /// Offset in the file of the buffer's first byte.
    offset: u64,
    /// Records given so far.
    records: u64,
    started: bool,
    /// Where the chunks of zeros begin that came last.
    blank: Option<u64>,
    ahead: Ahead<Share, Decoded>,
    /// Buffers that were cut, to be used again: memory that is new each time costs more than what is copied to it.
    used: VecDeque<Arc<Vec<u8>>>,
}

/// Chunks that are decoded together.
struct Share {
    bytes: Arc<Vec<u8>>,
    /// Offset in the file of the first byte.
    offset: u64,
    /// Where the chunks lie.
    chunks: Vec<Range<usize>>,
}

/// Chunks, and what each gave.
struct Decoded {
    share: Share,
    outputs: Vec<Output>,
    /// The values of all records of which the documents are not written yet.
    picked: Picked,
}

fn lock(benches: &Mutex<Vec<Bench>>) -> MutexGuard<'_, Vec<Bench>> {
    benches.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Share {
    fn decode(self, how: &How, bench: &mut Bench) -> Decoded {
        let outputs = self.chunks.iter().map(|chunk| decode_chunk(&self.bytes[chunk.clone()], how, bench)).collect();
        Decoded { share: self, outputs, picked: bench.picked.take() }
    }
}

/// What a thread decodes chunks with; what was found out of templates serves further chunks.
#[derive(Default)]
struct Bench {
    record: Record,
    mapper: RecordMapper,
    library: Library,
    kinds: Kinds,
    picked: Picked,
    /// Chunks so far.
    chunks: u64,
}

/// What documents are made with.
#[derive(Clone)]
struct How {
    /// The host of records that name none.
    host_name: Option<Arc<str>>,
    /// What is looked at before a document is written; none: all documents are written.
    wishes: Option<Arc<Wishes>>,
}

/// Records of which the documents are not written yet.
struct Kept {
    /// Bytes of the file, which others share, and where chunks lie among them.
    bytes: Arc<Vec<u8>>,
    chunks: Vec<Range<usize>>,
    /// The number of its chunk, and offset in it and size, of each.
    records: Vec<(usize, usize, usize)>,
    how: How,
}

impl Render for Kept {
    fn render(&self, number: usize, out: &mut Vec<u8>) {
        let Some(&(chunk, at, size)) = self.records.get(number) else { return };
        let Some(bytes) = self.chunks.get(chunk).and_then(|range| self.bytes.get(range.clone())) else { return };
        thread_local! {
            /// Room that is used again for each record.
            static ROOM: RefCell<(Record, RecordMapper)> = RefCell::default();
        }
        ROOM.with_borrow_mut(|(record, mapper)| {
            let mut chunk = Chunk::new(bytes);
            if chunk.read(at + RECORD_HEADER, size - RECORD_HEADER - 4, record).is_ok() {
                mapper.write(record, self.how.host_name.as_deref(), out);
            }
        });
    }
}

/// What one chunk gave.
#[derive(Default)]
struct Output {
    /// The records of documents that are not written: which of the values are theirs, whether they are doubtful, offset in the
    /// chunk and size.
    records: Vec<(Extent, bool, usize, usize)>,
    json: Vec<u8>,
    /// The end of each document in `json`, and the offset of its record in the chunk.
    documents: Vec<(usize, usize)>,
    /// Kind, message, offset in the chunk, and how many documents came before.
    faults: Vec<(&'static str, String, usize, usize)>,
    /// Whether the chunk is nothing but zeros.
    blank: bool,
}

impl Output {
    /// How many records there are so far.
    fn records(&self) -> usize {
        self.documents.len() + self.records.len()
    }
}

impl Evtx {
    fn new(settings: &Settings) -> Self {
        let how = How {
            host_name: settings.host_name.as_deref().map(Arc::from),
            wishes: settings.wanted.clone().map(|wanted| Arc::new(Wishes::new(wanted))),
        };
        let (whole, benches) = (how.clone(), Mutex::<Vec<Bench>>::default());
        let ahead = Ahead::new(settings.threads(), move |share: Share| {
            let mut bench = lock(&benches).pop().unwrap_or_default();
            let decoded = share.decode(&whole, &mut bench);
            lock(&benches).push(bench);
            decoded
        });
        Self {
            how,
            buffer: fresh(),
            filled: 0,
            offset: 0,
            records: 0,
            started: false,
            blank: None,
            ahead,
            used: VecDeque::new(),
        }
    }

    fn fault(&self, kind: &'static str, message: String, offset: u64, sink: &mut dyn Sink) {
        sink.fault(Fault { kind, message, place: Place { record: self.records + 1, offset } });
    }

    /// Decodes what is there: whole chunks, at the end of the file all.
    fn advance(&mut self, last: bool, sink: &mut dyn Sink) {
        let mut from = 0;
        if !self.started {
            if self.filled < FILE_HEADER && !last {
                return;
            }
            self.started = true;
            if self.buffer.starts_with(FILE_MAGIC) {
                from = FILE_HEADER.min(self.filled);
            } else if !self.buffer.starts_with(CHUNK_MAGIC) {
                self.fault("damaged file header", "the file does not start as EVTX does".to_owned(), 0, sink);
            }
        }
        let bytes = Arc::new(std::mem::take(&mut self.buffer));
        let pieces = pieces(&bytes[..self.filled], from, last);
        for chunks in pieces.chunks(SHARE) {
            self.ahead.put(Share { bytes: Arc::clone(&bytes), offset: self.offset, chunks: chunks.to_vec() });
            self.give_decoded(false, sink);
        }
        let end = pieces.last().map_or(from, |range| range.end);
        self.buffer = self.unused();
        let rest = &bytes[end..self.filled];
        self.buffer[..rest.len()].copy_from_slice(rest);
        (self.filled, self.offset) = (rest.len(), self.offset + end as u64);
        self.used.push_back(bytes);
    }

    /// A buffer for what comes next: one whose bytes no record needs any more, if there is any.
    fn unused(&mut self) -> Vec<u8> {
        let free = self.used.iter().position(|bytes| Arc::strong_count(bytes) == 1);
        let known = free.and_then(|place| self.used.remove(place)).and_then(|bytes| Arc::try_unwrap(bytes).ok());
        if known.is_none() && self.used.len() >= KEPT {
            self.used.pop_front();
        }
        known.unwrap_or_else(fresh)
    }

    /// Gives what is decoded, in order; at the end of the file all.
    fn give_decoded(&mut self, all: bool, sink: &mut dyn Sink) {
        while let Some(Decoded { share, outputs, picked }) = self.ahead.next(all) {
            let (mut records, mut places) = (Vec::new(), Vec::new());
            for (number, (range, output)) in share.chunks.iter().zip(outputs).enumerate() {
                let chunk = share.offset + range.start as u64;
                if output.blank {
                    self.blank.get_or_insert(chunk);
                    continue;
                }
                if let Some(blank) = self.blank.take() {
                    let message =
                        format!("{} bytes of zeros before a chunk: overwritten, or not copied", chunk - blank);
                    self.fault("blank chunk", message, blank, sink);
                }
                places.extend(output.records.iter().map(|(_, _, at, size)| (number, *at, *size)));
                if output.records.is_empty() {
                    self.give(&output, chunk, sink);
                } else {
                    self.number(output, chunk, &mut records, sink);
                }
            }
            if !records.is_empty() {
                let Share { bytes, chunks, .. } = share;
                let raw = Box::new(Kept { bytes, chunks, records: places, how: self.how.clone() });
                sink.unwritten(Unwritten { picked, records, raw });
            }
        }
    }

    /// Numbers the records of a chunk of which the documents are not written yet.
    fn number(&mut self, output: Output, chunk: u64, records: &mut Vec<UnwrittenRecord>, sink: &mut dyn Sink) {
        let mut before = 0;
        for (kind, message, at, count) in output.faults {
            before = before.max(count.min(output.records.len()));
            let place = Place { record: self.records + before as u64 + 1, offset: chunk + at as u64 };
            sink.fault(Fault { kind, message, place });
        }
        for (values, doubtful, at, size) in output.records {
            self.records += 1;
            let place = Place { record: self.records, offset: chunk + at as u64 };
            records.push(UnwrittenRecord { place, values, doubtful, size: size as u32 });
        }
    }

    fn give(&mut self, output: &Output, chunk: u64, sink: &mut dyn Sink) {
        let mut faults = output.faults.iter().peekable();
        let mut start = 0;
        for (index, &(end, at)) in output.documents.iter().enumerate() {
            while let Some((kind, message, at, _)) = faults.next_if(|fault| fault.3 <= index) {
                self.fault(kind, message.clone(), chunk + *at as u64, sink);
            }
            self.records += 1;
            sink.document(&output.json[start..end], Place { record: self.records, offset: chunk + at as u64 });
            start = end;
        }
        for (kind, message, at, _) in faults {
            self.fault(kind, message.clone(), chunk + *at as u64, sink);
        }
    }
}

impl Decoder for Evtx {
    fn push(&mut self, mut bytes: &[u8], sink: &mut dyn Sink) {
        while !bytes.is_empty() {
            let room = &mut self.buffer[self.filled..];
            let (now, later) = bytes.split_at(bytes.len().min(room.len()));
            room[..now.len()].copy_from_slice(now);
            self.took(now.len(), sink);
            bytes = later;
        }
    }

    fn room(&mut self) -> Option<&mut [u8]> {
        Some(&mut self.buffer[self.filled..])
    }

    fn took(&mut self, bytes: usize, sink: &mut dyn Sink) {
        self.filled += bytes;
        if self.filled >= BATCH * CHUNK {
            self.advance(false, sink);
        }
    }

    fn finish(&mut self, sink: &mut dyn Sink) {
        self.advance(true, sink);
        self.give_decoded(true, sink);
    }
}

/// A buffer for a batch of chunks and the beginning of one more.
fn fresh() -> Vec<u8> {
    vec![0; (BATCH + 1) * CHUNK]
}

/// The chunks that are there whole from a place on, at the end of the file all.
fn pieces(bytes: &[u8], mut at: usize, last: bool) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    while at < bytes.len() && (bytes.len() - at >= CHUNK || last) {
        let end = bytes.len().min(at + CHUNK);
        // Where the next one stands in its place, no bytes were lost.
        let piece = if is_chunk(&bytes[end..]) { end - at } else { piece(&bytes[at..end]) };
        pieces.push(at..at + piece);
        at += piece;
    }
    pieces
}

/// Whether a chunk begins here.
fn is_chunk(bytes: &[u8]) -> bool {
    bytes.starts_with(CHUNK_MAGIC) && header_is_whole(bytes)
}

/// How much of the window is one chunk: all of it, unless another chunk starts inside, where bytes were lost.
fn piece(window: &[u8]) -> usize {
    memchr::memmem::find_iter(&window[1.min(window.len())..], CHUNK_MAGIC)
        .map(|at| at + 1)
        .find(|&at| header_is_whole(&window[at..]))
        .unwrap_or(window.len())
}

/// Whether a chunk's header fits its own checksum, as far as it is there.
fn header_is_whole(chunk: &[u8]) -> bool {
    let Some(header) = chunk.get(..CHUNK_HEADER) else {
        return false;
    };
    u32_at(header, 40) == 128 && crc(&[&header[..120], &header[128..]]) == u32_at(header, 124) as u32
}

fn crc(parts: &[&[u8]]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    parts.iter().for_each(|part| crc.update(part));
    crc.finalize()
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    bytes.get(at..at + 4).map_or(0, |bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u32_at(bytes, at) as u64 | (u32_at(bytes, at + 4) as u64) << 32
}

fn decode_chunk(bytes: &[u8], how: &How, bench: &mut Bench) -> Output {
    let mut output = Output { blank: bytes.iter().all(|&byte| byte == 0), ..Output::default() };
    if output.blank {
        // A chunk that was never used, if no other comes behind it.
        return output;
    }
    bench.chunks += 1;
    let whole = check_header(bytes, &mut output);
    let free = if whole { u32_at(bytes, 48).min(bytes.len()) } else { bytes.len() };
    let mut chunk = Chunk::new(bytes);
    let (mut at, mut last_id) = (CHUNK_HEADER, 0);
    let last_of_chunk = u64_at(bytes, 32);
    while let Some(size) = next_record(bytes, &mut at, free, last_id, &mut output) {
        let id = u64_at(bytes, at + 8);
        let text = (at + RECORD_HEADER, size - RECORD_HEADER - 4);
        let read = match &how.wishes {
            Some(wishes) => {
                let mark = bench.picked.mark();
                let picked = bench.pick(&mut chunk, text, how, wishes);
                picked.map(|doubtful| output.records.push((bench.picked.since(mark), doubtful, at, size)))
            }
            None => chunk.read(text.0, text.1, &mut bench.record).map(|()| {
                bench.mapper.write(&bench.record, how.host_name.as_deref(), &mut output.json);
                output.documents.push((output.json.len(), at));
            }),
        };
        if let Err(damage) = read {
            let message = format!("record {id} cannot be read: {} ({:#x} in its chunk)", damage.what, damage.at);
            let before = output.records();
            output.faults.push(("damaged record", message, at, before));
        }
        last_id = id;
        at += size;
        if whole && id == last_of_chunk && at >= free {
            break;
        }
    }
    output
}

impl Bench {
    /// Adds the wanted values of the record whose binary XML lies at `at`; whether they may differ from its document's.
    fn pick(
        &mut self,
        chunk: &mut Chunk<'_>,
        (at, size): (usize, usize),
        how: &How,
        wishes: &Arc<Wishes>,
    ) -> Result<bool, Damage> {
        let Self { record, mapper, library, kinds, picked, chunks } = self;
        let host_name = how.host_name.as_deref();
        let mut tools = Tools { library, mapper, host_name, wishes };
        if kinds.pick(chunk, (at, size), &mut tools, picked, *chunks) {
            return Ok(false);
        }
        if !chunk.read_selected(at, size, mapper.selection(wishes), library, record) {
            chunk.read(at, size, record)?;
        }
        Ok(mapper.pick(record, host_name, wishes, picked))
    }
}

/// Checks what the header says; whether it can be believed.
fn check_header(bytes: &[u8], output: &mut Output) -> bool {
    if !bytes.starts_with(CHUNK_MAGIC) || bytes.len() < CHUNK_HEADER {
        let found = String::from_utf8_lossy(bytes.get(..8).unwrap_or(bytes)).escape_debug().to_string();
        output.faults.push(("damaged chunk", format!("`ElfChnk` expected, found `{found}`"), 0, 0));
        return false;
    }
    if bytes.len() < CHUNK {
        let message = format!("the chunk has {} bytes of {CHUNK}", bytes.len());
        output.faults.push(("truncated chunk", message, bytes.len(), usize::MAX));
    }
    let unchecked = u32_at(bytes, 120) & 4 != 0;
    if !unchecked && !header_is_whole(bytes) {
        output.faults.push(("damaged chunk", "the header does not fit its checksum".to_owned(), 0, 0));
        return false;
    }
    let records = bytes.get(CHUNK_HEADER..u32_at(bytes, 48));
    if !unchecked && bytes.len() == CHUNK && records.is_none_or(|records| crc(&[records]) != u32_at(bytes, 52) as u32) {
        let message =
            "the records do not fit their checksum: changed, or the log was open when it was copied".to_owned();
        output.faults.push(("checksum mismatch", message, CHUNK_HEADER, 0));
    }
    true
}

/// The size of a record that lies whole at `at`: header, size, and the copy of the size behind it.
fn record_at(bytes: &[u8], at: usize) -> Option<usize> {
    let size = u32_at(bytes.get(at..at + RECORD_HEADER)?, 4);
    let end = at.checked_add(size).filter(|&end| end <= bytes.len())?;
    (bytes[at..].starts_with(&RECORD_MAGIC) && size > RECORD_HEADER + 4 && u32_at(bytes, end - 4) == size)
        .then_some(size)
}

/// Finds the next record at or behind `at`. Behind the records that the header knows, one more is taken if its number
/// follows: a log that was open when it was copied has such. Older ones there are remains, and not given.
fn next_record(bytes: &[u8], at: &mut usize, free: usize, last_id: u64, output: &mut Output) -> Option<usize> {
    if let Some(size) = record_at(bytes, *at) {
        let follows = last_id != 0 && u64_at(bytes, *at + 8) == last_id + 1;
        return (*at < free || follows).then_some(size);
    }
    if *at >= free {
        return None;
    }
    let start = *at;
    let found = memchr::memmem::find_iter(&bytes[start..free], &RECORD_MAGIC)
        .map(|offset| start + offset)
        .find(|&next| record_at(bytes, next).is_some());
    let end = found.unwrap_or(free);
    if bytes[start..end].iter().any(|&byte| byte != 0) {
        let message = format!("{} bytes are no record", end - start);
        let before = output.records();
        output.faults.push(("damaged record", message, start, before));
    }
    *at = found?;
    record_at(bytes, *at)
}
