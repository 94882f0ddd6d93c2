//! Texts that terms cannot hold without: of a field whose values are all different, one search says which of its terms may hold at all.

use super::term::Term;
use crate::value::{Event, Raw};
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Literals of so many bytes together are searched by a table of all transitions; with more it would be too large.
const MOST_FOR_TABLE: usize = 8 << 10;

/// The texts that terms need, by field: found out when a field is searched first.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// The terms over each field.
    fields: Vec<Vec<u32>>,
    searches: Vec<OnceLock<Search>>,
}

/// Looks for all texts that the terms over one field need.
#[derive(Debug)]
pub(super) struct Search {
    /// For each term, whether it is known what it needs.
    has: Vec<bool>,
    texts: Option<AhoCorasick>,
    /// For each text, the terms that need it or another one.
    terms: Vec<Vec<u32>>,
}

impl Needs {
    pub(super) fn new(terms: &[Term], fields: usize) -> Self {
        let mut by_field = vec![Vec::new(); fields];
        for (number, term) in terms.iter().enumerate() {
            if let Some(all) = by_field.get_mut(term.field as usize) {
                all.push(number as u32);
            }
        }
        Self { fields: by_field, searches: (0..fields).map(|_| OnceLock::new()).collect() }
    }

    /// The search for what the terms over a field need.
    pub(super) fn of(&self, field: u32, terms: &[Term]) -> &Search {
        self.searches[field as usize].get_or_init(|| Search::new(&self.fields[field as usize], terms))
    }
}

impl Search {
    fn new(over: &[u32], terms: &[Term]) -> Self {
        let mut has = vec![false; terms.len()];
        let mut needs: BTreeMap<Box<[u8]>, Vec<u32>> = BTreeMap::new();
        for number in over {
            let Some(texts) = terms[*number as usize].needs() else { continue };
            has[*number as usize] = true;
            for text in texts {
                let users = needs.entry(text).or_default();
                if users.last() != Some(number) {
                    users.push(*number);
                }
            }
        }
        let bytes: usize = needs.keys().map(|text| text.len()).sum();
        let kind = if bytes > MOST_FOR_TABLE { AhoCorasickKind::ContiguousNFA } else { AhoCorasickKind::DFA };
        let texts = (!needs.is_empty()).then(|| {
            let texts = AhoCorasick::builder().kind(Some(kind)).build(needs.keys());
            texts.expect("literals of rules are far from the limits of an automaton")
        });
        Self { has, texts, terms: needs.into_values().collect() }
    }

    /// Whether it is known what the term needs.
    #[inline]
    pub(super) fn has(&self, term: u32) -> bool {
        self.has[term as usize]
    }

    /// Calls `found` with the terms that have a text which they need in some value of the field. `lowered` is room for the values.
    pub(super) fn search(&self, event: &Event<'_>, field: u32, lowered: &mut Vec<u8>, mut found: impl FnMut(u32)) {
        let Some(texts) = &self.texts else { return };
        for text in event.values(field).map(Raw::as_text) {
            lowered.clear();
            lowered.extend(text.bytes().map(|byte| byte.to_ascii_lowercase()));
            for place in texts.find_overlapping_iter(lowered.as_slice()) {
                self.terms[place.pattern().as_usize()].iter().for_each(|term| found(*term));
            }
        }
    }
}
