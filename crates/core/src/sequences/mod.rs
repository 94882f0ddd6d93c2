//! Sequences and samples: from candidate events in order to completed matches. Knows no event, only handles, times and keys.

mod key;
mod machine;
mod order;
mod sample;
mod sequencer;

pub use key::{Component, Key};
pub use order::{Order, Time};
pub use sequencer::{Sequencer, Settings};

/// An event that meets at least one stage of a sequence or sample, with what the matching needs to know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Number of the rule.
    pub rule: u32,
    /// Where the event stands.
    pub order: Order,
    /// Whatever the caller finds the event by.
    pub handle: u64,
    /// The stages that it meets (`until` is `stages.len()`), ascending, with its keys there.
    pub stages: Vec<(u16, Vec<Key>)>,
}

/// A completed sequence or sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completed {
    /// Number of the rule.
    pub rule: u32,
    /// The join key.
    pub key: Key,
    /// One handle a slot, in order; `None` stands for a missing event.
    pub events: Vec<Option<u64>>,
    /// The order of the last event, by which results are listed.
    pub last: Order,
}

impl Completed {
    /// The order in which results are listed: by the last event, then by the text of the key.
    pub fn cmp_listed(&self, other: &Self) -> std::cmp::Ordering {
        let text = |key: &Key| key.parts().iter().map(Component::text).collect::<Vec<_>>();
        self.last.cmp(&other.last).then_with(|| text(&self.key).cmp(&text(&other.key)))
    }
}
