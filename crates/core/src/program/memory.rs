//! What is left of the conditions once some values of an event are known, remembered by these values. It evaluates single terms and
//! reduces conditions by what they came to; what is left open then, the evaluator tries.
//!
//! Telemetry repeats itself: the same programs do the same things. So events take steps from state to state. A state is a list of
//! conditions that are still open, reduced to what is still unknown of them; a step follows the values of one field (the first one those
//! of several). The step of values that were seen before is one look-up, and values that leave the same open lead to the same state.

use super::node::{FAILED, FALSE, FieldSet, Node, Nodes, TRUE};
use super::term::{Term, Truth};
use super::{Field, RuleMask, Slot};
use crate::value::{Event, Raw};
use foldhash::fast::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::Arc;

/// Fields with few values that many conditions ask for: the first step is by all of them.
const FEW: [&str; 9] = [
    "event.category",
    "event.type",
    "event.kind",
    "event.action",
    "event.dataset",
    "event.module",
    "event.outcome",
    "data_stream.dataset",
    "host.os.type",
];
/// Longest values of a field that steps are remembered by.
const LONGEST: usize = 1_024;
/// Bytes of what a thread remembers, about. Input with more starts over.
const MOST_BYTES: usize = 16 << 20;
/// So many values of a field are looked at before steps are made by it: where more than one in `MOST_NEW` is new, the field rests.
const TRIAL: usize = 128;
/// So many steps by a field are made before the same is asked of them.
const STEPS: u32 = 1_024;
const MOST_NEW: usize = 3;
/// A field rests for so many events, twice as many each time, up to `LONGEST_REST`.
const REST: u32 = 512;
const LONGEST_REST: u32 = 1 << 16;

/// A condition that is open or met: its slot, and the node that it is reduced to.
pub(super) type Open = (u32, u32);

/// What all threads start from.
#[derive(Debug, Default)]
pub(super) struct Start {
    few: Vec<u32>,
    few_set: Vec<bool>,
    /// Every condition, not reduced.
    open: Vec<Open>,
}

impl Start {
    pub(super) fn new(slots: &[Slot], fields: &[Field]) -> Self {
        let few_set: Vec<bool> = fields.iter().map(|field| FEW.contains(&field.path.as_str())).collect();
        Self {
            few: (0..fields.len() as u32).filter(|field| few_set[*field as usize]).collect(),
            few_set,
            open: slots.iter().enumerate().map(|(number, slot)| (number as u32, slot.node)).collect(),
        }
    }

    /// The fields whose values the first step is by.
    pub(super) fn few(&self) -> &[u32] {
        &self.few
    }
}

#[derive(Debug)]
struct State {
    open: Arc<[Open]>,
    /// The fields that decide anything of them, those that most of them look at first.
    asks: Box<[u32]>,
    /// The same as bits.
    looks_at: Box<[u64]>,
}

/// Whether remembering steps by the values of a field pays: whether they repeat.
#[derive(Clone, Debug)]
enum Habit {
    /// Values are looked at: their hashes, and how many there were.
    Trial { seen: HashSet<u64, RandomState>, values: usize },
    /// Steps are made.
    Steps { made: u32, new: u32 },
    /// Nothing is done.
    Rest { left: u32 },
}

#[derive(Clone, Debug)]
struct Asked {
    habit: Habit,
    rest: u32,
}

impl Default for Asked {
    fn default() -> Self {
        Self { habit: Habit::Trial { seen: HashSet::default(), values: 0 }, rest: 0 }
    }
}

impl Asked {
    /// Whether a step by these values is to be made.
    fn pays(&mut self, event: &Event<'_>, field: u32, state: &RandomState) -> bool {
        match &mut self.habit {
            Habit::Steps { .. } => return true,
            Habit::Rest { left } => {
                *left -= 1;
                if *left == 0 {
                    self.habit = Self::default().habit;
                }
            }
            Habit::Trial { seen, values } => {
                let texts = event.values(field).map(Raw::as_text);
                seen.insert(texts.fold(0, |hash, text| state.hash_one((hash, text))));
                *values += 1;
                if *values >= TRIAL {
                    let new = seen.len() > *values / MOST_NEW;
                    self.decide(new);
                }
            }
        }
        false
    }

    fn count(&mut self, is_new: bool) {
        let Habit::Steps { made, new } = &mut self.habit else { return };
        *made += 1;
        *new += u32::from(is_new);
        if *made >= STEPS {
            let new = *new > *made / MOST_NEW as u32;
            self.decide(new);
        }
    }

    fn decide(&mut self, new: bool) {
        self.habit = if new {
            self.rest = (self.rest * 2).clamp(REST, LONGEST_REST);
            Habit::Rest { left: self.rest }
        } else {
            Habit::Steps { made: 0, new: 0 }
        };
    }
}

