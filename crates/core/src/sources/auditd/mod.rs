//! The Linux audit log as auditd writes it (`log_format` RAW and ENRICHED, with and without `node=`): records are joined to
//! events and become the documents of Elastic's `auditd_manager` integration. What lies in other files is not known here.

mod arguments;
mod batch;
mod data;
mod decode;
mod document;
mod event;
mod keys;
mod marks;
mod normal;
mod numbers;
mod order;
mod places;
mod record;
mod sockaddr;
mod window;
mod wishes;

use std::cell::RefCell;
use std::sync::{Arc, LazyLock};

use memchr::memmem::Finder;

use super::parallel::Ahead;
use super::writer::Writer;
use super::{Decoder, Fault, Format, Place, Reading, Render, Settings, Sink, Unwritten, UnwrittenRecord};
use crate::json::Projection;
use crate::value::{Extent, Picked};
use batch::Batch;
use event::{Assembler, Event};
use places::Places;
use record::{Head, LastStamp, Orders};
use window::{Group, Window};
use wishes::Wishes;

/// The list line of this format.
pub const FORMAT: Format =
    Format { name: "auditd", recognise, reading: Reading::Bytes(|settings| Box::new(Auditd::new(settings))) };

/// Whether a file begins with audit records; a few damaged lines before the first are passed over.
pub fn recognise(head: &[u8]) -> bool {
    let lines = head.split(|byte| *byte == b'\n').take(8);
    lines.into_iter().any(|line| std::str::from_utf8(line).is_ok_and(|line| record::head(line).is_some()))
}

/// Longer lines are damage: the kernel cuts its records at 8 KiB, and auditd's own limit is 9 KiB before ENRICHED.
const MAXIMUM_LINE: usize = 1 << 20;

/// Bytes of records that are decoded at a time.
const BATCH: usize = 512 << 10;
/// Bytes of a batch that is done with before more is read.
const LARGE: usize = 4 << 20;

/// Reads an audit log.
pub struct Auditd {
    /// The line that the last piece of the file ended in.
    rest: Vec<u8>,
    /// Whether the rest of the current line is passed over, because it is too long.
    skipping: bool,
    /// Where the next line begins.
    next: Position,
    /// The head of the record before.
    last: LastStamp,
    window: Window,
    /// Whole events that are to be decoded.
    batch: Batch,
    /// Decodes batches that are full.
    ahead: Ahead<Batch, Decoded>,
}

/// The number of lines so far, and the offset of the next.
#[derive(Clone, Copy, Debug, Default)]
struct Position {
    lines: u64,
    offset: u64,
}

impl Decoder for Auditd {
    fn push(&mut self, mut bytes: &[u8], sink: &mut dyn Sink) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (line, after) = (&bytes[..end], &bytes[end + 1..]);
            if self.rest.is_empty() && !self.skipping {
                self.line(line, 1, sink);
            } else {
                self.keep(line);
                self.kept_line(1, sink);
            }
            bytes = after;
        }
        self.keep(bytes);
    }

    fn carry(&mut self, sink: &mut dyn Sink) -> bool {
        self.last_line(sink);
        while let Some(group) = self.window.ended_first() {
            self.emit(group, sink);
        }
        self.decode_all(sink);
        // An event that ends in the next file lies there.
        self.next = Position::default();
        self.window.move_to(Place { record: 1, offset: 0 });
        true
    }

    fn finish(&mut self, sink: &mut dyn Sink) {
        self.last_line(sink);
        while let Some(group) = self.window.last_first() {
            self.emit(group, sink);
        }
        self.decode_all(sink);
    }
}

impl Auditd {
    fn new(settings: &Settings) -> Self {
        // The fields that are picked out of events whose documents are left for later.
        let wanted = settings.wanted.clone();
        let wishes = wanted.as_deref().map(Wishes::of).unwrap_or_default();
        let places = wanted.as_deref().and_then(Places::of);
        Self {
            rest: Vec::new(),
            skipping: false,
            next: Position::default(),
            last: LastStamp::default(),
            window: Window::default(),
            batch: Batch::default(),
            ahead: Ahead::new(settings.threads(), move |batch| {
                Decoded::of(batch, wanted.as_ref(), &wishes, places.as_ref())
            }),
        }
    }

    /// The line that the file ends in without a line break.
    fn last_line(&mut self, sink: &mut dyn Sink) {
        if !self.rest.is_empty() || self.skipping {
            self.kept_line(0, sink);
        }
    }

