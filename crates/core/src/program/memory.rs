//! What is left of the conditions once some values of an event are known, remembered by these values. It evaluates single terms and
//! reduces conditions by what they came to; what is left open then, the evaluator tries.
//!
//! Telemetry repeats itself: the same programs do the same things. So events take steps from state to state. A state is a list of
//! conditions that are still open, reduced to what is still unknown of them; a step follows the values of one field (the first one those
//! of several). The step of values that were seen before is one look-up, and values that leave the same open lead to the same state.
//! Where the values of a field do not repeat (paths, command lines), the step is by what its terms come to, which does.

use super::needs::{Found, Needs, Parted};
use super::node::{FAILED, FALSE, FieldSet, Join, Node, Nodes, TRUE};
use super::term::{Term, Truth};
use super::{Field, RuleMask, Slot};
use crate::value::{Event, Raw};
use foldhash::fast::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::Arc;

/// Fields with few values that many conditions ask for: the first step is by all of them. Events that take it alike are in one *bucket*.
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
const MOST_BYTES: usize = if cfg!(test) { 64 << 10 } else { 16 << 20 };
/// So many values of a field are looked at before steps are made by them: where more than one in `MOST_NEW` is new, its values rest.
const TRIAL: usize = 128;
/// So many steps are made before the same is asked of them.
const STEPS: u32 = 1_024;
const MOST_NEW: usize = 3;
/// Values rest for so many events, twice as many each time, up to `LONGEST_REST`.
const REST: u32 = 512;
const LONGEST_REST: u32 = 1 << 16;
/// So many terms over one field are tried one by one.
const FEWEST: usize = 4;

/// A condition that is open or met: its slot, and the node that it is reduced to.
pub(super) type Open = (u32, u32);

/// What all threads start from.
#[derive(Debug, Default)]
pub(super) struct Start {
    few: Vec<u32>,
    few_set: Vec<bool>,
    /// Every condition, not reduced.
    open: Vec<Open>,
    needs: Needs,
}

impl Start {
    pub(super) fn new(slots: &[Slot], fields: &[Field]) -> Self {
        let few_set: Vec<bool> = fields.iter().map(|field| FEW.contains(&field.path.as_str())).collect();
        Self {
            few: (0..fields.len() as u32).filter(|field| few_set[*field as usize]).collect(),
            few_set,
            open: slots.iter().enumerate().map(|(number, slot)| (number as u32, slot.node)).collect(),
            needs: Needs::new(fields.len()),
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
    /// The fields that decide anything of them, those that are mentioned most first.
    asks: Box<[Ask]>,
    /// The same as bits.
    looks_at: Box<[u64]>,
}

/// A field, and the terms over it alone.
#[derive(Clone, Debug)]
struct Ask {
    field: u32,
    terms: Box<[u32]>,
    /// The terms, parted by whether it is known what they need; found out when it is searched for that.
    parted: Option<Box<Parted>>,
}

/// Whether remembering steps by some values pays: whether they repeat.
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
    /// The event for which it was asked last, and what the answer was.
    event: u32,
    pays: bool,
    /// The event whose values were searched last.
    searched: u32,
}

impl Default for Asked {
    fn default() -> Self {
        let habit = Habit::Trial { seen: HashSet::default(), values: 0 };
        Self { habit, rest: 0, event: 0, pays: false, searched: 0 }
    }
}

impl Asked {
    /// Whether a step by these values is to be made: for one event always the same.
    fn pays(&mut self, epoch: u32, event: &Event<'_>, field: u32, state: &RandomState) -> bool {
        if self.event != epoch {
            (self.event, self.pays) = (epoch, matches!(self.habit, Habit::Steps { .. }));
            self.look(event, field, state);
        }
        self.pays
    }

