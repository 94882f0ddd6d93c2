//! The order of a record's keys: the kernel writes records of one kind alike, so the keys of the one before say where those of the
//! next stand. What is guessed so is compared before it counts. It knows no values.

use super::keys::Key;

/// The longest key whose place is remembered, with the blank before it and the equals sign behind it.
const LONGEST: usize = 16;

/// A key, as it stood in the record before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usual {
    pub key: Key,
    /// Bytes of the key, of the blank before it and of the equals sign.
    length: usize,
    text: u128,
    mask: u128,
}

impl Usual {
    /// Where the equals sign of the key is, if the key stands there again.
    #[inline]
    pub fn stands(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let rest = bytes.get(at..)?;
        let there = u128::from_le_bytes(rest.first_chunk().copied().unwrap_or_else(|| padded(rest)));
        ((there ^ self.text) & self.mask == 0).then_some(at + self.length - 1)
    }
}

/// The last bytes of a text, and zeros behind them.
fn padded(rest: &[u8]) -> [u8; LONGEST] {
    let mut last = [0; LONGEST];
    last[..rest.len()].copy_from_slice(rest);
    last
}

/// The keys of the last record of a kind, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    keys: Vec<Usual>,
}

/// Keys that are remembered: the kernel writes fewer than forty.
const MOST: usize = 64;

impl Order {
    /// The key that stood in this place.
    #[inline]
    pub fn get(&self, place: usize) -> Option<&Usual> {
        self.keys.get(place)
    }

    /// Remembers the key that stands in this place.
    pub fn set(&mut self, place: usize, key: Key, name: &str) {
        let length = name.len() + 2;
        if length > LONGEST || place >= MOST || place > self.keys.len() {
            return;
        }
        let (mut text, mut mask) = ([0; LONGEST], [0; LONGEST]);
        text[0] = b' ';
        text[1..length - 1].copy_from_slice(name.as_bytes());
        text[length - 1] = b'=';
        mask[..length].fill(0xff);
        let usual = Usual { key, length, text: u128::from_le_bytes(text), mask: u128::from_le_bytes(mask) };
        match self.keys.get_mut(place) {
            Some(known) => *known = usual,
            None => self.keys.push(usual),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_where_it_stood_and_nowhere_else() {
        let mut order = Order::default();
        order.set(0, Key::Process, "pid");
        order.set(1, Key::Other, "a_very_long_key");
        assert!(order.get(1).is_none());
        let usual = order.get(0).expect("it was set");
        assert_eq!(usual.stands(b"x pid=12 exe=\"/a/b\"", 1), Some(5));
        for other in ["x pid =1234567890123", "x pidx=123456789012", "xxpid=1234567890123", "x pid"] {
            assert_eq!(usual.stands(other.as_bytes(), 1), None, "{other}");
        }
        assert_eq!(usual.stands(b"x", 7), None);
        assert_eq!(usual.stands(b" pid=", 0), Some(4));
        order.set(0, Key::Parent, "ppid");
        assert_eq!(order.get(0).map(|usual| usual.key), Some(Key::Parent));
    }
}
