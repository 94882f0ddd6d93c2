//! The arguments of a process from its EXECVE records: the kernel spreads long lists over many records, and long
//! arguments over many pieces (`a1_len=8000 a1[0]=… a1[1]=…`). It knows nothing else of the event.

use super::record::{Value, pairs, plain, unhex_into};
use std::borrow::Cow;

/// A piece of an argument: whose it is, and where its bytes lie.
#[derive(Clone, Copy, Debug)]
struct Piece {
    number: usize,
    start: usize,
    end: usize,
}

/// The arguments of one event.
#[derive(Clone, Debug, Default)]
pub(super) struct Arguments {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
    /// One more than the highest number.
    length: usize,
    count: Option<usize>,
}

/// More than the kernel passes to a process (2 MiB of arguments, at least two bytes each).
const MAXIMUM: usize = 1 << 20;

impl Arguments {
    /// Forgets the arguments, keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.pieces.clear();
        (self.length, self.count) = (0, None);
    }

    /// Reads one EXECVE record; the records of an event come in order.
    pub fn read(&mut self, body: &str) {
        for (key, value) in pairs(plain(body)) {
            if key == "argc" {
                self.count = value.text.parse().ok();
            } else if let Some(number) = argument_number(key).filter(|number| *number < MAXIMUM) {
                self.append(number, value);
            }
        }
    }

    fn append(&mut self, number: usize, value: Value<'_>) {
        // Holes are filled by later records; a number far beyond the list is no argument but damage.
        if number > self.length + 4096 {
            return;
        }
        let start = self.bytes.len();
        if value.quoted || !unhex_into(value.text, &mut self.bytes) {
            self.bytes.extend_from_slice(value.text.as_bytes());
        }
        let end = self.bytes.len();
        match self.pieces.last_mut() {
            Some(last) if last.number == number => last.end = end,
            _ => self.pieces.push(Piece { number, start, end }),
        }
        self.length = self.length.max(number + 1);
    }

    /// The end of the records: brings pieces that came out of order together.
    pub fn arrange(&mut self) {
        if self.pieces.is_sorted_by(|left, right| left.number < right.number) {
            return;
        }
        self.pieces.sort_by_key(|piece| piece.number);
        let bytes = std::mem::take(&mut self.bytes);
        for piece in std::mem::take(&mut self.pieces) {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(&bytes[piece.start..piece.end]);
            let end = self.bytes.len();
            match self.pieces.last_mut() {
                Some(last) if last.number == piece.number => last.end = end,
                _ => self.pieces.push(Piece { start, end, ..piece }),
            }
        }
    }

    /// What `argc` says.
    pub fn count(&self) -> Option<usize> {
        self.count
    }

    /// Whether an argument that `argc` announces was not read.
    pub fn incomplete(&self) -> bool {
        self.count.is_some_and(|count| self.number() < count)
    }

    /// How many there are up to the first that is missing. Only after [`Arguments::arrange`].
    pub fn number(&self) -> usize {
        self.present().count()
    }

    fn present(&self) -> impl Iterator<Item = &Piece> {
        let limit = self.count.unwrap_or(usize::MAX);
        let present = self.pieces.iter().enumerate().take_while(|(number, piece)| *number == piece.number);
        present.take(limit).map(|(_, piece)| piece)
    }

    /// The arguments up to the first that is missing. Only after [`Arguments::arrange`].
    pub fn complete(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.present().map(|piece| {
            let bytes = &self.bytes[piece.start..piece.end];
            std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
        })
    }
}

/// `12` of `a12` and of `a12[3]`; `None` for `a12_len`.
fn argument_number(key: &str) -> Option<usize> {
    let digits = key.strip_prefix('a')?.as_bytes();
    let digits = digits.iter().position(|byte| *byte == b'[').map_or(digits, |end| &digits[..end]);
    if digits.is_empty() || digits.len() > 7 {
        return None;
    }
    digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + usize::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bodies: &[&str]) -> (Vec<String>, bool) {
        let mut arguments = Arguments::default();
        bodies.iter().for_each(|body| arguments.read(body));
        arguments.arrange();
        (arguments.complete().map(Cow::into_owned).collect(), arguments.incomplete())
    }

    #[test]
    fn pieces_come_in_any_order() {
        assert_eq!(read(&["argc=2 a0=\"a\" a1=6220"]), (vec!["a".to_owned(), "b ".to_owned()], false));
        assert_eq!(
            read(&["argc=2 a1[0]=\"x\" a0=\"a\"", "a1[1]=\"y\""]),
            (vec!["a".to_owned(), "xy".to_owned()], false)
        );
        assert_eq!(read(&["argc=3 a0=\"a\" a2=\"c\""]), (vec!["a".to_owned()], true));
        assert_eq!(read(&["argc=1 a0=\"a\" a1=\"b\""]), (vec!["a".to_owned()], false));
        assert_eq!(read(&["a0=\"a\" a9999=\"b\" a1_len=7"]), (vec!["a".to_owned()], false));
    }
}
