//! Per-thread evaluation of events against a joined program.

use super::node::Node;
use super::term::{Lowered, Term, Truth};
use super::{Index, Program, RuleMask};
use crate::sequences::{Component, Key, Order};
use crate::value::{Event, Time, Value};
use std::sync::Arc;

/// Keys that one event may have in one stage: documents with long arrays in several key fields would have millions.
const MOST_KEYS: usize = 10_000;

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
    /// What each term came to, with the number of the event for which that was found out.
    known: Vec<(u32, Truth)>,
    epoch: u32,
    lowered: Lowered,
    /// Conditions that the event may meet, one bit each.
    reached: Vec<u64>,
    text: Vec<u8>,
}

impl Evaluator {
    pub(super) fn new(program: Program) -> Self {
        let joined = &program.joined;
        let (terms, slots) = (joined.terms.len(), joined.slots.len());
        Self {
            known: vec![(0, Truth::False); terms],
            epoch: 0,
            lowered: Lowered::default(),
            reached: vec![0; slots.div_ceil(64)],
            text: Vec::new(),
            program,
        }
    }

    /// Adds the hits of an event to `out`, ascending by rule and stage. Rules outside `eligible` are not looked at.
    pub fn evaluate(&mut self, event: &Event<'_>, eligible: Option<&RuleMask>, out: &mut Vec<Hit>) {
        self.begin();
        let joined = Arc::clone(&self.program.joined);
        self.reach(event, &joined.index);
        for word in 0..self.reached.len() {
            let mut bits = self.reached[word];
            while bits != 0 {
                let slot = &joined.slots[word * 64 + bits.trailing_zeros() as usize];
                bits &= bits - 1;
                if eligible.is_some_and(|eligible| !eligible.contains(slot.rule)) {
                    continue;
                }
                let outcome = match self.truth(&slot.node, &joined.terms, event) {
                    Truth::False => continue,
                    Truth::True => Outcome::Match,
                    Truth::Failed => Outcome::Failed,
                };
                out.push(Hit { rule: slot.rule, stage: slot.stage, outcome });
            }
        }
    }

    /// A new event: nothing is known.
    fn begin(&mut self) {
        self.lowered.clear();
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            self.known.fill((0, Truth::False));
            self.epoch = 1;
        }
    }

    /// Marks the conditions that the event's values reach.
    fn reach(&mut self, event: &Event<'_>, index: &Index) {
        self.reached.fill(0);
        for slot in &index.always {
            self.reached[*slot as usize / 64] |= 1 << (slot % 64);
        }
        for (field, texts) in &index.reached {
            for raw in event.values(*field) {
                self.text.clear();
                self.text.extend_from_slice(raw.as_text().as_bytes());
                self.text.make_ascii_lowercase();
                for slot in texts.get(self.text.as_slice()).into_iter().flatten() {
                    self.reached[*slot as usize / 64] |= 1 << (slot % 64);
                }
            }
        }
    }

    fn truth(&mut self, node: &Node, terms: &[Term], event: &Event<'_>) -> Truth {
        match node {
            Node::Always(flag) => {
                if *flag {
                    Truth::True
                } else {
                    Truth::False
                }
            }
            Node::Not(operand) => match self.truth(operand, terms, event) {
                Truth::True => Truth::False,
                Truth::False => Truth::True,
                Truth::Failed => Truth::Failed,
            },
            Node::And(operands) => self.settled(operands, terms, event, Truth::False, Truth::True),
            Node::Or(operands) => self.settled(operands, terms, event, Truth::True, Truth::False),
            Node::Term(number) => {
                let (epoch, known) = self.known[*number as usize];
                if epoch == self.epoch {
                    return known;
                }
                let found = terms[*number as usize].evaluate(event, &mut self.lowered);
                self.known[*number as usize] = (self.epoch, found);
                found
            }
        }
    }

    /// `decisive` if any operand is, else failed if any failed, else `otherwise`.
    fn settled(
        &mut self,
        operands: &[Node],
        terms: &[Term],
        event: &Event<'_>,
        decisive: Truth,
        otherwise: Truth,
    ) -> Truth {
        let mut result = otherwise;
        for operand in operands {
            let found = self.truth(operand, terms, event);
            if found == decisive {
                return decisive;
            }
            if found == Truth::Failed {
                result = Truth::Failed;
            }
        }
        result
    }

    /// Whether any exception of the rule holds for the event. One whose evaluation fails does not hold.
    pub fn excepted(&mut self, event: &Event<'_>, rule: u32) -> bool {
        let joined = Arc::clone(&self.program.joined);
        self.begin();
        let exceptions = joined.exceptions.get(rule as usize).map_or(&[][..], Vec::as_slice);
        exceptions.iter().any(|node| self.truth(node, &joined.terms, event) == Truth::True)
    }

    /// The join keys that an event has in a stage: the product of the values of the key fields. Empty when a key that is not
    /// optional has no value; one empty key where the stage has no key fields.
    pub fn keys(&self, event: &Event<'_>, rule: u32, stage: u16) -> Vec<Key> {
        let shape = &self.program.shapes()[rule as usize];
        let Some(stage) = shape.stages.get(stage as usize).or(shape.until.as_ref()) else { return Vec::new() };
        let mut keys = vec![Vec::new()];
        for (field, optional) in &stage.keys {
            let mut parts = field.map_or_else(Vec::new, |field| self.components(event, field));
            if parts.is_empty() && *optional {
                parts.push(Component::Null);
            }
            keys = keys.iter().flat_map(|key| parts.iter().map(move |part| extended(key, part))).collect();
            keys.truncate(MOST_KEYS);
        }
        keys.iter().map(|parts| Key::new(parts)).collect()
    }

    /// The values of a key field, each once.
    fn components(&self, event: &Event<'_>, field: u32) -> Vec<Component> {
        let ty = self.program.fields()[field as usize].ty;
        let mut parts: Vec<Component> = Vec::new();
        for value in event.values(field).filter_map(|raw| Value::read(ty, raw)) {
            let Some(part) = Component::of(&value) else { continue };
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
        parts
    }

    /// Where an event stands in the order that the rule's query uses. `arrival` breaks all ties.
    pub fn order(&self, event: &Event<'_>, rule: u32, arrival: u64) -> Order {
        let shape = &self.program.shapes()[rule as usize];
        let time = shape.timestamp.and_then(|field| self.time(event, field));
        let tiebreaker = shape.tiebreaker.and_then(|field| {
            let mut keys: Vec<Key> = self.components(event, field).iter().map(Key::sortable).collect();
            keys.sort_unstable();
            keys.into_iter().next()
        });
        Order { time, tiebreaker, arrival }
    }

    /// The earliest time that the event has.
    fn time(&self, event: &Event<'_>, field: u32) -> Option<Time> {
        let ty = self.program.fields()[field as usize].ty;
        let read = |raw| match Value::read(ty, raw) {
            Some(Value::Date(time)) => Some(time),
            Some(value) => value.text().and_then(|text| Time::parse(&text)),
            None => None,
        };
        event.values(field).filter_map(read).min()
    }
}

fn extended(key: &[Component], part: &Component) -> Vec<Component> {
    let mut longer = key.to_vec();
    longer.push(part.clone());
    longer
}
