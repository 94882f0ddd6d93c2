//! Expressions with complement or intersection: a deterministic automaton built from derivatives (Brzozowski 1964), complete before the
//! first event. What needs too many states is refused, as Lucene refuses it.

use super::lower;
use super::lucene::{self, Tree};
use crate::plan::Fold;
use std::collections::{BTreeSet, HashMap};

/// States of one automaton; Lucene's own limit is 10,000.
const MAX_STATES: usize = 10_000;
/// Nodes of all derivatives together.
const MAX_NODES: usize = 500_000;
/// Nodes that a chain of repetitions may be unrolled to.
const MAX_UNROLLED: usize = 20_000;
/// States times classes of letters.
const MAX_CELLS: usize = 4_000_000;

/// The expression needs too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooComplex;

/// A complete deterministic automaton over classes of code points.
#[derive(Clone, Debug)]
pub(super) struct Automaton {
    /// First code points of the classes, ascending from 0.
    starts: Vec<char>,
    /// `next[state * classes + class]`.
    next: Vec<u32>,
    accepting: Vec<bool>,
}

impl Automaton {
    /// Builds the automaton of an expression.
    pub(super) fn new(tree: &Tree) -> Result<Self, TooComplex> {
        let mut nodes = Nodes::default();
        nodes.intern(Node::Nothing)?;
        let start = nodes.tree(tree)?;
        let starts = nodes.partition();
        let (mut states, mut numbers) = (vec![start], HashMap::from([(start, 0_u32)]));
        let mut next = Vec::new();
        let mut at = 0;
        while let Some(state) = states.get(at).copied() {
            at += 1;
            for letter in &starts {
                let target = nodes.derivative(state, *letter)?;
                let number = *numbers.entry(target).or_insert_with(|| {
                    states.push(target);
                    states.len() as u32 - 1
                });
                next.push(number);
            }
            if states.len() > MAX_STATES || next.len() > MAX_CELLS {
                return Err(TooComplex);
            }
            // Derivatives by letters of one state are seldom asked for again; keeping them all would be most of the memory.
            nodes.memo.clear();
        }
        let accepting = states.iter().map(|state| nodes.list[*state as usize].nullable).collect();
        Ok(Self { starts, next, accepting })
    }

    /// Whether the whole text is accepted.
    pub(super) fn fits(&self, text: &str) -> bool {
        let mut state = 0_usize;
        for letter in text.chars() {
            let class = self.starts.partition_point(|start| *start <= letter) - 1;
            state = self.next[state * self.starts.len() + class] as usize;
        }
        self.accepting[state]
    }
}

type Id = u32;
const NOTHING: Id = 0;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Node {
    Nothing,
    Empty,
    /// Sorted, disjoint ranges.
    Class(Vec<(char, char)>),
    Concat(Id, Id),
    Star(Id),
    Union(BTreeSet<Id>),
    Both(BTreeSet<Id>),
    Not(Id),
}

#[derive(Debug)]
struct Entry {
    node: Node,
    nullable: bool,
}

/// Hash-consed expressions: equal ones have one number, up to order and repetition in unions and intersections, which is what keeps the
/// number of derivatives finite.
#[derive(Debug, Default)]
struct Nodes {
    list: Vec<Entry>,
    numbers: HashMap<Node, Id>,
    memo: HashMap<(Id, char), Id>,
}

impl Nodes {
    fn intern(&mut self, node: Node) -> Result<Id, TooComplex> {
        if let Some(number) = self.numbers.get(&node) {
            return Ok(*number);
        }
        if self.list.len() >= MAX_NODES {
            return Err(TooComplex);
        }
        let nullable = |id: &Id| self.list[*id as usize].nullable;
        let is_nullable = match &node {
            Node::Nothing | Node::Class(_) => false,
            Node::Empty | Node::Star(_) => true,
            Node::Concat(left, right) => nullable(left) && nullable(right),
            Node::Union(ids) => ids.iter().any(nullable),
            Node::Both(ids) => ids.iter().all(nullable),
            Node::Not(id) => !nullable(id),
        };
        let number = self.list.len() as Id;
        self.list.push(Entry { node: node.clone(), nullable: is_nullable });
        self.numbers.insert(node, number);
        Ok(number)
    }