/// What one thread remembers.
#[derive(Debug, Default)]
pub(super) struct Memory {
    nodes: Nodes,
    /// Nodes of the conditions themselves.
    base: usize,
    states: Vec<State>,
    /// The number of each state by what it has open.
    numbers: HashMap<Arc<[Open]>, u32, RandomState>,
    /// Where a step leads, by the state that it starts from and the values that it is by.
    steps: HashMap<Box<[u8]>, u32, RandomState>,
    asked: Vec<Asked>,
    hasher: RandomState,
    bytes: usize,
    key: Vec<u8>,
    present: Vec<u64>,
}

/// The event at hand, and what is found out about it.
pub(super) struct Facts<'f, 'e> {
    pub(super) start: &'f Start,
    pub(super) slots: &'f [Slot],
    pub(super) terms: &'f [Term],
    pub(super) event: &'f Event<'e>,
    /// Rules outside it are not looked at.
    pub(super) eligible: Option<&'f RuleMask>,
    /// Evaluates a term, each at most once.
    pub(super) judge: &'f mut dyn FnMut(u32) -> Truth,
}

// What a step is by.
const BY_FEW: u32 = u32::MAX;
const BY_PRESENCE: u32 = u32::MAX - 1;

impl Memory {
    pub(super) fn new(nodes: Nodes, fields: usize) -> Self {
        Self { base: nodes.len(), nodes, asked: vec![Asked::default(); fields], ..Self::default() }
    }

    pub(super) fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    /// The conditions that the event may meet, ascending by slot. None where its values are too long to be remembered.
    pub(super) fn left(&mut self, facts: &mut Facts<'_, '_>) -> Option<Arc<[Open]>> {
        if self.bytes > MOST_BYTES {
            self.forget();
        }
        let mut state = self.first(facts)?;
        state = self.by_presence(state, facts);
        let mut at = 0;
        while let Some(field) = self.states[state as usize].asks.get(at).copied() {
            at += 1;
            let asked = &mut self.asked[field as usize];
            if !asked.pays(facts.event, field, &self.hasher) || !self.spell(state, field, facts.event) {
                continue;
            }
            let known = self.steps.get(self.key.as_slice()).copied();
            self.asked[field as usize].count(known.is_none());
            state = known.unwrap_or_else(|| self.step(state, FieldSet::of(field), &|other| other == field, facts));
            at = 0;
        }
        Some(Arc::clone(&self.states[state as usize].open))
    }

    fn forget(&mut self) {
        self.nodes.truncate(self.base);
        self.states.clear();
        self.numbers.clear();
        self.steps.clear();
        self.bytes = 0;
    }

    /// By the fields with few values, and the rules that see the event.
    fn first(&mut self, facts: &mut Facts<'_, '_>) -> Option<u32> {
        self.key.clear();
        self.key.extend_from_slice(&BY_FEW.to_le_bytes());
        self.key.push(u8::from(facts.eligible.is_some()));
        for word in facts.eligible.map_or(&[][..], |eligible| &eligible.words) {
            self.key.extend_from_slice(&word.to_le_bytes());
        }
        for field in &facts.start.few {
            if !spell(facts.event, *field, &mut self.key) {
                return None;
            }
        }
        if let Some(state) = self.steps.get(self.key.as_slice()) {
            return Some(*state);
        }
        let sees = |(slot, _): &&Open| {
            facts.eligible.is_none_or(|eligible| eligible.contains(facts.slots[*slot as usize].rule))
        };
        let open: Vec<Open> = facts.start.open.iter().filter(sees).copied().collect();
        let few = &facts.start.few_set;
        Some(self.reduced(&open, FieldSet::ALL, &|field| few[field as usize], facts))
    }

    /// By which of the fields that decide anything are there.
    fn by_presence(&mut self, state: u32, facts: &mut Facts<'_, '_>) -> u32 {
        self.present.clear();
        self.present.resize(self.asked.len().div_ceil(64), 0);
        for field in facts.event.present() {
            if let Some(word) = self.present.get_mut(*field as usize / 64) {
                *word |= 1 << (field % 64);
            }
        }
        self.key.clear();
        self.key.extend_from_slice(&BY_PRESENCE.to_le_bytes());
        self.key.extend_from_slice(&state.to_le_bytes());
        for (present, looks_at) in self.present.iter().zip(&self.states[state as usize].looks_at) {
            self.key.extend_from_slice(&(present & looks_at).to_le_bytes());
        }
        if let Some(next) = self.steps.get(self.key.as_slice()) {
            return *next;
        }
        let event = facts.event;
        self.step(state, FieldSet::ALL, &|field| !event.has(field), facts)
    }

    /// Writes the key of a step by the values of a field; false if they are too long to be remembered.
    fn spell(&mut self, state: u32, field: u32, event: &Event<'_>) -> bool {
        self.key.clear();
        self.key.extend_from_slice(&field.to_le_bytes());
        self.key.extend_from_slice(&state.to_le_bytes());
        spell(event, field, &mut self.key)
    }

