//! One sample: for each key one event a stage, in no order of time.

use super::{Completed, Fit, Key, Order};
use crate::program::Shape;

/// From so many stages on, each choice is checked to leave one for every other stage: without that, stages that share few events
/// would be tried in all their orders.
const CHECKED: usize = 4;

#[derive(Debug)]
pub(super) struct Sampler<H> {
    rule: u32,
    per_key: usize,
    /// Events of one stage that can be in one of the first `per_key` samples: a later one comes after as many others.
    most: usize,
    /// The events of each stage under the key at hand.
    stages: Vec<Vec<(H, Order)>>,
}

impl<H: Clone + PartialEq> Sampler<H> {
    pub(super) fn new(rule: u32, shape: &Shape, per_key: usize) -> Self {
        let stages = shape.stages.len();
        Self { rule, per_key, most: per_key.saturating_add(stages), stages: vec![Vec::new(); stages] }
    }

    /// Takes events in any order; they are chosen in order of arrival.
    pub(super) fn push(&mut self, fit: Fit<H>) {
        for stage in &fit.stages {
            let Some(events) = self.stages.get_mut(*stage as usize) else { continue };
            events.push((fit.handle.clone(), fit.order.clone()));
            if events.len() >= self.most.saturating_mul(2).max(64) {
                first(events, self.most);
            }
        }
    }

    pub(super) fn finish(&mut self, key: &Key, out: &mut Vec<Completed<H>>) {
        let mut stages = std::mem::take(&mut self.stages);
        stages.iter_mut().for_each(|events| first(events, self.most));
        if self.can_be_filled(&stages, &[]) {
            let mut left = self.per_key;
            self.combine(key, &stages, &mut Vec::new(), &mut left, out);
        }
        stages.iter_mut().for_each(Vec::clear);
        self.stages = stages;
    }

    /// Every way to choose pairwise distinct events, the last stage moving fastest, until enough are found.
    fn combine(
        &self,
        key: &Key,
        stages: &[Vec<(H, Order)>],
        chosen: &mut Vec<(H, Order)>,
        left: &mut usize,
        out: &mut Vec<Completed<H>>,
    ) {
        let Some(events) = stages.get(chosen.len()) else {
            if let Some(last) = chosen.iter().map(|(_, order)| order).max().cloned() {
                let events = chosen.iter().map(|(handle, _)| Some(handle.clone())).collect();
                out.push(Completed { rule: self.rule, key: key.clone(), events, last });
                *left -= 1;
            }
            return;
        };
        for event in events {
            if *left == 0 {
                return;
            }
            if chosen.iter().any(|(handle, _)| *handle == event.0) {
                continue;
            }
            chosen.push(event.clone());
            if stages.len() < CHECKED || self.can_be_filled(&stages[chosen.len()..], chosen) {
                self.combine(key, stages, chosen, left, out);
            }
            chosen.pop();
        }
    }

    /// Whether each stage can have an event of its own beside those chosen: a matching, stage by stage along augmenting paths.
    fn can_be_filled(&self, stages: &[Vec<(H, Order)>], chosen: &[(H, Order)]) -> bool {
        let mut taken: Vec<(H, usize)> = Vec::new();
        (0..stages.len()).all(|stage| place(stage, stages, chosen, &mut taken, &mut Vec::new()))
    }
}

/// The events that came first.
fn first<H>(events: &mut Vec<(H, Order)>, most: usize) {
    events.sort_by_key(|(_, order)| order.arrival);
    events.truncate(most);
}

/// Gives a stage an event, moving other stages to other events where that makes room.
fn place<H: Clone + PartialEq>(
    stage: usize,
    stages: &[Vec<(H, Order)>],
    chosen: &[(H, Order)],
    taken: &mut Vec<(H, usize)>,
    tried: &mut Vec<H>,
) -> bool {
    for (handle, _) in &stages[stage] {
        if chosen.iter().any(|(other, _)| other == handle) || tried.contains(handle) {
            continue;
        }
        tried.push(handle.clone());
        let owner = taken.iter().find(|(other, _)| other == handle).map(|(_, owner)| *owner);
        if owner.is_none_or(|owner| place(owner, stages, chosen, taken, tried)) {
            taken.retain(|(other, _)| other != handle);
            taken.push((handle.clone(), stage));
            return true;
        }
    }
    false
}
