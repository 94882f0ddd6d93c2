//! Alerts as text: the event's fields and the rule's, as flat dotted keys beside those that Kibana writes (Elastic's alert schema),
//! with `contraband.*` for what is ours. It knows no plan; the rule's own fields come ready as JSON.

mod flat;
mod identity;
mod installation;
mod package;
mod reason;
mod sequence;

pub use flat::Flat;
pub use identity::{identity, uuid};
pub use installation::{Installation, InstallationFields};
pub use reason::Reason;
pub use sequence::sequence;

use std::collections::HashSet;
use std::ops::Range;

use crate::json::{Cursor, write_string};
use crate::value::Event;

/// What every alert of one rule has in common.
#[derive(Debug)]
pub struct RuleAlert {
    id: String,
    /// `,"key":value…`, ready to be copied.
    members: Vec<u8>,
    /// Their keys, which win over the event's.
    keys: HashSet<String>,
    reason: Option<Reason>,
}

/// Where an event came from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// As the caller named it, a folder's files by their path below it.
    pub path: &'a str,
    /// Number of the record, counted from the first of its chunk where `relative` says so.
    pub record: u64,
    /// Whether the chunk's first record is still to be added.
    pub relative: bool,
    /// Offset of its first byte.
    pub offset: u64,
}

/// Output whose record numbers are not known yet: each patch is a place and a number counted from the chunk's first record.
#[derive(Debug, Default)]
pub struct Text {
    /// The output without those numbers.
    pub bytes: Vec<u8>,
    /// Where they go, ascending.
    pub patches: Vec<(usize, u64)>,
}

impl Text {
    /// Writes the text to `out`, the chunk's first record being number `first`.
    pub fn resolve(&self, first: u64, out: &mut Vec<u8>) {
        self.resolve_part(0..self.bytes.len(), first, out);
    }

    /// The same for a part that begins and ends between lines.
    pub fn resolve_part(&self, part: Range<usize>, first: u64, out: &mut Vec<u8>) {
        let mut start = part.start;
        let from = self.patches.partition_point(|(at, _)| *at < part.start);
        for (at, record) in self.patches[from..].iter().take_while(|(at, _)| *at < part.end) {
            out.extend_from_slice(&self.bytes[start..*at]);
            out.extend_from_slice((first + record).to_string().as_bytes());
            start = *at;
        }
        out.extend_from_slice(&self.bytes[start..part.end]);
    }

    fn number(&mut self, origin: &Origin<'_>) {
        if origin.relative {
            self.patches.push((self.bytes.len(), origin.record));
        } else {
            self.bytes.extend_from_slice(origin.record.to_string().as_bytes());
        }
    }
}

impl RuleAlert {
    /// `fields` is the text of a JSON object with flat keys.
    pub fn new(id: &str, fields: Option<&str>, reason: Option<Reason>) -> Self {
        let inner = fields.and_then(|text| text.trim().strip_prefix('{')?.strip_suffix('}')).unwrap_or_default().trim();
        let members = if inner.is_empty() { Vec::new() } else { format!(",{inner}").into_bytes() };
        Self { id: id.to_owned(), members, keys: keys(fields.unwrap_or("{}")), reason }
    }

    /// Whether the rule or the alert itself says what this key is.
    fn owns(&self, key: &str) -> bool {
        key == "event.kind"
            || key.starts_with("kibana.alert.")
            || key.starts_with("contraband.origin.")
            || matches!(key, "contraband.installation.id" | "contraband.installation.package")
            || (!self.keys.is_empty() && key.starts_with("threat.") && self.keys.contains(key))
    }

    fn reason(&self, event: &Event<'_>, out: &mut Vec<u8>) {
        if let Some(reason) = &self.reason {
            out.extend_from_slice(b",\"kibana.alert.reason\":");
            write_string(&reason.text(event), out);
        }
    }
}

fn keys(fields: &str) -> HashSet<String> {
    let mut keys = HashSet::new();
    let mut cursor = Cursor::new(fields);
    if cursor.expect(b'{').is_ok() {
        while let Ok(key) = cursor.member() {
            keys.insert(fields[key.start..key.end].to_owned());
            if cursor.skip(1).is_err() || cursor.expect(b',').is_err() {
                break;
            }
        }
    }
    keys
}

/// One event, as an alert needs it.
#[derive(Clone, Copy)]
pub struct Subject<'e, 'a> {
    /// Its fields; those of reasons and of [`identity`] are among them.
    pub event: &'e Event<'a>,
    /// Its document.
    pub document: &'a str,
    /// By which it is known again: see [`identity`].
    pub identity: &'e str,
    /// Its time as written.
    pub time: Option<&'e str>,
    /// Where it came from.
    pub origin: Origin<'e>,
    /// Which installation it belongs to.
    pub installation: &'e Installation,
}

/// Writes the alert of one event, as one line.
pub fn event(rule: &RuleAlert, subject: &Subject<'_, '_>, out: &mut Text) {
    out.bytes.push(b'{');
    let mut flat = Flat::new(&mut out.bytes);
    flat.document(subject.document, |key| rule.owns(key));
    let uuid = uuid(&rule.id, &[subject.identity]);
    common(rule, subject, &Lineage::event(&uuid, subject), out);
    subject.installation.write(&mut out.bytes);
    out.bytes.extend_from_slice(b"}\n");
}

/// What an alert was made from: events are of depth 0, alerts about them of depth 1, the shell alert of a sequence of depth 2.
struct Lineage<'u> {
    uuid: &'u str,
    depth: u8,
    /// The members of `kibana.alert.ancestors`, with commas between.
    ancestors: String,
}

impl<'u> Lineage<'u> {
    fn event(uuid: &'u str, subject: &Subject<'_, '_>) -> Self {
        Self { uuid, depth: 1, ancestors: ancestor(subject.identity, "event", 0) }
    }
}

fn ancestor(id: &str, kind: &str, depth: u8) -> String {
    let mut quoted = Vec::new();
    write_string(id, &mut quoted);
    let quoted = String::from_utf8_lossy(&quoted);
    format!("{{\"id\":{quoted},\"type\":\"{kind}\",\"depth\":{depth}}}")
}

/// What every alert about one event carries beyond the event.
fn common(rule: &RuleAlert, subject: &Subject<'_, '_>, lineage: &Lineage<'_>, out: &mut Text) {
    let bytes = &mut out.bytes;
    if bytes.last() != Some(&b'{') {
        bytes.push(b',');
    }
    bytes.extend_from_slice(b"\"event.kind\":\"signal\"");
    bytes.extend_from_slice(&rule.members);
    bytes.extend_from_slice(b",\"kibana.alert.uuid\":\"");
    bytes.extend_from_slice(lineage.uuid.as_bytes());
    let ancestry =
        format!("\",\"kibana.alert.depth\":{},\"kibana.alert.ancestors\":[{}]", lineage.depth, lineage.ancestors);
    bytes.extend_from_slice(ancestry.as_bytes());
    if let Some(time) = subject.time {
        bytes.extend_from_slice(b",\"kibana.alert.original_time\":");
        write_string(time, bytes);
    }
    rule.reason(subject.event, bytes);
    bytes.extend_from_slice(b",\"contraband.origin.path\":");
    write_string(subject.origin.path, bytes);
    bytes.extend_from_slice(b",\"contraband.origin.record\":");
    out.number(&subject.origin);
    let offset = format!(",\"contraband.origin.offset\":{}", subject.origin.offset);
    out.bytes.extend_from_slice(offset.as_bytes());
}
