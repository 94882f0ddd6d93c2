//! Conditions as numbered nodes over numbered terms: what several conditions have in common is there once. It knows no event.

use super::term::Term;
use crate::plan::{Condition, Field, Fold, MatchKind, PlanError};
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::sync::Arc;

/// A condition; operands are numbers of nodes, leaves numbers of terms.
#[derive(Clone, Debug)]
pub(super) enum Node {
    And(Arc<[u32]>),
    Or(Arc<[u32]>),
    Not(u32),
    Term(u32),
    Always(bool),
    /// Its evaluation fails.
    Failed,
}

/// Numbers of the nodes that are decided.
pub(super) const FALSE: u32 = 0;
pub(super) const TRUE: u32 = 1;
pub(super) const FAILED: u32 = 2;

/// Nodes by number, each once.
#[derive(Clone, Debug)]
pub(super) struct Nodes {
    list: Vec<Entry>,
    /// By [`Node::spell`].
    numbers: HashMap<Box<[u32]>, u32, FixedState>,
    /// Room to spell a node.
    spelled: Vec<u32>,
}

/// How operands are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Join {
    /// True if all operands are, false if any is, whatever fails beside it.
    And,
    /// True if any operand is, whatever fails beside it; false if all are.
    Or,
}

impl Join {
    /// The operand that decides, and the one that changes nothing.
    pub(super) const fn decisive_and_neutral(self) -> (u32, u32) {
        match self {
            Self::And => (FALSE, TRUE),
            Self::Or => (TRUE, FALSE),
        }
    }

    fn node(self, operands: &[u32]) -> Node {
        match self {
            Self::And => Node::And(operands.into()),
            Self::Or => Node::Or(operands.into()),
        }
    }
}

impl Node {
    /// Numbers that no other node has.
    fn spell(&self, out: &mut Vec<u32>) {
        match self {
            Node::And(operands) => spell_joined(Join::And, operands, out),
            Node::Or(operands) => spell_joined(Join::Or, operands, out),
            Node::Not(operand) => out.extend([2, *operand]),
            Node::Term(term) => out.extend([3, *term]),
            Node::Always(flag) => out.extend([4, u32::from(*flag)]),
            Node::Failed => out.push(5),
        }
    }
}

fn spell_joined(join: Join, operands: &[u32], out: &mut Vec<u32>) {
    out.push(join as u32);
    out.extend_from_slice(operands);
}

#[derive(Clone, Debug)]
struct Entry {
    node: Node,
    /// Of all its terms.
    cost: u32,
    fields: FieldSet,
}

impl Default for Nodes {
    fn default() -> Self {
        let mut nodes = Self { list: Vec::new(), numbers: HashMap::default(), spelled: Vec::new() };
        for node in [Node::Always(false), Node::Always(true), Node::Failed] {
            nodes.number(node, 0, FieldSet::default());
        }
        nodes
    }
}

impl Nodes {
    pub(super) fn get(&self, number: u32) -> &Node {
        &self.list[number as usize].node
    }

    /// The fields over which it has terms of one field.
    pub(super) fn fields(&self, number: u32) -> FieldSet {
        self.list[number as usize].fields
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Forgets all nodes but the first.
    pub(super) fn truncate(&mut self, len: usize) {
        for entry in self.list.drain(len..) {
            self.spelled.clear();
            entry.node.spell(&mut self.spelled);
            self.numbers.remove(self.spelled.as_slice());
        }
    }

    pub(super) fn term(&mut self, number: u32, term: &Term) -> u32 {
        let fields = term.only_field().map_or_else(FieldSet::default, FieldSet::of);
        self.number(Node::Term(number), term.cost(), fields)
    }

    pub(super) fn not(&mut self, operand: u32) -> u32 {
        match operand {
            FALSE => TRUE,
            TRUE => FALSE,
            FAILED => FAILED,
            _ => {
                let Entry { cost, fields, .. } = self.list[operand as usize];
                self.number(Node::Not(operand), cost, fields)
            }
        }
    }

    /// Operands joined.
    pub(super) fn joined(&mut self, join: Join, operands: &[u32]) -> u32 {
        let (decisive, neutral) = join.decisive_and_neutral();
        if operands.contains(&decisive) {
            return decisive;
        }
        if operands.contains(&neutral) {
            let others: Vec<u32> = operands.iter().copied().filter(|operand| *operand != neutral).collect();
            return self.joined(join, &others);
        }
        match operands {
            [] => return neutral,
            [only] => return *only,
            _ => {}
        }
        self.spelled.clear();
        spell_joined(join, operands, &mut self.spelled);
        if let Some(number) = self.numbers.get(self.spelled.as_slice()) {
            return *number;
        }
        let entries = || operands.iter().map(|operand| &self.list[*operand as usize]);
        let cost = entries().map(|entry| entry.cost).fold(0, u32::saturating_add);
        let fields = entries().map(|entry| entry.fields).fold(FieldSet::default(), FieldSet::with);
        self.add(join.node(operands), cost, fields)
    }

    fn number(&mut self, node: Node, cost: u32, fields: FieldSet) -> u32 {
        self.spelled.clear();
        node.spell(&mut self.spelled);
        match self.numbers.get(self.spelled.as_slice()) {
            Some(number) => *number,
            None => self.add(node, cost, fields),
        }
    }

    /// Adds a node that is not there, and is spelled.
    fn add(&mut self, node: Node, cost: u32, fields: FieldSet) -> u32 {
        let number = self.list.len() as u32;
        self.numbers.insert(self.spelled.as_slice().into(), number);
        self.list.push(Entry { node, cost, fields });
        number
    }

    /// Calls `look` with every term of a node, those that are mentioned twice perhaps twice.
    pub(super) fn terms(&self, number: u32, look: &mut impl FnMut(u32)) {
        match self.get(number) {
            Node::And(operands) | Node::Or(operands) => operands.iter().for_each(|operand| self.terms(*operand, look)),
            Node::Not(operand) => self.terms(*operand, look),
            Node::Term(term) => look(*term),
            Node::Always(_) | Node::Failed => {}
        }
    }
}

/// A set of fields in 64 places: sets without a common field may seem to have one, never the other way round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FieldSet(u64);

impl FieldSet {
    pub(super) const ALL: Self = Self(u64::MAX);

