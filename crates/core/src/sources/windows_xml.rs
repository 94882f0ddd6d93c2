//! Windows events as text XML (`wevtutil qe /f:xml`, Event Viewer's export, `evtx_dump`), with or without a root element. Events are found
//! by their tags, so that a damaged one costs itself only; what the records mean is not known here.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::winlog::{Name, Record, RecordMapper, Tree};
use super::{Decoder, Fault, Place, Settings, Sink, unnumbered};

const SCHEMA: &[u8] = b"schemas.microsoft.com/win/2004/08/events/event";
const START: &[u8] = b"<Event";
const END: &[u8] = b"</Event>";
/// Windows' own limit on an event is 64 KiB; as XML, escaped, it may be some times that.
const MAX_EVENT: usize = 4 << 20;

/// Whether a file starts with such XML.
pub fn recognise(head: &[u8]) -> bool {
    let head = unnumbered(head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start());
    let tagged = head.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<');
    tagged && memchr::memmem::find(head, START).is_some() && memchr::memmem::find(head, SCHEMA).is_some()
}

/// A decoder for one file.
pub fn decoder(settings: &Settings) -> Box<dyn Decoder> {
    Box::new(WindowsXml { host_name: settings.host_name.clone(), ..WindowsXml::default() })
}

/// The decoder: it holds back at most one event.
#[derive(Default)]
struct WindowsXml {
    host_name: Option<String>,
    buffer: Vec<u8>,
    /// Offset in the file of the buffer's first byte.
    offset: u64,
    records: u64,
    /// Whether any event began, even a damaged one.
    begun: bool,
    record: Record,
    mapper: RecordMapper,
    json: Vec<u8>,
}

impl WindowsXml {
    fn fault(&self, kind: &'static str, message: String, at: usize, sink: &mut dyn Sink) {
        let place = Place { record: self.records + 1, offset: self.offset + at as u64 };
        sink.fault(Fault { kind, message, place });
    }

    fn advance(&mut self, last: bool, sink: &mut dyn Sink) {
        let mut at = 0;
        while let Some(start) = next_start(&self.buffer, at) {
            self.begun = true;
            let Some(end) = memchr::memmem::find(&self.buffer[start..], END).map(|end| start + end + END.len()) else {
                at = start;
                break;
            };
            if let Some(next) = next_start(&self.buffer[..end], start + START.len()) {
                // Another event starts before this one's end: its end is lost.
                self.fault("truncated event", "an event has no end".to_owned(), start, sink);
                at = next;
            } else {
                self.event(start, end, sink);
                at = end;
            }
        }
        let rest = self.buffer.len() - at;
        if rest > MAX_EVENT {
            self.fault("truncated event", format!("no event ends within {MAX_EVENT} bytes"), at, sink);
            at = self.buffer.len() - START.len();
        } else if last && next_start(&self.buffer, at) == Some(at) {
            self.fault("truncated event", "the file ends within an event".to_owned(), at, sink);
        } else if next_start(&self.buffer, at).is_none() {
            at = self.buffer.len().saturating_sub(START.len()).max(at);
        }
        self.buffer.drain(..at);
        self.offset += at as u64;
    }

    fn event(&mut self, start: usize, end: usize, sink: &mut dyn Sink) {
        let bytes = &self.buffer[start..end];
        let text = String::from_utf8_lossy(bytes);
        if let std::borrow::Cow::Owned(_) = text {
            let at = start + std::str::from_utf8(bytes).err().map_or(0, |error| error.valid_up_to());
            self.fault("invalid UTF-8", "read as U+FFFD".to_owned(), at, sink);
        }
        if let Err(message) = read_event(&text, &mut self.record) {
            self.fault("damaged event", message, start, sink);
            return;
        }
        self.json.clear();
        self.mapper.write(&self.record, self.host_name.as_deref(), &mut self.json);
        self.records += 1;
        let place = Place { record: self.records, offset: self.offset + start as u64 };
        sink.document(&self.json, place);
    }
}

impl Decoder for WindowsXml {
    fn push(&mut self, bytes: &[u8], sink: &mut dyn Sink) {
        for piece in bytes.chunks(1 << 20) {
            self.buffer.extend_from_slice(piece);
            self.advance(false, sink);
        }
    }

    fn finish(&mut self, sink: &mut dyn Sink) {
        let any = self.offset > 0 || !self.buffer.trim_ascii().is_empty();
        self.advance(true, sink);
        if any && !self.begun {
            let place = Place { record: 1, offset: 0 };
            let message = "no `<Event>` in the whole file".to_owned();
            sink.fault(Fault { kind: "no event", message, place });
        }
    }
}

/// The next `<Event>` or `<Event …>` (not `<Events>` or `<EventData>`) at or behind `from`.
fn next_start(bytes: &[u8], from: usize) -> Option<usize> {
    memchr::memmem::find_iter(bytes.get(from..)?, START)
        .map(|at| from + at)
        .find(|&at| bytes.get(at + START.len()).is_some_and(|&byte| byte == b'>' || byte.is_ascii_whitespace()))
}

/// Reads one event's XML. The message says what is wrong and where in the event.
pub(super) fn read_event(text: &str, record: &mut Record) -> Result<(), String> {
    let mut tree = Tree::new(record);
    let mut reader = Reader::from_str(text);
    loop {
        let event = reader.read_event().map_err(|error| format!("{error} (byte {})", reader.error_position()))?;
        match event {
            Event::Start(element) => start(&element, &mut tree),
            Event::Empty(element) => {
                start(&element, &mut tree);
                tree.end();
            }
            Event::End(_) => tree.end(),
            Event::Text(text) => push(&mut tree, &text.xml10_content()),
            Event::CData(text) => push(&mut tree, &text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(char)) => push(&mut tree, char.encode_utf8(&mut [0; 4])),
                _ => push(&mut tree, quick_xml::escape::resolve_xml_entity(&reference).unwrap_or_default()),
            },
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn push(tree: &mut Tree<'_>, text: &str) {
    if let Some(out) = tree.text() {
        out.push_str(text);
    }
}

fn start(element: &BytesStart<'_>, tree: &mut Tree<'_>) {
    let name = element.local_name();
    tree.start(Name::of(name.as_ref()), name.as_ref());
    for attribute in element.attributes().flatten() {
        tree.attribute(Name::of(attribute.key.local_name().as_ref()));
        push(tree, &attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap_or_default());
    }
    tree.content();
}
