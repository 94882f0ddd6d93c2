//! What a joined program consists of, for people: its terms, which rules share them, and an estimate of what each rule costs.

use super::{Index, Joined, Program};
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
            joined.gates.fields().iter().map(|field| joined.fields[*field as usize].path.as_str()).collect();
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

/// For each rule, how each of its conditions comes to be tried: for every event, or for the values of which fields; and how many terms
/// of its own decide whether the event's bucket rules it out.
fn reached(joined: &Joined) -> BTreeMap<u32, Vec<Value>> {
    let witnesses = witnesses(&joined.index);
    let gates: Vec<usize> = joined.gates.slots().map(<[u32]>::len).collect();
    let mut found: BTreeMap<u32, Vec<Value>> = BTreeMap::new();
    for (number, slot) in joined.slots.iter().enumerate() {
        let values: BTreeMap<&str, u32> = witnesses
            .get(&(number as u32))
            .into_iter()
            .flatten()
            .map(|(field, count)| (joined.fields[*field as usize].path.as_str(), *count))
            .collect();
        let always = joined.index.always.contains(&(number as u32));
        found.entry(slot.rule).or_default().push(json!({
            "stage": slot.stage + 1,
            "tried_for_every_event": always,
            "tried_for_values_of": values,
            "bucket_terms": gates.get(number).copied().unwrap_or(0),
        }));
    }
    found
}

/// For each condition, how many values of each field reach it.
fn witnesses(index: &Index) -> BTreeMap<u32, BTreeMap<u32, u32>> {
    let mut found: BTreeMap<u32, BTreeMap<u32, u32>> = BTreeMap::new();
    for (field, texts) in &index.reached {
        for slot in texts.values().flatten() {
            *found.entry(*slot).or_default().entry(*field).or_default() += 1;
        }
    }
    found
}
