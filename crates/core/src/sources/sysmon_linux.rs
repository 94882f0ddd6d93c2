//! Sysmon for Linux: its XML in lines of syslog (as files have it, with rsyslog's octal escapes), or in a member of JSON documents of journald
//! and syslog forwarders. What the records mean is not known here: they are read as those of the Windows event log.

use memchr::memmem;
use serde_json::Value;
use std::borrow::Cow;

use super::winlog::{ELEMENTS, Record, RecordMapper, System};
use super::{Decoder, Fault, Place, Settings, Sink};

const START: &str = "<Event>";
const END: &str = "</Event>";
const DATUM: &str = "<Data Name=\"";
const DATUM_END: &str = "</Data>";

/// A line that is longer is a fault; rsyslog's own limit is 8 KiB unless set higher.
const MAX_LINE: usize = 4 << 20;

/// Whether the first lines have an event of the provider, and are no documents that Elastic's integration made of such events.
pub fn recognise(head: &[u8]) -> bool {
    let first = head.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    if first.starts_with(b"[") || serde_json::from_slice(first).is_ok_and(|document| is_mapped(&document)) {
        return false;
    }
    // In JSON the quotation marks are escaped.
    memmem::find_iter(head, b"Linux-Sysmon").any(|at| {
        let before = head[..at].trim_ascii_end();
        [&b"Provider Name=\""[..], b"Provider Name=\\\""].iter().any(|provider| before.ends_with(provider))
    })
}

/// A decoder for one file.
pub fn decoder(settings: &Settings) -> Box<dyn Decoder> {
    Box::new(SysmonLinux { host_name: settings.host_name.clone(), ..SysmonLinux::default() })
}

/// The decoder: it holds back at most one line.
#[derive(Default)]
struct SysmonLinux {
    host_name: Option<String>,
    buffer: Vec<u8>,
    /// Offset in the file of the line that is being read.
    offset: u64,
    /// Bytes of the file so far.
    read: u64,
    lines: u64,
    /// The line that is being read is over the limit; its rest is passed over.
    passing: bool,
    record: Record,
    mapper: RecordMapper,
    json: Vec<u8>,
}

impl Decoder for SysmonLinux {
    fn push(&mut self, bytes: &[u8], sink: &mut dyn Sink) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.read += piece.len() as u64;
            if !self.passing {
                self.buffer.extend_from_slice(piece);
            }
            if piece.ends_with(b"\n") {
                self.line(sink);
            } else if self.buffer.len() > MAX_LINE {
                let message = format!("over {MAX_LINE} bytes");
                sink.fault(Fault { kind: "line too long", message, place: self.place() });
                self.passing = true;
                self.buffer.clear();
            }
        }
    }

    fn finish(&mut self, sink: &mut dyn Sink) {
        if !self.buffer.is_empty() {
            self.line(sink);
        }
    }
}

impl SysmonLinux {
    fn place(&self) -> Place {
        Place { record: self.lines + 1, offset: self.offset }
    }

    fn line(&mut self, sink: &mut dyn Sink) {
        let line = std::mem::take(&mut self.buffer);
        if !std::mem::take(&mut self.passing) && !line.trim_ascii().is_empty() {
            self.message(&String::from_utf8_lossy(&line), sink);
        }
        self.lines += 1;
        self.offset = self.read;
        self.buffer = line;
        self.buffer.clear();
    }

    fn message(&mut self, line: &str, sink: &mut dyn Sink) {
        let place = self.place();
        let carried = match carried(line) {
            Carried::Text(text) => text,
            Carried::Mapped => return sink.document(line.trim().as_bytes(), place),
        };
        let Some(start) = carried.find(START).filter(|_| carried.contains("Linux-Sysmon")) else {
            let message = "no event of Sysmon: another program's line".to_owned();
            return sink.fault(Fault { kind: "unclaimed line", message, place });
        };
        let event = unescaped(&carried[start..]);
        let whole = read(&event, &mut self.record);
        if self.record.get(System::Provider) != "Linux-Sysmon" {
            let message = "an event of another provider".to_owned();
            return sink.fault(Fault { kind: "unclaimed line", message, place });
        }
        if !whole {
            let message =
                "an event has no end (cut by the size that syslog allows?): what is there was read".to_owned();
            sink.fault(Fault { kind: "truncated event", message, place });
        }
        self.json.clear();
        self.mapper.write(&self.record, self.host_name.as_deref(), &mut self.json);
        sink.document(&self.json, place);
    }
}

