//! Sequences over input that is in time order: matched as it comes, so that alerts come out at once and only what is unfinished is
//! kept. An event that comes before an earlier one takes no part, and is named.

use super::engine::Loaded;
use super::held::Held;
use super::matches::limits;
use super::options::{Output, ScanOptions};
use super::summary::FileSummary;
use super::write::{Writer, alerts};
use crate::plan::Kind;
use crate::sequences::{Candidate, Completed, Fit, Machine, Time};
use crate::sources::{Fault, Place};
use std::collections::HashMap;
use std::sync::Arc;

type Handle = Arc<Held>;

/// One rule at work.
struct Stream {
    machine: Machine<Handle>,
    /// The field that its events have their time in.
    clock: Option<u32>,
    /// Whether events of the same time are ordered by a tiebreaker.
    tied: bool,
}

/// Events of one timestamp field.
#[derive(Default)]
struct Clock {
    now: Option<Time>,
    /// Of the time now, for rules with a tiebreaker: in what order they come is known when time moves on.
    tied: Vec<Fit<Handle>>,
}

/// The sequence rules whose alerts come out while events come in.
pub(super) struct Streams<'l> {
    loaded: &'l Loaded,
    /// By number of the rule; none for rules of other kinds, and where only the last results count.
    rules: Vec<Option<Stream>>,
    /// Rules that wait for events that must not come.
    waiting: Vec<usize>,
    clocks: HashMap<Option<u32>, Clock>,
    completed: Vec<Completed<Handle>>,
    counts: Vec<u64>,
}

impl<'l> Streams<'l> {
    /// None where nothing streams.
    pub(super) fn new(loaded: &'l Loaded, options: &ScanOptions) -> Option<Self> {
        if !options.sorted || options.output != Output::Alerts {
            return None;
        }
        let shapes = loaded.program.shapes();
        let streams: Vec<Option<Stream>> = shapes
            .iter()
            .enumerate()
            .map(|(rule, shape)| {
                (shape.kind == Kind::Sequence && limits(options, &shape.pipes).is_empty()).then(|| Stream {
                    machine: Machine::new(rule as u32, shape),
                    clock: shape.timestamp,
                    tied: shape.tiebreaker.is_some(),
                })
            })
            .collect();
        let waits = |rule: &usize| streams[*rule].as_ref().is_some_and(|stream| stream.machine.waits());
        let waiting = (0..streams.len()).filter(waits).collect();
        let counts = vec![0; shapes.len()];
        Some(Self { loaded, rules: streams, waiting, clocks: HashMap::new(), completed: Vec::new(), counts })
    }

    /// Takes the next event's candidates out of `candidates`, of the rules that stream. Gives a fault if the event is out of order.
    pub(super) fn push(
        &mut self,
        candidates: &mut Vec<Candidate>,
        held: &Held,
        files: &[FileSummary],
        out: &mut Vec<u8>,
    ) -> Option<Fault> {
        let mut fault = None;
        let mut handle: Option<Handle> = None;
        let streams = |candidate: &Candidate| self.rules[candidate.rule as usize].is_some();
        let (mine, others) = std::mem::take(candidates).into_iter().partition(streams);
        *candidates = others;
        let mine: Vec<Candidate> = mine;
        for candidate in mine {
            let Some(time) = candidate.order.time else { continue };
            let Some(stream) = &self.rules[candidate.rule as usize] else { continue };
            let (clock, tied) = (stream.clock, stream.tied);
            if let Err(now) = self.advance(clock, time) {
                fault.get_or_insert_with(|| out_of_order(held, time, now));
                continue;
            }
            let handle = handle.get_or_insert_with(|| Arc::new(held.clone()));
            for fit in candidate.fits(handle) {
                if tied {
                    self.clocks.entry(clock).or_default().tied.push(fit);
                } else {
                    self.take(fit);
                }
            }
        }
        self.write(files, out);
        fault
    }

    /// Moves a clock on; gives its time if that is later already.
    fn advance(&mut self, clock: Option<u32>, time: Time) -> Result<(), Time> {
        let state = self.clocks.entry(clock).or_default();
        match state.now {
            Some(now) if now > time => return Err(now),
            Some(now) if now == time => return Ok(()),
            _ => state.now = Some(time),
        }
        let tied = std::mem::take(&mut state.tied);
        self.settle(tied);
        for rule in &self.waiting {
            if let Some(stream) = &mut self.rules[*rule]
                && stream.clock == clock
                && !stream.tied
            {
                stream.machine.pass(time, &mut self.completed);
            }
        }
        Ok(())
    }

    /// Takes events of one time in their order.
    fn settle(&mut self, mut tied: Vec<Fit<Handle>>) {
        tied.sort_by(|one, two| one.order.cmp(&two.order).then_with(|| one.rule.cmp(&two.rule)));
        tied.into_iter().for_each(|fit| self.take(fit));
    }

    fn take(&mut self, fit: Fit<Handle>) {
        if let Some(stream) = &mut self.rules[fit.rule as usize] {
            stream.machine.push(fit, &mut self.completed);
        }
    }

    /// No more events: what nothing has spoilt is complete. Gives how many results each rule had.
    pub(super) fn finish(mut self, out: &mut Writer<'_>) -> Vec<u64> {
        let mut rest: Vec<Fit<Handle>> =
            std::mem::take(&mut self.clocks).into_values().flat_map(|clock| clock.tied).collect();
        // Clocks have no order of their own.
        rest.sort_by_key(|fit| fit.order.arrival);
        self.settle(rest);
        for stream in self.rules.iter_mut().flatten() {
            stream.machine.finish(&mut self.completed);
        }
        let (files, mut text) = (out.files, Vec::new());
        self.write(files, &mut text);
        out.text(&text);
        self.counts
    }

    fn write(&mut self, files: &[FileSummary], out: &mut Vec<u8>) {
        let ranks = &self.loaded.ranks;
        self.completed.sort_by(|one, two| {
            (one.last.cmp(&two.last))
                .then_with(|| ranks[one.rule as usize].cmp(&ranks[two.rule as usize]))
                .then_with(|| one.cmp_listed(two))
        });
        for found in self.completed.drain(..) {
            self.counts[found.rule as usize] += 1;
            alerts(self.loaded, files, found.rule, found.events.iter().flatten().map(|held| &**held), out);
        }
    }
}

fn out_of_order(held: &Held, time: Time, now: Time) -> Fault {
    Fault {
        kind: "event out of order",
        message: format!(
            "its time, {}, is before that of an earlier event, {}: it is part of no sequence, since --sorted states that the input is in time order",
            time.iso(),
            now.iso()
        ),
        place: Place { record: held.record, offset: held.offset },
    }
}
