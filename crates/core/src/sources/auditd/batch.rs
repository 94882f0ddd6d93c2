//! Whole events on their way to be decoded: the records of many, one after the other in one text. It knows no values.

use super::record::{Head, Parts};
use super::window::Group;
use crate::sources::Place;
use std::ops::Range;

/// One event among others.
#[derive(Clone, Debug)]
pub(super) struct Joined {
    /// Where its first record lies.
    pub place: Place,
    /// Whether records were left out because there were too many.
    pub cut_short: bool,
    /// Bytes of its records.
    pub size: u32,
    milliseconds: i64,
    serial: u64,
    lines: Range<u32>,
}

/// Events, in the order in which they left the window.
#[derive(Debug, Default)]
pub(super) struct Batch {
    text: String,
    /// Where each record ends, and the parts of its head; it begins where the one before ends.
    lines: Vec<(u32, Parts)>,
    events: Vec<Joined>,
}

impl Batch {
    /// A batch with room for so many bytes, and for one event more than fits.
    pub fn with_room(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes + (8 << 10)), lines: Vec::new(), events: Vec::new() }
    }

    /// Adds an event.
    pub fn push(&mut self, group: &Group) {
        let (from, start) = (self.lines.len() as u32, self.text.len());
        self.text.push_str(group.text());
        self.lines.extend(group.lines().iter().map(|(end, parts)| ((start + end) as u32, *parts)));
        self.events.push(Joined {
            place: group.place,
            cut_short: group.cut_short,
            size: group.text().len() as u32,
            milliseconds: group.stamp().milliseconds,
            serial: group.stamp().serial,
            lines: from..self.lines.len() as u32,
        });
    }

    /// Bytes of all records.
    pub fn size(&self) -> usize {
        self.text.len()
    }

    /// The events.
    pub fn events(&self) -> &[Joined] {
        &self.events
    }

    /// The records of an event, in order of arrival.
    pub fn heads(&self, event: usize) -> impl Iterator<Item = Head<'_>> {
        let event = self.events.get(event);
        let (milliseconds, serial) = event.map_or((0, 0), |event| (event.milliseconds, event.serial));
        let lines = event.map_or(0..0, |event| event.lines.clone());
        lines.filter_map(move |line| {
            let start = line.checked_sub(1).map_or(0, |before| self.lines[before as usize].0);
            let (end, parts) = &self.lines[line as usize];
            Head::again(self.text.get(start as usize..*end as usize)?, parts, milliseconds, serial)
        })
    }
}
