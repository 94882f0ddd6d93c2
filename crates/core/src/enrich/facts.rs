//! What the process table needs to know of a document, read in one walk over its text. It knows no other document.

use crate::json::{BrokenKind, Projection, ROOT, Scanner, without_duplicates};
use crate::value::{Event, Extent, Picked, Raw};
use std::borrow::Cow;
use std::ops::Deref;

/// The fields that are read, in the order of [`Field`].
pub const PATHS: [&str; 31] = [
    "@timestamp",
    "auditd.data.exit",
    "auditd.data.syscall",
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
    "process.ppid",
    "process.previous.executable",
    "process.start",
];

/// A field that the process table reads or adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Timestamp,
    /// What a system call gave: to one that forks, the number of the new process.
    CallExit,
    Call,
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
    /// Where Auditbeat 7 has the parent's number.
    Ppid,
    PreviousExecutable,
    Start,
}

const CALL: u32 = Field::Call as u32;
const ACTION: u32 = Field::Action as u32;
const CATEGORY: u32 = Field::Category as u32;
const MODULE: u32 = Field::Module as u32;
const OUTCOME: u32 = Field::Outcome as u32;
/// The fields of which every value counts, as bits.
const TELLING: u32 = 1 << ACTION | 1 << CALL | 1 << CATEGORY | 1 << MODULE | 1 << OUTCOME | 1 << (Field::Type as u32);

/// No value.
const NONE: u32 = u32::MAX;

/// Which of the fields that are picked out are those of [`PATHS`].
#[derive(Clone, Debug)]
pub(super) struct Numbering {
    /// For each field, its number in [`PATHS`]; [`Numbering::OTHER`] for one that is not among them.
    facts: Box<[u8]>,
    args: u32,
}

impl Numbering {
    const OTHER: u8 = u8::MAX;

    /// Of the fields of a projection, each path's first.
    pub fn of(wanted: &Projection) -> Self {
        let mut facts = vec![Self::OTHER; wanted.width].into_boxed_slice();
        let mut args = NONE;
        for (number, path) in PATHS.into_iter().enumerate() {
            let entry = wanted.find(ROOT, path.as_bytes());
            let Some(field) = entry.and_then(|entry| wanted.slots(entry.node).first()) else { continue };
            facts[*field as usize] = number as u8;
            if number == Field::Args as usize {
                args = *field;
            }
        }
        Self { facts, args }
    }

    #[inline]
    fn fact(&self, field: u32) -> Option<u32> {
        let fact = *self.facts.get(field as usize)?;
        (fact != Self::OTHER).then_some(u32::from(fact))
    }
}

/// What one document says: a look at the values that were picked out of it.
#[derive(Clone, Debug)]
pub(super) struct Facts<'a> {
    picked: &'a Picked,
    extent: Extent,
    numbering: &'a Numbering,
    known: &'a Known,
}

/// What a walk over a document's values gave: it is made once.
#[derive(Debug)]
pub(super) struct Known {
    /// The first value of each field, by its number among the document's.
    first: [u32; PATHS.len()],
    /// One more than the number of the last argument.
    args_end: u32,
    /// Whether Auditbeat or its integration made the document.
    pub auditd: bool,
    /// Whether it is about a process.
    pub process: bool,
    /// A process starts or takes on a new image; a failed exec changes none.
    pub starts: bool,
    pub forks: bool,
    /// A system call makes a new process: the record is the old one's.
    pub forked: bool,
    pub ends: bool,
    /// The system goes down: no process outlives it.
    pub halts: bool,
    /// The system has come up.
    pub boots: bool,
}

impl Known {
    /// Walks over the values of one document.
    pub fn of(picked: &Picked, extent: Extent, numbering: &Numbering) -> Self {
        let (auditd, process, starts, forks, forked, ends, halts, boots) = Default::default();
        let first = [NONE; PATHS.len()];
        let mut known = Known { first, args_end: 0, auditd, process, starts, forks, forked, ends, halts, boots };
        let mut failed = false;
        for (number, field) in picked.fields(extent).enumerate() {
            let Some(field) = numbering.fact(field) else { continue };
            let Some(first) = known.first.get_mut(field as usize) else { continue };
            if *first == NONE {
                *first = number as u32;
            }
            if field == Field::Args as u32 {
                known.args_end = number as u32 + 1;
            }
            if TELLING >> field & 1 == 0 {
                continue;
            }
            let Some(Raw::Text(text)) = picked.value(extent, number) else { continue };
            match field {
                ACTION => match &*text {
                    "fork" => known.forks = true,
                    "shutdown-system" => known.halts = true,
                    "booted-system" => known.boots = true,
                    _ => {}
                },
                // Of these only the call is recorded, by the process that makes it. A thread's own end is `exit`.
                CALL => {
                    known.forked = ["clone", "clone3", "fork", "vfork"].contains(&&*text);
                    known.ends |= text == "exit_group";
                }
                CATEGORY => known.process |= text == "process",
                MODULE => known.auditd |= text.starts_with("auditd"),
                OUTCOME => failed |= text == "failure",
                _ => {
                    known.starts |= text == "start";
                    known.ends |= text == "end";
                }
            }
        }
        known.starts &= known.process && !failed;
        known.forked &= !failed;
        known
    }
}

impl Deref for Facts<'_> {
    type Target = Known;

    fn deref(&self) -> &Known {
        self.known
    }
}

