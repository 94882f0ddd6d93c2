//! What chunks came to, put back into order: alerts as they come, sequences and queries when all is known.

use super::chains::{self, Chains};
use super::engine::Loaded;
use super::held::Held;
use super::hosts;
use super::matches::Matches;
use super::options::{Output, ScanOptions};
use super::pool::Pool;
use super::streams::Streams;
use super::summary::{ProfileSummary, Summary, UNCLAIMED, Unclaimed};
use super::work::Done;
use super::write::{Emit, Writer};
use crate::plan::Kind;
use crate::program::{Profile, RuleMask};
use std::io;

/// Gathers the results of a scan.
pub(super) struct Collector<'l> {
    loaded: &'l Loaded,
    options: &'l ScanOptions,
    pool: &'l Pool,
    pub summary: Summary,
    /// Of a query of events.
    matches: Option<Matches>,
    /// Of sequences and samples.
    chains: Option<Chains>,
    /// Of sequences over input that is in time order.
    streams: Option<Streams<'l>>,
    arrivals: u64,
    /// The file whose further ranges are read again in order.
    in_order: Option<usize>,
    /// The first few hosts that were not asked for.
    pub others: Vec<String>,
    seen: RuleMask,
    all_seen: bool,
    profile: Option<Profile>,
}

impl<'l> Collector<'l> {
    pub(super) fn new(loaded: &'l Loaded, options: &'l ScanOptions, pool: &'l Pool) -> Self {
        let limit = loaded.options.memory;
        let shape = loaded.program.shapes().first();
        let query = shape.filter(|shape| options.output != Output::Alerts && shape.kind == Kind::Event);
        Self {
            loaded,
            options,
            pool,
            summary: Summary::default(),
            matches: query.map(|shape| Matches::new(options, &shape.pipes, limit)),
            chains: query.is_none().then(|| Chains::new(limit, loaded.program.shapes())),
            streams: Streams::new(loaded, options),
            arrivals: 0,
            in_order: None,
            others: Vec::new(),
            seen: RuleMask::none(loaded.ids.len()),
            all_seen: false,
            profile: None,
        }
    }

    /// Whether the next chunk is one that is read again in order, and does not count.
    pub(super) fn passes_over(&mut self, done: &Done) -> bool {
        let over = done.ranged && self.in_order == Some(done.file);
        if done.marked && !over {
            self.in_order = Some(done.file);
        }
        over
    }

    /// The next chunk, in order. Gives the output that is ready.
    pub(super) fn add(&mut self, done: Done) -> io::Result<Vec<u8>> {
        let before = if done.relative { self.summary.files[done.file].lines } else { 0 };
        let mut out = if done.alerts.bytes.is_empty() { Vec::new() } else { self.pool.take() };
        let mut written = 0;
        for mut kept in done.kept {
            let after = kept.after;
            let mut candidates = std::mem::take(&mut kept.candidates);
            candidates.iter_mut().for_each(|candidate| candidate.order.arrival += self.arrivals);
            let (order, shown) = (kept.order.take(), kept.shown);
            let held = Held::new(kept, done.file, before, self.arrivals);
            if let (Some(matches), Some(mut order)) = (&mut self.matches, order) {
                order.arrival += self.arrivals;
                matches.push(order, held)?;
                continue;
            }
            if let Some(streams) = &mut self.streams {
                done.alerts.resolve_part(written..after, before, &mut out);
                written = after;
                if let Some(fault) = streams.push(&mut candidates, &held, &self.summary.files, &mut out) {
                    self.summary.fault(done.file, fault, 0);
                }
            }
            if let Some(chains) = self.chains.as_mut().filter(|_| !candidates.is_empty()) {
                chains.push(candidates, Some(&held).filter(|_| shown))?;
            }
        }
        done.alerts.resolve_part(written..done.alerts.bytes.len(), before, &mut out);
        self.pool.give(done.alerts.bytes);
        self.arrivals += done.records;
        for (rule, count) in &done.counts {
            *self.summary.alerts.entry(self.loaded.ids[*rule as usize].clone()).or_default() += count;
        }
        for (rule, count) in &done.failed {
            *self.summary.failed.entry(self.loaded.ids[*rule as usize].clone()).or_default() += count;
        }
        for (rule, count) in &done.excepted {
            *self.summary.excepted.entry(self.loaded.ids[*rule as usize].clone()).or_default() += count;
        }
        for (source, count) in done.sources {
            let name = source.map_or_else(|| "unknown".to_owned(), |source| source.to_string());
            *self.summary.sources.entry(name).or_default() += count;
        }
        for (place, reason) in done.unclaimed {
            if self.summary.unclaimed.len() < UNCLAIMED {
                let path = self.summary.files[done.file].path.clone();
                let record = place.record + before;
                self.summary.unclaimed.push(Unclaimed { path, record, offset: place.offset, reason });
            }
        }
        done.others.iter().for_each(|name| hosts::tell(name, &mut self.others));
        self.seen.add(&done.seen);
        self.all_seen |= done.all_seen;
        self.summary.without_time += done.without_time;
        if let Some(profile) = &done.profile {
            self.profile.get_or_insert_default().add(profile);
        }
        for fault in done.faults {
            self.summary.fault(done.file, fault, before);
        }
        let file = &mut self.summary.files[done.file];
        file.lines += done.lines;
        file.records += done.records;
        file.parsed += done.parsed;
        file.skipped += done.skipped;
        file.bytes += done.bytes;
        Ok(out)
    }

    fn named(&self, profile: &Profile) -> ProfileSummary {
        let rules = self.loaded.ids.iter().zip(&profile.rules).filter(|(_, rule)| rule.evaluations > 0);
        ProfileSummary {
            events: profile.events,
            reaching: profile.reaching,
            rules: rules.map(|(id, rule)| (id.clone(), *rule)).collect(),
        }
    }

    /// What is known only now.
    pub(super) fn finish(&mut self, emit: &mut Emit<'_>) -> io::Result<()> {
        self.summary.profile = self.profile.take().map(|profile| self.named(&profile));
        if !self.all_seen {
            let unseen = (0..self.loaded.ids.len() as u32).filter(|rule| !self.seen.contains(*rule));
            self.summary.unseen = unseen.map(|rule| self.loaded.ids[rule as usize].clone()).collect();
        }
        let files = std::mem::take(&mut self.summary.files);
        let counts = self.write(&mut Writer::new(self.loaded, self.options.output, &files, emit));
        self.summary.files = files;
        chains::count(self.loaded, &counts?, &mut self.summary);
        Ok(())
    }

    /// Writes the results; gives how many each rule has.
    fn write(&mut self, out: &mut Writer<'_>) -> io::Result<Vec<u64>> {
        let streamed = self.streams.take().map(|streams| streams.finish(out));
        let mut counts = match (self.matches.take(), self.chains.take()) {
            (Some(matches), _) => vec![matches.write(out)?],
            (None, Some(chains)) => chains.write(self.options, out)?,
            (None, None) => Vec::new(),
        };
        out.flush();
        counts.resize(self.loaded.ids.len(), 0);
        for (count, more) in counts.iter_mut().zip(streamed.unwrap_or_default()) {
            *count += more;
        }
        Ok(counts)
    }
}
