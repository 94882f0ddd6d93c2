//! Raw telemetry to ECS documents: one module a format. A decoder turns the bytes of one file into JSON documents, each
//! with the place it came from; what the documents mean is not known here.

use crate::json::Projection;
use crate::value::{Extent, Picked};
use std::sync::Arc;

pub mod auditd;
mod digits;
pub mod eslogger;
pub mod evtx;
mod parallel;
pub mod sysmon_linux;
pub mod windows_json;
pub mod windows_xml;
mod winlog;
pub mod winlogbeat;
mod writer;

/// Where in its file a document came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Number of the record (of the line, for line formats), from 1.
    pub record: u64,
    /// Offset of its first byte in the decompressed file.
    pub offset: u64,
}

/// Something wrong with the input: what, and where. The rest of the file is still read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// A stable kind, under which faults are counted (`"truncated record"`).
    pub kind: &'static str,
    /// One line: what was found, and what would be right.
    pub message: String,
    /// Where.
    pub place: Place,
}

/// Records whose ECS documents are only written where somebody asks for them: most records are of no rule's concern.
pub struct Unwritten {
    /// The values of the wanted fields ([`Settings::wanted`]), of all records.
    pub picked: Picked,
    /// In order.
    pub records: Vec<UnwrittenRecord>,
    /// What the documents are written from.
    pub raw: Box<dyn Render>,
}

/// One record of [`Unwritten`].
#[derive(Clone, Copy, Debug)]
pub struct UnwrittenRecord {
    /// Where it came from.
    pub place: Place,
    /// Which of the values are its own.
    pub values: Extent,
    /// Whether the values may differ from the document's: only the document counts then.
    pub doubtful: bool,
    /// Bytes of the raw record.
    pub size: u32,
}

/// Raw records that documents can be written from at any time.
pub trait Render: Send {
    /// Appends the document of a record, by its number, as one line of JSON without line break.
    fn render(&self, number: usize, out: &mut Vec<u8>);
}

/// What a decoder gives its documents and faults to.
pub trait Sink {
    /// One ECS document as one line of JSON (no line break).
    fn document(&mut self, json: &[u8], place: Place);
    /// Records whose documents are not written yet. Come only from decoders that were told which fields are wanted.
    fn unwritten(&mut self, records: Unwritten) {
        let mut json = Vec::new();
        for (number, record) in records.records.iter().enumerate() {
            json.clear();
            records.raw.render(number, &mut json);
            self.document(&json, record.place);
        }
    }
    /// One fault.
    fn fault(&mut self, fault: Fault);
}

/// Turns the bytes of one file, in pieces of any size, into documents. Memory must stay bounded whatever the input.
pub trait Decoder: Send {
    /// The next piece of the file.
    fn push(&mut self, bytes: &[u8], sink: &mut dyn Sink);
    /// Room that the next piece may be read to, instead of being pushed; none: it is pushed.
    fn room(&mut self) -> Option<&mut [u8]> {
        None
    }
    /// So many bytes were read to [`Decoder::room`].
    fn took(&mut self, _bytes: usize, _sink: &mut dyn Sink) {}
    /// The end of the file: what is still held back comes out, and what is incomplete becomes a fault.
    fn finish(&mut self, sink: &mut dyn Sink);
    /// The end of a file that the next one continues (a rotated log): what is incomplete may be kept. `false`: nothing is, and the next
    /// file gets a decoder of its own.
    fn carry(&mut self, sink: &mut dyn Sink) -> bool {
        self.finish(sink);
        false
    }
}

/// What the caller says about the input, for formats that need to be told.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The host of records that name none.
    pub host_name: Option<String>,
    /// The fields that the caller looks at before it asks for documents. None: it wants all documents.
    pub wanted: Option<Arc<Projection>>,
    /// Threads that may decode at a time; 0: one a processor.
    pub threads: usize,
}

impl Settings {
    /// How many threads decode at a time: beyond four, handing over takes more than it brings.
    fn threads(&self) -> usize {
        let most = match self.threads {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            threads => threads,
        };
        most.min(4)
    }
}

/// Turns one JSON document of a raw format (a line of `eslogger`, an element of an array of events) into ECS documents.
pub trait Mapper: Send {
    /// One whole document, without line breaks.
    fn document(&mut self, json: &[u8], place: Place, sink: &mut dyn Sink);
    /// The end of the file.
    fn finish(&mut self, sink: &mut dyn Sink);
}

/// The text behind the line `Record 7` that `evtx_dump` puts before each event unless it is told not to.
pub(crate) fn unnumbered(text: &[u8]) -> &[u8] {
    let Some((line, rest)) = memchr::memchr(b'\n', text).map(|end| text.split_at(end)) else { return text };
    if is_number(line) { rest.trim_ascii_start() } else { text }
}

/// Whether a line is such a number.
pub(crate) fn is_number(line: &[u8]) -> bool {
    let digits = line.trim_ascii().strip_prefix(b"Record ").unwrap_or_default();
    !digits.is_empty() && digits.len() <= 20 && digits.iter().all(u8::is_ascii_digit)
}

/// How a format is read. Files are decompressed and UTF-16 is transcoded before either sees them.
#[derive(Clone, Copy)]
pub enum Reading {
    /// The decoder gets the bytes of the file.
    Bytes(fn(&Settings) -> Box<dyn Decoder>),
    /// The file is NDJSON, a JSON array or a search response; the mapper gets its documents one by one.
    Documents(fn(&Settings) -> Box<dyn Mapper>),
}

/// One raw format: its list line. ECS documents in JSON need none.
#[derive(Clone, Copy)]
pub struct Format {
    /// As `--source` and the summary name it.
    pub name: &'static str,
    /// Whether the first bytes of a file (up to 64 KiB; of its first document, for [`Reading::Documents`]) are this format.
    pub recognise: fn(&[u8]) -> bool,
    /// How it is read.
    pub reading: Reading,
}

/// Every raw format, most telling first: the first that recognises a file reads it.
pub const FORMATS: &[Format] = &[
    Format { name: "evtx", recognise: evtx::recognise, reading: Reading::Bytes(evtx::decoder) },
    Format { name: "sysmon_linux", recognise: sysmon_linux::recognise, reading: Reading::Bytes(sysmon_linux::decoder) },
    Format { name: "windows-xml", recognise: windows_xml::recognise, reading: Reading::Bytes(windows_xml::decoder) },
    Format {
        name: "windows-json",
        recognise: windows_json::recognise,
        reading: Reading::Documents(windows_json::mapper),
    },
    Format { name: "winlogbeat", recognise: winlogbeat::recognise, reading: Reading::Documents(winlogbeat::mapper) },
    Format { name: "eslogger", recognise: eslogger::recognise, reading: Reading::Documents(eslogger::mapper) },
    auditd::FORMAT,
];
