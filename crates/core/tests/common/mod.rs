//! What the tests of the sources share: a sink that keeps everything, and a writer of small EVTX files.
#![allow(dead_code)] // each test file uses its part

use std::io::Read as _;
use std::path::PathBuf;

use contraband_core::sources::{FORMATS, Fault, Place, Reading, Settings, Sink};

/// Keeps what a decoder gives.
#[derive(Default)]
pub struct Collected {
    pub documents: Vec<(Vec<u8>, Place)>,
    pub faults: Vec<Fault>,
}

impl Sink for Collected {
    fn document(&mut self, json: &[u8], place: Place) {
        self.documents.push((json.to_vec(), place));
    }
    fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }
}

impl Collected {
    /// The documents as JSON; panics on one that is none.
    pub fn json(&self) -> Vec<serde_json::Value> {
        self.documents.iter().map(|(json, _)| serde_json::from_slice(json).expect("documents are JSON")).collect()
    }
}

/// Decodes a file of the format called `name`, given in pieces; documents of JSON formats are its lines.
pub fn decode(name: &str, bytes: &[u8], piece: usize) -> Collected {
    let format = FORMATS.iter().find(|format| format.name == name).expect("a format of the list");
    let mut collected = Collected::default();
    match format.reading {
        Reading::Bytes(decoder) => {
            let mut decoder = decoder(&Settings::default());
            bytes.chunks(piece).for_each(|part| decoder.push(part, &mut collected));
            decoder.finish(&mut collected);
        }
        Reading::Documents(mapper) => {
            let mut mapper = mapper(&Settings::default());
            for (record, line) in (1..).zip(bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty())) {
                mapper.document(line, Place { record, offset: 0 }, &mut collected);
            }
            mapper.finish(&mut collected);
        }
    }
    collected
}

/// The name of the first format that recognises the bytes.
pub fn recognised(bytes: &[u8]) -> Option<&'static str> {
    FORMATS.iter().find(|format| (format.recognise)(bytes)).map(|format| format.name)
}

const CHUNK: usize = 65_536;

/// Writes EVTX: one template a chunk, each record with its values.
pub struct Writer {
    chunks: Vec<Vec<u8>>,
    next: u64,
}

/// One event to be written.
pub struct Written<'a> {
    pub provider: &'a str,
    pub id: u16,
    pub channel: &'a str,
    pub computer: &'a str,
    pub filetime: u64,
    pub data: &'a [(&'a str, &'a str)],
}

impl Writer {
    pub fn new() -> Self {
        Self { chunks: Vec::new(), next: 1 }
    }

