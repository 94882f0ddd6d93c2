//! Writes one ECS document as nested JSON. The field paths are known beforehand and sorted, so that a document is one pass
//! over slots; it does not know where the values come from.

use super::wishes::Wishes;
use crate::json::write_string;
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

/// The values of one document, as JSON text in one buffer that is used again.
#[derive(Debug, Default)]
pub struct Document {
    json: Vec<u8>,
    values: Vec<(u32, u32)>,
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
        self.json.clear();
        for slot in self.filled.drain(..) {
            self.values[slot as usize] = (0, 0);
        }
        self.values.resize(layout.paths.len(), (0, 0));
        self.ranks.resize(layout.paths.len(), u32::MAX);
    }

    /// Whether the slot has a value.
    pub fn has(&self, slot: Slot) -> bool {
        self.values[slot].1 != 0
    }

    /// Gives the slot a value, unless it has one of a better (lower) rank. `write` appends the JSON text; nothing
    /// appended is no value.
    pub fn put(&mut self, slot: Slot, rank: u32, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let had = self.has(slot);
        if had && self.ranks[slot] <= rank {
            return false;
        }
        if self.wishes.as_ref().is_some_and(|wishes| !wishes.wants(slot)) {
            // There is a value, and nobody looks at it.
            self.values[slot] = (0, u32::MAX);
            if !had {
                self.filled.push(slot as u32);
            }
            self.ranks[slot] = rank;
            return true;
        }
        let start = self.json.len();
        write(&mut self.json);
        if self.json.len() == start {
            return false;
        }
        self.values[slot] = (start as u32, self.json.len() as u32);
        self.ranks[slot] = rank;
        if !had {
            self.filled.push(slot as u32);
        }
        true
    }

    /// The slots that have a value, in no order that matters.
    pub fn filled(&self) -> impl Iterator<Item = Slot> {
        self.filled.iter().map(|slot| *slot as Slot)
    }

    /// The JSON text of a slot's value.
    pub fn text(&self, slot: Slot) -> Option<&str> {
        let (start, end) = self.values[slot];
        let bytes = self.json.get(start as usize..end as usize).filter(|bytes| !bytes.is_empty())?;
        std::str::from_utf8(bytes).ok()
    }

    /// Appends the document to `out` as one JSON object.
    pub fn write(&self, layout: &Layout, out: &mut Vec<u8>) {
        out.push(b'{');
        let mut open: &[String] = &[];
        let mut first = true;
        for (path, &(start, end)) in layout.paths.iter().zip(&self.values) {
            if end == 0 {
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
            out.extend_from_slice(&self.json[start as usize..end as usize]);
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
