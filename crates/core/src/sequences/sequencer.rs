//! All sequences and samples of a program side by side.

use super::{Candidate, Completed};
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

/// Takes candidates, those of one rule in ascending order, and gives completed matches.
#[derive(Debug)]
pub struct Sequencer {
    settings: Settings,
}

impl Sequencer {
    /// Nothing is pending.
    pub fn new(program: &Program, settings: Settings) -> Self {
        let _ = program;
        Self { settings }
    }

    /// The next candidate of its rule. Matches that it completes go to `out`; those that missing events may still forbid, and samples,
    /// are held back until that is known, at the latest until `finish`.
    pub fn push(&mut self, candidate: &Candidate, out: &mut Vec<Completed>) {
        let _ = (candidate, out, self.settings);
    }

    /// No more candidates: what was held back. Results of one rule are listed by [`Completed::cmp_listed`].
    pub fn finish(self, out: &mut Vec<Completed>) {
        let _ = out;
    }
}
