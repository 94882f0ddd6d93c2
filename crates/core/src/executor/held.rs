//! Events that are kept until all are known, and how they are written to disk.

use super::work::Kept;
use crate::spill::{Record, Taken, put_bytes, put_number};
use std::io;

/// A kept event with its place in the whole input.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub document: Box<str>,
    pub identity: String,
    pub time: Option<String>,
    /// Number of its file.
    pub file: usize,
    pub record: u64,
    pub offset: u64,
    /// Number of the event among all, from 0.
    pub arrival: u64,
}

impl Held {
    /// `records` and `arrivals` came before the event's chunk, in its file and in all.
    pub(super) fn new(kept: Kept, file: usize, records: u64, arrivals: u64) -> Self {
        Self {
            document: kept.document,
            identity: kept.identity,
            time: kept.time,
            file,
            record: kept.record + records,
            offset: kept.offset,
            arrival: kept.arrival + arrivals,
        }
    }
}

impl Record for Held {
    fn write(&self, out: &mut Vec<u8>) {
        put_bytes(self.document.as_bytes(), out);
        put_bytes(self.identity.as_bytes(), out);
        put_number(u64::from(self.time.is_some()), out);
        put_bytes(self.time.as_deref().unwrap_or_default().as_bytes(), out);
        [self.file as u64, self.record, self.offset, self.arrival].iter().for_each(|number| put_number(*number, out));
    }

    fn read(from: &mut Taken<'_>) -> io::Result<Self> {
        let (document, identity) = (from.text()?.into(), from.text()?.to_owned());
        let timed = from.number()? == 1;
        let time = Some(from.text()?.to_owned()).filter(|_| timed);
        let file = from.number()? as usize;
        let (record, offset, arrival) = (from.number()?, from.number()?, from.number()?);
        Ok(Self { document, identity, time, file, record, offset, arrival })
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.document.len() + self.identity.len() + self.time.as_ref().map_or(0, String::len) + 48
    }
}
