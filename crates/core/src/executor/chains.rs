//! Candidates of sequences and samples until all are known: sorted, on disk beyond a limit, and then matched key by key.

use super::engine::Loaded;
use super::held::Held;
use super::matches::{limits, window};
use super::options::{Output, ScanOptions};
use super::summary::Summary;
use super::write::Writer;
use crate::plan::Kind;
use crate::program::Shape;
use crate::sequences::{Candidate, Completed, Filled, Fit, Sequencer, Settings};
use crate::spill::{Record, Sorter, Store, Taken, put_number};
use std::cmp::Ordering;
use std::io;

/// Stands for an event that is not kept.
const NOWHERE: u64 = u64::MAX;

#[derive(Debug)]
pub(super) struct Chains {
    limit: usize,
    fits: Sorter<Fit<u64>>,
    filled: Filled,
    events: Store<Held>,
}

impl Chains {
    pub(super) fn new(limit: usize, shapes: &[Shape]) -> Self {
        Self {
            limit,
            fits: Sorter::new(limit / 2, Fit::cmp_taken),
            filled: Filled::new(shapes),
            events: Store::new(limit / 2),
        }
    }

    /// The next event in order of arrival, with what it is a candidate for. None where no result can show it.
    pub(super) fn push(&mut self, candidates: Vec<Candidate>, held: Option<&Held>) -> io::Result<()> {
        let handle = held.map_or(Ok(NOWHERE), |held| self.events.add(held))?;
        for candidate in candidates {
            for fit in candidate.fits(&handle) {
                self.filled.add(&fit);
                self.fits.push(fit)?;
            }
        }
        Ok(())
    }

    /// Matches everything, and writes what comes of it; gives how many results each rule has.
    pub(super) fn write(mut self, options: &ScanOptions, out: &mut Writer<'_>) -> io::Result<Vec<u64>> {
        let loaded = out.loaded;
        let mut results = Results {
            loaded,
            options,
            limit: self.limit,
            events: self.events,
            rule: 0,
            listed: Sorter::new(self.limit / 2, Numbered::cmp_listed),
            all: Sorter::new(self.limit / 2, Numbered::cmp_among_rules),
            counts: vec![0; loaded.ids.len()],
        };
        let settings = Settings { max_samples_per_key: options.max_samples_per_key };
        let mut sequencer = Sequencer::new(&loaded.program, settings);
        let mut completed = Vec::new();
        // A key that some stage has no candidate for comes to nothing: most do, and need not even be sorted.
        let filled = self.filled;
        self.fits.retain(|fit| filled.whole(fit));
        for fit in self.fits.finish()? {
            let fit = fit?;
            if filled.whole(&fit) {
                sequencer.push(fit, &mut completed);
            }
            for found in completed.drain(..) {
                results.take(found, out)?;
            }
            if !out.open {
                return Ok(results.counts);
            }
        }
        sequencer.finish(&mut completed);
        for found in completed.drain(..) {
            results.take(found, out)?;
        }
        results.finish(out)
    }
}

/// Results on their way: listed and limited rule by rule, and for alerts put into one order.
struct Results<'r> {
    loaded: &'r Loaded,
    options: &'r ScanOptions,
    limit: usize,
    events: Store<Held>,
    /// The rule whose results come.
    rule: u32,
    listed: Sorter<Numbered>,
    all: Sorter<Numbered>,
    counts: Vec<u64>,
}

impl Results<'_> {
    fn take(&mut self, found: Completed<u64>, out: &mut Writer<'_>) -> io::Result<()> {
        if found.rule != self.rule {
            self.list(out)?;
            self.rule = found.rule;
        }
        let shape = &self.loaded.program.shapes()[found.rule as usize];
        let numbered = Numbered { completed: found, number: self.listed.len(), rank: 0 };
        if shape.kind == Kind::Sample {
            // Samples come in the order in which they are listed.
            let taken = self.counts[self.rule as usize];
            if self.options.size.is_none_or(|size| taken < size as u64) {
                self.forward(numbered, out)?;
            }
            return Ok(());
        }
        if self.options.output == Output::Alerts && limits(self.options, &shape.pipes).is_empty() {
            return self.forward(numbered, out);
        }
        self.listed.push(numbered)
    }

    /// The results of one rule are all there.
    fn list(&mut self, out: &mut Writer<'_>) -> io::Result<()> {
        let found = self.listed.len();
        if found == 0 {
            return Ok(()); // perhaps because there is no rule at all
        }
        let listed = std::mem::replace(&mut self.listed, Sorter::new(self.limit / 2, Numbered::cmp_listed));
        let kept = window(found, &limits(self.options, &self.loaded.program.shapes()[self.rule as usize].pipes));
        if kept.is_empty() {
            return Ok(());
        }
        for found in listed.finish()?.skip(kept.start as usize).take((kept.end - kept.start) as usize) {
            self.forward(found?, out)?;
        }
        Ok(())
    }

    /// One result of the rule at hand, in its order.
    fn forward(&mut self, mut found: Numbered, out: &mut Writer<'_>) -> io::Result<()> {
        self.counts[self.rule as usize] += 1;
        if self.options.output == Output::Alerts {
            found.number = self.counts[self.rule as usize];
            found.rank = self.loaded.ranks[self.rule as usize];
            return self.all.push(found);
        }
        self.write(&found.completed, out)
    }

    fn write(&mut self, found: &Completed<u64>, out: &mut Writer<'_>) -> io::Result<()> {
        let held = found.events.iter().map(|event| event.map(|handle| self.events.get(handle)).transpose());
        let held: Vec<Option<Held>> = held.collect::<io::Result<_>>()?;
        out.completed(found.rule, &found.key, &held);
        Ok(())
    }

    fn finish(mut self, out: &mut Writer<'_>) -> io::Result<Vec<u64>> {
        self.list(out)?;
        let all = std::mem::replace(&mut self.all, Sorter::new(0, Numbered::cmp_among_rules));
        for found in all.finish()? {
            self.write(&found?.completed, out)?;
            if !out.open {
                break;
            }
        }
        Ok(self.counts)
    }
}

/// A result with its number among those of its rule, and the place of the rule's identifier among all.
#[derive(Debug)]
struct Numbered {
    completed: Completed<u64>,
    number: u64,
    rank: u32,
}

impl Numbered {
    fn cmp_listed(&self, other: &Self) -> Ordering {
        self.completed.cmp_listed(&other.completed).then_with(|| self.number.cmp(&other.number))
    }

    /// By last event, rule and key.
    fn cmp_among_rules(&self, other: &Self) -> Ordering {
        (self.completed.last.cmp(&other.completed.last))
            .then_with(|| self.rank.cmp(&other.rank))
            .then_with(|| self.cmp_listed(other))
    }
}

impl Record for Numbered {
    fn write(&self, out: &mut Vec<u8>) {
        self.completed.write(out);
        put_number(self.number, out);
        put_number(u64::from(self.rank), out);
    }

    fn read(from: &mut Taken<'_>) -> io::Result<Self> {
        Ok(Self { completed: Completed::read(from)?, number: from.number()?, rank: from.number()? as u32 })
    }

    fn size(&self) -> usize {
        self.completed.size() + 16
    }
}

/// Adds what each rule found to the summary.
pub(super) fn count(loaded: &Loaded, counts: &[u64], summary: &mut Summary) {
    for (rule, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        *summary.alerts.entry(loaded.ids[rule].clone()).or_default() += count;
    }
}
