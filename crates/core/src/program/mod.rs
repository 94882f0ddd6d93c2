//! The joined program: the plans of all rules over one list of fields. It decides which rules and stages an event meets; it
//! knows no input format and no order of events.

mod evaluator;

pub use evaluator::{Evaluator, Hit, Outcome};

use crate::plan::{Field, Kind, Pipe, PlanError, RuleSet};
use std::collections::HashMap;
use std::sync::Arc;

/// Which of the ways to save work are on. No result depends on them; tests compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// A term that several rules have is evaluated once an event.
    pub share: bool,
    /// Rules are reached from the values that an event has, not tried one by one.
    pub witnesses: bool,
    /// Rules that category, operating system and the like rule out are put aside before an event is looked at.
    pub buckets: bool,
    /// Terms of a condition are tried in the order of their costs, not as written.
    pub cheapest_first: bool,
    /// Time and evaluations are counted by rule.
    pub profile: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { share: true, witnesses: true, buckets: true, cheapest_first: true, profile: false }
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
    shapes: Vec<Shape>,
    options: Options,
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
        let shapes = rules.rules.iter().map(|rule| shape(rule, &mut fields)).collect();
        Ok(Self { joined: Arc::new(Joined { fields: fields.list, shapes, options }) })
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

fn shape(rule: &crate::plan::Rule, fields: &mut Fields) -> Shape {
    let plan = &rule.plan;
    let numbers: Vec<u32> = plan.fields.iter().map(|field| fields.number(field)).collect();
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
