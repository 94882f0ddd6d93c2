//! The order of events: time, tiebreaker, arrival (`EQL.md` §7 of the language notes: missing tiebreakers are last).

pub use crate::value::Time;

use super::key::Key;
use std::cmp::Ordering;

/// Where an event stands among others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// When it happened; events without a time come last, and take no part in sequences.
    pub time: Option<Time>,
    /// Orders events of the same time.
    pub tiebreaker: Option<Key>,
    /// Breaks all ties.
    pub arrival: u64,
}

impl Ord for Order {
    fn cmp(&self, other: &Self) -> Ordering {
        missing_last(self.time.as_ref(), other.time.as_ref())
            .then_with(|| missing_last(self.tiebreaker.as_ref(), other.tiebreaker.as_ref()))
            .then_with(|| self.arrival.cmp(&other.arrival))
    }
}

impl PartialOrd for Order {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn missing_last<T: Ord>(left: Option<&T>, right: Option<&T>) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => left.cmp(right),
        (left, right) => right.is_some().cmp(&left.is_some()),
    }
}
