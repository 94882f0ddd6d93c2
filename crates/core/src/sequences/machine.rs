//! One sequence: the one-pass machine. At most one unfinished match is kept for each key and stage, and the newest wins; what missing
//! events forbid is decided at the end, when all their hits are known.

use super::{Candidate, Completed, Key, Order, Time};
use crate::program::Shape;
use std::collections::HashMap;

/// One slot of the unrolled sequence.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// Number of the stage that fills it.
    stage: u16,
    missing: bool,
}

/// Events that have filled the steps so far.
#[derive(Clone, Debug)]
struct Partial {
    events: Vec<(u64, Order)>,
}

#[derive(Debug)]
pub(super) struct Machine {
    rule: u32,
    /// All slots, in order.
    steps: Vec<Step>,
    /// The stage of each slot that is not missing.
    positive: Vec<u16>,
    until: u16,
    maxspan_ms: Option<u64>,
    /// By key: what has filled the positive slots up to each number.
    pending: HashMap<Key, Vec<Option<Partial>>>,
    /// Milliseconds of the hits of each missing stage, by key.
    unwanted: HashMap<(u16, Key), Vec<i128>>,
    /// Complete matches that wait for the end.
    waiting: Vec<(Key, Partial)>,
    has_missing: bool,
}

impl Machine {
    pub(super) fn new(rule: u32, shape: &Shape) -> Self {
        let steps: Vec<Step> = shape
            .stages
            .iter()
            .enumerate()
            .flat_map(|(stage, shape)| {
                let step = Step { stage: stage as u16, missing: shape.missing };
                std::iter::repeat_n(step, shape.runs as usize)
            })
            .collect();
        Self {
            rule,
            positive: steps.iter().filter(|step| !step.missing).map(|step| step.stage).collect(),
            has_missing: steps.iter().any(|step| step.missing),
            steps,
            until: shape.stages.len() as u16,
            maxspan_ms: shape.maxspan_ms,
            pending: HashMap::new(),
            unwanted: HashMap::new(),
            waiting: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, candidate: &Candidate, out: &mut Vec<Completed>) {
        let Some(time) = candidate.order.time else { return };
        let keys_of = |stage: u16| {
            candidate.stages.iter().find(|(number, _)| *number == stage).map_or(&[][..], |(_, keys)| keys.as_slice())
        };
        let last = self.positive.len().saturating_sub(1);
        // The last slot first, so that an event never follows itself.
        for slot in (0..self.positive.len()).rev() {
            for key in keys_of(self.positive[slot]) {
                if let Some(partial) = self.advance(slot, key, candidate, time) {
                    if slot == last {
                        self.complete(key.clone(), partial, out);
                    } else {
                        self.slots(key)[slot] = Some(partial);
                    }
                }
            }
        }
        if self.has_missing {
            for step in self.steps.clone().iter().filter(|step| step.missing) {
                for key in keys_of(step.stage) {
                    let hits = self.unwanted.entry((step.stage, key.clone())).or_default();
                    if hits.last() != Some(&time.milliseconds()) {
                        hits.push(time.milliseconds());
                    }
                }
            }
        }
        for key in keys_of(self.until) {
            self.pending.remove(key);
        }
    }

    fn slots(&mut self, key: &Key) -> &mut Vec<Option<Partial>> {
        let count = self.positive.len();
        self.pending.entry(key.clone()).or_insert_with(|| vec![None; count])
    }

    /// The match that the event makes of what waits for this slot, if anything does.
    fn advance(&mut self, slot: usize, key: &Key, candidate: &Candidate, time: Time) -> Option<Partial> {
        let mut partial = if slot == 0 {
            Partial { events: Vec::with_capacity(self.positive.len()) }
        } else {
            self.pending.get_mut(key)?.get_mut(slot - 1)?.take()?
        };
        let start = partial.events.first().and_then(|(_, order)| order.time);
        if let (Some(start), Some(maxspan)) = (start, self.maxspan_ms)
            && time.total_nanos() - start.total_nanos() > i128::from(maxspan) * 1_000_000
        {
            return None;
        }
        partial.events.push((candidate.handle, candidate.order.clone()));
        Some(partial)
    }

    fn complete(&mut self, key: Key, partial: Partial, out: &mut Vec<Completed>) {
        if self.has_missing {
            self.waiting.push((key, partial));
        } else {
            out.extend(self.completed(key, &partial));
        }
    }

    fn completed(&self, key: Key, partial: &Partial) -> Option<Completed> {
        let mut rest = partial.events.iter();
        let events =
            self.steps.iter().map(|step| if step.missing { None } else { rest.next().map(|(handle, _)| *handle) });
        let (_, last) = partial.events.last()?;
        Some(Completed { rule: self.rule, key, events: events.collect(), last: last.clone() })
    }

    pub(super) fn finish(self, out: &mut Vec<Completed>) {
        for (key, partial) in &self.waiting {
            if self.nothing_unwanted(key, partial) {
                out.extend(self.completed(key.clone(), partial));
            }
        }
    }

    /// Whether no missing stage has a hit with this key where it would belong. Times are whole milliseconds.
    fn nothing_unwanted(&self, key: &Key, partial: &Partial) -> bool {
        let times: Vec<i128> =
            partial.events.iter().filter_map(|(_, order)| order.time).map(Time::milliseconds).collect();
        let (Some(first), Some(last)) = (times.first().copied(), times.last().copied()) else { return true };
        let (mut filled, mut leading, mut trailing) = (0, None, None);
        for step in &self.steps {
            if !step.missing {
                filled += 1;
                continue;
            }
            let Some(hits) = self.unwanted.get(&(step.stage, key.clone())) else { continue };
            if filled == 0 {
                let before = hits[..hits.partition_point(|hit| *hit < first)].last().copied();
                leading = leading.max(before);
            } else if filled == times.len() {
                let after = hits.get(hits.partition_point(|hit| *hit <= last)).copied();
                trailing = match (trailing, after) {
                    (Some(one), Some(two)) => Some(std::cmp::min::<i128>(one, two)),
                    (one, two) => one.or(two),
                };
            } else {
                let (low, high) = (times[filled - 1], times[filled]);
                let between = hits.get(hits.partition_point(|hit| *hit <= low));
                if between.is_some_and(|hit| *hit < high) {
                    return false;
                }
            }
        }
        self.window_is_clear(leading, trailing, first, last)
    }

    fn window_is_clear(&self, leading: Option<i128>, trailing: Option<i128>, first: i128, last: i128) -> bool {
        let begins = self.steps.first().is_some_and(|step| step.missing);
        let ends = self.steps.last().is_some_and(|step| step.missing);
        let Some(maxspan) = self.maxspan_ms else { return true };
        if !begins && !ends {
            return true;
        }
        let earliest = if begins { leading } else { Some(first) };
        let latest = if ends { trailing } else { Some(last) };
        match (earliest, latest) {
            (Some(earliest), Some(latest)) => latest - earliest > i128::from(maxspan),
            _ => true,
        }
    }
}