    fn tree(&mut self, tree: &Tree) -> Result<Id, TooComplex> {
        match tree {
            Tree::Nothing => Ok(NOTHING),
            Tree::Class(ranges) => self.class(ranges, false),
            Tree::Except(ranges) => self.class(ranges, true),
            Tree::Concat(trees) => {
                let mut id = self.intern(Node::Empty)?;
                for tree in trees.iter().rev() {
                    let left = self.tree(tree)?;
                    id = self.concat(left, id)?;
                }
                Ok(id)
            }
            Tree::Union(trees) => {
                let ids = trees.iter().map(|tree| self.tree(tree)).collect::<Result<_, _>>()?;
                self.union(ids)
            }
            Tree::Intersection(left, right) => {
                let ids = BTreeSet::from([self.tree(left)?, self.tree(right)?]);
                self.both(ids)
            }
            Tree::Complement(tree) => {
                let id = self.tree(tree)?;
                self.not(id)
            }
            Tree::Repeat(tree, least, most) => {
                let id = self.tree(tree)?;
                self.repeat(id, *least, *most)
            }
        }
    }

    fn class(&mut self, ranges: &[(char, char)], negated: bool) -> Result<Id, TooComplex> {
        let class = lower::class(ranges, Fold::None).map_err(|_| TooComplex)?;
        let ranges: Vec<(char, char)> = class.iter().map(|range| (range.start(), range.end())).collect();
        let ranges = if negated { lucene::all_but(&ranges) } else { ranges };
        self.intern(if ranges.is_empty() { Node::Nothing } else { Node::Class(ranges) })
    }

    /// `e{least,most}` as `e…e(e(e)?)?` or `e…ee*`.
    fn repeat(&mut self, id: Id, least: u32, most: Option<u32>) -> Result<Id, TooComplex> {
        let copies = most.unwrap_or(least) as usize;
        if copies > MAX_UNROLLED {
            return Err(TooComplex);
        }
        let empty = self.intern(Node::Empty)?;
        let mut tail = match most {
            None => self.star(id)?,
            Some(most) => {
                let mut tail = empty;
                for _ in least..most {
                    let once = self.concat(id, tail)?;
                    tail = self.union(BTreeSet::from([once, empty]))?;
                }
                tail
            }
        };
        for _ in 0..least {
            tail = self.concat(id, tail)?;
        }
        Ok(tail)
    }

    fn concat(&mut self, left: Id, right: Id) -> Result<Id, TooComplex> {
        // To the right, so that equal languages meet as equal nodes.
        let (mut heads, mut left) = (Vec::new(), left);
        while let Node::Concat(first, rest) = self.list[left as usize].node {
            heads.push(first);
            left = rest;
        }
        heads.push(left);
        let mut joined = right;
        for head in heads.into_iter().rev() {
            joined = match (&self.list[head as usize].node, &self.list[joined as usize].node) {
                (Node::Nothing, _) | (_, Node::Nothing) => return Ok(NOTHING),
                (Node::Empty, _) => joined,
                (_, Node::Empty) => head,
                _ => self.intern(Node::Concat(head, joined))?,
            };
        }
        Ok(joined)
    }

    fn star(&mut self, id: Id) -> Result<Id, TooComplex> {
        match self.list[id as usize].node {
            Node::Nothing | Node::Empty => self.intern(Node::Empty),
            Node::Star(_) => Ok(id),
            _ => self.intern(Node::Star(id)),
        }
    }

