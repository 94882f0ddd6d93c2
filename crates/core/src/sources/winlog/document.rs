//! Writes one ECS document as nested JSON. The field paths are known beforehand and sorted, so that a document is one pass
//! over slots; it does not know where the values come from.

use super::wishes::Wishes;
use crate::json::write_string;
use crate::sources::digits::signed;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The field paths that documents may have, sorted component by component.
#[derive(Debug)]
pub struct Layout {
    paths: Vec<Vec<String>>,
}

/// The number of a field path in its [`Layout`].
pub type Slot = usize;

impl Layout {
    /// A layout of these dotted paths.
    pub fn new(paths: &BTreeSet<String>) -> Self {
        let mut paths: Vec<Vec<String>> =
            paths.iter().map(|path| path.split('.').map(str::to_owned).collect()).collect();
        paths.sort();
        Self { paths }
    }

    /// The slot of a dotted path, which the layout must have.
    pub fn slot(&self, path: &str) -> Slot {
        let components: Vec<String> = path.split('.').map(str::to_owned).collect();
        self.paths.binary_search(&components).expect("every path of a mapping is in its layout")
    }

    /// All dotted paths, in the order of their slots.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        self.paths.iter().map(|path| path.join("."))
    }

    /// The first pair of paths of which one is an object and a value at once.
    #[cfg(test)]
    pub fn conflict(&self) -> Option<String> {
        let clash = self.paths.windows(2).find(|pair| pair[1].starts_with(&pair[0]));
        clash.map(|pair| format!("{} and {}", pair[0].join("."), pair[1].join(".")))
    }
}

/// A part of the document's text.
type Span = (u32, u32);

/// The value of a slot.
#[derive(Clone, Copy, Debug, Default)]
enum Value {
    #[default]
    None,
    /// There is one, and nobody looks at it.
    Unwanted,
    Text(Span),
    /// A number or boolean.
    Literal(Span),
    /// A list of texts: which of the parts.
    Texts(Span),
    /// Anything else, as JSON.
    Json(Span),
}