/// Reads one event, and says whether it is whole. Sysmon for Linux writes values as they are, `&` and `<` too, so no XML reader can take them: a
/// value ends where the next one starts.
fn read(event: &str, record: &mut Record) -> bool {
    record.clear();
    let (system, data) = event.split_once("</System>").unwrap_or((event, ""));
    for (field, element, attribute) in [
        (System::Provider, "<Provider ", "Name"),
        (System::ProviderGuid, "<Provider ", "Guid"),
        (System::Time, "<TimeCreated ", "SystemTime"),
        (System::ProcessId, "<Execution ", "ProcessID"),
        (System::ThreadId, "<Execution ", "ThreadID"),
        (System::UserId, "<Security ", "UserId"),
    ] {
        let tag = behind(system, element).and_then(|rest| rest.split_once('>'));
        let value = tag.and_then(|(tag, _)| behind(tag, &format!("{attribute}=\""))?.split_once('"'));
        record.set(field, value.map_or("", |(value, _)| value));
    }
    for (field, name) in ELEMENTS {
        let value = behind(system, &format!("<{name}>")).and_then(|rest| rest.split_once("</"));
        record.set(field, value.map_or("", |(value, _)| value));
    }
    let mut rest = data;
    while let Some((name, value)) = behind(rest, DATUM).and_then(|rest| rest.split_once("\">")) {
        let end = value.match_indices(DATUM_END).map(|(at, _)| at).find(|at| {
            let next = value[at + DATUM_END.len()..].trim_start();
            next.starts_with(DATUM) || next.starts_with("</EventData>")
        });
        let text = &value[..end.unwrap_or(value.trim_end().len())];
        // Should a version write references after all, its values hold no other `&`.
        record.push(name, &quick_xml::escape::unescape(text).unwrap_or(Cow::Borrowed(text)));
        let Some(end) = end else { return false };
        rest = &value[end + DATUM_END.len()..];
    }
    rest.contains(END)
}

fn behind<'t>(text: &'t str, mark: &str) -> Option<&'t str> {
    text.find(mark).map(|at| &text[at + mark.len()..])
}

/// What a line brings.
enum Carried<'l> {
    /// A text that may hold an event.
    Text(Cow<'l, str>),
    /// A document that Elastic's integration made of one, which it may still have as `event.original`.
    Mapped,
}

/// Whether a document has what an integration adds to it.
fn is_mapped(document: &Value) -> bool {
    document.get("event.category").or_else(|| document.pointer("/event/category")).is_some()
        || document.get("_source").is_some_and(is_mapped)
}

/// The text that holds the event: the line, or the member of a JSON document that has it.
fn carried(line: &str) -> Carried<'_> {
    if !line.trim_start().starts_with('{') {
        return Carried::Text(Cow::Borrowed(line));
    }
    match serde_json::from_str::<Value>(line) {
        Ok(document) if is_mapped(&document) => Carried::Mapped,
        Ok(document) => Carried::Text(within(document).map_or(Cow::Borrowed(line), Cow::Owned)),
        Err(_) => Carried::Text(Cow::Borrowed(line)),
    }
}

/// The member that holds the event; forwarders have it in `event.original`, or all of it in a search hit.
fn within(document: Value) -> Option<String> {
    let Value::Object(document) = document else { return None };
    document.into_iter().find_map(|(name, value)| match value {
        Value::String(text) => Some(text).filter(|text| text.contains(START)),
        // journald writes what is no plain text as its bytes.
        Value::Array(bytes) => {
            let bytes = bytes.iter().map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok()));
            let text = String::from_utf8_lossy(&bytes.collect::<Option<Vec<u8>>>()?).into_owned();
            Some(text).filter(|text| text.contains(START))
        }
        inner @ Value::Object(_) if name == "event" || name == "_source" => within(inner),
        _ => None,
    })
}

/// Undoes rsyslog's `#011` for control characters (a hash sign and three octal digits below `#040`).
fn unescaped(text: &str) -> Cow<'_, str> {
    let control = |digits: &str| u8::from_str_radix(digits, 8).ok().filter(|byte| *byte < 0o40);
    let mut out = String::new();
    let mut kept = 0;
    for at in memchr::memchr_iter(b'#', text.as_bytes()) {
        let Some(byte) = text.get(at + 1..at + 4).filter(|digits| digits.starts_with('0')).and_then(control) else {
            continue;
        };
        // XML 1.0 allows three control characters; of the others only their place is kept.
        out.push_str(&text[kept..at]);
        out.push(if matches!(byte, b'\t' | b'\n' | b'\r') { char::from(byte) } else { '\u{fffd}' });
        kept = at + 4;
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[kept..]);
    Cow::Owned(out)
}
