//! What chunks came to, put back into order: alerts as they come, sequences and queries when all is known.

use super::engine::Loaded;
use super::options::{Output, Position, ScanOptions};
use super::summary::{ProfileSummary, Summary};
use super::work::{Done, Kept};
use crate::alert::{self, Origin, Subject, Text};
use crate::json::{Scanner, write_string};
use crate::plan::{Kind, Pipe, PipeKind};
use crate::program::{Profile, RuleMask};
use crate::sequences::{Candidate, Completed, Component, Key, Order, Sequencer, Settings};
use crate::value::{Event, Time};
use std::sync::Arc;

/// A kept event with its place in the whole input.
struct Held {
    kept: Kept,
    path: Arc<str>,
}

/// Gathers the results of a scan.
pub(super) struct Collector<'l> {
    loaded: &'l Loaded,
    options: &'l ScanOptions,
    pub summary: Summary,
    held: Vec<Held>,
    candidates: Vec<Candidate>,
    matches: Vec<(Order, usize)>,
    arrivals: u64,
    seen: RuleMask,
    all_seen: bool,
    profile: Option<Profile>,
}

impl<'l> Collector<'l> {
    pub(super) fn new(loaded: &'l Loaded, options: &'l ScanOptions) -> Self {
        Self {
            loaded,
            options,
            summary: Summary::default(),
            held: Vec::new(),
            candidates: Vec::new(),
            matches: Vec::new(),
            arrivals: 0,
            seen: RuleMask::none(loaded.ids.len()),
            all_seen: false,
            profile: None,
        }
    }

