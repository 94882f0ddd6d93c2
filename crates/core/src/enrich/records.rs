//! Records whose documents are not written yet, with what the process table adds to them. It knows no field.

use super::added::{Additions, Own};
use super::facts::{Facts, Known, Numbering};
use crate::sources::{Place, Unwritten};
use crate::value::Event;

/// Records, and what is added to each.
pub struct Records {
    pub(super) unwritten: Unwritten,
    pub(super) additions: Additions,
    /// Of the first records, as far as they have got their additions.
    pub(super) added: Vec<Own>,
}

impl Records {
    /// Records to which nothing is added so far.
    pub fn new(unwritten: Unwritten) -> Self {
        let added = Vec::with_capacity(unwritten.records.len());
        Self { additions: Additions::with_room(unwritten.records.len()), unwritten, added }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.unwritten.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.unwritten.records.is_empty()
    }

    /// Where a record lies.
    pub fn place(&self, number: usize) -> Place {
        self.unwritten.records[number].place
    }

    /// Bytes of the raw record.
    pub fn size(&self, number: usize) -> usize {
        self.unwritten.records[number].size as usize
    }

    /// Whether a record's values may differ from its document's.
    pub fn is_doubtful(&self, number: usize) -> bool {
        self.unwritten.records[number].doubtful
    }

    /// Adds a record's values, and those that were added, to an event.
    pub fn fill<'a>(&'a self, number: usize, event: &mut Event<'a>) {
        self.unwritten.picked.fill(self.unwritten.records[number].values, event);
        if let Some(own) = self.added.get(number) {
            self.additions.fill(own, event);
        }
    }

    /// Appends the document of a record, with what was added, as one line of JSON without line break.
    pub fn render(&self, number: usize, out: &mut Vec<u8>) {
        let start = out.len();
        self.unwritten.raw.render(number, out);
        if let Some(own) = self.added.get(number).filter(|_| out.len() > start) {
            self.additions.write(own, out);
        }
    }

    /// Bytes that they hold in memory.
    pub fn held(&self) -> usize {
        let raw: usize = self.unwritten.records.iter().map(|record| record.size as usize).sum();
        raw + self.unwritten.picked.size() + self.additions.size()
    }

    /// Walks over a record's values, without those that were added.
    pub(super) fn known(&self, number: usize, numbering: &Numbering) -> Known {
        Known::of(&self.unwritten.picked, self.unwritten.records[number].values, numbering)
    }

    /// What these values say.
    pub(super) fn facts<'f>(&'f self, number: usize, numbering: &'f Numbering, known: &'f Known) -> Facts<'f> {
        Facts::of(&self.unwritten.picked, self.unwritten.records[number].values, numbering, known)
    }

    /// Whether each has got its additions.
    pub(super) fn is_done(&self) -> bool {
        self.added.len() == self.len()
    }
}