    fn not(&mut self, id: Id) -> Result<Id, TooComplex> {
        match self.list[id as usize].node {
            Node::Not(inner) => Ok(inner),
            _ => self.intern(Node::Not(id)),
        }
    }

    fn union(&mut self, ids: BTreeSet<Id>) -> Result<Id, TooComplex> {
        let everything = self.intern(Node::Not(NOTHING))?;
        let mut flat = BTreeSet::new();
        for id in ids {
            match &self.list[id as usize].node {
                Node::Union(inner) => flat.extend(inner.iter().copied()),
                Node::Nothing => {}
                _ if id == everything => return Ok(everything),
                _ => {
                    flat.insert(id);
                }
            }
        }
        match flat.len() {
            0 => Ok(NOTHING),
            1 => Ok(flat.into_iter().next().unwrap_or(NOTHING)),
            _ => self.intern(Node::Union(flat)),
        }
    }

    fn both(&mut self, ids: BTreeSet<Id>) -> Result<Id, TooComplex> {
        let everything = self.intern(Node::Not(NOTHING))?;
        let mut flat = BTreeSet::new();
        for id in ids {
            match &self.list[id as usize].node {
                Node::Both(inner) => flat.extend(inner.iter().copied()),
                Node::Nothing => return Ok(NOTHING),
                _ if id == everything => {}
                _ => {
                    flat.insert(id);
                }
            }
        }
        match flat.len() {
            0 => Ok(everything),
            1 => Ok(flat.into_iter().next().unwrap_or(NOTHING)),
            _ => self.intern(Node::Both(flat)),
        }
    }

    /// What may follow `letter`. Recursion is as deep as the expression is nested.
    fn derivative(&mut self, id: Id, letter: char) -> Result<Id, TooComplex> {
        if let Some(known) = self.memo.get(&(id, letter)) {
            return Ok(*known);
        }
        let result = match self.list[id as usize].node.clone() {
            Node::Nothing | Node::Empty => NOTHING,
            Node::Class(ranges) => {
                let inside = ranges.iter().any(|(first, last)| (*first..=*last).contains(&letter));
                self.intern(if inside { Node::Empty } else { Node::Nothing })?
            }
            Node::Concat(..) => self.derivative_of_chain(id, letter)?,
            Node::Star(inner) => {
                let after = self.derivative(inner, letter)?;
                self.concat(after, id)?
            }
            Node::Union(ids) => {
                let ids = ids.into_iter().map(|id| self.derivative(id, letter)).collect::<Result<_, _>>()?;
                self.union(ids)?
            }
            Node::Both(ids) => {
                let ids = ids.into_iter().map(|id| self.derivative(id, letter)).collect::<Result<_, _>>()?;
                self.both(ids)?
            }
            Node::Not(inner) => {
                let after = self.derivative(inner, letter)?;
                self.not(after)?
            }
        };
        self.memo.insert((id, letter), result);
        Ok(result)
    }

    /// A chain `e1 e2 …` of which the first few may be empty: a loop, since a chain can be long.
    fn derivative_of_chain(&mut self, id: Id, letter: char) -> Result<Id, TooComplex> {
        let (mut chain, mut ways) = (id, BTreeSet::new());
        while let Node::Concat(left, right) = self.list[chain as usize].node {
            let after = self.derivative(left, letter)?;
            ways.insert(self.concat(after, right)?);
            if !self.list[left as usize].nullable {
                return self.union(ways);
            }
            chain = right;
        }
        ways.insert(self.derivative(chain, letter)?);
        self.union(ways)
    }

    /// Classes of letters that no range tells apart, by their first letters.
    fn partition(&self) -> Vec<char> {
        let mut starts = BTreeSet::from(['\0']);
        for entry in &self.list {
            if let Node::Class(ranges) = &entry.node {
                for (first, last) in ranges {
                    starts.insert(*first);
                    starts.extend(lucene::after(*last));
                }
            }
        }
        starts.into_iter().collect()
    }
}
