//! What the process table needs to know of a document, read in one walk over its text. It knows no other document.

use crate::json::{BrokenKind, Projection, Scanner, without_duplicates};
use crate::value::{Event, Picked, Raw, Values};

/// The fields that are read, in the order of [`Field`].
pub const PATHS: [&str; 28] = [
    "@timestamp",
    "event.action",
    "event.category",
    "event.module",
    "event.outcome",
    "event.type",
    "host.hostname",
    "host.id",
    "host.name",
    "host.os.type",
    "process.Ext.ancestry",
    "process.Ext.effective_parent.entity_id",
    "process.Ext.effective_parent.executable",
    "process.Ext.effective_parent.pid",
    "process.args",
    "process.command_line",
    "process.entity_id",
    "process.executable",
    "process.name",
    "process.parent.args",
    "process.parent.command_line",
    "process.parent.entity_id",
    "process.parent.executable",
    "process.parent.name",
    "process.parent.pid",
    "process.pid",
    "process.previous.executable",
    "process.start",
];

/// A field that the process table reads or adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Timestamp,
    Action,
    Category,
    Module,
    Outcome,
    Type,
    HostHostname,
    HostId,
    HostName,
    OsType,
    Ancestry,
    EffectiveParentEntity,
    EffectiveParentExecutable,
    EffectiveParentPid,
    Args,
    CommandLine,
    EntityId,
    Executable,
    Name,
    ParentArgs,
    ParentCommandLine,
    ParentEntity,
    ParentExecutable,
    ParentName,
    ParentPid,
    Pid,
    PreviousExecutable,
    Start,
}

/// What one document says.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// One bit a field that has a value.
    present: u32,
    pub timestamp: Option<String>,
    /// The host that the document names.
    pub host: Option<String>,
    pub pid: Option<u64>,
    pub entity_id: Option<String>,
    pub name: Option<String>,
    pub executable: Option<String>,
    pub args: Vec<String>,
    /// The recorded command line, else the arguments joined.
    pub command_line: Option<String>,
    pub start: Option<String>,
    pub previous_executable: Option<String>,
    pub parent_pid: Option<u64>,
    pub parent_entity_id: Option<String>,
    pub parent_executable: Option<String>,
    pub effective_parent_pid: Option<u64>,
    pub effective_parent_entity_id: Option<String>,
    /// Whether Auditbeat or its integration made the document.
    pub auditd: bool,
    /// Whether it is about a process.
    pub process: bool,
    /// A process starts or takes on a new image; a failed exec changes none.
    pub starts: bool,
    pub forks: bool,
    pub ends: bool,
}

impl Facts {
    /// Whether the document has a value of the field.
    pub fn has(&self, field: Field) -> bool {
        self.present & (1 << field as u32) != 0
    }

    /// What an event says whose field numbers of [`PATHS`] start at `base`.
    pub fn of(event: &Event<'_>, base: u32) -> Self {
        let event = &Seen { event, base };
        let any = |field, wanted: &str| texts(event, field).any(|text| text == wanted);
        let host = [Field::HostId, Field::HostName, Field::HostHostname];
        let args: Vec<String> = texts(event, Field::Args).map(str::to_owned).collect();
        let joined = || (!args.is_empty()).then(|| args.join(" "));
        let process = any(Field::Category, "process");
        Facts {
            present: (0..PATHS.len() as u32).filter(|field| event.has(*field)).fold(0, |bits, field| bits | 1 << field),
            timestamp: text(event, Field::Timestamp),
            host: host.into_iter().find_map(|field| text(event, field)),
            pid: number(event, Field::Pid),
            entity_id: text(event, Field::EntityId),
            name: text(event, Field::Name),
            executable: text(event, Field::Executable),
            command_line: text(event, Field::CommandLine).or_else(joined),
            args,
            start: text(event, Field::Start),
            previous_executable: text(event, Field::PreviousExecutable),
            parent_pid: number(event, Field::ParentPid),
            parent_entity_id: text(event, Field::ParentEntity),
            parent_executable: text(event, Field::ParentExecutable),
            effective_parent_pid: number(event, Field::EffectiveParentPid),
            effective_parent_entity_id: text(event, Field::EffectiveParentEntity),
            auditd: texts(event, Field::Module).any(|text| text.starts_with("auditd")),
            process,
            starts: process && any(Field::Type, "start") && !any(Field::Outcome, "failure"),
            forks: any(Field::Action, "fork"),
            ends: any(Field::Type, "end"),
        }
    }
}

