//! Positions and lengths as Java counts them: in UTF-16 units. Text that is ASCII costs no conversion.

use std::borrow::Cow;

/// Number of UTF-16 units.
pub fn length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// The units from `start` to before `end`, both clamped. Half of a surrogate pair becomes U+FFFD.
pub fn slice(text: &str, start: usize, end: usize) -> Cow<'_, str> {
    if start >= end {
        return Cow::Borrowed("");
    }
    if text.is_ascii() {
        let (start, end) = (start.min(text.len()), end.min(text.len()));
        return Cow::Borrowed(text.get(start..end).unwrap_or(""));
    }
    let units: Vec<u16> = text.encode_utf16().skip(start).take(end - start).collect();
    Cow::Owned(String::from_utf16_lossy(&units))
}

/// Position of the first `part` at or after unit `from`.
pub fn find(text: &str, part: &str, from: usize) -> Option<usize> {
    if part.is_empty() {
        return Some(from.min(length(text))); // also inside a surrogate pair
    }
    let start = byte_of(text, from);
    let found = memchr::memmem::find(&text.as_bytes()[start..], part.as_bytes())? + start;
    Some(unit_of(text, found))
}

/// Position of the last `part`.
pub fn rfind(text: &str, part: &str) -> Option<usize> {
    memchr::memmem::rfind(text.as_bytes(), part.as_bytes()).map(|found| unit_of(text, found))
}

/// The byte at which unit `unit` starts: the end of the text beyond its length, the next code point inside a pair.
fn byte_of(text: &str, unit: usize) -> usize {
    if text.is_ascii() {
        return unit.min(text.len());
    }
    let mut passed = 0;
    for (byte, letter) in text.char_indices() {
        if passed >= unit {
            return byte;
        }
        passed += letter.len_utf16();
    }
    text.len()
}

fn unit_of(text: &str, byte: usize) -> usize {
    length(&text[..byte])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_basic_plane_two_units() {
        let text = "a\u{1F600}ä";
        assert_eq!(length(text), 4);
        assert_eq!(slice(text, 1, 3), "\u{1F600}");
        assert_eq!(slice(text, 2, 4), "\u{FFFD}ä");
        assert_eq!(find(text, "ä", 0), Some(3));
        assert_eq!(find(text, "ä", 4), None);
        assert_eq!((find(text, "", 2), find(text, "", 9)), (Some(2), Some(4)));
        assert_eq!(rfind("abab", "ab"), Some(2));
    }
}
