//! The joined program: the plans of all rules over one list of fields. It decides which rules and stages an event meets; it
//! knows no input format and no order of events.

mod evaluator;
mod explain;
mod memory;
mod needs;
mod node;
mod profile;
mod script;
mod term;

pub use evaluator::{Evaluator, Hit, MOST_KEYS, Outcome};
pub use profile::{Profile, RuleProfile};

use crate::plan::{Field, Kind, Pipe, PlanError, RuleSet};
use crate::value::Reading;
use memory::Start;
use node::{Compiler, Nodes};
use std::collections::HashMap;
use std::sync::Arc;
use term::Term;

/// Which of the ways to save work are on. No result depends on them; tests compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// A term that several rules have is evaluated once an event.
    pub share: bool,
    /// What values leave open of the conditions is remembered for events with the same values.
    pub remember: bool,
    /// Terms of a condition are tried in the order of their costs, not as written.
    pub cheapest_first: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { share: true, remember: true, cheapest_first: true }
    }
}

/// A set of rules by number; what routing hands over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RuleMask {
    words: Vec<u64>,
}

impl RuleMask {
    /// No rule.
    pub fn none(rules: usize) -> Self {
        Self { words: vec![0; rules.div_ceil(64)] }
    }

    /// Every rule.
    pub fn all(rules: usize) -> Self {
        let mut mask = Self::none(rules);
        (0..rules).for_each(|rule| mask.insert(rule as u32));
        mask
    }

    /// Adds a rule.
    pub fn insert(&mut self, rule: u32) {
        if let Some(word) = self.words.get_mut(rule as usize / 64) {
            *word |= 1 << (rule % 64);
        }
    }

    /// Adds every rule of another mask.
    pub fn add(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, more)| *word |= more);
    }

    /// Whether the rule is in it.
    pub fn contains(&self, rule: u32) -> bool {
        self.words.get(rule as usize / 64).is_some_and(|word| word >> (rule % 64) & 1 == 1)
    }
}

/// What one rule asks for, apart from its conditions. Field numbers are those of the joined program.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The rule's own identifier.
    pub id: String,
    /// What the query asks for.
    pub kind: Kind,
    /// Orders events.
    pub timestamp: Option<u32>,
    /// Orders events of the same time.
    pub tiebreaker: Option<u32>,
    /// The stages, as the plan has them (`runs` not unrolled).
    pub stages: Vec<StageShape>,
    /// Ends a sequence; its hits have the stage number `stages.len()`.
    pub until: Option<StageShape>,
    /// The longest time from the first to the last event.
    pub maxspan_ms: Option<u64>,
    /// `head` and `tail`, in order.
    pub pipes: Vec<Pipe>,
}

impl Shape {
    /// Whether an event that fills the stage is part of results. One that must be missing is not, nor is one that ends a sequence.
    pub fn shows(&self, stage: u16) -> bool {
        self.stages.get(usize::from(stage)).is_some_and(|stage| !stage.missing)
    }
}

/// One stage of a [`Shape`].
#[derive(Clone, Debug)]
pub struct StageShape {
    /// Join keys: joined field number (`None`: null for every event), and whether null is a value.
    pub keys: Vec<(Option<u32>, bool)>,
    /// No such event may be there.
    pub missing: bool,
    /// How many times in a row.
    pub runs: u32,
}

#[derive(Debug)]
struct Joined {
    fields: Vec<Field>,
    /// How the values of each field are read.
    readings: Vec<Reading>,
    shapes: Vec<Shape>,
    options: Options,
    terms: Vec<Term>,
    nodes: Nodes,
    /// Every condition of every rule, ascending by rule and stage.
    slots: Vec<Slot>,
    /// The conditions of each rule's exceptions.
    exceptions: Vec<Vec<u32>>,
    /// The terms of each rule's conditions and exceptions, in the order of its plan.
    mentions: Vec<Vec<u32>>,
    start: Start,
}

/// One condition: which stage of which rule it belongs to (`until` is `stages.len()`).
#[derive(Debug)]
struct Slot {
    rule: u32,
    stage: u16,
    node: u32,
}

/// All rules, joined. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Program {
    joined: Arc<Joined>,
}

impl Program {
    /// Joins a rule set, with every way to save work.
    pub fn new(rules: &RuleSet) -> Result<Self, PlanError> {
        Self::with_options(rules, Options::default())
    }

