//! Equality of a text with any of some constants. Long lists are looked up, not walked.

use crate::plan::Fold;
use foldhash::fast::RandomState;
use std::collections::HashSet;

/// Lists up to this long are compared one by one: cheaper than hashing.
const SHORT: usize = 6;

/// The constants of one term.
#[derive(Clone, Debug)]
pub struct Equals {
    /// Lowered, where only ASCII case is folded.
    constants: Vec<Box<[u8]>>,
    /// The same, when there are many.
    set: Option<HashSet<Box<[u8]>, RandomState>>,
    lengths: (usize, usize),
    folded: bool,
}

impl Equals {
    /// Folds `None` or `Ascii`.
    pub fn new(constants: &[String], fold: Fold) -> Self {
        let folded = fold == Fold::Ascii;
        let bytes = |text: &String| {
            if folded { text.to_ascii_lowercase() } else { text.clone() }.into_bytes().into_boxed_slice()
        };
        let mut constants: Vec<Box<[u8]>> = constants.iter().map(bytes).collect();
        constants.sort_unstable();
        constants.dedup();
        let lengths = constants.iter().map(|text| text.len());
        let lengths = (lengths.clone().min().unwrap_or(1), lengths.max().unwrap_or(0));
        let set = (constants.len() > SHORT).then(|| constants.iter().cloned().collect());
        Self { constants, set, lengths, folded }
    }

    /// Whether the text is one of them. `lowered` gives the text with ASCII letters lowered, and is asked for only if needed.
    pub fn fits<'t>(&self, text: &'t [u8], lowered: impl FnOnce() -> &'t [u8]) -> bool {
        if text.len() < self.lengths.0 || text.len() > self.lengths.1 {
            return false;
        }
        match (&self.set, self.folded) {
            (Some(set), true) => set.contains(lowered()),
            (Some(set), false) => set.contains(text),
            (None, true) => self.constants.iter().any(|constant| constant.eq_ignore_ascii_case(text)),
            (None, false) => self.constants.iter().any(|constant| **constant == *text),
        }
    }

    /// Whether `fits` looks at the lowered text: long lists without case are looked up by it.
    pub fn wants_lowered(&self) -> bool {
        self.folded && self.set.is_some()
    }

    /// The constants, lowered if case does not count.
    pub fn constants(&self) -> &[Box<[u8]>] {
        &self.constants
    }
}
