//! The matches of a query of events, until all are known: no more than can be among the results, and on disk what does not fit.

use super::held::Held;
use super::options::{Position, ScanOptions};
use super::write::Writer;
use crate::plan::{Pipe, PipeKind};
use crate::sequences::Order;
use crate::spill::{Record, Sorter, Store, Taken, put_number};
use std::io;
use std::ops::Range;

/// Up to so many results of a limit are picked out as they come; of more, all matches are kept.
const PICKED: usize = 10_000;

/// The matches that are on disk.
#[derive(Debug)]
struct Spilled {
    orders: Sorter<Place>,
    events: Store<Held>,
}

#[derive(Debug)]
pub(super) struct Matches {
    limit: usize,
    limits: Vec<(PipeKind, usize)>,
    held: Vec<(Order, Held)>,
    size: usize,
    spilled: Option<Spilled>,
}

impl Matches {
    pub(super) fn new(options: &ScanOptions, pipes: &[Pipe], limit: usize) -> Self {
        Self { limit, limits: limits(options, pipes), held: Vec::new(), size: 0, spilled: None }
    }

    pub(super) fn push(&mut self, order: Order, held: Held) -> io::Result<()> {
        if let Some(spilled) = &mut self.spilled {
            return spilled.push(order, &held);
        }
        self.size += held.size() + order.size();
        self.held.push((order, held));
        let picked = self.limits.first().map(|(_, count)| *count).filter(|count| *count <= PICKED);
        let full = self.size > self.limit;
        if let Some(count) = picked
            && (full || self.held.len() > 2 * count + 64)
        {
            self.pick();
        }
        if full && self.size > self.limit / 2 { self.spill() } else { Ok(()) }
    }

    /// Drops what the first limit leaves out already.
    fn pick(&mut self) {
        self.held.sort_by(|one, two| one.0.cmp(&two.0));
        let kept = window(self.held.len() as u64, &self.limits[..1]);
        self.held.truncate(kept.end as usize);
        self.held.drain(..kept.start as usize);
        self.size = self.held.iter().map(|(order, held)| held.size() + order.size()).sum();
    }

    fn spill(&mut self) -> io::Result<()> {
        let mut spilled = Spilled {
            orders: Sorter::new(self.limit / 2, |one: &Place, two| one.order.cmp(&two.order)),
            events: Store::new(self.limit / 2),
        };
        for (order, held) in std::mem::take(&mut self.held) {
            spilled.push(order, &held)?;
        }
        self.spilled = Some(spilled);
        Ok(())
    }

    /// Writes the results; gives how many they are.
    pub(super) fn write(mut self, out: &mut Writer<'_>) -> io::Result<u64> {
        let Some(mut spilled) = self.spilled.take() else {
            self.held.sort_by(|one, two| one.0.cmp(&two.0));
            let kept = window(self.held.len() as u64, &self.limits);
            for (_, held) in &self.held[kept.start as usize..kept.end as usize] {
                out.event(held);
            }
            return Ok(kept.end - kept.start);
        };
        let kept = window(spilled.orders.len(), &self.limits);
        let sorted = spilled.orders.finish()?;
        for place in sorted.skip(kept.start as usize).take((kept.end - kept.start) as usize) {
            out.event(&spilled.events.get(place?.number)?);
        }
        Ok(kept.end - kept.start)
    }
}

impl Spilled {
    fn push(&mut self, order: Order, held: &Held) -> io::Result<()> {
        let number = self.events.add(held)?;
        self.orders.push(Place { order, number })
    }
}

/// Where a match stands, and where its event is kept.
#[derive(Debug)]
struct Place {
    order: Order,
    number: u64,
}

impl Record for Place {
    fn write(&self, out: &mut Vec<u8>) {
        self.order.write(out);
        put_number(self.number, out);
    }

    fn read(from: &mut Taken<'_>) -> io::Result<Self> {
        Ok(Self { order: Order::read(from)?, number: from.number()? })
    }

    fn size(&self) -> usize {
        self.order.size() + 8
    }
}

/// The limits of a query, in turn: the size first, from the end that the first pipe names, then each pipe.
pub(super) fn limits(options: &ScanOptions, pipes: &[Pipe]) -> Vec<(PipeKind, usize)> {
    let position = if options.result_position == Position::Head { PipeKind::Head } else { PipeKind::Tail };
    let size = options.size.map(|size| (pipes.first().map_or(position, |pipe| pipe.kind), size));
    let pipe = |pipe: &Pipe| (pipe.kind, usize::try_from(pipe.count).unwrap_or(usize::MAX));
    size.into_iter().chain(pipes.iter().map(pipe)).collect()
}

/// Which of so many results, in order, the limits leave.
pub(super) fn window(count: u64, limits: &[(PipeKind, usize)]) -> Range<u64> {
    limits.iter().fold(0..count, |left, (kind, most)| {
        let most = (left.end - left.start).min(*most as u64);
        match kind {
            PipeKind::Head => left.start..left.start + most,
            PipeKind::Tail => left.end - most..left.end,
        }
    })
}
