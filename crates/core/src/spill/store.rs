//! Records that are kept by place: in memory up to a limit, beyond it on disk.

use super::codec::{Record, Taken};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::marker::PhantomData;

/// Takes records, and gives them back by the number that it gave out.
#[derive(Debug)]
pub struct Store<T> {
    limit: usize,
    /// The latest records; those before are in the file.
    latest: Vec<u8>,
    /// Bytes in the file.
    written: u64,
    file: Option<File>,
    records: PhantomData<T>,
}

impl<T: Record> Store<T> {
    /// Keeps up to `limit` bytes in memory.
    pub fn new(limit: usize) -> Self {
        Self { limit, latest: Vec::new(), written: 0, file: None, records: PhantomData }
    }

    /// Keeps a record.
    pub fn add(&mut self, record: &T) -> io::Result<u64> {
        let place = self.latest.len();
        self.latest.extend_from_slice(&[0; 8]);
        record.write(&mut self.latest);
        let length = (self.latest.len() - place - 8) as u64;
        self.latest[place..place + 8].copy_from_slice(&length.to_le_bytes());
        let number = self.written + place as u64;
        if self.latest.len() > self.limit {
            self.spill()?;
        }
        Ok(number)
    }

    fn spill(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(super::temporary_file()?),
        };
        file.seek(SeekFrom::Start(self.written))?;
        file.write_all(&self.latest)?;
        self.written += self.latest.len() as u64;
        self.latest.clear();
        self.latest.shrink_to(self.limit);
        Ok(())
    }

    /// The record of a number that `add` has given.
    pub fn get(&mut self, number: u64) -> io::Result<T> {
        if let Some(place) = number.checked_sub(self.written) {
            let mut rest = Taken(self.latest.get(place as usize..).unwrap_or_default());
            return T::read(&mut Taken(rest.bytes()?));
        }
        let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
        file.seek(SeekFrom::Start(number))?;
        let mut length = [0; 8];
        file.read_exact(&mut length)?;
        let mut bytes = vec![0; u64::from_le_bytes(length) as usize];
        file.read_exact(&mut bytes)?;
        T::read(&mut Taken(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spill::put_number;

    struct Number(u64);

    impl Record for Number {
        fn write(&self, out: &mut Vec<u8>) {
            put_number(self.0, out);
        }

        fn read(from: &mut Taken<'_>) -> io::Result<Self> {
            from.number().map(Self)
        }

        fn size(&self) -> usize {
            8
        }
    }

    #[test]
    fn records_come_back_from_memory_and_disk() {
        for limit in [0, 40, 1 << 20] {
            let mut store = Store::new(limit);
            let places: Vec<u64> = (0..100).map(|number| store.add(&Number(number)).unwrap()).collect();
            for (number, place) in places.iter().enumerate().rev() {
                assert_eq!(store.get(*place).unwrap().0, number as u64);
            }
        }
    }
}
