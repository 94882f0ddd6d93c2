//! All sequences and samples of a program, one key after the other: so little is unfinished at a time, however long the input.

use super::machine::Machine;
use super::sample::Sampler;
use super::{Completed, Fit, Key};
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
enum Matcher<H> {
    Sequence(Machine<H>),
    Sample(Sampler<H>),
}

/// Takes candidates ordered by [`Fit::cmp_taken`], and gives completed matches.
#[derive(Debug)]
pub struct Sequencer<'p, H> {
    program: &'p Program,
    settings: Settings,
    now: Option<(u32, Key, Matcher<H>)>,
}

impl<'p, H: Clone + PartialEq> Sequencer<'p, H> {
    /// Nothing is pending.
    pub fn new(program: &'p Program, settings: Settings) -> Self {
        Self { program, settings, now: None }
    }

    /// The next candidate. Matches that are known to be complete go to `out`: those of a rule before any of the next rule.
    pub fn push(&mut self, fit: Fit<H>, out: &mut Vec<Completed<H>>) {
        match &mut self.now {
            Some((rule, key, _)) if *rule == fit.rule && *key == fit.key => {}
            Some((rule, key, matcher)) if *rule == fit.rule => {
                matcher.finish(key, out);
                *key = fit.key.clone();
            }
            _ => {
                self.finish(out);
                self.now = self.matcher(fit.rule).map(|matcher| (fit.rule, fit.key.clone(), matcher));
            }
        }
        match &mut self.now {
            Some((_, _, Matcher::Sequence(machine))) => machine.push(fit, out),
            Some((_, _, Matcher::Sample(sampler))) => sampler.push(fit),
            None => {}
        }
    }

    fn matcher(&self, rule: u32) -> Option<Matcher<H>> {
        let shape = self.program.shapes().get(rule as usize)?;
        match shape.kind {
            Kind::Event => None,
            Kind::Sequence => Some(Matcher::Sequence(Machine::new(rule, shape))),
            Kind::Sample => Some(Matcher::Sample(Sampler::new(rule, shape, self.settings.max_samples_per_key))),
        }
    }

    /// No more candidates: what was held back.
    pub fn finish(&mut self, out: &mut Vec<Completed<H>>) {
        if let Some((_, key, mut matcher)) = self.now.take() {
            matcher.finish(&key, out);
        }
    }
}

impl<H: Clone + PartialEq> Matcher<H> {
    /// No more candidates of this key.
    fn finish(&mut self, key: &Key, out: &mut Vec<Completed<H>>) {
        match self {
            Matcher::Sequence(machine) => machine.finish(out),
            Matcher::Sample(sampler) => sampler.finish(key, out),
        }
    }
}
