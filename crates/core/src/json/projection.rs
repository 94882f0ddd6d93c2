//! Which fields to pick out of a document, arranged for one look-up a key.

use std::collections::BTreeMap;

use super::ends::Ends;

/// A place in the tree of field names.
pub type Node = usize;

/// The whole document.
pub const ROOT: Node = 0;

/// What a key leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The node that the key reaches.
    pub node: Node,
    /// Number of the key among the node's keys: to notice one that comes twice.
    pub ordinal: usize,
}

/// A name and where it leads.
#[derive(Clone, Debug)]
struct Name {
    text: Box<[u8]>,
    ends: Ends,
    entry: Entry,
}

#[derive(Debug, Default)]
struct Names {
    /// Every name that leads from here to a node below, dotted ones included, by the hash of its bytes.
    table: Vec<Option<Name>>,
}

/// The wanted fields, as a tree of names.
#[derive(Debug)]
pub struct Projection {
    names: Vec<Names>,
    slots: Vec<Vec<u32>>,
    /// How many fields are picked out.
    pub width: usize,
}

impl Projection {
    /// Field number `i` of an event is `paths[i]`. A path that is listed twice fills all of its numbers.
    pub fn new<'p>(paths: impl IntoIterator<Item = &'p str>) -> Self {
        let mut slots: Vec<Vec<u32>> = vec![Vec::new()];
        let mut children: Vec<Vec<(String, Node)>> = vec![Vec::new()];
        let mut width = 0;
        for (slot, path) in paths.into_iter().enumerate() {
            width = slot + 1;
            let mut node = ROOT;
            for segment in path.split('.') {
                let known = children[node].iter().find(|(name, _)| name == segment).map(|(_, child)| *child);
                node = known.unwrap_or_else(|| {
                    slots.push(Vec::new());
                    children.push(Vec::new());
                    let child = slots.len() - 1;
                    children[node].push((segment.to_owned(), child));
                    child
                });
            }
            slots[node].push(slot as u32);
        }
        let names = (0..slots.len()).map(|node| Names::new(&below(&children, node))).collect();
        Self { names, slots, width }
    }

    /// Where a key leads, seen in an object at `node`.
    #[inline]
    pub fn find(&self, node: Node, key: &[u8]) -> Option<Entry> {
        self.names[node].find(&Sought::of(key))
    }

    /// Where a key leads that was prepared.
    #[inline]
    pub(crate) fn look_up(&self, node: Node, key: &Sought<'_>) -> Option<Entry> {
        self.names[node].find(key)
    }

    /// The fields whose value lies at a node.
    #[inline]
    pub fn slots(&self, node: Node) -> &[u32] {
        &self.slots[node]
    }

    /// Every name that leads from a node to one below it, dotted ones included, and where it leads.
    pub(crate) fn below(&self, node: Node) -> impl Iterator<Item = (&[u8], Node)> {
        self.names[node].table.iter().flatten().map(|name| (&*name.text, name.entry.node))
    }

    /// Whether fields lie below a node.
    #[inline]
    pub fn has_children(&self, node: Node) -> bool {
        !self.names[node].table.is_empty()
    }
}

/// Every dotted name that leads from a node to one below it.
fn below(children: &[Vec<(String, Node)>], node: Node) -> Vec<(String, Node)> {
    let mut all = Vec::new();
    for (name, child) in &children[node] {
        all.push((name.clone(), *child));
        all.extend(below(children, *child).into_iter().map(|(rest, node)| (format!("{name}.{rest}"), node)));
    }
    all
}

impl Names {
    fn new(names: &[(String, Node)]) -> Self {
        if names.is_empty() {
            return Self::default();
        }
        // Names of one part come first: most objects have no others, and the smallest ordinals are noted in one word.
        let unique: BTreeMap<(bool, &str), Node> =
            names.iter().map(|(name, node)| ((name.contains('.'), name.as_str()), *node)).collect();
        let mut table = vec![None; (unique.len() * 4).next_power_of_two()];
        for (ordinal, ((_, name), node)) in unique.into_iter().enumerate() {
            let ends = Ends::of(name.as_bytes());
            let mut at = ends.hash() & (table.len() - 1);
            while table[at].is_some() {
                at = (at + 1) & (table.len() - 1);
            }
            table[at] = Some(Name { text: name.as_bytes().into(), ends, entry: Entry { node, ordinal } });
        }
        Self { table }
    }

    #[inline]
    fn find(&self, key: &Sought<'_>) -> Option<Entry> {
        let mask = self.table.len().checked_sub(1)?;
        let mut at = key.hash & mask;
        while let Some(name) = &self.table[at] {
            if name.ends == key.ends && (key.text.len() <= Ends::WHOLE || *name.text == *key.text) {
                return Some(name.entry);
            }
            at = (at + 1) & mask;
        }
        None
    }
}

/// A key that is looked up, and what is compared of it: worked out by the compiler where it knows the key.
#[derive(Clone, Copy)]
pub(crate) struct Sought<'k> {
    text: &'k [u8],
    ends: Ends,
    hash: usize,
}

impl<'k> Sought<'k> {
    /// Prepares a key.
    #[inline]
    pub const fn of(text: &'k [u8]) -> Self {
        let ends = Ends::of(text);
        Self { text, ends, hash: ends.hash() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_and_no_other() {
        let paths = [
            "a",
            "ab",
            "abc",
            "abcd",
            "abcdefg",
            "abcdefgh",
            "abcdefghi",
            "abcdefghijklmnop",
            "abcdefghijklmnopqrstu",
            "é.x",
            "",
        ];
        let projection = Projection::new(paths);
        for (slot, path) in paths.iter().enumerate() {
            let entry = projection.find(ROOT, path.as_bytes()).expect("a known name");
            assert_eq!(projection.slots(entry.node), [slot as u32], "{path}");
        }
        for other in
            ["b", "ba", "abd", "abcdefghijklXnopqrstu", "abcdefghijklmnopqrst", "abcdefghXjklmnop", "\0", "a\0"]
        {
            assert_eq!(projection.find(ROOT, other.as_bytes()), None, "{other}");
        }
    }
}
