//! One sequence: the one-pass machine. At most one unfinished match is kept for each key and stage, and the newest wins.
//!
//! What maxspan rules out is let go when time has moved on. Of the events that must be missing, only the times that can still
//! decide something are kept.

use super::{Completed, Fit, Key, Order, Time};
use crate::program::Shape;
use std::collections::{HashMap, VecDeque};

/// One positive stage.
#[derive(Clone, Debug)]
struct Group {
    stage: u16,
    runs: u64,
    /// Missing stages between this one and the positive one before, as numbers in `Machine::missing`.
    between: Vec<usize>,
}

/// Events that have filled the stages so far.
#[derive(Clone, Debug)]
struct Partial<H> {
    events: Vec<(H, Time)>,
    /// Milliseconds of the latest event before the first that a leading missing stage looks for.
    leading: Option<i128>,
    /// An event was there that must be missing: the match goes its way, but is no result.
    spoilt: bool,
}

/// What waits for one positive stage under one key.
#[derive(Clone, Debug)]
struct Slot<H> {
    /// Has filled the stage.
    filled: Option<Partial<H>>,
    run: Option<Box<Run<H>>>,
}

/// A stage with `runs`: every event moves all unfinished runs on, so they share their events.
#[derive(Clone, Debug)]
struct Run<H> {
    /// Events so far.
    count: u64,
    /// The latest of them, at most `runs`.
    latest: VecDeque<(H, Time)>,
    /// What had come before each unfinished run, with the count at its first event; the oldest first.
    begun: VecDeque<(Partial<H>, u64)>,
}

/// A match that an event of a trailing missing stage may still spoil.
#[derive(Clone, Debug)]
struct Waiting<H> {
    completed: Completed<H>,
    /// Milliseconds: where the window begins that has to stay clear, and the last event.
    begins: i128,
    last: i128,
}

/// All that is open under one key.
#[derive(Clone, Debug)]
struct Open<H> {
    slots: Vec<Slot<H>>,
    /// For each missing stage, milliseconds of its latest event and of the latest before that millisecond.
    hits: Vec<(Option<i128>, Option<i128>)>,
    /// By last event, ascending.
    waiting: VecDeque<Waiting<H>>,
    /// How many times the key stands in `Machine::due`.
    due: u32,
}

/// One sequence at work.
#[derive(Debug)]
pub struct Machine<H> {
    rule: u32,
    groups: Vec<Group>,
    /// The missing stages.
    missing: Vec<u16>,
    /// Which of `missing` stand before and after all positive stages.
    leading: Vec<usize>,
    trailing: Vec<usize>,
    /// Whether each slot of a result is a missing event.
    gaps: Vec<bool>,
    until: u16,
    maxspan_ms: Option<i128>,
    open: HashMap<Key, Open<H>>,
    /// When each open key is to be looked at again, in nanoseconds; ascending.
    due: VecDeque<(i128, Key)>,
}

impl<H: Clone> Machine<H> {
    /// Nothing is pending.
    pub fn new(rule: u32, shape: &Shape) -> Self {
        let mut machine = Self {
            rule,
            groups: Vec::new(),
            missing: Vec::new(),
            leading: Vec::new(),
            trailing: Vec::new(),
            gaps: Vec::new(),
            until: shape.stages.len() as u16,
            maxspan_ms: shape.maxspan_ms.map(i128::from),
            open: HashMap::new(),
            due: VecDeque::new(),
        };
        // Missing stages since the last positive one.
        let mut since = Vec::new();
        for (number, stage) in shape.stages.iter().enumerate() {
            machine.gaps.extend(std::iter::repeat_n(stage.missing, stage.runs as usize));
            if stage.missing {
                since.push(machine.missing.len());
                machine.missing.push(number as u16);
                continue;
            }
            let before = std::mem::take(&mut since);
            let first = machine.groups.is_empty();
            let between = if first { Vec::new() } else { before.clone() };
            machine.groups.push(Group { stage: number as u16, runs: u64::from(stage.runs), between });
            if first {
                machine.leading = before;
            }
        }
        machine.trailing = since;
        machine
    }

