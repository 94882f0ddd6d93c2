//! All sequences and samples of a program side by side.

use super::machine::Machine;
use super::sample::Sampler;
use super::{Candidate, Completed};
use crate::plan::Kind;
use crate::program::Program;

/// What the query does not say itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Samples reported for each join key.
    pub max_samples_per_key: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { max_samples_per_key: 1 }
    }
}

#[derive(Debug)]
enum Matcher {
    Sequence(Machine),
    Sample(Sampler),
}

/// Takes candidates, those of one rule in ascending order, and gives completed matches.
#[derive(Debug)]
pub struct Sequencer {
    matchers: Vec<Option<Matcher>>,
}

impl Sequencer {
    /// Nothing is pending.
    pub fn new(program: &Program, settings: Settings) -> Self {
        let matchers = program.shapes().iter().enumerate().map(|(rule, shape)| match shape.kind {
            Kind::Event => None,
            Kind::Sequence => Some(Matcher::Sequence(Machine::new(rule as u32, shape))),
            Kind::Sample => Some(Matcher::Sample(Sampler::new(rule as u32, shape, settings.max_samples_per_key))),
        });
        Self { matchers: matchers.collect() }
    }

    /// The next candidate of its rule. Matches that it completes go to `out`; those that missing events may still forbid, and samples,
    /// are held back until that is known, at the latest until `finish`.
    pub fn push(&mut self, candidate: &Candidate, out: &mut Vec<Completed>) {
        match self.matchers.get_mut(candidate.rule as usize) {
            Some(Some(Matcher::Sequence(machine))) => machine.push(candidate, out),
            Some(Some(Matcher::Sample(sampler))) => sampler.push(candidate),
            _ => {}
        }
    }

    /// No more candidates: what was held back. Results of one rule are listed by [`Completed::cmp_listed`].
    pub fn finish(self, out: &mut Vec<Completed>) {
        for matcher in self.matchers.into_iter().flatten() {
            match matcher {
                Matcher::Sequence(machine) => machine.finish(out),
                Matcher::Sample(sampler) => sampler.finish(out),
            }
        }
    }
}
