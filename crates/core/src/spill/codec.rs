//! How records are written: numbers of eight bytes, and texts with their length before them.

use std::io;

/// Something that can be written to disk and read again.
pub trait Record: Sized {
    /// Appends it.
    fn write(&self, out: &mut Vec<u8>);
    /// Reads what `write` has written.
    fn read(from: &mut Taken<'_>) -> io::Result<Self>;
    /// About how many bytes it takes in memory.
    fn size(&self) -> usize;
}

/// Appends a number.
pub fn put_number(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&number.to_le_bytes());
}

/// Appends bytes of any number.
pub fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_number(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// The rest of a record that is being read.
#[derive(Debug)]
pub struct Taken<'b>(pub &'b [u8]);

impl<'b> Taken<'b> {
    /// See [`put_number`].
    pub fn number(&mut self) -> io::Result<u64> {
        let (number, rest) = self.0.split_first_chunk().ok_or_else(damaged)?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*number))
    }

    /// See [`put_bytes`].
    pub fn bytes(&mut self) -> io::Result<&'b [u8]> {
        let length = usize::try_from(self.number()?).map_err(|_| damaged())?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or_else(damaged)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// Bytes that were a text.
    pub fn text(&mut self) -> io::Result<&'b str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| damaged())
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a temporary file does not hold what was written to it")
}