    /// The next chunk, in order. Gives the output that is ready.
    pub(super) fn add(&mut self, done: Done) -> Vec<u8> {
        let before = if done.relative { self.summary.files[done.file].records } else { 0 };
        let mut out = Vec::new();
        done.alerts.resolve(before, &mut out);
        let path = done.path.clone().unwrap_or_else(|| "".into());
        for mut kept in done.kept {
            kept.record += before;
            let handle = self.held.len();
            for mut candidate in kept.candidates.drain(..) {
                candidate.handle = handle as u64;
                candidate.order.arrival += self.arrivals;
                self.candidates.push(candidate);
            }
            kept.arrival += self.arrivals;
            if let Some(mut order) = kept.order.take() {
                order.arrival += self.arrivals;
                self.matches.push((order, handle));
            }
            self.held.push(Held { kept, path: Arc::clone(&path) });
        }
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
        file.records += done.records;
        file.parsed += done.parsed;
        file.skipped += done.skipped;
        file.bytes += done.bytes;
        out
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
    pub(super) fn finish(&mut self) -> Vec<u8> {
        self.summary.profile = self.profile.take().map(|profile| self.named(&profile));
        if !self.all_seen {
            let unseen = (0..self.loaded.ids.len() as u32).filter(|rule| !self.seen.contains(*rule));
            self.summary.unseen = unseen.map(|rule| self.loaded.ids[rule as usize].clone()).collect();
        }
        let mut out = Vec::new();
        if self.options.output != Output::Alerts
            && self.loaded.program.shapes().first().is_some_and(|s| s.kind == Kind::Event)
        {
            self.write_events(&mut out);
        } else {
            self.write_sequences(&mut out);
        }
        out
    }

    fn pipes(&self, rule: usize) -> &[Pipe] {
        &self.loaded.program.shapes()[rule].pipes
    }

    fn write_events(&mut self, out: &mut Vec<u8>) {
        let mut matches = std::mem::take(&mut self.matches);
        matches.sort_by(|one, two| one.0.cmp(&two.0));
        let kept = self.limited(matches, 0);
        for (order, handle) in &kept {
            if self.options.output == Output::Events {
                out.extend_from_slice(self.held[*handle].kept.document.as_bytes());
                out.push(b'\n');
            } else {
                out.extend_from_slice(format!("{{\"event\":{}}}\n", order.arrival).as_bytes());
            }
        }
        *self.summary.alerts.entry(self.loaded.ids[0].clone()).or_default() += kept.len() as u64;
    }

    /// The size first, from the end that the first pipe names, then each pipe.
    fn limited<T>(&self, mut results: Vec<T>, rule: usize) -> Vec<T> {
        let pipes = self.pipes(rule);
        let position = if self.options.result_position == Position::Head { PipeKind::Head } else { PipeKind::Tail };
        if let Some(size) = self.options.size {
            limit(&mut results, pipes.first().map_or(position, |pipe| pipe.kind), size);
        }
        for pipe in pipes {
            limit(&mut results, pipe.kind, usize::try_from(pipe.count).unwrap_or(usize::MAX));
        }
        results
    }

    fn write_sequences(&mut self, out: &mut Vec<u8>) {
        self.candidates.sort_by(|one, two| one.rule.cmp(&two.rule).then_with(|| one.order.cmp(&two.order)));
        let settings = Settings { max_samples_per_key: self.options.max_samples_per_key };
        let mut sequencer = Sequencer::new(&self.loaded.program, settings);
        let mut completed = Vec::new();
        for candidate in std::mem::take(&mut self.candidates) {
            sequencer.push(&candidate, &mut completed);
        }
        sequencer.finish(&mut completed);
        let mut by_rule: Vec<Vec<Completed>> = vec![Vec::new(); self.loaded.ids.len()];
        completed.into_iter().for_each(|found| by_rule[found.rule as usize].push(found));
        let mut kept = Vec::new();
        for (rule, mut found) in by_rule.into_iter().enumerate() {
            if self.loaded.program.shapes()[rule].kind == Kind::Sequence {
                found.sort_by(Completed::cmp_listed);
                kept.extend(self.limited(found, rule));
            } else {
                found.truncate(self.options.size.unwrap_or(usize::MAX));
                kept.extend(found);
            }
        }
        if self.options.output == Output::Alerts {
            kept.sort_by(|one, two| {
                one.last.cmp(&two.last).then_with(|| one.rule.cmp(&two.rule)).then_with(|| one.cmp_listed(two))
            });
        }
        for found in &kept {
            *self.summary.alerts.entry(self.loaded.ids[found.rule as usize].clone()).or_default() += 1;
            if self.options.output == Output::Alerts { self.alert(found, out) } else { self.sequence(found, out) }
        }
    }

    fn alert(&self, found: &Completed, out: &mut Vec<u8>) {
        let held: Vec<&Held> = found.events.iter().flatten().map(|handle| &self.held[*handle as usize]).collect();
        let scanner = Scanner::new(&self.loaded.projection);
        let events: Vec<Event<'_>> = held
            .iter()
            .map(|held| {
                let mut event = Event::new(self.loaded.projection.width);
                let _ = scanner.scan(&held.kept.document, &mut event);
                event
            })
            .collect();
        let subjects: Vec<Subject<'_, '_>> = held
            .iter()
            .zip(&events)
            .map(|(held, event)| Subject {
                event,
                document: &held.kept.document,
                identity: &held.kept.identity,
                time: held.kept.time.as_deref(),
                origin: Origin {
                    path: &held.path,
                    record: held.kept.record,
                    relative: false,
                    offset: held.kept.offset,
                },
            })
            .collect();
        let mut text = Text::default();
        alert::sequence(&self.loaded.alerts[found.rule as usize], &subjects, &mut text);
        text.resolve(0, out);
    }

    fn sequence(&self, found: &Completed, out: &mut Vec<u8>) {
        let sample = self.loaded.program.shapes()[found.rule as usize].kind == Kind::Sample;
        out.extend_from_slice(b"{\"sequence\":{\"join_keys\":");
        keys(&found.key, sample, out);
        out.extend_from_slice(b",\"events\":[");
        for (number, handle) in found.events.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            match handle.map(|handle| &self.held[handle as usize]) {
                None => out.extend_from_slice(b"null"),
                Some(held) if self.options.output == Output::Events => {
                    out.extend_from_slice(held.kept.document.as_bytes());
                }
                Some(held) => out.extend_from_slice(held.kept.arrival.to_string().as_bytes()),
            }
        }
        out.extend_from_slice(b"]}}\n");
    }
}

fn limit<T>(results: &mut Vec<T>, kind: PipeKind, count: usize) {
    match kind {
        PipeKind::Head => results.truncate(count),
        PipeKind::Tail => drop(results.drain(..results.len().saturating_sub(count))),
    }
}

/// Join keys as Elasticsearch reports them: numbers and booleans as such, dates as ISO text (in samples as milliseconds).
fn keys(key: &Key, sample: bool, out: &mut Vec<u8>) {
    out.push(b'[');
    for (number, part) in key.parts().iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        match part {
            Component::Date(time) if sample => write_string(&milliseconds(*time), out),
            Component::Text(_) | Component::Version(_) | Component::Date(_) | Component::Address(_) => {
                write_string(&part.text(), out);
            }
            Component::Double(float) if !float.is_finite() => write_string(&part.text(), out),
            Component::Double(float) => out.extend_from_slice(serde_json::json!(float).to_string().as_bytes()),
            Component::Null | Component::Bool(_) | Component::Long(_) | Component::Unsigned(_) => {
                out.extend_from_slice(part.text().as_bytes());
            }
        }
    }
    out.push(b']');
}

fn milliseconds(time: Time) -> String {
    time.milliseconds().to_string()
}
