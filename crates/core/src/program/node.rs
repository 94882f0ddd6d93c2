//! Conditions over numbered terms, shared between rules, and the values that a condition cannot be met without.

use super::term::Term;
use crate::plan::{Condition, Field, PlanError};
use std::collections::HashMap;

/// A condition; its leaves are numbers of terms.
#[derive(Debug)]
pub(super) enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Always(bool),
    Term(u32),
}

/// Compiles conditions; a term that several of them have is compiled once.
#[derive(Debug, Default)]
pub(super) struct Terms {
    pub(super) list: Vec<Term>,
    /// The number of each leaf that was compiled, in order.
    pub(super) mentions: Vec<u32>,
    known: HashMap<String, u32>,
}

impl Terms {
    pub(super) fn node(
        &mut self,
        condition: &Condition,
        numbers: &[u32],
        fields: &[Field],
        share: bool,
    ) -> Result<Node, PlanError> {
        Ok(match condition {
            Condition::And(operands) => Node::And(self.nodes(operands, numbers, fields, share)?),
            Condition::Or(operands) => Node::Or(self.nodes(operands, numbers, fields, share)?),
            Condition::Not(operand) => Node::Not(Box::new(self.node(operand, numbers, fields, share)?)),
            Condition::Always(flag) => Node::Always(*flag),
            leaf => {
                let number = self.number(leaf, numbers, fields, share)?;
                self.mentions.push(number);
                Node::Term(number)
            }
        })
    }

    fn nodes(
        &mut self,
        conditions: &[Condition],
        numbers: &[u32],
        fields: &[Field],
        share: bool,
    ) -> Result<Vec<Node>, PlanError> {
        conditions.iter().map(|condition| self.node(condition, numbers, fields, share)).collect()
    }

    fn number(&mut self, leaf: &Condition, numbers: &[u32], fields: &[Field], share: bool) -> Result<u32, PlanError> {
        let term = Term::new(leaf, numbers, fields)?;
        // Scripts name plan fields deep inside and are rare: each is a term of its own.
        let shared = share && term.field != u32::MAX;
        let key = if shared { format!("{}{leaf:?}", term.field) } else { String::new() };
        let key = if shared { without_plan_number(&key) } else { key };
        if let Some(number) = shared.then(|| self.known.get(&key)).flatten() {
            return Ok(*number);
        }
        let number = self.list.len() as u32;
        self.list.push(term);
        if shared {
            self.known.insert(key, number);
        }
        Ok(number)
    }
}

/// The printed leaf without the field number of its own plan, which differs from rule to rule.
fn without_plan_number(key: &str) -> String {
    match key.find("field: ") {
        None => key.to_owned(),
        Some(at) => {
            let rest = key[at + 7..].trim_start_matches(|letter: char| letter.is_ascii_digit());
            format!("{}{rest}", &key[..at])
        }
    }
}

/// Values of which an event must have one, or the condition is not met: (field, lowered text).
pub(super) type Witnesses = Vec<(u32, Box<[u8]>)>;

/// The cheapest set of witnesses of a condition, with a score: low is selective.
pub(super) fn witnesses(node: &Node, terms: &[Term], fields: &[Field]) -> Option<(u64, Witnesses)> {
    match node {
        Node::Term(number) => {
            let term = &terms[*number as usize];
            let texts = term.equals()?;
            let weight = weight(&fields[term.field as usize].path) + texts.len() as u64;
            Some((weight, texts.into_iter().map(|text| (term.field, text)).collect()))
        }
        Node::And(operands) => {
            operands.iter().filter_map(|operand| witnesses(operand, terms, fields)).min_by_key(|(score, _)| *score)
        }
        Node::Or(operands) => {
            let mut all = (0, Vec::new());
            for operand in operands {
                let (score, found) = witnesses(operand, terms, fields)?;
                all.0 += score;
                all.1.extend(found);
            }
            Some(all)
        }
        Node::Always(false) => Some((0, Vec::new())),
        Node::Not(_) | Node::Always(true) => None,
    }
}

/// How little a value of the field tells: what nearly every event shares is a bad witness.
fn weight(path: &str) -> u64 {
    match path {
        "event.kind" => 100_000,
        "host.os.type" | "event.category" => 50_000,
        "event.type" | "event.outcome" => 20_000,
        "event.action" | "event.module" | "event.dataset" | "data_stream.dataset" => 5_000,
        "event.provider" | "event.code" => 1_000,
        _ => 10,
    }
}
