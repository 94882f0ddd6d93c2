//! Whole events on their way to be decoded: the records of many, one after the other in one text. It knows no values.

use super::record::{self, Head};
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
    lines: Range<u32>,
}

/// Events, in the order in which they left the window.
#[derive(Debug, Default)]
pub(super) struct Batch {
    text: String,
    /// Where each record ends; it begins where the one before ends.
    ends: Vec<u32>,
    events: Vec<Joined>,
}

impl Batch {
    /// A batch with room for so many bytes, and for one event more than fits.
    pub fn with_room(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes + (8 << 10)), ends: Vec::new(), events: Vec::new() }
    }

    /// Adds an event.
    pub fn push(&mut self, group: &Group) {
        let (from, start) = (self.ends.len() as u32, self.text.len());
        for line in group.lines() {
            self.text.push_str(line);
            self.ends.push(self.text.len() as u32);
        }
        let lines = from..self.ends.len() as u32;
        let size = (self.text.len() - start) as u32;
        self.events.push(Joined { place: group.place, cut_short: group.cut_short, size, lines });
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
        let lines = self.events.get(event).map_or(0..0, |event| event.lines.clone());
        let lines = lines.filter_map(|line| {
            let start = line.checked_sub(1).map_or(0, |before| self.ends[before as usize]);
            self.text.get(start as usize..self.ends[line as usize] as usize)
        });
        lines.filter_map(record::head)
    }
}
