//! One record of the Windows event log as text, whatever form it came in. It owns one buffer that is used again for every
//! record; it does not know what the values mean.

use std::ops::Range;

/// The values that every record may have beside its event data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    Provider,
    ProviderGuid,
    EventId,
    Version,
    Level,
    Task,
    Opcode,
    Keywords,
    /// `TimeCreated`, in ISO 8601.
    Time,
    RecordId,
    ProcessId,
    ThreadId,
    Channel,
    Computer,
    UserId,
    ActivityId,
    /// The rendered message, for forms that have it.
    Message,
    /// Rendered names, for forms that have them.
    TaskName,
    OpcodeName,
    LevelName,
    /// The name of the element below `UserData`.
    UserDataName,
}

/// The common values that are the text of an element, by its name in the event's XML.
pub const ELEMENTS: [(System, &str); 9] = [
    (System::EventId, "EventID"),
    (System::Version, "Version"),
    (System::Level, "Level"),
    (System::Task, "Task"),
    (System::Opcode, "Opcode"),
    (System::Keywords, "Keywords"),
    (System::RecordId, "EventRecordID"),
    (System::Channel, "Channel"),
    (System::Computer, "Computer"),
];

/// All of them, in order.
pub const SYSTEM: [System; System::UserDataName as usize + 1] = [
    System::Provider,
    System::ProviderGuid,
    System::EventId,
    System::Version,
    System::Level,
    System::Task,
    System::Opcode,
    System::Keywords,
    System::Time,
    System::RecordId,
    System::ProcessId,
    System::ThreadId,
    System::Channel,
    System::Computer,
    System::UserId,
    System::ActivityId,
    System::Message,
    System::TaskName,
    System::OpcodeName,
    System::LevelName,
    System::UserDataName,
];

/// A range of the record's buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Span(u32, u32);

impl Span {
    fn range(self) -> Range<usize> {
        self.0 as usize..self.1 as usize
    }
}

/// One record. Values are text; a missing one is empty.
#[derive(Debug, Default)]
pub struct Record {
    text: String,
    system: [Span; SYSTEM.len()],
    data: Vec<(Span, Span)>,
}

impl Record {
    /// Forgets the record, keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.system = [Span::default(); SYSTEM.len()];
        self.data.clear();
    }

    /// Sets one of the common values.
    pub fn set(&mut self, field: System, value: &str) {
        let start = self.mark();
        self.text.push_str(value);
        self.set_from(field, start);
    }

    /// A common value, empty when the record has none.
    pub fn get(&self, field: System) -> &str {
        &self.text[self.system[field as usize].range()]
    }

    /// Adds one named value of the event data.
    pub fn push(&mut self, name: &str, value: &str) {
        let name_start = self.mark();
        self.text.push_str(name);
        let value_start = self.mark();
        self.text.push_str(value);
        self.push_from(name_start, value_start);
    }

    /// The named values, in the record's order.
    pub fn data(&self) -> impl Iterator<Item = (&str, &str)> {
        (0..self.data.len()).map(|index| self.datum(index))
    }

    fn datum(&self, index: usize) -> (&str, &str) {
        let (name, value) = self.data[index];
        (&self.text[name.range()], &self.text[value.range()])
    }

    /// Where the next text will start.
    pub(in crate::sources) fn mark(&self) -> usize {
        self.text.len()
    }

    /// The buffer, to append to.
    pub(in crate::sources) fn text(&mut self) -> &mut String {
        &mut self.text
    }

    /// Makes the text from `start` the value of `field`.
    pub(in crate::sources) fn set_from(&mut self, field: System, start: usize) {
        self.system[field as usize] = Span(start as u32, self.text.len() as u32);
    }

    /// Makes the text from `name` to `value` a name, and the rest its value.
    pub(in crate::sources) fn push_from(&mut self, name: usize, value: usize) {
        let end = self.text.len() as u32;
        self.data.push((Span(name as u32, value as u32), Span(value as u32, end)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_values_are_listed_in_their_order() {
        assert!(SYSTEM.iter().enumerate().all(|(place, field)| *field as usize == place));
    }
}
