//! Lines by the values that they have: which stages such a line may meet, and the search for the texts of these. It knows no conditions.

use super::clause::Numbered;
use super::search::{Search, Walk};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// So many kinds of lines have a search of their own.
const MOST: usize = 64;

/// The searches of all kinds of lines, made when the first such line comes.
#[derive(Debug)]
pub(super) struct Groups {
    numbered: Arc<Numbered>,
    values: Search,
    made: Mutex<Vec<(u64, Arc<Group>)>>,
    whole: OnceLock<Search>,
}

/// The searches that one thread has met.
#[derive(Debug, Default)]
pub(super) struct Known(Vec<(u64, Arc<Group>)>);

/// What becomes of lines with the same values.
#[derive(Debug)]
enum Group {
    /// They meet no stage.
    Not,
    /// They may, whatever else they have.
    Always,
    /// They must have something of each list of one stage: first the rarest are searched for, then all.
    Texts { first: Box<Search>, all: OnceLock<Box<Search>> },
}

impl Groups {
    pub(super) fn new(numbered: Arc<Numbered>) -> Self {
        let values = Search::new(numbered.values());
        Self { numbered, values, made: Mutex::default(), whole: OnceLock::new() }
    }

    /// The end of the line that starts at `start`, and whether it may match a rule.
    #[inline]
    pub(super) fn line(&self, text: &[u8], start: usize, known: &mut Known) -> (usize, bool) {
        let mut walk = Walk::new(start, 0);
        let (end, doubtful) = self.values.line(text, &mut walk);
        (end, doubtful || self.texts(&text[..end], start, walk.values(), known))
    }

    fn texts(&self, line: &[u8], start: usize, values: u64, known: &mut Known) -> bool {
        let found = known.0.iter().find(|(mask, _)| *mask == values).map(|(_, group)| Arc::clone(group));
        let Some(group) = found.or_else(|| self.make(values, known)) else {
            // The same answer, more slowly.
            let whole = self.whole.get_or_init(|| Search::new(self.numbered.whole()));
            return whole.line(line, &mut Walk::new(start, values)).1;
        };
        match &*group {
            Group::Not => false,
            Group::Always => true,
            Group::Texts { first, all } => {
                first.line(line, &mut Walk::new(start, 0)).1 && {
                    let all = all.get_or_init(|| Box::new(Search::new(self.numbered.plan(Some(values), usize::MAX))));
                    all.line(line, &mut Walk::new(start, 0)).1
                }
            }
        }
    }

    /// The search for a kind of line, made if no thread has; none where there are too many kinds.
    #[cold]
    fn make(&self, values: u64, known: &mut Known) -> Option<Arc<Group>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let group = match made.iter().find(|(mask, _)| *mask == values) {
            Some((_, group)) => Arc::clone(group),
            None if made.len() >= MOST => return None,
            None => {
                let group = Arc::new(self.group(values));
                made.push((values, Arc::clone(&group)));
                group
            }
        };
        known.0.push((values, Arc::clone(&group)));
        Some(group)
    }

    fn group(&self, values: u64) -> Group {
        if self.numbered.enough(values) {
            return Group::Always;
        }
        if !self.numbered.any(values) {
            return Group::Not;
        }
        Group::Texts { first: Box::new(Search::new(self.numbered.plan(Some(values), 1))), all: OnceLock::new() }
    }
}