    /// The next event, not before the last one. Matches that it completes, and those that it shows to be complete, go to `out`.
    pub fn push(&mut self, fit: Fit<H>, out: &mut Vec<Completed<H>>) {
        let Some(time) = fit.order.time else { return };
        self.let_go(time, out);
        // The last stage first, so that an event never follows itself.
        for group in (0..self.groups.len()).rev() {
            if fit.stages.contains(&self.groups[group].stage)
                && let Some(partial) = self.advance(group, &fit, time)
            {
                if group + 1 == self.groups.len() {
                    self.complete(partial, &fit, out);
                } else {
                    self.open(&fit.key, time).slots[group].filled = Some(partial);
                }
            }
        }
        for number in 0..self.missing.len() {
            if fit.stages.contains(&self.missing[number]) {
                self.hit(number, &fit.key, time, out);
            }
        }
        if fit.stages.contains(&self.until)
            && let Some(open) = self.open.get_mut(&fit.key)
        {
            open.slots.iter_mut().for_each(Slot::clear);
        }
        self.close(&fit.key);
    }

    /// Whether matches wait for events that must not come after them.
    pub fn waits(&self) -> bool {
        !self.trailing.is_empty()
    }

    /// No event before this time will come: matches that this shows to be complete go to `out`.
    pub fn pass(&mut self, now: Time, out: &mut Vec<Completed<H>>) {
        self.let_go(now, out);
    }

    /// What is open under a key, from now on at least empty.
    fn open(&mut self, key: &Key, now: Time) -> &mut Open<H> {
        if !self.open.contains_key(key) {
            let slots = self.groups.iter().map(|group| Slot::new(group.runs)).collect();
            let mut open =
                Open { slots, hits: vec![(None, None); self.missing.len()], waiting: VecDeque::new(), due: 0 };
            if let Some(maxspan) = self.maxspan_ms {
                open.due = 1;
                self.due.push_back((now.total_nanos() + maxspan * NANOS, key.clone()));
            }
            self.open.insert(key.clone(), open);
        }
        self.open.get_mut(key).expect("it was there or has been put there")
    }

    /// Forgets a key that nothing is open under. With maxspan that happens in `let_go`, which has the key in its list anyway.
    fn close(&mut self, key: &Key) {
        if self.maxspan_ms.is_none() && self.open.get(key).is_some_and(Open::is_empty) {
            self.open.remove(key);
        }
    }

    /// Whether maxspan is over for what began with an event, at a later time.
    fn is_over(&self, begin: Time, now: Time) -> bool {
        self.maxspan_ms.is_some_and(|maxspan| now.total_nanos() - begin.total_nanos() > maxspan * NANOS)
    }

    /// Lets go what no event from now on can complete.
    fn let_go(&mut self, now: Time, out: &mut Vec<Completed<H>>) {
        let Some(maxspan) = self.maxspan_ms else { return };
        let nanos = now.total_nanos();
        while self.due.front().is_some_and(|(due, _)| *due < nanos) {
            let Some((_, key)) = self.due.pop_front() else { return };
            let Some(mut open) = self.open.remove(&key) else { continue };
            open.due -= 1;
            open.slots.iter_mut().for_each(|slot| slot.let_go(nanos - maxspan * NANOS));
            open.let_go(now.milliseconds() - maxspan, out);
            if open.due == 0 && !open.is_empty() {
                open.due = 1;
                self.due.push_back((nanos + maxspan * NANOS, key.clone()));
            }
            if open.due > 0 {
                self.open.insert(key, open);
            }
        }
    }

