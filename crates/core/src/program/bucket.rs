//! Buckets: conditions that an event's category, operating system and the like rule out are put aside at once. Which ones these are is
//! found out for the first event with the same values and kept for the others.

use super::node::Node;
use super::term::Term;
use super::{Field, Slot};
use crate::value::Event;
use std::collections::HashMap;

/// Fields with few values that many conditions ask for.
const PATHS: [&str; 9] = [
    "event.category",
    "event.type",
    "event.kind",
    "event.action",
    "event.dataset",
    "event.module",
    "event.outcome",
    "data_stream.dataset",
    "host.os.type",
];
/// Buckets that are kept. Input with more combinations of values starts over.
const MOST_BUCKETS: usize = 4_096;
/// Longest values of the fields together; beyond that nothing is kept.
const LONGEST_KEY: usize = 1_024;

/// What of each condition is decided by the fields of buckets alone.
#[derive(Debug, Default)]
pub(super) struct Gates {
    fields: Vec<u32>,
    /// For each slot the terms of which all must hold.
    terms: Vec<Vec<u32>>,
}

impl Gates {
    pub(super) fn new(slots: &[Slot], terms: &[Term], fields: &[Field], enabled: bool) -> Self {
        if !enabled {
            return Self::default();
        }
        let few = |number: u32| fields.get(number as usize).is_some_and(|field| PATHS.contains(&field.path.as_str()));
        // Equality of text never fails, so a gate that is shut makes its condition false whatever the rest comes to.
        let gate =
            |number: u32| terms.get(number as usize).is_some_and(|term| few(term.field) && term.equals().is_some());
        let gates = slots.iter().map(|slot| conjuncts(&slot.node).into_iter().filter(|number| gate(*number)).collect());
        let gates = gates.collect();
        Self { fields: (0..fields.len() as u32).filter(|number| few(*number)).collect(), terms: gates }
    }

    /// Whether there is anything to decide.
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The fields whose values tell buckets apart.
    pub(super) fn fields(&self) -> &[u32] {
        &self.fields
    }

    /// The terms of which all must hold, for each slot.
    pub(super) fn slots(&self) -> impl Iterator<Item = &[u32]> {
        self.terms.iter().map(Vec::as_slice)
    }

    /// Writes what tells buckets apart; false if that is too long to be kept.
    pub(super) fn key(&self, event: &Event<'_>, key: &mut Vec<u8>) -> bool {
        key.clear();
        for field in &self.fields {
            for raw in event.values(*field) {
                let text = raw.as_text().as_bytes();
                key.extend_from_slice(&(text.len() as u32).to_le_bytes());
                key.extend_from_slice(text.get(..LONGEST_KEY).unwrap_or(text));
                if key.len() > LONGEST_KEY {
                    return false;
                }
            }
            // The end of a field: no value that is kept is that long.
            key.extend_from_slice(&u32::MAX.to_le_bytes());
        }
        true
    }
}

/// The terms that a condition cannot be met without.
fn conjuncts(node: &Node) -> Vec<u32> {
    match node {
        Node::Term(number) => vec![*number],
        Node::And(operands) => operands.iter().flat_map(conjuncts).collect(),
        Node::Or(_) | Node::Not(_) | Node::Always(_) => Vec::new(),
    }
}

/// The conditions that are left, by the values of the fields.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    left: HashMap<Box<[u8]>, Box<[u64]>>,
}

impl Buckets {
    pub(super) fn get(&self, key: &[u8]) -> Option<&[u64]> {
        self.left.get(key).map(|left| &**left)
    }

    pub(super) fn keep(&mut self, key: &[u8], left: Vec<u64>) {
        if self.left.len() >= MOST_BUCKETS {
            self.left.clear();
        }
        self.left.insert(key.into(), left.into());
    }
}
