//! The sequence machine against a slow one that unrolls runs, forgets nothing and decides all at the end; and its speed.

use contraband_core::plan::Kind;
use contraband_core::program::{Shape, StageShape};
use contraband_core::sequences::{Completed, Fit, Key, Machine, Order, Time};
use std::time::Instant;

/// A generator of numbers that are the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn shape(stages: &[(bool, u32)], until: bool, maxspan_ms: Option<u64>) -> Shape {
    let stage = |missing, runs| StageShape { keys: Vec::new(), missing, runs };
    Shape {
        id: "rule".into(),
        kind: Kind::Sequence,
        timestamp: Some(0),
        tiebreaker: None,
        stages: stages.iter().map(|(missing, runs)| stage(*missing, *runs)).collect(),
        until: until.then(|| stage(false, 1)),
        maxspan_ms,
        pipes: Vec::new(),
    }
}

fn fit(number: u64, nanos: i128, stages: Vec<u16>) -> Fit<u64> {
    let time = Time { seconds: nanos.div_euclid(1_000_000_000) as i64, nanos: nanos.rem_euclid(1_000_000_000) as u32 };
    let order = Order { time: Some(time), tiebreaker: None, arrival: number };
    Fit { rule: 0, key: Key::default(), order, handle: number, stages }
}

type Result = Vec<Option<u64>>;

fn by_machine(shape: &Shape, fits: &[Fit<u64>]) -> Vec<Result> {
    let mut machine = Machine::new(0, shape);
    let mut out: Vec<Completed<u64>> = Vec::new();
    fits.iter().for_each(|fit| machine.push(fit.clone(), &mut out));
    machine.finish(&mut out);
    out.sort_by(|one, two| one.last.cmp(&two.last));
    out.into_iter().map(|found| found.events).collect()
}

/// `EQL.md` §8.1 and §8.3, word for word.
fn by_hand(shape: &Shape, fits: &[Fit<u64>]) -> Vec<Result> {
    let slots: Vec<(u16, bool)> = shape
        .stages
        .iter()
        .enumerate()
        .flat_map(|(number, stage)| std::iter::repeat_n((number as u16, stage.missing), stage.runs as usize))
        .collect();
    let positive: Vec<u16> = slots.iter().filter(|slot| !slot.1).map(|slot| slot.0).collect();
    let nanos = |number: u64| fits[number as usize].order.time.expect("all have a time").total_nanos();
    let mut pending: Vec<Option<Vec<u64>>> = vec![None; positive.len()];
    let mut found = Vec::new();
    for fit in fits {
        for slot in (0..positive.len()).rev() {
            if !fit.stages.contains(&positive[slot]) {
                continue;
            }
            let before = if slot == 0 { Some(Vec::new()) } else { pending[slot - 1].take() };
            let Some(mut events) = before else { continue };
            events.push(fit.handle);
            if shape.maxspan_ms.is_some_and(|span| nanos(fit.handle) - nanos(events[0]) > i128::from(span) * 1_000_000)
            {
                continue;
            }
            if slot + 1 == positive.len() { found.push(events) } else { pending[slot] = Some(events) }
        }
        if fit.stages.contains(&(shape.stages.len() as u16)) {
            pending.fill(None);
        }
    }
    let millis = |number: u64| nanos(number).div_euclid(1_000_000);
    let hits = |stage: u16| fits.iter().filter(move |fit| fit.stages.contains(&stage)).map(|fit| millis(fit.handle));
    let keeps = |events: &Vec<u64>| {
        let (first, last) = (millis(events[0]), millis(events[events.len() - 1]));
        let (mut filled, mut leading, mut trailing) = (0, None::<i128>, None::<i128>);
        for (stage, missing) in &slots {
            if !missing {
                filled += 1;
            } else if filled == 0 {
                leading = leading.max(hits(*stage).filter(|hit| *hit < first).max());
            } else if filled == events.len() {
                let after = hits(*stage).filter(|hit| *hit > last).min();
                trailing = [trailing, after].into_iter().flatten().min();
            } else {
                let (low, high) = (millis(events[filled - 1]), millis(events[filled]));
                if hits(*stage).any(|hit| low < hit && hit < high) {
                    return false;
                }
            }
        }
        let (begins, ends) = (slots[0].1, slots[slots.len() - 1].1);
        let earliest = if begins { leading } else { Some(first) };
        let latest = if ends { trailing } else { Some(last) };
        match (earliest, latest, shape.maxspan_ms) {
            (Some(earliest), Some(latest), Some(span)) if begins || ends => latest - earliest > i128::from(span),
            _ => true,
        }
    };
    let full = |events: Vec<u64>| {
        let mut rest = events.into_iter();
        slots.iter().map(|slot| if slot.1 { None } else { rest.next() }).collect()
    };
    found.into_iter().filter(keeps).map(full).collect()
}