    /// Keeps the beginning of a line until its end comes.
    fn keep(&mut self, bytes: &[u8]) {
        if self.skipping {
            self.next.offset += bytes.len() as u64;
        } else if self.rest.len() + bytes.len() > MAXIMUM_LINE {
            self.next.offset += (self.rest.len() + bytes.len()) as u64;
            self.rest = Vec::new();
            self.skipping = true;
        } else {
            self.rest.extend_from_slice(bytes);
        }
    }

    fn kept_line(&mut self, line_break: u64, sink: &mut dyn Sink) {
        if self.skipping {
            self.skipping = false;
            self.next.offset += line_break;
            self.next.lines += 1;
            let place = Place { record: self.next.lines, offset: self.next.offset };
            fault(sink, "overlong line", format!("a line longer than {MAXIMUM_LINE} bytes ends here"), place);
            return;
        }
        let line = std::mem::take(&mut self.rest);
        self.line(&line, line_break, sink);
        self.rest = line;
        self.rest.clear();
    }

    fn line(&mut self, line: &[u8], line_break: u64, sink: &mut dyn Sink) {
        let place = Place { record: self.next.lines + 1, offset: self.next.offset };
        self.next.lines += 1;
        self.next.offset += line.len() as u64 + line_break;
        match simdutf8::basic::from_utf8(line) {
            Ok(text) => self.text(text, place, sink),
            Err(_) => self.text(&String::from_utf8_lossy(line), place, sink),
        }
    }

    fn text(&mut self, text: &str, place: Place, sink: &mut dyn Sink) {
        let mut text = text;
        while let Some(shorter) = text.strip_suffix('\r') {
            text = shorter;
        }
        // `ausearch --raw` separates events so; a crash leaves blocks of zero bytes.
        if !text.starts_with("type=") && (text.trim().is_empty() || text == "----") {
            return;
        }
        // A loop, not a recursion: a damaged line may hold thousands of records.
        let (mut text, mut place) = (text, place);
        loop {
            let head = record::head_after(text, &mut self.last);
            let body_at = head.as_ref().map_or(0, |head| text.len() - head.body.len());
            let hidden = hidden_record(&text[body_at..]).map(|at| at + body_at).filter(|at| *at > 0);
            let own = &text[..hidden.unwrap_or(text.len())];
            match (&head, hidden) {
                (Some(_), None) => {}
                (Some(_), Some(_)) => {
                    let message = "another record begins inside this one: a part of the file is missing".to_owned();
                    fault(sink, "spliced audit record", message, place);
                }
                (None, _) => {
                    let expected = "expected `type=… msg=audit(seconds.milliseconds:number): …`";
                    fault(sink, "no audit record", format!("{expected}, found `{}`", start_of(own)), place);
                }
            }
            let own_head = if hidden.is_none() { head } else { record::head(own) };
            if let Some(head) = own_head {
                self.record(own, &head, place, sink);
            }
            let Some(at) = hidden else { return };
            (text, place) = (&text[at..], later(place, at));
        }
    }

    fn record(&mut self, text: &str, head: &Head<'_>, place: Place, sink: &mut dyn Sink) {
        self.window.add(text, head, place);
        while let Some(group) = self.window.ripe() {
            self.emit(group, sink);
        }
    }

    /// Events are decoded many at a time: so they share memory, and several threads take part.
    fn emit(&mut self, group: Group, sink: &mut dyn Sink) {
        self.batch.push(&group);
        self.window.recycle(group);
        if self.batch.size() >= BATCH {
            // One event may have thousands of batches' bytes: such are not let pile up.
            let large = self.batch.size() >= LARGE;
            self.ahead.put(std::mem::replace(&mut self.batch, Batch::with_room(BATCH)));
            self.give(large, sink);
        }
    }

    /// The last of what is there.
    fn decode_all(&mut self, sink: &mut dyn Sink) {
        self.ahead.put(std::mem::take(&mut self.batch));
        self.give(true, sink);
    }

    fn give(&mut self, all: bool, sink: &mut dyn Sink) {
        while let Some(decoded) = self.ahead.next(all) {
            decoded.give(sink);
        }
    }
}

/// What a batch gave.
struct Decoded {
    batch: Batch,
    /// The number in the batch and what was picked out, of each event that has a document.
    records: Vec<(u32, UnwrittenRecord)>,
    picked: Picked,
    /// The documents themselves, where all are wanted, and the end of each.
    json: Vec<u8>,
    ends: Vec<(usize, Place)>,
    faults: Vec<Fault>,
}

