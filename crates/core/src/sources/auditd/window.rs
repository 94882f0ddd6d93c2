//! Joins the records of an event: they share node, time and number, but the kernel writes events of several processors
//! into each other, and some records late. Events leave in the order of (time, number) once no more of their records
//! are to be expected. It knows only the heads of records.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::sources::Place;

use super::record::{Head, Parts, Stamp};

/// The lines of one event, one after the other.
#[derive(Debug, Default)]
struct Records {
    text: String,
    /// Where each line ends, and the parts of its head.
    lines: Vec<(usize, Parts)>,
}

impl Records {
    fn push(&mut self, line: &str, head: &Head<'_>) {
        self.text.push_str(line);
        self.lines.push((self.text.len(), head.parts(line)));
    }
}

/// The records of one event, and what is known of their end.
#[derive(Debug, Default)]
pub(super) struct Group {
    stamp: Stamp,
    records: Records,
    /// Where the first of them lies.
    pub place: Place,
    /// Whether the record was seen that the kernel writes last.
    complete: bool,
    /// Whether the record was seen that no other can follow.
    ended: bool,
    /// Number of the record that came last.
    last: u64,
    /// Whether records were left out because there were too many.
    pub cut_short: bool,
}

impl Group {
    /// Time and number of the event.
    pub fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// The records one behind the other, in order of arrival.
    pub fn text(&self) -> &str {
        &self.records.text
    }

    /// Where each record ends in the text, and the parts of its head.
    pub fn lines(&self) -> &[(usize, Parts)] {
        &self.records.lines
    }

    /// Whether no other record can follow: the kernel's last was seen, or it is a program's.
    fn has_ended(&self) -> bool {
        self.ended || MESSAGE.find(self.records.text.as_bytes()).is_some()
    }
}

/// What the records of programs have.
static MESSAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" msg='"));

/// Records after the last of an event until it leaves: others may still come out of order.
const LINGER: u64 = 24;
/// Records after which an event that never ended leaves.
const PATIENCE: u64 = 2000;
/// The time after which `ausearch` too takes an event for complete.
const TIMEOUT_MILLISECONDS: i64 = 2000;
/// Events that wait at the same time.
const MAXIMUM_GROUPS: usize = 256;
/// Bytes of records of one event.
const MAXIMUM_TEXT: usize = 32 << 20;

/// Emptied events that are kept for their room.
const SPARE: usize = 16;

/// The events whose records are still coming.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// In order of (time, number).
    groups: VecDeque<Group>,
    records: u64,
    newest: i64,
    spare: Vec<Group>,
}

impl Window {
    /// Adds one record.
    pub fn add(&mut self, text: &str, head: &Head<'_>, place: Place) {
        self.records += 1;
        self.newest = self.newest.max(head.milliseconds);
        let at = self.position(head, place);
        let records = self.records;
        let Some(group) = self.groups.get_mut(at) else { return };
        group.last = records;
        // A record that stands alone (of a program, or of the audit daemon) is complete as it is; a compound event ends
        // with the kernel's end mark or, since Linux 3.14, with the title of the process.
        group.complete |= match head.kind {
            "EOE" | "PROCTITLE" => true,
            _ => group.records.lines.is_empty() && head.kind != "SYSCALL",
        };
        group.ended |= matches!(head.kind, "EOE" | "PROCTITLE");
        if head.kind == "SYSCALL" && group.records.lines.len() == 1 {
            group.complete = false;
        }
        if group.records.text.len() + text.len() > MAXIMUM_TEXT {
            group.cut_short = true;
            return;
        }
        group.records.push(text, head);
    }

    /// The place of the record's event in the window, which is opened if need be.
    fn position(&mut self, head: &Head<'_>, place: Place) -> usize {
        let mut at = self.groups.len();
        for group in self.groups.iter().rev() {
            match group.stamp.rank(head) {
                Ordering::Equal => return at - 1,
                Ordering::Less => break,
                Ordering::Greater => at -= 1,
            }
        }
        let mut group = self.spare.pop().unwrap_or_default();
        let stamp = &mut group.stamp;
        (stamp.milliseconds, stamp.serial) = (head.milliseconds, head.serial);
        stamp.node.clear();
        stamp.node.push_str(head.node);
        group.place = place;
        self.groups.insert(at, group);
        at
    }

    /// The next event that is complete, oldest first.
    pub fn ripe(&mut self) -> Option<Group> {
        let group = self.groups.front()?;
        let age = self.records - group.last;
        let late = self.newest - group.stamp.milliseconds > TIMEOUT_MILLISECONDS;
        let ripe = age >= PATIENCE || age >= LINGER && (group.complete || late);
        if ripe || self.groups.len() > MAXIMUM_GROUPS { self.groups.pop_front() } else { None }
    }

    /// At the end of the file: the next event, complete or not.
    pub fn last_first(&mut self) -> Option<Group> {
        self.groups.pop_front()
    }

    /// The next event that no record can follow, oldest first.
    pub fn ended_first(&mut self) -> Option<Group> {
        let at = self.groups.iter().position(Group::has_ended)?;
        self.groups.remove(at)
    }

    /// Says where the events lie that are still open.
    pub fn move_to(&mut self, place: Place) {
        self.groups.iter_mut().for_each(|group| group.place = place);
    }

    /// Takes back the room of an event that has left.
    pub fn recycle(&mut self, mut group: Group) {
        if self.spare.len() < SPARE && group.records.text.capacity() <= 1 << 16 {
            group.records.text.clear();
            group.records.lines.clear();
            group.complete = false;
            group.ended = false;
            group.cut_short = false;
            self.spare.push(group);
        }
    }
}