    /// The match up to this stage that the event makes of what waits for it, if anything does.
    fn advance(&mut self, group: usize, fit: &Fit<H>, now: Time) -> Option<Partial<H>> {
        let before = if group == 0 {
            let leading = self.open.get(&fit.key).and_then(|open| open.latest(&self.leading, now.milliseconds()));
            Some(Partial { events: Vec::new(), leading, spoilt: false })
        } else {
            let waiting = self.open.get_mut(&fit.key)?.slots[group - 1].filled.take();
            waiting.and_then(|partial| self.followed(partial, group, &fit.key, now))
        };
        let runs = self.groups[group].runs;
        let mut partial = if runs == 1 {
            let mut partial = before?;
            partial.events.push((fit.handle.clone(), now));
            partial
        } else {
            if before.is_none() && !self.open.contains_key(&fit.key) {
                return None;
            }
            let run = self.open(&fit.key, now).slots[group].run.as_mut()?;
            run.advance(runs, (fit.handle.clone(), now), before)?
        };
        let begin = partial.events.first()?.1;
        partial.events.shrink_to_fit();
        (!self.is_over(begin, now)).then_some(partial)
    }

    /// The match, if an event of now can follow; spoilt where one came before it that must be missing.
    fn followed(&self, mut partial: Partial<H>, group: usize, key: &Key, now: Time) -> Option<Partial<H>> {
        let (begin, last) = (partial.events.first()?.1, partial.events.last()?.1);
        if self.is_over(begin, now) {
            return None;
        }
        let latest = self.open.get(key).and_then(|open| open.latest(&self.groups[group].between, now.milliseconds()));
        partial.spoilt |= latest.is_some_and(|hit| hit > last.milliseconds());
        Some(partial)
    }

    /// Every stage is filled: a result, unless events are there, or may come, that must be missing.
    fn complete(&mut self, partial: Partial<H>, fit: &Fit<H>, out: &mut Vec<Completed<H>>) {
        let (Some((_, first)), Some((_, last)), false) =
            (partial.events.first(), partial.events.last(), partial.spoilt)
        else {
            return;
        };
        let (first, last_time) = (first.milliseconds(), *last);
        let last = last_time.milliseconds();
        let completed = self.completed(partial.events, &fit.key, &fit.order);
        let begins = if self.leading.is_empty() { Some(first) } else { partial.leading };
        match (begins, self.maxspan_ms) {
            (Some(begins), Some(maxspan)) if !self.trailing.is_empty() && last - begins <= maxspan => {
                // An event long after decides as well.
                let due = last_time.total_nanos() + (maxspan + 1) * NANOS;
                let open = self.open(&fit.key, last_time);
                open.waiting.push_back(Waiting { completed, begins, last });
                open.due += 1;
                self.due.push_back((due, fit.key.clone()));
            }
            (Some(begins), Some(maxspan)) if !self.leading.is_empty() && last - begins <= maxspan => {}
            _ => out.push(completed),
        }
    }

    fn completed(&self, events: Vec<(H, Time)>, key: &Key, last: &Order) -> Completed<H> {
        let mut rest = events.into_iter().map(|(handle, _)| handle);
        let events = self.gaps.iter().map(|gap| if *gap { None } else { rest.next() }).collect();
        Completed { rule: self.rule, key: key.clone(), events, last: last.clone() }
    }

    /// An event that a missing stage looks for.
    fn hit(&mut self, number: usize, key: &Key, now: Time, out: &mut Vec<Completed<H>>) {
        let (maxspan, trailing) = (self.maxspan_ms, self.trailing.contains(&number));
        let open = self.open(key, now);
        let now = now.milliseconds();
        if trailing {
            // Each match is decided by the first such event after it.
            while open.waiting.front().is_some_and(|waiting| waiting.last < now) {
                let Some(waiting) = open.waiting.pop_front() else { break };
                if maxspan.is_none_or(|maxspan| now - waiting.begins > maxspan) {
                    out.push(waiting.completed);
                }
            }
        }
        let (latest, before) = &mut open.hits[number];
        if *latest != Some(now) {
            *before = latest.replace(now);
        }
    }

