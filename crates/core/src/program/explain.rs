//! What a joined program consists of, for people: its terms, which rules share them, and an estimate of what each rule costs.

use super::{Joined, Program};
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl Program {
    /// The terms, the rules with the numbers of their terms in the order of their plans, and the fields of buckets.
    ///
    /// `cost` is an estimate in units of one hash look-up, made without looking at any event: of a rule, all its terms once; its
    /// `shared_cost` gives each term in equal parts to the rules that have it.
    pub fn explain(&self) -> Value {
        let joined = &*self.joined;
        let mut users = vec![0_u32; joined.terms.len()];
        let distinct: Vec<Vec<u32>> = joined.mentions.iter().map(|mentions| distinct(mentions)).collect();
        distinct.iter().flatten().for_each(|term| users[*term as usize] += 1);
        let terms: Vec<Value> = joined
            .terms
            .iter()
            .zip(&users)
            .map(|(term, rules)| {
                let field = joined.fields.get(term.field as usize).map(|field| field.path.as_str());
                json!({"field": field, "cost": term.cost(), "rules": rules})
            })
            .collect();
        let reached = reached(joined);
        let rules: Vec<Value> = distinct
            .iter()
            .enumerate()
            .map(|(number, terms)| {
                let cost = |term: &u32| f64::from(joined.terms[*term as usize].cost());
                let shared = terms.iter().map(|term| cost(term) / f64::from(users[*term as usize])).sum::<f64>();
                json!({
                    "id": joined.shapes[number].id,
                    "mentions": joined.mentions[number],
                    "cost": terms.iter().map(cost).sum::<f64>(),
                    "shared_cost": (shared * 10.0).round() / 10.0,
                    "conditions": reached.get(&(number as u32)),
                })
            })
            .collect();
        let bucket: Vec<&str> =
            joined.start.few().iter().map(|field| joined.fields[*field as usize].path.as_str()).collect();
        json!({"terms": terms, "rules": rules, "bucket_fields": bucket})
    }
}

/// The numbers, each once.
fn distinct(mentions: &[u32]) -> Vec<u32> {
    let mut terms = mentions.to_vec();
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// For each rule, what decides whether each of its conditions is tried: how many terms over which fields, of those how many over the
/// fields of buckets, or nothing, so that it is tried for every event.
fn reached(joined: &Joined) -> BTreeMap<u32, Vec<Value>> {
    let mut found: BTreeMap<u32, Vec<Value>> = BTreeMap::new();
    for (number, slot) in joined.slots.iter().enumerate() {
        let deciding = joined.deciding(number);
        let few = |field: &u32| joined.start.few().contains(field);
        let bucket: u32 = deciding.iter().filter(|(field, _)| few(field)).map(|(_, terms)| terms).sum();
        let others = deciding.iter().filter(|(field, _)| !few(field));
        let values: BTreeMap<&str, u32> =
            others.map(|(field, terms)| (joined.fields[*field as usize].path.as_str(), *terms)).collect();
        found.entry(slot.rule).or_default().push(json!({
            "stage": slot.stage + 1,
            "tried_for_every_event": deciding.is_empty(),
            "tried_for_values_of": values,
            "bucket_terms": bucket,
        }));
    }
    found
}

impl Joined {
    /// The fields whose values alone decide terms of a condition, with the number of these terms.
    pub(super) fn deciding(&self, slot: usize) -> BTreeMap<u32, u32> {
        let mut terms = Vec::new();
        self.nodes.terms(self.slots[slot].node, &mut |term| terms.push(term));
        let mut found = BTreeMap::new();
        for field in distinct(&terms).into_iter().filter_map(|term| self.terms[term as usize].only_field()) {
            *found.entry(field).or_default() += 1;
        }
        found
    }
}