    /// A step that is new, by the values of the fields that are `known` from here on.
    fn step(&mut self, from: u32, set: FieldSet, known: &dyn Fn(u32) -> bool, facts: &mut Facts<'_, '_>) -> u32 {
        let open = Arc::clone(&self.states[from as usize].open);
        self.reduced(&open, set, known, facts)
    }

    /// The state in which terms over the fields that are `known` are decided. `set` has these fields. The step's key is in `self.key`.
    fn reduced(&mut self, open: &[Open], set: FieldSet, known: &dyn Fn(u32) -> bool, facts: &mut Facts<'_, '_>) -> u32 {
        let before = self.nodes.len();
        let mut reduction = Reduction { nodes: &mut self.nodes, done: HashMap::default(), set, known, facts };
        let reduced = open.iter().map(|(slot, node)| (*slot, reduction.node(*node)));
        let open: Arc<[Open]> = reduced.filter(|(_, node)| *node != FALSE).collect();
        let state = match self.numbers.get(&open) {
            Some(state) => *state,
            None => self.state(open, facts),
        };
        self.bytes += (self.nodes.len() - before) * 160 + self.key.len() + 64;
        self.steps.insert(self.key.as_slice().into(), state);
        state
    }

    fn state(&mut self, open: Arc<[Open]>, facts: &Facts<'_, '_>) -> u32 {
        let mut counts: HashMap<u32, u32, RandomState> = HashMap::default();
        let mut fields = Vec::new();
        for (_, node) in open.iter() {
            fields.clear();
            self.nodes.terms(*node, &mut |term| fields.extend(facts.terms[term as usize].only_field()));
            fields.sort_unstable();
            fields.dedup();
            fields.iter().for_each(|field| *counts.entry(*field).or_default() += 1);
        }
        let mut looks_at = vec![0; self.asked.len().div_ceil(64)];
        counts.keys().for_each(|field| looks_at[*field as usize / 64] |= 1 << (field % 64));
        let mut asks: Vec<u32> = counts.keys().copied().collect();
        asks.sort_unstable_by_key(|field| (std::cmp::Reverse(counts[field]), *field));
        let number = self.states.len() as u32;
        self.bytes += open.len() * 8 + asks.len() * 4 + looks_at.len() * 8 + 192;
        self.states.push(State { open: Arc::clone(&open), asks: asks.into(), looks_at: looks_at.into() });
        self.numbers.insert(open, number);
        number
    }
}

/// Reduces nodes by the terms that are known.
struct Reduction<'r, 'f, 'e> {
    nodes: &'r mut Nodes,
    done: HashMap<u32, u32, RandomState>,
    set: FieldSet,
    known: &'r dyn Fn(u32) -> bool,
    facts: &'r mut Facts<'f, 'e>,
}

impl Reduction<'_, '_, '_> {
    fn node(&mut self, number: u32) -> u32 {
        if !self.nodes.fields(number).meets(self.set) {
            return number;
        }
        if let Some(done) = self.done.get(&number) {
            return *done;
        }
        let reduced = match self.nodes.get(number).clone() {
            Node::And(operands) => match self.operands(&operands, FALSE) {
                Some(left) => self.nodes.and(left),
                None => FALSE,
            },
            Node::Or(operands) => match self.operands(&operands, TRUE) {
                Some(left) => self.nodes.or(left),
                None => TRUE,
            },
            Node::Not(operand) => {
                let operand = self.node(operand);
                self.nodes.not(operand)
            }
            Node::Term(term) if self.facts.terms[term as usize].only_field().is_some_and(self.known) => {
                match (self.facts.judge)(term) {
                    Truth::False => FALSE,
                    Truth::True => TRUE,
                    Truth::Failed => FAILED,
                }
            }
            Node::Term(_) | Node::Always(_) | Node::Failed => number,
        };
        self.done.insert(number, reduced);
        reduced
    }

    /// The operands reduced; None if one is decisive.
    fn operands(&mut self, operands: &[u32], decisive: u32) -> Option<Vec<u32>> {
        let mut left = Vec::with_capacity(operands.len());
        for operand in operands {
            let reduced = self.node(*operand);
            if reduced == decisive {
                return None;
            }
            left.push(reduced);
        }
        Some(left)
    }
}

/// Writes all values of a field, as the document has them; false where they are too long.
fn spell(event: &Event<'_>, field: u32, key: &mut Vec<u8>) -> bool {
    let longest = key.len() + LONGEST;
    for raw in event.values(field) {
        let text = raw.as_text().as_bytes();
        if key.len() + text.len() > longest {
            return false;
        }
        key.push(match raw {
            Raw::Bool(_) => b'b',
            Raw::Number(_) => b'n',
            Raw::Text(_) => b't',
        });
        key.extend_from_slice(&(text.len() as u16).to_le_bytes());
        key.extend_from_slice(text);
    }
    key.push(b'.');
    true
}