/// What a slot's value is, for whoever does not want JSON.
#[derive(Clone, Copy, Debug)]
pub enum Content<'d> {
    /// A text, or one of a list; the list's others follow.
    Text(&'d str),
    /// A number or boolean, as JSON has it.
    Literal(&'d str),
    /// Anything else, as JSON.
    Json(&'d str),
}

/// The values of one document, in one buffer that is used again.
#[derive(Debug, Default)]
pub struct Document {
    text: String,
    parts: Vec<Span>,
    values: Vec<Value>,
    ranks: Vec<u32>,
    /// The slots that have a value, in the order in which they got the first.
    filled: Vec<u32>,
    /// What is wanted, where that is not all.
    wishes: Option<Arc<Wishes>>,
}

impl Document {
    /// Forgets the document, keeps the memory.
    pub fn clear(&mut self, layout: &Layout, wishes: Option<Arc<Wishes>>) {
        self.wishes = wishes;
        self.text.clear();
        self.parts.clear();
        for slot in self.filled.drain(..) {
            self.values[slot as usize] = Value::None;
        }
        self.values.resize(layout.paths.len(), Value::None);
        self.ranks.resize(layout.paths.len(), u32::MAX);
    }

    /// Gives the slot a text, unless it has a value of a better (lower) rank. Whether it did.
    pub fn text(&mut self, slot: Slot, rank: u32, text: &str) -> bool {
        self.put(slot, rank, |document| Value::Text(document.keep(|out| out.push_str(text))))
    }

    /// A whole number, likewise.
    pub fn number(&mut self, slot: Slot, rank: u32, number: i64) -> bool {
        self.put(slot, rank, |document| Value::Literal(document.keep(|out| signed(out, number))))
    }

    /// A boolean, likewise.
    pub fn boolean(&mut self, slot: Slot, rank: u32, value: bool) -> bool {
        let text = if value { "true" } else { "false" };
        self.put(slot, rank, |document| Value::Literal(document.keep(|out| out.push_str(text))))
    }

    /// A list of texts, likewise.
    pub fn texts<'t>(&mut self, slot: Slot, rank: u32, texts: impl IntoIterator<Item = &'t str>) -> bool {
        self.each_text(slot, rank, |take| texts.into_iter().for_each(take))
    }

    /// A list of the texts that `give` gives, likewise.
    pub fn each_text(&mut self, slot: Slot, rank: u32, give: impl FnOnce(&mut dyn FnMut(&str))) -> bool {
        self.put(slot, rank, |document| {
            let first = document.parts.len() as u32;
            give(&mut |text| {
                let part = document.keep(|out| out.push_str(text));
                document.parts.push(part);
            });
            Value::Texts((first, document.parts.len() as u32))
        })
    }

    /// Anything else, likewise: `write` appends its JSON.
    pub fn json(&mut self, slot: Slot, rank: u32, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        self.put(slot, rank, |document| {
            let mut json = Vec::new();
            write(&mut json);
            Value::Json(document.keep(|out| out.push_str(&String::from_utf8_lossy(&json))))
        })
    }

    fn keep(&mut self, write: impl FnOnce(&mut String)) -> Span {
        let start = self.text.len() as u32;
        write(&mut self.text);
        (start, self.text.len() as u32)
    }

    fn put(&mut self, slot: Slot, rank: u32, value: impl FnOnce(&mut Self) -> Value) -> bool {
        let had = !matches!(self.values[slot], Value::None);
        if had && self.ranks[slot] <= rank {
            return false;
        }
        self.values[slot] = if self.wants(slot) { value(self) } else { Value::Unwanted };
        self.ranks[slot] = rank;
        if !had {
            self.filled.push(slot as u32);
        }
        true
    }

    /// Whether anybody looks at the slot.
    pub fn wants(&self, slot: Slot) -> bool {
        self.wishes.as_ref().is_none_or(|wishes| wishes.wants(slot))
    }

    /// The slots that have a value that is wanted, in no order that matters, with it; of a list each text.
    pub fn each(&self, mut take: impl FnMut(Slot, Content<'_>)) {
        for slot in self.filled.iter().map(|slot| *slot as Slot) {
            match self.values[slot] {
                Value::None | Value::Unwanted => {}
                Value::Text(span) => take(slot, Content::Text(self.part(span))),
                Value::Literal(span) => take(slot, Content::Literal(self.part(span))),
                Value::Json(span) => take(slot, Content::Json(self.part(span))),
                Value::Texts(list) => self.listed(list).for_each(|text| take(slot, Content::Text(text))),
            }
        }
    }

    /// The slots that have a value, wanted or not, and its rank.
    pub fn filled(&self) -> impl Iterator<Item = (Slot, u32)> {
        self.filled.iter().map(|slot| (*slot as Slot, self.ranks[*slot as usize]))
    }

    fn part(&self, (start, end): Span) -> &str {
        &self.text[start as usize..end as usize]
    }

    fn listed(&self, (first, last): Span) -> impl Iterator<Item = &str> {
        self.parts[first as usize..last as usize].iter().map(|part| self.part(*part))
    }

    fn write_value(&self, value: Value, out: &mut Vec<u8>) {
        match value {
            Value::None | Value::Unwanted => {}
            Value::Text(span) => write_string(self.part(span), out),
            Value::Literal(span) | Value::Json(span) => out.extend_from_slice(self.part(span).as_bytes()),
            Value::Texts(list) => write_strings(out, self.listed(list)),
        }
    }

    /// Appends the document to `out` as one JSON object.
    pub fn write(&self, layout: &Layout, out: &mut Vec<u8>) {
        out.push(b'{');
        let mut open: &[String] = &[];
        let mut first = true;
        for (path, value) in layout.paths.iter().zip(&self.values) {
            if matches!(value, Value::None) {
                continue;
            }
            let (leaf, parents) = path.split_last().expect("a path has a component");
            let common = open.iter().zip(parents).take_while(|(left, right)| left == right).count();
            for _ in common..open.len() {
                out.push(b'}');
                first = false;
            }
            for parent in &parents[common..] {
                separate(out, &mut first);
                write_string(parent, out);
                out.extend_from_slice(b":{");
                first = true;
            }
            open = parents;
            separate(out, &mut first);
            write_string(leaf, out);
            out.push(b':');
            self.write_value(*value, out);
        }
        out.resize(out.len() + open.len() + 1, b'}');
    }
}

fn separate(out: &mut Vec<u8>, first: &mut bool) {
    if !*first {
        out.push(b',');
    }
    *first = false;
}

/// Appends a JSON array of strings.
pub fn write_strings<'a>(out: &mut Vec<u8>, texts: impl IntoIterator<Item = &'a str>) {
    out.push(b'[');
    for (index, text) in texts.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(text, out);
    }
    out.push(b']');
}
