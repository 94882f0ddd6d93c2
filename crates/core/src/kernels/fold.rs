//! The ways in which case does not count: Lucene's (ASCII only) and Java's two.

use crate::plan::Fold;
use std::borrow::Cow;

/// ASCII letters lowered; every other byte stays.
pub fn ascii(text: &str) -> Cow<'_, [u8]> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.as_bytes().to_ascii_lowercase())
    } else {
        Cow::Borrowed(text.as_bytes())
    }
}

/// Java's `toLowerCase(Locale.ROOT)`: full Unicode, the final sigma included.
pub fn java_lower(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.to_lowercase())
    }
}

/// What `test` says of two texts as a comparison sees them.
pub fn folded(fold: Fold, left: &str, right: &str, test: impl Fn(&[u8], &[u8]) -> bool) -> bool {
    match fold {
        Fold::None => test(left.as_bytes(), right.as_bytes()),
        Fold::Ascii => test(&ascii(left), &ascii(right)),
        Fold::Unicode | Fold::Java => test(java_lower(left).as_bytes(), java_lower(right).as_bytes()),
    }
}

/// Java's `compareToIgnoreCase(..) == 0`: code unit by code unit, equal after upper- and then lower-casing each.
/// Surrogates have no case, so code points beyond the basic plane must be the same.
pub fn java_equal(left: &str, right: &str) -> bool {
    if left.is_ascii() && right.is_ascii() {
        return left.eq_ignore_ascii_case(right);
    }
    let (mut left, mut right) = (left.chars(), right.chars());
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(left), Some(right))
                if left == right || basic(left) && basic(right) && java_folded(left) == java_folded(right) => {}
            _ => return false,
        }
    }
}

fn basic(letter: char) -> bool {
    u32::from(letter) <= 0xFFFF
}

/// What Java's case-insensitive comparisons reduce a character to: its simple upper case, lowered.
pub fn java_folded(letter: char) -> char {
    if letter.is_ascii() { letter.to_ascii_lowercase() } else { simple_lower(simple_upper(letter)) }
}

/// The one-to-one upper case of the Unicode data file, as `Character.toUpperCase`.
fn simple_upper(letter: char) -> char {
    // The standard library gives the full mapping, which has two letters for these where the simple one has one.
    let simple = match u32::from(letter) {
        code @ (0x1F80..=0x1F87 | 0x1F90..=0x1F97 | 0x1FA0..=0x1FA7) => Some(code + 8),
        code @ (0x1FB3 | 0x1FC3 | 0x1FF3) => Some(code + 9),
        _ => None,
    };
    simple.and_then(char::from_u32).unwrap_or_else(|| one(letter.to_uppercase()).unwrap_or(letter))
}

/// The one-to-one lower case, as `Character.toLowerCase`.
fn simple_lower(letter: char) -> char {
    // The capital I with a dot is the only letter whose full lower case has more than one character.
    if letter == '\u{130}' { 'i' } else { one(letter.to_lowercase()).unwrap_or(letter) }
}

fn one(mut letters: impl Iterator<Item = char>) -> Option<char> {
    let first = letters.next()?;
    letters.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_leaves_other_letters_alone() {
        assert_eq!(&*ascii("C:\\Ärger"), "c:\\Ärger".as_bytes());
    }

    #[test]
    fn java_compares_unit_by_unit() {
        assert!(java_equal("É", "é") && java_equal("ΣΑΣ", "σας") && java_equal("İ", "i") && java_equal("ᾳ", "ᾼ"));
        assert!(!java_equal("ß", "SS") && !java_equal("a", "ab"));
        assert!(!java_equal("\u{10400}", "\u{10428}"), "letters beyond the basic plane are surrogates to Java");
        assert_eq!(java_lower("ΑΣ"), "ας");
    }
}