impl Decoded {
    fn of(batch: Batch, wanted: Option<&Arc<Projection>>, wishes: &Wishes, places: Option<&Places>) -> Self {
        let mut writer = wanted.map_or_else(Writer::default, |wanted| Writer::picking(Arc::clone(wanted)));
        // About as much as events need: growing would copy what is there again and again.
        writer.reserve(48 * batch.events().len(), batch.size() / 2);
        let (mut json, mut ends, mut faults) = (Vec::new(), Vec::new(), Vec::new());
        let mut records = Vec::with_capacity(if wanted.is_some() { batch.events().len() } else { 0 });
        let (mut assembler, mut wrong) = (Assembler::of(wishes.clone()), Vec::new());
        for (number, joined) in batch.events().iter().enumerate() {
            let place = joined.place;
            if let Some(event) = assembler.assemble(batch.heads(number), &mut wrong) {
                if wanted.is_none() {
                    json.extend_from_slice(document::write(event, wishes, &mut writer));
                    ends.push((json.len(), place));
                } else {
                    let (values, doubtful) = pick(event, wishes, places, &mut writer);
                    let doubtful = doubtful || assembler.crowded();
                    records.push((number as u32, UnwrittenRecord { place, values, doubtful, size: joined.size }));
                }
            }
            faults.extend(wrong.drain(..).map(|(kind, message)| Fault { kind, message, place }));
            if joined.cut_short {
                let message = "records beyond 32 MiB were left out".to_owned();
                faults.push(Fault { kind: "overlong audit event", message, place });
            }
        }
        drop(assembler);
        Self { picked: writer.take(), batch, records, json, ends, faults }
    }

    fn give(self, sink: &mut dyn Sink) {
        self.faults.into_iter().for_each(|fault| sink.fault(fault));
        let mut start = 0;
        for (end, place) in self.ends {
            sink.document(&self.json[start..end], place);
            start = end;
        }
        if !self.records.is_empty() {
            let (numbers, records) = self.records.into_iter().unzip();
            let raw = Box::new(Raw { batch: self.batch, numbers });
            sink.unwritten(Unwritten { picked: self.picked, records, raw });
        }
    }
}

/// Picks the wanted values of an event out: which they are, and whether they may differ from its document's.
fn pick(event: &Event<'_>, wishes: &Wishes, places: Option<&Places>, writer: &mut Writer) -> (Extent, bool) {
    if let (Some(places), Some(picked)) = (places, writer.values()) {
        let mark = picked.mark();
        if let Some(doubtful) = places.pick(event, wishes, picked) {
            return (picked.since(mark), doubtful);
        }
    }
    document::write(event, wishes, writer);
    writer.picked()
}

/// What documents are written from: events of a batch, those without a document left out.
struct Raw {
    batch: Batch,
    numbers: Vec<u32>,
}

impl Render for Raw {
    fn render(&self, number: usize, out: &mut Vec<u8>) {
        let Some(event) = self.numbers.get(number) else { return };
        thread_local! {
            /// What serves one record after the other.
            static ROOM: RefCell<(Writer, Orders)> = RefCell::default();
        }
        ROOM.with_borrow_mut(|(writer, orders)| {
            let mut assembler = Assembler::default().knowing(std::mem::take(orders));
            if let Some(event) = assembler.assemble(self.batch.heads(*event as usize), &mut Vec::new()) {
                out.extend_from_slice(document::write(event, &Wishes::default(), writer));
            }
            *orders = assembler.into_orders();
        });
    }
}

fn fault(sink: &mut dyn Sink, kind: &'static str, message: String, place: Place) {
    sink.fault(Fault { kind, message, place });
}

fn later(place: Place, by: usize) -> Place {
    Place { offset: place.offset + by as u64, ..place }
}

/// What every record has.
static HEAD: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" msg=audit("));

/// Where another record begins in a text: `type=… msg=audit(`, with its `node=`.
fn hidden_record(text: &str) -> Option<usize> {
    let time = HEAD.find(text.as_bytes())?;
    let kind = text[..time].rfind("type=").filter(|at| !text[at + 5..time].contains(char::is_whitespace))?;
    let node = text[..kind]
        .rfind("node=")
        .filter(|at| text[..kind].ends_with(' ') && !text[at + 5..kind - 1].contains(char::is_whitespace));
    Some(node.unwrap_or(kind))
}

/// The first characters of a text, for a message.
fn start_of(text: &str) -> String {
    text.chars().take(60).map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}
