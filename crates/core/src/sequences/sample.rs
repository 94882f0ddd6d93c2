//! One sample: for each key one event a stage, in no order of time.

use super::{Candidate, Completed, Key, Order};
use crate::program::Shape;
use std::collections::BTreeMap;

#[derive(Debug)]
pub(super) struct Sampler {
    rule: u32,
    stages: usize,
    per_key: usize,
    /// By key: the events of each stage, in order of arrival.
    buckets: BTreeMap<Key, Vec<Vec<(u64, Order)>>>,
}

impl Sampler {
    pub(super) fn new(rule: u32, shape: &Shape, per_key: usize) -> Self {
        Self { rule, stages: shape.stages.len(), per_key, buckets: BTreeMap::new() }
    }

    pub(super) fn push(&mut self, candidate: &Candidate) {
        let stages = self.stages;
        for (stage, keys) in &candidate.stages {
            for key in keys {
                let bucket = self.buckets.entry(key.clone()).or_insert_with(|| vec![Vec::new(); stages]);
                if let Some(events) = bucket.get_mut(*stage as usize) {
                    events.push((candidate.handle, candidate.order.clone()));
                }
            }
        }
    }

    pub(super) fn finish(mut self, out: &mut Vec<Completed>) {
        for (key, mut bucket) in std::mem::take(&mut self.buckets) {
            bucket.iter_mut().for_each(|events| events.sort_by_key(|(_, order)| order.arrival));
            if bucket.iter().any(Vec::is_empty) {
                continue;
            }
            let mut left = self.per_key;
            self.combine(&key, &bucket, &mut Vec::new(), &mut left, out);
        }
    }

    /// Every way to choose pairwise distinct events, the last stage moving fastest, until enough are found.
    fn combine(
        &self,
        key: &Key,
        bucket: &[Vec<(u64, Order)>],
        chosen: &mut Vec<(u64, Order)>,
        left: &mut usize,
        out: &mut Vec<Completed>,
    ) {
        let Some(events) = bucket.get(chosen.len()) else {
            let last = chosen.iter().map(|(_, order)| order).max().cloned();
            if let Some(last) = last {
                let events = chosen.iter().map(|(handle, _)| Some(*handle)).collect();
                out.push(Completed { rule: self.rule, key: key.clone(), events, last });
                *left -= 1;
            }
            return;
        };
        for event in events {
            if *left == 0 {
                return;
            }
            if chosen.iter().all(|(handle, _)| *handle != event.0) {
                chosen.push(event.clone());
                self.combine(key, bucket, chosen, left, out);
                chosen.pop();
            }
        }
    }
}
