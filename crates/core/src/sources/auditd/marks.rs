//! The bytes between which keys and values stand: blanks, quotes, control characters and what else is not above the single quote, found
//! eight at a time. It knows no record.

use std::slice::ChunksExact;

/// The places of such bytes in a text, ascending.
#[derive(Clone, Debug)]
pub(super) struct Marks<'a> {
    eights: ChunksExact<'a, u8>,
    /// Where the next eight bytes lie.
    at: usize,
    /// The highest bit of each of the eight before these that is one and was not given.
    left: u64,
    /// Whether the last bytes, fewer than eight, were looked at.
    ended: bool,
}

/// Bytes above it are none.
const HIGHEST: u8 = b'\'';

impl<'a> Marks<'a> {
    /// Those of a text.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self { eights: bytes.chunks_exact(8), at: 0, left: 0, ended: false }
    }

    /// Looks at the last bytes.
    #[cold]
    fn end(&mut self) -> Option<()> {
        if std::mem::replace(&mut self.ended, true) {
            return None;
        }
        let rest = self.eights.remainder();
        let mut last = [u8::MAX; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.left = up_to(HIGHEST, last);
        Some(())
    }
}

impl Iterator for Marks<'_> {
    type Item = usize;

    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        while self.left == 0 {
            match self.eights.next().and_then(|eight| eight.first_chunk()) {
                Some(eight) => self.left = up_to(HIGHEST, *eight),
                None => self.end()?,
            }
            self.at += 8;
        }
        let place = self.at - 8 + (self.left.trailing_zeros() / 8) as usize;
        self.left &= self.left - 1;
        Some(place)
    }
}

pub(super) const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = ONES << 7;

/// The highest bit of each of eight bytes that is not greater than a limit below 128; the first byte is the lowest. Nothing is carried
/// from one byte to the next: seven bits and a seven-bit number give eight.
#[inline]
pub(super) const fn up_to(limit: u8, eight: [u8; 8]) -> u64 {
    let eight = u64::from_le_bytes(eight);
    let above = (eight & !HIGHS) + ONES * (0x7f - limit as u64);
    !(above | eight) & HIGHS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_is_told_apart() {
        for byte in 0..=u8::MAX {
            for length in 1..20 {
                for place in 0..length {
                    let mut bytes = vec![b'('; length];
                    bytes[place] = byte;
                    let expected: Vec<usize> = (0..length).filter(|at| bytes[*at] <= b'\'').collect();
                    assert_eq!(Marks::of(&bytes).collect::<Vec<_>>(), expected, "{byte} at {place} of {length}");
                }
            }
        }
        assert_eq!(Marks::of(b"").next(), None);
        assert_eq!(Marks::of(b" a=1 b=\"c d\"").collect::<Vec<_>>(), [0, 4, 7, 9, 11]);
    }
}