/// An event in which the fields have numbers of their own.
struct Seen<'e, 'a> {
    event: &'e Event<'a>,
    base: u32,
}

impl<'e, 'a> Seen<'e, 'a> {
    fn values(&self, field: u32) -> Values<'e, 'a> {
        self.event.values(self.base + field)
    }

    fn first(&self, field: u32) -> Option<&'e Raw<'a>> {
        self.values(field).next()
    }

    fn has(&self, field: u32) -> bool {
        self.event.has(self.base + field)
    }
}

fn texts<'e>(event: &Seen<'e, '_>, field: Field) -> impl Iterator<Item = &'e str> {
    event.values(field as u32).filter_map(|value| if let Raw::Text(text) = value { Some(text.as_ref()) } else { None })
}

fn text(event: &Seen<'_, '_>, field: Field) -> Option<String> {
    match event.first(field as u32)? {
        Raw::Text(text) => Some(text.to_string()),
        _ => None,
    }
}

fn number(event: &Seen<'_, '_>, field: Field) -> Option<u64> {
    match event.first(field as u32)? {
        Raw::Number(text) | Raw::Text(text) => text.parse().ok(),
        Raw::Bool(_) => None,
    }
}

/// Reads documents one after the other, in the same memory.
#[derive(Debug)]
pub(super) struct FactReader {
    projection: Projection,
    event: Event<'static>,
    /// For values that were picked out already, with the number of their first of [`PATHS`].
    picked: Event<'static>,
    base: u32,
}

impl FactReader {
    /// `width` fields are picked out of records, of which those of [`PATHS`] begin at `base`.
    pub fn new(width: usize, base: u32) -> Self {
        let projection = Projection::new(PATHS);
        let event = Event::new(projection.width);
        Self { projection, event, picked: Event::new(width), base }
    }

    /// What the values say that were picked out of a record.
    pub fn picked(&mut self, picked: &Picked) -> Facts {
        let mut event: Event<'_> = std::mem::take(&mut self.picked);
        picked.fill(&mut event);
        let facts = Facts::of(&event, self.base);
        self.picked = event.recycle();
        facts
    }

    /// What a document says. `None`: it is no JSON object. Of a name that comes twice the last value counts.
    pub fn read(&mut self, json: &[u8]) -> Option<Facts> {
        let text = simdutf8::basic::from_utf8(json).ok()?;
        let mut event: Event<'_> = std::mem::take(&mut self.event);
        let scanner = Scanner::new(&self.projection);
        let facts = match scanner.scan(text, &mut event) {
            Ok(_) => Some(Facts::of(&event, 0)),
            Err(broken) if broken.kind == BrokenKind::DuplicateKey => without_duplicates(text).ok().and_then(|clean| {
                let mut event = Event::new(self.projection.width);
                scanner.scan(&clean, &mut event).ok().map(|_| Facts::of(&event, 0))
            }),
            Err(_) => None,
        };
        self.event = event.recycle();
        facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_its_path() {
        assert_eq!(PATHS[Field::Start as usize], "process.start");
        assert_eq!(PATHS[Field::EffectiveParentPid as usize], "process.Ext.effective_parent.pid");
        assert_eq!(PATHS[Field::Pid as usize], "process.pid");
        assert_eq!(PATHS[Field::HostName as usize], "host.name");
    }

    #[test]
    fn a_document_is_read_with_doubled_names_and_damage_is_none() {
        let mut reader = FactReader::new(0, 0);
        let facts =
            reader.read(br#"{"process":{"pid":1,"pid":2,"args":["a","b"]},"host.name":"h"}"#).expect("an object");
        assert_eq!(
            (facts.pid, facts.command_line.as_deref(), facts.host.as_deref()),
            (Some(2), Some("a b"), Some("h"))
        );
        assert!(facts.has(Field::Args) && !facts.has(Field::CommandLine));
        assert!(reader.read(b"{\"process\":").is_none());
        assert!(reader.read(b"\xff").is_none());
        assert_eq!(reader.read(br#"{"process.pid":"7"}"#).expect("an object").pid, Some(7));
    }
}
