//! Which keys of which rules have candidates for every stage: the others come to nothing, in whatever order events stand. Room is
//! bounded, so that it may take a key for filled that is not, but never the other way round.

use super::Fit;
use crate::plan::Kind;
use crate::program::Shape;
use foldhash::fast::FixedState;
use std::hash::BuildHasher;

/// Keys that are told apart, at most. Those that share a place are taken together.
const PLACES: usize = 1 << 18;
/// The last of the stages that are told apart stands for all after it.
const LAST: u16 = 31;

/// What is known of the stages that are filled.
#[derive(Debug)]
pub struct Filled {
    /// For each rule, the stages that results show, as bits.
    wanted: Vec<u32>,
    /// The stages that have candidates, by the hash of rule and key.
    places: Vec<u32>,
    state: FixedState,
}

impl Filled {
    /// Nothing is filled.
    pub fn new(shapes: &[Shape]) -> Self {
        let shown = |shape: &Shape| (0..shape.stages.len() as u16).filter(|stage| shape.shows(*stage)).fold(0, with);
        let wanted = shapes.iter().map(|shape| if shape.kind == Kind::Event { 0 } else { shown(shape) }).collect();
        Self { wanted, places: Vec::new(), state: FixedState::default() }
    }

    fn place<H>(&self, fit: &Fit<H>) -> usize {
        self.state.hash_one((fit.rule, &fit.key.0)) as usize % PLACES
    }

    fn wanted<H>(&self, fit: &Fit<H>) -> u32 {
        self.wanted.get(fit.rule as usize).copied().unwrap_or(0)
    }

    /// Notes a candidate.
    pub fn add<H>(&mut self, fit: &Fit<H>) {
        let stages = fit.stages.iter().copied().fold(0, with) & self.wanted(fit);
        if stages != 0 {
            self.places.resize(PLACES, 0);
            let place = self.place(fit);
            self.places[place] |= stages;
        }
    }

    /// Whether the candidate's key may have candidates for every stage.
    pub fn whole<H>(&self, fit: &Fit<H>) -> bool {
        let wanted = self.wanted(fit);
        self.places.get(self.place(fit)).is_some_and(|stages| stages & wanted == wanted)
    }
}

fn with(stages: u32, stage: u16) -> u32 {
    stages | 1 << stage.min(LAST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::StageShape;
    use crate::sequences::{Component, Key, Order};

    fn fit(rule: u32, key: i64, stages: &[u16]) -> Fit<()> {
        let order = Order { time: None, tiebreaker: None, arrival: 0 };
        Fit { rule, key: Key::new(&[Component::Long(key)]), order, handle: (), stages: stages.to_vec() }
    }

    #[test]
    fn a_key_needs_every_stage_that_is_shown() {
        let stage = |missing| StageShape { keys: Vec::new(), missing, runs: 1 };
        let shape = |stages: Vec<StageShape>| Shape {
            id: "r".into(),
            kind: Kind::Sequence,
            timestamp: None,
            tiebreaker: None,
            stages,
            until: None,
            maxspan_ms: None,
            pipes: Vec::new(),
        };
        let long = (0..40).map(|_| stage(false)).collect();
        let mut filled = Filled::new(&[shape(vec![stage(false), stage(true), stage(false)]), shape(long)]);
        let fits = [fit(0, 1, &[0, 1]), fit(0, 2, &[2]), fit(0, 2, &[0]), fit(0, 3, &[1]), fit(0, 3, &[3])];
        fits.iter().for_each(|fit| filled.add(fit));
        assert_eq!(fits.each_ref().map(|fit| filled.whole(fit)), [false, true, true, false, false]);
        let all: Vec<u16> = (0..39).collect();
        filled.add(&fit(1, 1, &all));
        assert!(filled.whole(&fit(1, 1, &[39])), "stages beyond the last bit count as one");
    }
}