impl<'a> Facts<'a> {
    /// What the values of one document say that were walked over.
    pub fn of(picked: &'a Picked, extent: Extent, numbering: &'a Numbering, known: &'a Known) -> Self {
        Self { picked, extent, numbering, known }
    }

    /// Whether the document has a value of the field.
    pub fn has(&self, field: Field) -> bool {
        self.first[field as usize] != NONE
    }

    fn first(&self, field: Field) -> Option<Raw<'a>> {
        let number = Some(self.first[field as usize]).filter(|number| *number != NONE)?;
        self.picked.value(self.extent, number as usize)
    }

    /// The field's first value, if it is a text.
    pub fn text(&self, field: Field) -> Option<&'a str> {
        match self.first(field)? {
            Raw::Text(Cow::Borrowed(text)) => Some(text),
            _ => None,
        }
    }

    /// The field's first value, if it is a whole number.
    pub fn number(&self, field: Field) -> Option<u64> {
        match self.first(field)? {
            Raw::Number(text) | Raw::Text(text) => text.parse().ok(),
            Raw::Bool(_) => None,
        }
    }

    /// The number of the parent.
    pub fn parent_pid(&self) -> Option<u64> {
        self.number(Field::ParentPid).or_else(|| self.number(Field::Ppid))
    }

    /// The host that the document names.
    pub fn host(&self) -> Option<&'a str> {
        [Field::HostId, Field::HostName, Field::HostHostname].into_iter().find_map(|field| self.text(field))
    }

    /// The arguments of the process.
    pub fn args(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        let wanted = self.numbering.args;
        let (picked, extent) = (self.picked, self.extent);
        let (first, end) = (self.first[Field::Args as usize] as usize, self.args_end as usize);
        let fields = picked.fields(extent).enumerate().take(end).skip(first);
        fields.filter(move |(_, field)| *field == wanted).filter_map(move |(number, _)| {
            match picked.value(extent, number)? {
                Raw::Text(Cow::Borrowed(text)) => Some(text),
                _ => None,
            }
        })
    }

    /// The recorded command line, else the arguments joined.
    pub fn command_line(&self) -> Option<Cow<'a, str>> {
        if let Some(recorded) = self.text(Field::CommandLine) {
            return Some(Cow::Borrowed(recorded));
        }
        let args = self.args();
        let length: usize = args.clone().map(|argument| argument.len() + 1).sum();
        let mut args = args;
        let first = args.next()?;
        let mut joined = String::with_capacity(length);
        joined.push_str(first);
        for argument in args {
            joined.push(' ');
            joined.push_str(argument);
        }
        Some(Cow::Owned(joined))
    }
}

/// Reads documents one after the other, in the same memory.
#[derive(Debug)]
pub(super) struct FactReader {
    projection: Projection,
    numbering: Numbering,
    event: Event<'static>,
}

impl FactReader {
    /// A reader of [`PATHS`].
    pub fn new() -> Self {
        let projection = Projection::new(PATHS);
        let event = Event::new(projection.width);
        let numbering = Numbering::of(&projection);
        Self { projection, numbering, event }
    }

    /// Walks over the values that a document was read to.
    pub fn known(&self, picked: &Picked) -> Known {
        Known::of(picked, picked.since(0), &self.numbering)
    }

    /// What these values say.
    pub fn facts<'a>(&'a self, picked: &'a Picked, known: &'a Known) -> Facts<'a> {
        Facts::of(picked, picked.since(0), &self.numbering, known)
    }

    /// The values of [`PATHS`], numbered from 0, that a document has. `None`: it is no JSON object. Of a name that comes twice the
    /// last value counts.
    pub fn read(&mut self, json: &[u8]) -> Option<Picked> {
        let text = simdutf8::basic::from_utf8(json).ok()?;
        let mut event: Event<'_> = std::mem::take(&mut self.event);
        let scanner = Scanner::new(&self.projection);
        let mut picked = Picked::default();
        let read = match scanner.scan(text, &mut event) {
            Ok(_) => {
                picked.all(&event);
                true
            }
            Err(broken) if broken.kind == BrokenKind::DuplicateKey => without_duplicates(text).is_ok_and(|clean| {
                let mut event = Event::new(self.projection.width);
                let read = scanner.scan(&clean, &mut event).is_ok();
                picked.all(&event);
                read
            }),
            Err(_) => false,
        };
        self.event = event.recycle();
        read.then_some(picked)
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
        let mut reader = FactReader::new();
        let picked =
            reader.read(br#"{"process":{"pid":1,"pid":2,"args":["a","b"]},"host.name":"h"}"#).expect("an object");
        let known = reader.known(&picked);
        let facts = reader.facts(&picked, &known);
        assert_eq!(
            (facts.number(Field::Pid), facts.command_line().as_deref(), facts.host()),
            (Some(2), Some("a b"), Some("h"))
        );
        assert!(facts.has(Field::Args) && !facts.has(Field::CommandLine));
        assert!(reader.read(b"{\"process\":").is_none());
        assert!(reader.read(b"\xff").is_none());
        let picked = reader.read(br#"{"process.pid":"7"}"#).expect("an object");
        let known = reader.known(&picked);
        assert_eq!(reader.facts(&picked, &known).number(Field::Pid), Some(7));
    }
}
