//! Texts that terms cannot hold without: of a field whose values are all different, one search says which of its terms may hold at all.

use super::term::Term;
use crate::value::{Event, Raw};
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Literals of so many bytes together are searched by a table of all transitions; with more it would be too large.
const MOST_FOR_TABLE: usize = 8 << 10;

/// The texts that terms need, by field.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// With the terms that need them; in order only once they are searched for, which most fields never are in one run.
    fields: Vec<Vec<(Box<[u8]>, u32)>>,
    searches: Vec<OnceLock<Option<Search>>>,
    has: Vec<bool>,
}

/// Looks for all texts of one field.
#[derive(Debug)]
struct Search {
    texts: AhoCorasick,
    /// For each text, the terms that need it or another one.
    terms: Vec<Vec<u32>>,
}

impl Needs {
    pub(super) fn new(terms: &[Term], fields: usize) -> Self {
        let mut needs = Self {
            fields: vec![Vec::new(); fields],
            searches: (0..fields).map(|_| OnceLock::new()).collect(),
            has: vec![false; terms.len()],
        };
        for (number, term) in terms.iter().enumerate() {
            let Some(texts) = term.needs() else { continue };
            needs.has[number] = true;
            needs.fields[term.field as usize].extend(texts.into_iter().map(|text| (text, number as u32)));
        }
        needs
    }

    /// Whether it is known what the term needs.
    pub(super) fn has(&self, term: u32) -> bool {
        self.has[term as usize]
    }

    /// Calls `found` with the terms that have a text which they need in some value of the field. `lowered` is room for the values.
    pub(super) fn search(&self, event: &Event<'_>, field: u32, lowered: &mut Vec<u8>, mut found: impl FnMut(u32)) {
        let Some(search) = self.searches[field as usize].get_or_init(|| Search::new(&self.fields[field as usize]))
        else {
            return;
        };
        for text in event.values(field).map(Raw::as_text) {
            lowered.clear();
            lowered.extend(text.bytes().map(|byte| byte.to_ascii_lowercase()));
            for place in search.texts.find_overlapping_iter(lowered.as_slice()) {
                search.terms[place.pattern().as_usize()].iter().for_each(|term| found(*term));
            }
        }
    }
}

impl Search {
    fn new(texts: &[(Box<[u8]>, u32)]) -> Option<Self> {
        let mut needs: BTreeMap<&[u8], Vec<u32>> = BTreeMap::new();
        for (text, term) in texts {
            let users = needs.entry(text).or_default();
            if users.last() != Some(term) {
                users.push(*term);
            }
        }
        let bytes: usize = needs.keys().map(|text| text.len()).sum();
        let kind = if bytes > MOST_FOR_TABLE { AhoCorasickKind::ContiguousNFA } else { AhoCorasickKind::DFA };
        let texts = AhoCorasick::builder().kind(Some(kind)).build(needs.keys());
        let texts = texts.expect("literals of rules are far from the limits of an automaton");
        (!needs.is_empty()).then(|| Self { texts, terms: needs.into_values().collect() })
    }
}
