//! Texts that terms cannot hold without: of a field whose values are all different, one search says which of its terms may hold at all.

use super::term::Term;
use crate::kernels::texts::{Finds, Texts};
use crate::value::{Event, Raw};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The texts that terms need, by field: found out when a field is searched first.
#[derive(Debug, Default)]
pub(super) struct Needs {
    searches: Vec<OnceLock<Search>>,
}

/// Looks for all texts that the terms over one field need.
#[derive(Debug)]
pub(super) struct Search {
    /// The terms, ascending. Their places here are their numbers for all that follows.
    over: Vec<u32>,
    /// Whether it is known what the term needs.
    has: Vec<bool>,
    texts: Texts,
    /// For each text, the terms that need it or another one, and which of their patterns does.
    users: Vec<Vec<(u32, u32)>>,
}

/// What a search found in the values of the event at hand.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The terms that may hold, as bits.
    terms: Vec<u64>,
    /// For each of these terms, those of its patterns that may fit.
    patterns: Vec<Vec<u32>>,
    /// Whether a text was found.
    texts: Vec<bool>,
    /// The texts that were found.
    latest: Vec<u32>,
}

/// Some of the terms over one field.
#[derive(Clone, Debug)]
pub(super) struct Parted {
    /// Those of which it is not known what they need.
    pub unknown: Box<[u32]>,
    /// The others, as bits.
    known: Box<[u64]>,
}

impl Needs {
    pub(super) fn new(fields: usize) -> Self {
        Self { searches: (0..fields).map(|_| OnceLock::new()).collect() }
    }

    /// The search for what the terms over a field need.
    pub(super) fn of(&self, field: u32, terms: &[Term]) -> &Search {
        self.searches[field as usize].get_or_init(|| Search::new(field, terms))
    }
}

impl Search {
    fn new(field: u32, terms: &[Term]) -> Self {
        let over: Vec<u32> = (0..terms.len() as u32).filter(|term| terms[*term as usize].field == field).collect();
        let mut has = vec![false; over.len()];
        let mut needs: BTreeMap<Box<[u8]>, Vec<(u32, u32)>> = BTreeMap::new();
        for (place, number) in over.iter().enumerate() {
            let Some(texts) = terms[*number as usize].needs() else { continue };
            has[place] = true;
            for (pattern, text) in texts.into_iter().enumerate() {
                needs.entry(text).or_default().push((place as u32, pattern as u32));
            }
        }
        let (texts, users): (Vec<_>, Vec<_>) = needs.into_iter().unzip();
        Self { over, has, texts: Texts::new(texts), users }
    }

    /// Terms over the field, parted by whether it is known what they need.
    pub(super) fn part(&self, terms: &[u32]) -> Parted {
        let mut known = vec![0; self.over.len().div_ceil(64)];
        let mut unknown = Vec::new();
        for term in terms {
            match self.over.binary_search(term) {
                Ok(place) if self.has[place] => known[place / 64] |= 1 << (place % 64),
                _ => unknown.push(*term),
            }
        }
        Parted { unknown: unknown.into(), known: known.into() }
    }

    /// Finds what may hold for the values of a field. `lowered` is room for them.
    pub(super) fn search(&self, event: &Event<'_>, field: u32, lowered: &mut Vec<u8>, found: &mut Found) {
        found.begin(self);
        for text in event.values(field).map(Raw::as_text) {
            lowered.clear();
            lowered.extend(text.bytes().map(|byte| byte.to_ascii_lowercase()));
            self.texts.find(lowered, &mut Noted { found, users: &self.users });
        }
    }

    /// Calls `each` with the terms, of some, that may hold, ascending, and with those of their patterns that may fit.
    pub(super) fn may_hold(&self, some: &Parted, found: &Found, mut each: impl FnMut(u32, &[u32])) {
        for (number, (found_here, known)) in found.terms.iter().zip(&some.known).enumerate() {
            let mut left = found_here & known;
            while left != 0 {
                let place = number * 64 + left.trailing_zeros() as usize;
                left &= left - 1;
                each(self.over[place], &found.patterns[place]);
            }
        }
    }
}

impl Found {
    /// Forgets what was found before.
    fn begin(&mut self, search: &Search) {
        self.terms.clear();
        self.terms.resize(search.over.len().div_ceil(64), 0);
        self.patterns.resize(search.over.len(), Vec::new());
        self.texts.resize(search.users.len(), false);
        self.latest.drain(..).for_each(|text| self.texts[text as usize] = false);
    }
}

/// What is found, with those that need it.
struct Noted<'n> {
    found: &'n mut Found,
    users: &'n [Vec<(u32, u32)>],
}

impl Finds for Noted<'_> {
    fn knows(&self, text: u32) -> bool {
        self.found.texts[text as usize]
    }

    fn add(&mut self, text: u32) {
        let Found { terms, patterns, texts, latest } = &mut *self.found;
        texts[text as usize] = true;
        latest.push(text);
        for (term, pattern) in &self.users[text as usize] {
            let (word, bit) = (&mut terms[*term as usize / 64], 1 << (term % 64));
            let patterns = &mut patterns[*term as usize];
            if *word & bit == 0 {
                *word |= bit;
                patterns.clear();
            }
            patterns.push(*pattern);
        }
    }
}
