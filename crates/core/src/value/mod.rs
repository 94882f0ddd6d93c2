//! What an event holds for each field of a joined plan: the document's own values, before a field type gives them meaning.

pub mod address;
pub mod date_format;
pub mod number;
mod picked;
pub mod time;
mod typed;
pub mod version;

pub use date_format::DateFormat;
pub use picked::{Extent, Part, Picked};
pub use time::Time;
pub use typed::{Family, Reading, Value};

use std::borrow::Cow;

/// One value as the document has it. Nulls are never stored: a missing field has no values.
#[derive(Clone, Debug, PartialEq)]
pub enum Raw<'a> {
    /// `true` or `false`.
    Bool(bool),
    /// A number, as its JSON text.
    Number(Cow<'a, str>),
    /// A string, unescaped.
    Text(Cow<'a, str>),
}

impl Raw<'_> {
    /// The value as Elasticsearch's keyword fields would hold it.
    pub fn as_text(&self) -> &str {
        match self {
            Raw::Bool(true) => "true",
            Raw::Bool(false) => "false",
            Raw::Number(text) | Raw::Text(text) => text,
        }
    }
}

/// No further value.
const END: u32 = u32::MAX;

/// The values of one field: a chain through `Event::entries`.
#[derive(Clone, Copy, Debug)]
struct Chain {
    first: u32,
    last: u32,
}

const EMPTY: Chain = Chain { first: END, last: END };

/// A value, and the entry after it, within its field.
#[derive(Clone, Debug)]
struct Entry<'a> {
    value: Raw<'a>,
    next: u32,
}

/// The values of one event by field number, in document order within a field (arrays and arrays of objects are flattened,
/// nulls left out). All values lie in one list, so that an event is emptied and filled again without giving memory back.
#[derive(Clone, Debug, Default)]
pub struct Event<'a> {
    entries: Vec<Entry<'a>>,
    chains: Vec<Chain>,
    /// The fields that have values, as bits.
    present: Vec<u64>,
}

impl<'a> Event<'a> {
    /// An event without values, for as many fields as the joined plan has.
    pub fn new(fields: usize) -> Self {
        Self { entries: Vec::new(), chains: vec![EMPTY; fields], present: vec![0; fields.div_ceil(64)] }
    }

    /// Adds one value to a field. A number beyond the joined plan's fields is ignored.
    #[inline]
    pub fn push(&mut self, field: u32, value: Raw<'a>) {
        let Some(chain) = self.chains.get_mut(field as usize) else { return };
        let number = self.entries.len() as u32;
        if chain.first == END {
            chain.first = number;
            if let Some(word) = self.present.get_mut(field as usize / 64) {
                *word |= 1 << (field % 64);
            }
        } else if let Some(before) = self.entries.get_mut(chain.last as usize) {
            before.next = number;
        }
        chain.last = number;
        self.entries.push(Entry { value, next: END });
    }

    /// Makes room for so many more values.
    pub fn reserve(&mut self, values: usize) {
        self.entries.reserve(values);
    }

    /// The values of a field, in document order.
    pub fn values(&self, field: u32) -> Values<'_, 'a> {
        let first = self.chains.get(field as usize).map_or(END, |chain| chain.first);
        Values { event: self, at: first }
    }

    /// The first value of a field.
    pub fn first(&self, field: u32) -> Option<&Raw<'a>> {
        self.values(field).next()
    }

    /// Whether the field has a value.
    pub fn has(&self, field: u32) -> bool {
        self.chains.get(field as usize).is_some_and(|chain| chain.first != END)
    }

    /// The fields that have values, ascending.
    pub fn present(&self) -> impl Iterator<Item = u32> + '_ {
        self.present.iter().zip(0..).flat_map(|(word, number)| bits(*word).map(move |bit| number * 64 + bit))
    }

    /// The same as bits, 64 fields a word.
    pub fn presence(&self) -> &[u64] {
        &self.present
    }

    /// How many values there are in all.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no value at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// For how many fields there is room.
    #[inline]
    pub fn width(&self) -> u32 {
        self.chains.len() as u32
    }

    /// Makes room for as many fields as there are at least.
    pub fn widen(&mut self, fields: usize) {
        if self.chains.len() < fields {
            self.chains.resize(fields, EMPTY);
            self.present.resize(fields.div_ceil(64), 0);
        }
    }

    /// Takes all values out; room for them is kept.
    pub fn clear(&mut self) {
        self.entries.clear();
        for (number, word) in self.present.iter_mut().enumerate() {
            for bit in bits(std::mem::take(word)) {
                if let Some(chain) = self.chains.get_mut(number * 64 + bit as usize) {
                    *chain = EMPTY;
                }
            }
        }
    }

    /// An empty event for values that live elsewhere, in the memory of this one.
    #[must_use]
    pub fn recycle<'b>(mut self) -> Event<'b> {
        self.clear();
        // Nothing is left to convert: the collection only changes the type, in place.
        let entries = self.entries.into_iter().map(|Entry { value, next }| {
            let value = match value {
                Raw::Bool(flag) => Raw::Bool(flag),
                Raw::Number(text) => Raw::Number(Cow::Owned(text.into_owned())),
                Raw::Text(text) => Raw::Text(Cow::Owned(text.into_owned())),
            };
            Entry { value, next }
        });
        Event { entries: entries.collect(), chains: self.chains, present: self.present }
    }

    /// Number of each value of a field in `0..len()`, with the value: a place to keep what was worked out about it.
    pub(crate) fn numbered(&self, field: u32) -> impl Iterator<Item = (usize, &Raw<'a>)> {
        let mut at = self.chains.get(field as usize).map_or(END, |chain| chain.first);
        std::iter::from_fn(move || {
            let number = at as usize;
            let entry = self.entries.get(number)?;
            at = entry.next;
            Some((number, &entry.value))
        })
    }
}

/// The numbers of the bits that are set, ascending.
fn bits(mut word: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let bit = Some(word.trailing_zeros()).filter(|bit| *bit < 64)?;
        word &= word - 1;
        Some(bit)
    })
}

/// The values of one field. See [`Event::values`].
#[derive(Clone, Debug)]
pub struct Values<'e, 'a> {
    event: &'e Event<'a>,
    at: u32,
}

impl<'e, 'a> Iterator for Values<'e, 'a> {
    type Item = &'e Raw<'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.event.entries.get(self.at as usize)?;
        self.at = entry.next;
        Some(&entry.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_document_order_per_field_and_memory_is_reused() {
        let mut event = Event::new(3);
        event.push(2, Raw::Text("a".into()));
        event.push(0, Raw::Bool(true));
        event.push(2, Raw::Number("1.0".into()));
        event.push(9, Raw::Bool(false));
        assert_eq!(event.values(2).map(Raw::as_text).collect::<Vec<_>>(), ["a", "1.0"]);
        assert_eq!(event.present().collect::<Vec<_>>(), [0, 2]);
        assert!(!event.has(1) && !event.has(9));
        let mut event = event.recycle();
        assert!(event.is_empty() && !event.has(2));
        event.push(1, Raw::Text("b".into()));
        assert_eq!(event.first(1), Some(&Raw::Text("b".into())));
    }
}
