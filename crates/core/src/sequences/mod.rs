//! Sequences and samples: from candidate events in order to completed matches. Knows no event, only handles, times and keys.

mod filled;
mod key;
mod machine;
mod order;
mod record;
mod sample;
mod sequencer;

pub use filled::Filled;
pub use key::{Component, Key};
pub use machine::Machine;
pub use order::{Order, Time};
pub use sequencer::{Sequencer, Settings};

use std::cmp::Ordering;

/// An event that meets at least one stage of a sequence or sample, with what the matching needs to know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Number of the rule.
    pub rule: u32,
    /// Where the event stands.
    pub order: Order,
    /// The stages that it meets (`until` is `stages.len()`), ascending, with its keys there.
    pub stages: Vec<(u16, Vec<Key>)>,
}

/// A candidate under one of its keys. Matches of different keys have nothing to do with each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit<H> {
    /// Number of the rule.
    pub rule: u32,
    /// The key.
    pub key: Key,
    /// Where the event stands.
    pub order: Order,
    /// Whatever the caller finds the event by.
    pub handle: H,
    /// The stages that the event meets with this key, ascending.
    pub stages: Vec<u16>,
}

impl Candidate {
    /// Key by key.
    pub fn fits<H: Clone>(mut self, handle: &H) -> Vec<Fit<H>> {
        if let [(stage, keys)] = &mut *self.stages
            && keys.len() == 1
        {
            let stages = vec![*stage];
            let key = keys.pop().unwrap_or_default();
            return vec![Fit { rule: self.rule, key, order: self.order, handle: handle.clone(), stages }];
        }
        let mut pairs: Vec<(Key, u16)> = Vec::new();
        for (stage, keys) in self.stages {
            pairs.extend(keys.into_iter().map(|key| (key, stage)));
        }
        pairs.sort_unstable();
        let mut fits: Vec<Fit<H>> = Vec::new();
        for (key, stage) in pairs {
            match fits.last_mut() {
                Some(fit) if fit.key == key => fit.stages.push(stage),
                _ => fits.push(Fit {
                    rule: self.rule,
                    key,
                    order: self.order.clone(),
                    handle: handle.clone(),
                    stages: vec![stage],
                }),
            }
        }
        fits
    }
}

impl<H> Fit<H> {
    /// The order in which a [`Sequencer`] takes them: rule by rule, key by key, each in order of time.
    pub fn cmp_taken(&self, other: &Self) -> Ordering {
        self.rule.cmp(&other.rule).then_with(|| self.key.cmp(&other.key)).then_with(|| self.order.cmp(&other.order))
    }
}

/// A completed sequence or sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completed<H> {
    /// Number of the rule.
    pub rule: u32,
    /// The join key.
    pub key: Key,
    /// One handle a slot, in order; `None` stands for a missing event.
    pub events: Vec<Option<H>>,
    /// The order of the last event, by which results are listed.
    pub last: Order,
}

impl<H> Completed<H> {
    /// The order in which results are listed: by the last event, then by the text of the key.
    pub fn cmp_listed(&self, other: &Self) -> Ordering {
        let text = |key: &Key| key.parts().iter().map(Component::text).collect::<Vec<_>>();
        self.last.cmp(&other.last).then_with(|| text(&self.key).cmp(&text(&other.key)))
    }
}
