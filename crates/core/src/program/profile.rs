//! Where the time of evaluation goes, rule by rule. Nothing is measured unless it is asked for.

use super::term::Truth;
use serde::Serialize;
use std::time::Duration;

/// What one rule took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RuleProfile {
    /// Time in its conditions. A term that several rules have counts for the one that was first to ask for it.
    pub nanoseconds: u64,
    /// Conditions that were left to try by what is remembered of values, met ones included.
    pub evaluations: u64,
    /// Conditions that events met: of a sequence, its candidates.
    pub candidates: u64,
}

/// What all rules took.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// By number.
    pub rules: Vec<RuleProfile>,
    /// Events that were evaluated.
    pub events: u64,
    /// Time for finding out what values leave to try: no rule's own.
    pub reaching: u64,
}

impl Profile {
    pub(super) fn new(rules: usize) -> Self {
        Self { rules: vec![RuleProfile::default(); rules], ..Self::default() }
    }

    pub(super) fn condition(&mut self, rule: u32, time: Duration, truth: Truth) {
        let rule = &mut self.rules[rule as usize];
        rule.nanoseconds += time.as_nanos() as u64;
        rule.evaluations += 1;
        rule.candidates += u64::from(truth == Truth::True);
    }

    pub(super) fn event(&mut self, reaching: Duration) {
        self.events += 1;
        self.reaching += reaching.as_nanos() as u64;
    }

    /// Adds another profile of the same rules.
    pub fn add(&mut self, other: &Self) {
        self.rules.resize(self.rules.len().max(other.rules.len()), RuleProfile::default());
        for (sum, rule) in self.rules.iter_mut().zip(&other.rules) {
            sum.nanoseconds += rule.nanoseconds;
            sum.evaluations += rule.evaluations;
            sum.candidates += rule.candidates;
        }
        self.events += other.events;
        self.reaching += other.reaching;
    }
}