#[test]
fn runs_missing_events_and_maxspan_are_as_if_all_were_kept() {
    let (mut results, mut spoilt) = (0, 0);
    for seed in 0..60_000 {
        let mut dice = Dice(seed);
        let maxspan = (dice.below(3) > 0).then(|| dice.below(12) + 1);
        let mut stages: Vec<(bool, u32)> = (0..=dice.below(4))
            .map(|_| {
                let runs = if dice.below(3) == 0 { dice.below(4) + 1 } else { 1 };
                (maxspan.is_some() && dice.below(5) < 2, runs as u32)
            })
            .collect();
        if stages.iter().all(|stage| stage.0) {
            stages.push((false, 2));
        }
        let until = dice.below(3) == 0;
        let shape = shape(&stages, until, maxspan);
        let mut nanos = -3_000_000;
        let fits: Vec<Fit<u64>> = (0..dice.below(40) + 3)
            .map(|number| {
                nanos +=
                    i128::from([0, 0, 400_000, 1_000_000, 1_000_000, 2_500_000, 7_000_000][dice.below(7) as usize]);
                let mut meets: Vec<u16> = (0..stages.len() as u16).filter(|_| dice.below(5) < 2).collect();
                if until && dice.below(12) == 0 {
                    meets.push(stages.len() as u16);
                }
                fit(number, nanos, meets)
            })
            .collect();
        let expected = by_hand(&shape, &fits);
        assert_eq!(by_machine(&shape, &fits), expected, "seed {seed}: {stages:?} {maxspan:?} {fits:?}");
        results += expected.len();
        spoilt += usize::from(stages.iter().any(|stage| stage.0) && !expected.is_empty());
    }
    assert!(results > 50_000 && spoilt > 5_000, "the cases must find something: {results}, {spoilt}");
}

/// Seconds for so many events of one key, each of which meets every stage.
fn seconds(shape: &Shape, events: u64) -> f64 {
    let meets: Vec<u16> = (0..shape.stages.len() as u16).collect();
    let mut machine = Machine::new(0, shape);
    let (mut out, mut found) = (Vec::new(), 0);
    let began = Instant::now();
    for number in 0..events {
        machine.push(fit(number, i128::from(number) * 1_000_000, meets.clone()), &mut out);
        found += out.drain(..).count();
    }
    machine.finish(&mut out);
    println!("{events} events: {} results in {:.2} s", found + out.len(), began.elapsed().as_secs_f64());
    began.elapsed().as_secs_f64()
}

/// `cargo test --release --test sequences -- --ignored --nocapture` prints the figures.
#[test]
#[ignore = "measures time: run it alone"]
fn time_grows_with_the_number_of_events() {
    let shapes = [
        shape(&[(false, 1), (false, 1), (false, 1)], false, None),
        shape(&[(false, 1), (false, 1), (false, 1)], false, Some(3_600_000)),
        shape(&[(false, 100), (false, 1)], false, Some(86_400_000)),
        shape(&[(true, 1), (false, 1), (true, 1), (false, 1), (true, 1)], false, Some(60_000)),
    ];
    for shape in shapes {
        println!("{} stages, runs {}, maxspan {:?}", shape.stages.len(), shape.stages[0].runs, shape.maxspan_ms);
        let (few, many) = (seconds(&shape, 100_000), seconds(&shape, 1_000_000));
        assert!(many < few * 20.0, "ten times the events took {:.0} times as long", many / few);
    }
}