    /// Adds a chunk of these events.
    pub fn chunk(&mut self, events: &[Written<'_>]) {
        let mut chunk = vec![0; 512];
        let first = self.next;
        let mut last = 512;
        for event in events {
            last = chunk.len();
            record(&mut chunk, self.next, event);
            self.next += 1;
        }
        let free = chunk.len();
        assert!(free <= CHUNK, "too many events for a chunk");
        chunk[..8].copy_from_slice(b"ElfChnk\0");
        for (at, value) in [(8, first), (16, self.next - 1), (24, first), (32, self.next - 1)] {
            chunk[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        for (at, value) in [(40, 128), (44, last), (48, free)] {
            chunk[at..at + 4].copy_from_slice(&(value as u32).to_le_bytes());
        }
        let records = crc(&[&chunk[512..free]]);
        chunk[52..56].copy_from_slice(&records.to_le_bytes());
        let header = crc(&[&chunk[..120], &chunk[128..512]]);
        chunk[124..128].copy_from_slice(&header.to_le_bytes());
        chunk.resize(CHUNK, 0);
        self.chunks.push(chunk);
    }

    /// The whole file.
    pub fn finish(&self) -> Vec<u8> {
        let mut file = vec![0; 4096];
        file[..8].copy_from_slice(b"ElfFile\0");
        for (at, value) in [(16, self.chunks.len() as u64 - 1), (24, self.next)] {
            file[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        file[32..36].copy_from_slice(&128_u32.to_le_bytes());
        for (at, value) in [(36, 1_u16), (38, 3), (40, 4096), (42, self.chunks.len() as u16)] {
            file[at..at + 2].copy_from_slice(&value.to_le_bytes());
        }
        let checksum = crc(&[&file[..120]]);
        file[124..128].copy_from_slice(&checksum.to_le_bytes());
        file.extend(self.chunks.iter().flatten());
        file
    }
}

fn crc(parts: &[&[u8]]) -> u32 {
    let mut crc = flate2::Crc::new();
    for part in parts {
        crc.update(part);
    }
    crc.sum()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A name, in place.
fn name(out: &mut Vec<u8>, text: &str) {
    let here = out.len() as u32 + 4;
    out.extend(here.to_le_bytes());
    out.extend([0; 6]);
    out.extend((text.encode_utf16().count() as u16).to_le_bytes());
    out.extend(utf16(text));
    out.extend([0, 0]);
}

fn open(out: &mut Vec<u8>, text: &str, attributes: bool) {
    out.extend([if attributes { 0x41 } else { 0x01 }, 0xff, 0xff, 0, 0, 0, 0]);
    name(out, text);
    if attributes {
        out.extend([0; 4]);
    }
}

fn attribute(out: &mut Vec<u8>, text: &str) {
    out.push(0x06);
    name(out, text);
}

fn literal(out: &mut Vec<u8>, text: &str) {
    out.extend([0x05, 0x01]);
    out.extend((text.encode_utf16().count() as u16).to_le_bytes());
    out.extend(utf16(text));
}

fn value(out: &mut Vec<u8>, index: u16, kind: u8) {
    out.push(0x0d);
    out.extend(index.to_le_bytes());
    out.push(kind);
}

/// The template of one event, its values in this order: provider, id, time, record, channel, computer, data.
fn template(out: &mut Vec<u8>, event: &Written<'_>) {
    out.extend([0x0f, 1, 1, 0]);
    open(out, "Event", false);
    out.push(0x02);
    open(out, "System", false);
    out.push(0x02);
    open(out, "Provider", true);
    attribute(out, "Name");
    value(out, 0, 1);
    out.push(0x03);
    open(out, "EventID", false);
    out.push(0x02);
    value(out, 1, 6);
    out.push(0x04);
    open(out, "TimeCreated", true);
    attribute(out, "SystemTime");
    value(out, 2, 0x11);
    out.push(0x03);
    for (index, kind, element) in [(3, 0x0a, "EventRecordID"), (4, 1, "Channel"), (5, 1, "Computer")] {
        open(out, element, false);
        out.push(0x02);
        value(out, index, kind);
        out.push(0x04);
    }
    out.push(0x04);
    open(out, "EventData", false);
    out.push(0x02);
    for (index, (called, _)) in (6..).zip(event.data) {
        open(out, "Data", true);
        attribute(out, "Name");
        literal(out, called);
        out.push(0x02);
        value(out, index, 1);
        out.push(0x04);
    }
    out.extend([0x04, 0x04, 0x00]);
}

fn record(chunk: &mut Vec<u8>, number: u64, event: &Written<'_>) {
    let start = chunk.len();
    chunk.extend([0x2a, 0x2a, 0, 0, 0, 0, 0, 0]);
    chunk.extend(number.to_le_bytes());
    chunk.extend(event.filetime.to_le_bytes());
    chunk.extend([0x0f, 1, 1, 0, 0x0c, 1, 1, 0, 0, 0]);
    let definition = chunk.len() as u32 + 4;
    chunk.extend(definition.to_le_bytes());
    chunk.extend([0; 24]);
    let body = chunk.len();
    template(chunk, event);
    let size = (chunk.len() - body) as u32;
    chunk[body - 4..body].copy_from_slice(&size.to_le_bytes());
    let mut values: Vec<(u8, Vec<u8>)> = vec![
        (1, utf16(event.provider)),
        (6, event.id.to_le_bytes().to_vec()),
        (0x11, event.filetime.to_le_bytes().to_vec()),
        (0x0a, number.to_le_bytes().to_vec()),
        (1, utf16(event.channel)),
        (1, utf16(event.computer)),
    ];
    values.extend(event.data.iter().map(|(_, text)| (1, utf16(text))));
    chunk.extend((values.len() as u32).to_le_bytes());
    for (kind, bytes) in &values {
        chunk.extend((bytes.len() as u16).to_le_bytes());
        chunk.extend([*kind, 0]);
    }
    for (_, bytes) in &values {
        chunk.extend(bytes);
    }
    chunk.push(0);
    chunk.resize(start + (chunk.len() - start + 4).next_multiple_of(8), 0);
    let size = (chunk.len() - start) as u32;
    chunk[start + 4..start + 8].copy_from_slice(&size.to_le_bytes());
    let end = chunk.len();
    chunk[end - 4..].copy_from_slice(&size.to_le_bytes());
}

/// The public recordings, where they are there.
pub fn folder() -> Option<PathBuf> {
    let root = std::env::var_os("CONTRABAND_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
    let folder = root.join("telemetry/public");
    folder.is_dir().then_some(folder)
}

/// Every EVTX of the shared archives, with its name.
pub fn recordings() -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for archive in folder().into_iter().flat_map(|folder| std::fs::read_dir(folder).expect("a readable folder")) {
        let path = archive.expect("a readable entry").path();
        if path.extension().is_none_or(|extension| extension != "zip") {
            continue;
        }
        let mut zip = zip::ZipArchive::new(std::fs::File::open(&path).expect("readable")).expect("a zip file");
        for index in 0..zip.len() {
            let mut entry = zip.by_index(index).expect("an entry");
            let name = entry.name().expect("a name").into_owned();
            if PathBuf::from(&name).extension().is_some_and(|extension| extension == "evtx") {
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).expect("a readable entry");
                found.push((name, bytes));
            }
        }
    }
    found
}

/// A file of the project's own corpus.
pub fn corpus(path: &str) -> Vec<u8> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/corpus"));
    std::fs::read(root.join(path)).expect("a file of the corpus")
}

/// A file of the shared telemetry, where that is there.
pub fn shared(path: &str) -> Option<Vec<u8>> {
    let root = std::env::var_os("CONTRABAND_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
    std::fs::read(root.join("telemetry").join(path)).ok()
}
