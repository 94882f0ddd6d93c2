//! How candidates and matches are written to disk.

use super::{Completed, Fit, Key, Order, Time};
use crate::spill::{Record, Taken, put_bytes, put_number};
use std::io;

impl Record for Order {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.time.is_some()) | u8::from(self.tiebreaker.is_some()) << 1);
        if let Some(time) = self.time {
            put_number(time.seconds as u64, out);
            put_number(u64::from(time.nanos), out);
        }
        if let Some(tiebreaker) = &self.tiebreaker {
            put_bytes(&tiebreaker.0, out);
        }
        put_number(self.arrival, out);
    }

    fn read(from: &mut Taken<'_>) -> io::Result<Self> {
        let flags = from.0.first().copied().unwrap_or_default();
        from.0 = from.0.get(1..).unwrap_or_default();
        let mut time = None;
        if flags & 1 != 0 {
            time = Some(Time { seconds: from.number()? as i64, nanos: from.number()? as u32 });
        }
        let tiebreaker = if flags & 2 == 0 { None } else { Some(Key(from.bytes()?.into())) };
        Ok(Self { time, tiebreaker, arrival: from.number()? })
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.tiebreaker.as_ref().map_or(0, |key| key.0.len() + 16)
    }
}

impl Record for Fit<u64> {
    fn write(&self, out: &mut Vec<u8>) {
        put_number(u64::from(self.rule), out);
        put_bytes(&self.key.0, out);
        self.order.write(out);
        put_number(self.handle, out);
        put_number(self.stages.len() as u64, out);
        self.stages.iter().for_each(|stage| out.extend_from_slice(&stage.to_le_bytes()));
    }

    fn read(from: &mut Taken<'_>) -> io::Result<Self> {
        let rule = from.number()? as u32;
        let key = Key(from.bytes()?.into());
        let order = Order::read(from)?;
        let handle = from.number()?;
        let count = from.number()? as usize;
        let stages = from.0.chunks_exact(2).take(count).map(|two| u16::from_le_bytes([two[0], two[1]])).collect();
        from.0 = from.0.get(count * 2..).unwrap_or_default();
        Ok(Self { rule, key, order, handle, stages })
    }

    fn size(&self) -> usize {
        // The boxes' own overhead is counted as well.
        size_of::<Self>() + self.order.size() + self.key.0.len() + self.stages.len() * 2 + 32
    }
}

impl Record for Completed<u64> {
    fn write(&self, out: &mut Vec<u8>) {
        put_number(u64::from(self.rule), out);
        put_bytes(&self.key.0, out);
        self.last.write(out);
        put_number(self.events.len() as u64, out);
        self.events.iter().for_each(|event| put_number(event.map_or(0, |handle| handle + 1), out));
    }

    fn read(from: &mut Taken<'_>) -> io::Result<Self> {
        let rule = from.number()? as u32;
        let key = Key(from.bytes()?.into());
        let last = Order::read(from)?;
        let count = from.number()?;
        let events = (0..count).map(|_| from.number().map(|handle| handle.checked_sub(1)));
        Ok(Self { rule, key, events: events.collect::<io::Result<_>>()?, last })
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.last.size() + self.key.0.len() + self.events.len() * 16 + 32
    }
}
