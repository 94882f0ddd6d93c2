//! Short names compared without a loop over their bytes: field names, and the keys of records. It knows no names.

/// A text's length, first eight and last eight bytes: all of it where it has at most sixteen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    length: usize,
    first: u64,
    last: u64,
}

impl Ends {
    /// The longest text of which nothing is left out.
    pub const WHOLE: usize = 16;

    /// Those of a text.
    #[inline]
    pub const fn of(text: &[u8]) -> Self {
        let length = text.len();
        let (first, last) = match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
            (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
            _ => match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
                (Some(first), Some(last)) => (u32::from_le_bytes(*first) as u64, u32::from_le_bytes(*last) as u64),
                _ => match text {
                    [] => (0, 0),
                    [one] => (*one as u64, 0),
                    [one, two] => ((*one as u64) << 8 | *two as u64, 0),
                    [one, two, three, ..] => ((*one as u64) << 16 | (*two as u64) << 8 | *three as u64, 0),
                },
            },
        };
        Self { length, first, last }
    }

    /// A number of 24 bits, for tables.
    #[inline]
    pub const fn hash(self) -> usize {
        let mixed = self.first ^ self.last.rotate_left(29) ^ (self.length as u64) << 59;
        (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize
    }
}
