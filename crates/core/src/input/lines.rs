//! A stream cut into chunks of whole lines, with bounded memory.

use std::io::{self, Read};

/// Cuts a stream. A line longer than the limit is dropped, and said so.
pub struct LineReader {
    reader: Box<dyn Read + Send>,
    read_size: usize,
    max_line: usize,
    /// Read, but not given out: an unfinished line.
    carry: Vec<u8>,
    /// Of `carry`'s first byte.
    offset: u64,
    ended: bool,
}

/// One piece of a stream.
#[derive(Debug, PartialEq, Eq)]
pub struct Lines {
    /// Whole lines; the last may lack its line break at the end of the stream.
    pub bytes: Vec<u8>,
    /// Offset of the first byte.
    pub offset: u64,
    /// After these lines came one longer than the limit, which is not among them.
    pub too_long: bool,
}

impl LineReader {
    /// Reads `read_size` bytes at a time.
    pub fn new(reader: Box<dyn Read + Send>, read_size: usize, max_line: usize) -> Self {
        // Four bytes hold any character, which a transcoding reader needs to make progress.
        Self { reader, read_size: read_size.max(4), max_line, carry: Vec::new(), offset: 0, ended: false }
    }

    /// The stream starts at an offset of its file.
    #[must_use]
    pub fn at(mut self, offset: u64) -> Self {
        self.offset = offset;
        self
    }

    /// The next lines: at least one, and at least `chunk_size` bytes where there are so many. `None` at the end.
    pub fn next(&mut self, chunk_size: usize) -> io::Result<Option<Lines>> {
        let mut searched = 0;
        let mut last_break = None;
        while !self.ended {
            if self.carry.len() >= chunk_size && last_break.is_some() {
                break;
            }
            let unfinished = last_break.map_or(0, |at: usize| at + 1);
            if self.carry.len() - unfinished > self.max_line {
                return self.too_long(unfinished).map(Some);
            }
            self.read()?;
            last_break = memchr::memrchr(b'\n', &self.carry[searched..]).map(|at| at + searched).or(last_break);
            searched = self.carry.len();
        }
        let end = if self.ended { self.carry.len() } else { last_break.map_or(0, |at| at + 1) };
        if end == 0 {
            return Ok(None);
        }
        let rest = self.carry.split_off(end);
        let bytes = std::mem::replace(&mut self.carry, rest);
        let offset = self.offset;
        self.offset += end as u64;
        Ok(Some(Lines { bytes, offset, too_long: false }))
    }

    /// What had been read when reading failed: whole lines and the beginning of one.
    pub fn rest(&mut self) -> Option<Lines> {
        self.ended = true;
        let bytes = std::mem::take(&mut self.carry);
        (!bytes.is_empty()).then_some(Lines { bytes, offset: self.offset, too_long: false })
    }

    fn read(&mut self) -> io::Result<usize> {
        let old = self.carry.len();
        self.carry.resize(old + self.read_size, 0);
        let got = loop {
            match self.reader.read(&mut self.carry[old..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.carry.truncate(old + *got.as_ref().unwrap_or(&0));
        self.ended |= matches!(got, Ok(0));
        got
    }

    /// Gives the lines before one that is too long, and passes over it without keeping it.
    fn too_long(&mut self, start: usize) -> io::Result<Lines> {
        let mut rest = self.carry.split_off(start);
        let bytes = std::mem::take(&mut self.carry);
        let offset = self.offset;
        self.offset += start as u64;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &rest) {
                self.offset += at as u64 + 1;
                self.carry = rest.split_off(at + 1);
                break;
            }
            self.offset += rest.len() as u64;
            rest.clear();
            if self.ended {
                break;
            }
            self.read()?;
            std::mem::swap(&mut self.carry, &mut rest);
        }
        Ok(Lines { bytes, offset, too_long: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, read_size: usize, chunk: usize, limit: usize) -> Vec<(String, u64, bool)> {
        let mut reader = LineReader::new(Box::new(io::Cursor::new(text.to_owned())), read_size, limit);
        let mut out = Vec::new();
        while let Some(lines) = reader.next(chunk).unwrap() {
            out.push((String::from_utf8(lines.bytes).unwrap(), lines.offset, lines.too_long));
        }
        out
    }

    #[test]
    fn lines_stay_whole_whatever_the_sizes() {
        let text = "a\nbcd\n\nefghijklmnop\nq";
        for read_size in [1, 7, 100] {
            for chunk in [1, 3, 100] {
                let pieces = all(text, read_size, chunk, 100);
                assert_eq!(pieces.iter().map(|piece| piece.0.as_str()).collect::<String>(), text);
                for (bytes, offset, _) in &pieces {
                    assert!(bytes.ends_with('\n') || *offset as usize + bytes.len() == text.len());
                }
            }
        }
    }

    #[test]
    fn a_line_beyond_the_limit_is_dropped_and_the_next_found() {
        let text = format!("a\n{}\nb\n", "x".repeat(1000));
        for read_size in [4, 64, 4096] {
            let pieces = all(&text, read_size, 1, 100);
            let kept: String = pieces.iter().map(|piece| piece.0.as_str()).collect();
            if read_size < 4096 {
                assert_eq!(kept, "a\nb\n");
                assert_eq!(pieces.iter().filter(|piece| piece.2).count(), 1);
            }
            let last = pieces.last().unwrap();
            assert_eq!(last.1 as usize + last.0.len(), text.len());
        }
    }
}