    pub(super) fn of(field: u32) -> Self {
        Self(1 << (field % 64))
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Compiles conditions; a term that several of them have is compiled once.
#[derive(Debug, Default)]
pub(super) struct Compiler<'r> {
    pub(super) terms: Vec<Term>,
    pub(super) nodes: Nodes,
    /// The number of each leaf that was compiled, in order.
    pub(super) mentions: Vec<u32>,
    /// Terms that several conditions have are compiled once.
    share: bool,
    /// Cheap operands come first, not as written.
    cheapest_first: bool,
    known: HashMap<Key<'r>, u32, FixedState>,
}

/// What tells a leaf from others: its field among those of all rules, and what it asks of it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key<'r> {
    field: u32,
    asks: Asks<'r>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
enum Asks<'r> {
    Missing,
    Truth,
    Text(MatchKind, Fold, &'r [String]),
    Regex(Fold, &'r [String]),
    Prefix(Fold, &'r [String]),
    Suffix(Fold, &'r [String]),
    Contains(Fold, &'r [String]),
    Cidr(&'r [String]),
    /// Printed: floating point has no equality of its own that would do.
    Compare(String),
    In(String),
}

impl<'r> Key<'r> {
    /// None for scripts: they name plan fields deep inside and are rare, so each is a term of its own.
    fn new(leaf: &'r Condition, numbers: &[u32]) -> Option<Self> {
        let (field, asks) = match leaf {
            Condition::Missing(leaf) => (leaf.field, Asks::Missing),
            Condition::Truth(leaf) => (leaf.field, Asks::Truth),
            Condition::Text(leaf) => (leaf.field, Asks::Text(leaf.kind, leaf.fold, &leaf.constants)),
            Condition::Regex(leaf) => (leaf.field, Asks::Regex(leaf.fold, &leaf.patterns)),
            Condition::Prefix(leaf) => (leaf.field, Asks::Prefix(leaf.fold, &leaf.constants)),
            Condition::Suffix(leaf) => (leaf.field, Asks::Suffix(leaf.fold, &leaf.constants)),
            Condition::Contains(leaf) => (leaf.field, Asks::Contains(leaf.fold, &leaf.constants)),
            Condition::Cidr(leaf) => (leaf.field, Asks::Cidr(&leaf.blocks)),
            Condition::Compare(leaf) => (leaf.field, Asks::Compare(format!("{:?}{:?}", leaf.op, leaf.constant))),
            Condition::In(leaf) => (leaf.field, Asks::In(format!("{:?}", leaf.constants))),
            Condition::And(_) | Condition::Or(_) | Condition::Not(_) | Condition::Always(_) | Condition::Script(_) => {
                return None;
            }
        };
        Some(Self { field: numbers[field as usize], asks })
    }
}

impl<'r> Compiler<'r> {
    pub(super) fn new(share: bool, cheapest_first: bool) -> Self {
        Self { share, cheapest_first, ..Self::default() }
    }

    /// Gives the number of the condition's node. `numbers` are the joined numbers of its plan's fields.
    pub(super) fn node(
        &mut self,
        condition: &'r Condition,
        numbers: &[u32],
        fields: &[Field],
    ) -> Result<u32, PlanError> {
        Ok(match condition {
            Condition::And(operands) => {
                let operands = self.operands(operands, numbers, fields)?;
                self.nodes.joined(Join::And, &operands)
            }
            Condition::Or(operands) => {
                let operands = self.operands(operands, numbers, fields)?;
                self.nodes.joined(Join::Or, &operands)
            }
            Condition::Not(operand) => {
                let operand = self.node(operand, numbers, fields)?;
                self.nodes.not(operand)
            }
            Condition::Always(flag) => [FALSE, TRUE][usize::from(*flag)],
            leaf => {
                let number = self.number(leaf, numbers, fields)?;
                self.mentions.push(number);
                self.nodes.term(number, &self.terms[number as usize])
            }
        })
    }

    fn operands(&mut self, all: &'r [Condition], numbers: &[u32], fields: &[Field]) -> Result<Vec<u32>, PlanError> {
        let operands: Result<Vec<u32>, _> = all.iter().map(|operand| self.node(operand, numbers, fields)).collect();
        let mut operands = operands?;
        if self.cheapest_first {
            operands.sort_by_key(|operand| self.nodes.list[*operand as usize].cost);
        }
        Ok(operands)
    }

    fn number(&mut self, leaf: &'r Condition, numbers: &[u32], fields: &[Field]) -> Result<u32, PlanError> {
        let key = if self.share { Key::new(leaf, numbers) } else { None };
        if let Some(number) = key.as_ref().and_then(|key| self.known.get(key)) {
            return Ok(*number);
        }
        let term = Term::new(leaf, numbers, fields)?;
        let number = self.terms.len() as u32;
        self.terms.push(term);
        if let Some(key) = key {
            self.known.insert(key, number);
        }
        Ok(number)
    }
}
