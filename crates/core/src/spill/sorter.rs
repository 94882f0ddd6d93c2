//! External merge sort: sorted runs on disk beyond a limit, merged when all is known. Equal records keep the order in which they came.

use super::codec::{Record, Taken};
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;

type Compare<T> = fn(&T, &T) -> Ordering;

/// Takes records, and gives them back in order.
#[derive(Debug)]
pub struct Sorter<T> {
    compare: Compare<T>,
    limit: usize,
    held: Vec<T>,
    size: usize,
    count: u64,
    file: Option<File>,
    runs: Vec<Range<u64>>,
}

impl<T: Record> Sorter<T> {
    /// Holds about `limit` bytes in memory.
    pub fn new(limit: usize, compare: Compare<T>) -> Self {
        Self { compare, limit, held: Vec::new(), size: 0, count: 0, file: None, runs: Vec::new() }
    }

    /// How many records were taken.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes a record.
    pub fn push(&mut self, record: T) -> io::Result<()> {
        self.count += 1;
        self.size += record.size();
        self.held.push(record);
        if self.size > self.limit { self.spill() } else { Ok(()) }
    }

    /// Drops records that are not wanted. Those on disk stay.
    pub fn retain(&mut self, wanted: impl FnMut(&T) -> bool) {
        self.held.retain(wanted);
        self.size = self.held.iter().map(Record::size).sum();
    }

    fn spill(&mut self) -> io::Result<()> {
        self.held.sort_by(self.compare);
        let start = self.runs.last().map_or(0, |run| run.end);
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(super::temporary_file()?),
        };
        let mut writer = BufWriter::with_capacity(1 << 16, file);
        let (mut bytes, mut end) = (Vec::new(), start);
        for record in self.held.drain(..) {
            bytes.clear();
            bytes.extend_from_slice(&[0; 8]);
            record.write(&mut bytes);
            let length = bytes.len() as u64 - 8;
            bytes[..8].copy_from_slice(&length.to_le_bytes());
            writer.write_all(&bytes)?;
            end += bytes.len() as u64;
        }
        writer.flush()?;
        self.runs.push(start..end);
        self.size = 0;
        Ok(())
    }

    /// All records, in order.
    pub fn finish(mut self) -> io::Result<Sorted<T>> {
        if self.runs.is_empty() {
            self.held.sort_by(self.compare);
            return Ok(Sorted::Memory(self.held.into_iter()));
        }
        if !self.held.is_empty() {
            self.spill()?;
        }
        self.held = Vec::new();
        let buffer = (self.limit / self.runs.len()).clamp(4 << 10, 64 << 10);
        let mut merge = Merge {
            compare: self.compare,
            runs: self.runs.into_iter().map(|left| Run { left, read: Vec::new(), at: 0, buffer }).collect(),
            file: self.file.ok_or(io::ErrorKind::NotFound)?,
            heads: BinaryHeap::new(),
        };
        for run in 0..merge.runs.len() {
            merge.advance(run)?;
        }
        Ok(Sorted::Disk(merge))
    }
}

/// Records in order.
#[derive(Debug)]
pub enum Sorted<T> {
    /// All fitted into memory.
    Memory(std::vec::IntoIter<T>),
    /// Merged from disk.
    Disk(Merge<T>),
}

impl<T: Record> Iterator for Sorted<T> {
    type Item = io::Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Sorted::Memory(records) => records.next().map(Ok),
            Sorted::Disk(merge) => merge.next(),
        }
    }
}

/// The runs of one file, merged.
#[derive(Debug)]
pub struct Merge<T> {
    compare: Compare<T>,
    file: File,
    runs: Vec<Run>,
    heads: BinaryHeap<Head<T>>,
}

impl<T: Record> Merge<T> {
    fn next(&mut self) -> Option<io::Result<T>> {
        let head = self.heads.pop()?;
        Some(self.advance(head.run).map(|()| head.record))
    }

    fn advance(&mut self, number: usize) -> io::Result<()> {
        if let Some(record) = self.runs[number].next(&mut self.file)? {
            self.heads.push(Head { record, run: number, compare: self.compare });
        }
        Ok(())
    }
}

/// A sorted stretch of the file, read piece by piece.
#[derive(Debug)]
struct Run {
    left: Range<u64>,
    read: Vec<u8>,
    at: usize,
    buffer: usize,
}

impl Run {
    fn next<T: Record>(&mut self, file: &mut File) -> io::Result<Option<T>> {
        if self.at == self.read.len() && self.left.is_empty() {
            return Ok(None);
        }
        self.need(8, file)?;
        let length = Taken(&self.read[self.at..]).number()? as usize;
        self.need(8 + length, file)?;
        let bytes = Taken(&self.read[self.at..]).bytes()?;
        self.at += 8 + length;
        T::read(&mut Taken(bytes)).map(Some)
    }

    /// Reads on until so many bytes are there.
    fn need(&mut self, bytes: usize, file: &mut File) -> io::Result<()> {
        let there = self.read.len() - self.at;
        if there >= bytes {
            return Ok(());
        }
        self.read.drain(..self.at);
        self.at = 0;
        let left = usize::try_from(self.left.end - self.left.start).unwrap_or(usize::MAX);
        let wanted = (bytes - there).max(self.buffer).min(left);
        self.read.resize(there + wanted, 0);
        file.seek(SeekFrom::Start(self.left.start))?;
        file.read_exact(&mut self.read[there..])?;
        self.left.start += wanted as u64;
        Ok(())
    }
}

/// The first record of a run; the heap gives the greatest first, so the order is turned round.
#[derive(Debug)]
struct Head<T> {
    record: T,
    run: usize,
    compare: Compare<T>,
}

impl<T> Ord for Head<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.compare)(&other.record, &self.record).then_with(|| other.run.cmp(&self.run))
    }
}

impl<T> PartialOrd for Head<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Head<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Head<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spill::{put_bytes, put_number};

    #[derive(Debug, PartialEq)]
    struct Pair(u64, Vec<u8>);

    impl Record for Pair {
        fn write(&self, out: &mut Vec<u8>) {
            put_number(self.0, out);
            put_bytes(&self.1, out);
        }

        fn read(from: &mut Taken<'_>) -> io::Result<Self> {
            Ok(Self(from.number()?, from.bytes()?.to_vec()))
        }

        fn size(&self) -> usize {
            self.1.len() + 32
        }
    }

    fn sorted(limit: usize) -> Vec<Pair> {
        let mut sorter = Sorter::new(limit, |one: &Pair, two: &Pair| one.0.cmp(&two.0));
        let mut state = 1_u64;
        for number in 0..2_000_u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let text = vec![b'x'; (state >> 40) as usize % if number % 500 == 0 { 100_000 } else { 20 }];
            sorter.push(Pair(state >> 56, [&number.to_le_bytes()[..], &text].concat())).unwrap();
        }
        sorter.finish().unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn the_limit_changes_nothing_and_equal_records_keep_their_order() {
        let memory = sorted(usize::MAX);
        assert!(memory.windows(2).all(|pair| pair[0].0 <= pair[1].0));
        for limit in [0, 1_000, 50_000] {
            assert!(sorted(limit) == memory, "limit {limit}");
        }
    }
}