    fn look(&mut self, event: &Event<'_>, field: u32, state: &RandomState) {
        match &mut self.habit {
            Habit::Steps { .. } => {}
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
#[derive(Debug)]
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
    /// Number of the event at hand.
    epoch: u32,
    /// What the latest search over each field found.
    found: Vec<Found>,
    bytes: usize,
    key: Vec<u8>,
    text: Vec<u8>,
    /// Room for reductions.
    done: HashMap<u32, u32, RandomState>,
    operands: Vec<u32>,
}

/// The event at hand, and what is found out about it.
pub(super) struct Facts<'f, 'e> {
    pub(super) start: &'f Start,
    pub(super) slots: &'f [Slot],
    pub(super) terms: &'f [Term],
    pub(super) event: &'f Event<'e>,
    /// Rules outside it are not looked at.
    pub(super) eligible: Option<&'f RuleMask>,
    /// What values that do not repeat leave open is tried rule by rule, so that its time is some rule's own.
    pub(super) rule_by_rule: bool,
    /// Evaluates a term, each at most once; where it is known which of its patterns may fit, by these alone.
    pub(super) judge: &'f mut dyn FnMut(u32, Option<&[u32]>) -> Truth,
}

// What a step is by.
const BY_FEW: u32 = u32::MAX;
const BY_PRESENCE: u32 = u32::MAX - 1;
const BY_TRUTHS: u32 = 1 << 31;
const BY_FOUND: u32 = 1 << 30;

impl Memory {
    pub(super) fn new(nodes: Nodes, fields: usize) -> Self {
        Self {
            base: nodes.len(),
            nodes,
            states: Vec::new(),
            numbers: HashMap::default(),
            steps: HashMap::default(),
            asked: vec![Asked::default(); fields],
            hasher: RandomState::default(),
            epoch: 0,
            found: (0..fields).map(|_| Found::default()).collect(),
            bytes: 0,
            key: Vec::new(),
            text: Vec::new(),
            done: HashMap::default(),
            operands: Vec::new(),
        }
    }

    pub(super) fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    /// The conditions that the event may meet, ascending by slot. None where its values are too long to be remembered.
    pub(super) fn left(&mut self, facts: &mut Facts<'_, '_>) -> Option<Arc<[Open]>> {
        if self.bytes > MOST_BYTES {
            self.forget();
        }
        self.begin();
        let mut state = self.first(facts)?;
        state = self.by_presence(state, facts);
        while let Some(next) = self.by_values(state, facts) {
            state = next;
        }
        while let Some(next) = (!facts.rule_by_rule).then(|| self.by_truths(state, facts)).flatten() {
            state = next;
        }
        Some(Arc::clone(&self.states[state as usize].open))
    }

    fn begin(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            self.epoch = 1;
            self.asked.iter_mut().for_each(|asked| (asked.event, asked.searched) = (0, 0));
        }
    }

    /// By the values of the first field whose values repeat; None if there is none.
    fn by_values(&mut self, state: u32, facts: &mut Facts<'_, '_>) -> Option<u32> {
        for at in 0..self.states[state as usize].asks.len() {
            let field = self.states[state as usize].asks[at].field;
            let asked = &mut self.asked[field as usize];
            if !asked.pays(self.epoch, facts.event, field, &self.hasher) || !self.spell(state, field, facts.event) {
                continue;
            }
            let known = self.steps.get(self.key.as_slice()).copied();
            self.asked[field as usize].count(known.is_none());
            return Some(known.unwrap_or_else(|| self.step(state, field, facts)));
        }
        None
    }

    /// By what the terms over the first field come to; None if there is none.
    fn by_truths(&mut self, state: u32, facts: &mut Facts<'_, '_>) -> Option<u32> {
        let ask = self.states[state as usize].asks.first_mut()?;
        let (field, asked) = (ask.field, &mut self.asked[ask.field as usize]);
        self.key.clear();
        // A search has to be made ready: that pays where values are known to be all different, and many terms are saved.
        if matches!(asked.habit, Habit::Rest { .. }) && ask.terms.len() > FEWEST {
            let (search, found) = (facts.start.needs.of(field, facts.terms), &mut self.found[field as usize]);
            if asked.searched != self.epoch {
                asked.searched = self.epoch;
                search.search(facts.event, field, &mut self.text, found);
            }
            let parted = ask.parted.get_or_insert_with(|| Box::new(search.part(&ask.terms)));
            self.key.extend_from_slice(&(BY_TRUTHS | BY_FOUND | field).to_le_bytes());
            self.key.extend_from_slice(&state.to_le_bytes());
            self.key.extend(parted.unknown.iter().map(|term| (facts.judge)(*term, None) as u8));
            // All others are false.
            search.may_hold(parted, found, |term, patterns| {
                let truth = (facts.judge)(term, Some(patterns));
                if truth != Truth::False {
                    self.key.extend_from_slice(&term.to_le_bytes());
                    self.key.push(truth as u8);
                }
            });
        } else {
            self.key.extend_from_slice(&(BY_TRUTHS | field).to_le_bytes());
            self.key.extend_from_slice(&state.to_le_bytes());
            self.key.extend(ask.terms.iter().map(|term| (facts.judge)(*term, None) as u8));
        }
        let known = self.steps.get(self.key.as_slice()).copied();
        Some(known.unwrap_or_else(|| self.step(state, field, facts)))
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
        self.key.clear();
        self.key.extend_from_slice(&BY_PRESENCE.to_le_bytes());
        self.key.extend_from_slice(&state.to_le_bytes());
        for (present, looks_at) in facts.event.presence().iter().zip(&self.states[state as usize].looks_at) {
            self.key.extend_from_slice(&(present & looks_at).to_le_bytes());
        }
        if let Some(next) = self.steps.get(self.key.as_slice()) {
            return *next;
        }
        let event = facts.event;
        let open = Arc::clone(&self.states[state as usize].open);
        self.reduced(&open, FieldSet::ALL, &|field| !event.has(field), facts)
    }

    /// Writes the key of a step by the values of a field; false if they are too long to be remembered.
    fn spell(&mut self, state: u32, field: u32, event: &Event<'_>) -> bool {
        self.key.clear();
        self.key.extend_from_slice(&field.to_le_bytes());
        self.key.extend_from_slice(&state.to_le_bytes());
        spell(event, field, &mut self.key)
    }

    /// A step that is new, by the values of a field.
    fn step(&mut self, from: u32, field: u32, facts: &mut Facts<'_, '_>) -> u32 {
        let open = Arc::clone(&self.states[from as usize].open);
        self.reduced(&open, FieldSet::of(field), &|other| other == field, facts)
    }

    /// The state in which terms over the fields that are `known` are decided. `set` has these fields. The step's key is in `self.key`.
    fn reduced(&mut self, open: &[Open], set: FieldSet, known: &dyn Fn(u32) -> bool, facts: &mut Facts<'_, '_>) -> u32 {
        let before = self.nodes.len();
        let (done, operands) = (&mut self.done, &mut self.operands);
        done.clear();
        let mut reduction = Reduction { nodes: &mut self.nodes, done, operands, set, known, facts };
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
        let mut found: HashMap<u32, Vec<u32>, RandomState> = HashMap::default();
        let mut terms = Vec::new();
        open.iter().for_each(|(_, node)| self.nodes.terms(*node, &mut |term| terms.push(term)));
        for term in terms {
            if let Some(field) = facts.terms[term as usize].only_field() {
                found.entry(field).or_default().push(term);
            }
        }
        let mut looks_at = vec![0; self.asked.len().div_ceil(64)];
        found.keys().for_each(|field| looks_at[*field as usize / 64] |= 1 << (field % 64));
        let mut asks: Vec<(usize, Ask)> = Vec::with_capacity(found.len());
        for (field, mut all) in found {
            let mentions = all.len();
            all.sort_unstable();
            all.dedup();
            asks.push((mentions, Ask { field, terms: all.into(), parted: None }));
        }
        asks.sort_unstable_by_key(|(mentions, ask)| (std::cmp::Reverse(*mentions), ask.field));
        let number = self.states.len() as u32;
        let terms: usize = asks.iter().map(|(_, ask)| ask.terms.len() * 4 + 64).sum();
        self.bytes += open.len() * 8 + terms + looks_at.len() * 8 + 192;
        let asks = asks.into_iter().map(|(_, ask)| ask).collect();
        self.states.push(State { open: Arc::clone(&open), asks, looks_at: looks_at.into() });
        self.numbers.insert(open, number);
        number
    }
}

/// Reduces nodes by the terms that are known.
struct Reduction<'r, 'f, 'e> {
    nodes: &'r mut Nodes,
    /// What nodes were reduced to.
    done: &'r mut HashMap<u32, u32, RandomState>,
    /// The operands, reduced, of the nodes that are being reduced.
    operands: &'r mut Vec<u32>,
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
            Node::And(operands) => self.joined(number, Join::And, &operands),
            Node::Or(operands) => self.joined(number, Join::Or, &operands),
            Node::Not(operand) => {
                let operand = self.node(operand);
                self.nodes.not(operand)
            }
            Node::Term(term) if self.facts.terms[term as usize].only_field().is_some_and(self.known) => {
                match (self.facts.judge)(term, None) {
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

    /// A node with operands, reduced.
    fn joined(&mut self, number: u32, join: Join, operands: &[u32]) -> u32 {
        let (decisive, neutral) = join.decisive_and_neutral();
        let start = self.operands.len();
        let mut result = None;
        for operand in operands {
            let reduced = self.node(*operand);
            if reduced == decisive {
                result = Some(decisive);
                break;
            }
            if reduced != neutral {
                self.operands.push(reduced);
            }
        }
        let left = &self.operands[start..];
        let result = result.unwrap_or_else(|| if left == operands { number } else { self.nodes.joined(join, left) });
        self.operands.truncate(start);
        result
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
