//! The wanted values of many records, kept in one buffer until somebody looks at them. It knows neither records nor fields, only
//! the numbers of fields.

use super::{Event, Raw};
use std::fmt::Write;

/// What a kept value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bool,
    Number,
    Text,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    field: u32,
    kind: Kind,
    text: Part,
}

/// A part of the kept text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    start: u32,
    end: u32,
}

/// Which of the kept values are one record's: those from a number on, up to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    from: u32,
    to: u32,
}

/// Values by field number, in document order within a field. See [`Event`], which borrows them.
#[derive(Clone, Debug, Default)]
pub struct Picked {
    entries: Vec<Entry>,
    text: String,
}

impl Picked {
    /// Values with room for so many, and for so many bytes of text.
    pub fn with_room(values: usize, bytes: usize) -> Self {
        Self { entries: Vec::with_capacity(values), text: String::with_capacity(bytes) }
    }

    /// Makes room for so many more, and for so many bytes of text.
    pub fn reserve(&mut self, values: usize, bytes: usize) {
        self.entries.reserve(values);
        self.text.reserve(bytes);
    }

    /// Takes all values out, and leaves room for as many.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let room = Self::with_room(self.entries.len(), self.text.len());
        std::mem::replace(self, room)
    }

    /// Adds a number or boolean as JSON has it to each of the fields; whether it was one.
    pub fn literal(&mut self, fields: &[u32], text: &str) -> bool {
        let kind = match text.as_bytes() {
            b"true" | b"false" => Kind::Bool,
            [b'-' | b'0'..=b'9', ..] => Kind::Number,
            _ => return false,
        };
        self.push(fields, kind, text);
        true
    }

    /// Adds a string to each of the fields.
    pub fn text(&mut self, fields: &[u32], text: &str) {
        self.push(fields, Kind::Text, text);
    }

    /// Adds a number, as its JSON text, to each of the fields.
    pub fn number(&mut self, fields: &[u32], text: &str) {
        self.push(fields, Kind::Number, text);
    }

    /// Adds a whole number to each of the fields.
    pub fn integer(&mut self, fields: &[u32], number: i64) {
        if fields.is_empty() {
            return;
        }
        let start = self.text.len() as u32;
        // Writing to a text does not fail.
        let _ = write!(self.text, "{number}");
        self.add(fields, Kind::Number, Part { start, end: self.text.len() as u32 });
    }

    /// Adds all values of an event.
    pub fn all(&mut self, event: &Event<'_>) {
        for field in event.present() {
            for value in event.values(field) {
                let kind = match value {
                    Raw::Bool(_) => Kind::Bool,
                    Raw::Number(_) => Kind::Number,
                    Raw::Text(_) => Kind::Text,
                };
                self.push(&[field], kind, value.as_text());
            }
        }
    }

    fn push(&mut self, fields: &[u32], kind: Kind, text: &str) {
        if fields.is_empty() {
            return;
        }
        let text = self.keep(text);
        self.add(fields, kind, text);
    }

    fn add(&mut self, fields: &[u32], kind: Kind, text: Part) {
        self.entries.extend(fields.iter().map(|field| Entry { field: *field, kind, text }));
    }

    /// Keeps a text that is no field's value yet.
    pub fn keep(&mut self, text: &str) -> Part {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        Part { start, end: self.text.len() as u32 }
    }

    /// Adds a kept text to each of the fields.
    pub fn kept(&mut self, fields: &[u32], text: Part) {
        self.add(fields, Kind::Text, text);
    }

    /// A part of the kept text.
    pub fn part(&self, part: Part) -> &str {
        self.text.get(part.start as usize..part.end as usize).unwrap_or_default()
    }

    /// How many values there are: where the next record's begin.
    pub fn mark(&self) -> u32 {
        self.entries.len() as u32
    }

    /// The values since a mark.
    pub fn since(&self, mark: u32) -> Extent {
        Extent { from: mark, to: self.mark() }
    }

    fn entries(&self, extent: Extent) -> &[Entry] {
        self.entries.get(extent.from as usize..extent.to as usize).unwrap_or_default()
    }

    fn raw(&self, entry: &Entry) -> Raw<'_> {
        let text = self.part(entry.text);
        match entry.kind {
            Kind::Bool => Raw::Bool(text == "true"),
            Kind::Number => Raw::Number(text.into()),
            Kind::Text => Raw::Text(text.into()),
        }
    }

    /// Adds the same values once more.
    pub fn repeat(&mut self, extent: Extent) {
        let kept = self.entries.len();
        self.entries.extend_from_within((extent.from as usize).min(kept)..(extent.to as usize).min(kept));
    }

    /// The field of each of a record's values.
    pub fn fields(&self, extent: Extent) -> impl Iterator<Item = u32> + Clone {
        self.entries(extent).iter().map(|entry| entry.field)
    }

    /// A record's value, by its number among them.
    pub fn value(&self, extent: Extent, number: usize) -> Option<Raw<'_>> {
        self.entries(extent).get(number).map(|entry| self.raw(entry))
    }

    /// Adds a record's values to an event, which borrows them, as far as it has room for their fields.
    pub fn fill<'a>(&'a self, extent: Extent, event: &mut Event<'a>) {
        let (width, entries) = (event.width(), self.entries(extent));
        event.reserve(entries.len());
        for entry in entries.iter().filter(|entry| entry.field < width) {
            event.push(entry.field, self.raw(entry));
        }
    }

    /// Bytes that it holds.
    pub fn size(&self) -> usize {
        self.text.len() + self.entries.len() * size_of::<Entry>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_gets_the_values_back_as_they_were() {
        let mut from = Event::new(3);
        from.push(1, Raw::Bool(false));
        from.push(2, Raw::Number("2.50".into()));
        let mut picked = Picked::default();
        picked.text(&[0, 1], "é");
        picked.number(&[2], "7");
        picked.text(&[], "nobody wants it");
        picked.all(&from);
        let mut event = Event::new(3);
        picked.fill(picked.since(0), &mut event);
        let values = |field| event.values(field).cloned().collect::<Vec<_>>();
        assert_eq!(values(0), [Raw::Text("é".into())]);
        assert_eq!(values(1), [Raw::Text("é".into()), Raw::Bool(false)]);
        assert_eq!(values(2), [Raw::Number("7".into()), Raw::Number("2.50".into())]);
    }
}