    /// Joins a rule set.
    pub fn with_options(rules: &RuleSet, options: Options) -> Result<Self, PlanError> {
        let mut fields = Fields::default();
        let numbered: Vec<Vec<u32>> = rules
            .rules
            .iter()
            .map(|rule| rule.plan.fields.iter().map(|field| fields.number(field)).collect())
            .collect();
        let fields = fields.list;
        let Options { share, cheapest_first, .. } = options;
        let mut compiler = Compiler::new(share, cheapest_first);
        let mut slots = Vec::new();
        let mut exceptions = Vec::new();
        let mut mentions = Vec::new();
        for (number, (rule, numbers)) in rules.rules.iter().zip(&numbered).enumerate() {
            let compiled = compile(&mut compiler, number as u32, rule, (numbers, &fields), &mut slots);
            exceptions.push(compiled.map_err(|error| error.in_rule(&rule.id))?);
            mentions.push(std::mem::take(&mut compiler.mentions));
        }
        let Compiler { terms, nodes, .. } = compiler;
        let start = Start::new(&slots, &fields);
        let shapes = rules.rules.iter().zip(&numbered).map(|(rule, numbers)| shape(rule, numbers)).collect();
        let readings = fields.iter().map(Reading::of).collect();
        let joined = Joined { fields, readings, shapes, options, terms, nodes, slots, exceptions, mentions, start };
        Ok(Self { joined: Arc::new(joined) })
    }

    /// Which of the ways to save work are on.
    pub fn options(&self) -> Options {
        self.joined.options
    }

    /// How many distinct terms the rules have, and how many conditions no field decides anything of: they are tried for every event.
    pub fn counts(&self) -> (usize, usize) {
        let always = (0..self.joined.slots.len()).filter(|slot| self.joined.deciding(*slot).is_empty());
        (self.joined.terms.len(), always.count())
    }

    /// The fields of all rules; slot `i` of an event belongs to field `i`.
    pub fn fields(&self) -> &[Field] {
        &self.joined.fields
    }

    /// What each rule asks for, in the order of the rule set.
    pub fn shapes(&self) -> &[Shape] {
        &self.joined.shapes
    }

    /// One for each thread.
    pub fn evaluator(&self) -> Evaluator {
        Evaluator::new(self.clone())
    }
}

/// The joined list of fields while it grows.
#[derive(Debug, Default)]
struct Fields {
    list: Vec<Field>,
    numbers: HashMap<Field, u32>,
}

impl Fields {
    fn number(&mut self, field: &Field) -> u32 {
        if let Some(number) = self.numbers.get(field) {
            return *number;
        }
        let number = self.list.len() as u32;
        self.list.push(field.clone());
        self.numbers.insert(field.clone(), number);
        number
    }
}

/// Adds the rule's conditions to `slots` and gives those of its exceptions. `known`: the joined numbers of its fields, and all fields.
fn compile<'r>(
    compiler: &mut Compiler<'r>,
    number: u32,
    rule: &'r crate::plan::Rule,
    known: (&[u32], &[Field]),
    slots: &mut Vec<Slot>,
) -> Result<Vec<u32>, PlanError> {
    let (numbers, fields) = known;
    for (stage, filter) in rule.plan.stages.iter().chain(&rule.plan.until).map(|stage| &stage.filter).enumerate() {
        let node = compiler.node(filter, numbers, fields)?;
        slots.push(Slot { rule: number, stage: stage as u16, node });
    }
    rule.exceptions.iter().map(|exception| compiler.node(&exception.condition, numbers, fields)).collect()
}

fn shape(rule: &crate::plan::Rule, numbers: &[u32]) -> Shape {
    let plan = &rule.plan;
    let joined = |number: u32| numbers[number as usize];
    let stage = |stage: &crate::plan::Stage| StageShape {
        keys: stage.keys.iter().map(|key| (key.field.map(joined), key.optional)).collect(),
        missing: stage.missing,
        runs: stage.runs,
    };
    Shape {
        id: rule.id.clone(),
        kind: plan.kind,
        timestamp: plan.timestamp.map(joined),
        tiebreaker: plan.tiebreaker.map(joined),
        stages: plan.stages.iter().map(stage).collect(),
        until: plan.until.as_ref().map(stage),
        maxspan_ms: plan.maxspan_ms,
        pipes: plan.pipes.clone(),
    }
}
