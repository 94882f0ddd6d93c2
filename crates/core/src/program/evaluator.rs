//! Per-thread evaluation of events against a joined program.

use super::{Program, RuleMask};
use crate::sequences::{Key, Order};
use crate::value::Event;

/// A rule and stage that an event meets, or whose evaluation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hit {
    /// Number of the rule.
    pub rule: u32,
    /// Number of the stage; `until` is `stages.len()`.
    pub stage: u16,
    /// Whether it matched.
    pub outcome: Outcome,
}

/// What a condition came to, where that is not false.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The event meets the condition.
    Match,
    /// Division by zero, overflow, `number("x")`: Elasticsearch would fail the search.
    Failed,
}

/// Evaluates events, one after the other. Holds what is worked out about the event at hand.
#[derive(Debug)]
pub struct Evaluator {
    program: Program,
}

impl Evaluator {
    pub(super) fn new(program: Program) -> Self {
        Self { program }
    }

    /// Adds the hits of an event to `out`, ascending by rule and stage. Rules outside `eligible` are not looked at.
    pub fn evaluate(&mut self, event: &Event<'_>, eligible: Option<&RuleMask>, out: &mut Vec<Hit>) {
        let _ = (event, eligible, out, self.program.shapes());
    }

    /// Whether any exception of the rule holds for the event. One whose evaluation fails does not hold.
    pub fn excepted(&mut self, event: &Event<'_>, rule: u32) -> bool {
        let _ = (event, rule);
        false
    }

    /// The join keys that an event has in a stage: the product of the values of the key fields. Empty when a key that is not
    /// optional has no value; one empty key where the stage has no key fields.
    pub fn keys(&self, event: &Event<'_>, rule: u32, stage: u16) -> Vec<Key> {
        let _ = (event, rule, stage);
        Vec::new()
    }

    /// Where an event stands in the order that the rule's query uses. `arrival` breaks all ties.
    pub fn order(&self, event: &Event<'_>, rule: u32, arrival: u64) -> Order {
        let _ = (event, rule);
        Order { time: None, tiebreaker: None, arrival }
    }
}