    /// No more events: what nothing has spoilt is complete. Nothing is pending afterwards.
    pub fn finish(&mut self, out: &mut Vec<Completed<H>>) {
        self.due.clear();
        let mut open: Vec<(Key, Open<H>)> = self.open.drain().filter(|(_, open)| !open.waiting.is_empty()).collect();
        open.sort_unstable_by(|one, two| one.0.cmp(&two.0));
        for (_, open) in open {
            out.extend(open.waiting.into_iter().map(|waiting| waiting.completed));
        }
    }
}

/// In a millisecond.
const NANOS: i128 = 1_000_000;

impl<H> Slot<H> {
    fn new(runs: u64) -> Self {
        let run = Run { count: 0, latest: VecDeque::new(), begun: VecDeque::new() };
        Self { filled: None, run: (runs > 1).then(|| Box::new(run)) }
    }

    fn clear(&mut self) {
        self.filled = None;
        if let Some(run) = &mut self.run {
            run.begun.clear();
            run.latest.clear();
        }
    }

    /// Drops what began before a time (in nanoseconds).
    fn let_go(&mut self, before: i128) {
        let is_old = |event: Option<&(H, Time)>| event.is_some_and(|(_, time)| time.total_nanos() < before);
        if self.filled.as_ref().is_some_and(|partial| is_old(partial.events.first())) {
            self.filled = None;
        }
        let Some(run) = &mut self.run else { return };
        let first = run.count + 1 - run.latest.len() as u64;
        let Run { begun, latest, .. } = &mut **run;
        begun.retain(|(partial, since)| {
            let own = || since.checked_sub(first).and_then(|at| latest.get(at as usize));
            !is_old(partial.events.first().or_else(own))
        });
        if begun.is_empty() {
            latest.clear();
        }
    }

    fn is_empty(&self) -> bool {
        self.filled.is_none() && self.run.as_ref().is_none_or(|run| run.begun.is_empty())
    }
}

impl<H: Clone> Run<H> {
    /// One more event, with what had come before it if it begins a run. Gives the match whose run is full with it.
    fn advance(&mut self, runs: u64, event: (H, Time), before: Option<Partial<H>>) -> Option<Partial<H>> {
        self.count += 1;
        if let Some(partial) = before {
            self.begun.push_back((partial, self.count));
        }
        if self.begun.is_empty() {
            return None;
        }
        self.latest.push_back(event);
        if self.latest.len() as u64 > runs {
            self.latest.pop_front();
        }
        if self.begun.front().is_none_or(|(_, since)| self.count + 1 - since < runs) {
            return None;
        }
        let (mut partial, _) = self.begun.pop_front()?;
        partial.events.extend(self.latest.iter().cloned());
        if self.begun.is_empty() {
            self.latest.clear();
        }
        Some(partial)
    }
}

impl<H> Open<H> {
    /// Milliseconds of the latest event before a time that any of these missing stages looks for.
    fn latest(&self, missing: &[usize], now: i128) -> Option<i128> {
        let before = |number: &usize| {
            let (latest, before) = self.hits[*number];
            if latest.is_some_and(|hit| hit < now) { latest } else { before }
        };
        missing.iter().filter_map(before).max()
    }

    /// Gives what no event from a time on can spoil, and forgets hits before it. The time is maxspan ago, in milliseconds.
    fn let_go(&mut self, before: i128, out: &mut Vec<Completed<H>>) {
        while self.waiting.front().is_some_and(|waiting| waiting.begins < before) {
            out.extend(self.waiting.pop_front().map(|waiting| waiting.completed));
        }
        for (latest, earlier) in &mut self.hits {
            *latest = latest.filter(|hit| *hit >= before);
            *earlier = earlier.filter(|hit| *hit >= before);
        }
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty()
            && self.hits.iter().all(|(latest, _)| latest.is_none())
            && self.slots.iter().all(Slot::is_empty)
    }
}
