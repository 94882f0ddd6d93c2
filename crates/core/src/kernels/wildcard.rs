//! `*` and `?` patterns over the whole of a text. Time is linear in the text for each piece between stars: a piece that was
//! found is never looked for again, because the leftmost place leaves most for the rest.

use super::fold;
use crate::plan::Fold;
use memchr::memmem::Finder;
use std::sync::OnceLock;

/// One pattern. Where ASCII case does not count both pattern and text are lowered by the caller's `lowered` form.
#[derive(Clone, Debug)]
pub struct Wildcard {
    pattern: Box<str>,
    /// Made with the first text: most patterns of a rule set meet none in one run.
    pieces: OnceLock<Pieces>,
}

#[derive(Clone, Debug)]
struct Pieces {
    /// Before the first `*` (everything, if there is none).
    head: Piece,
    /// Between stars.
    inner: Vec<Piece>,
    /// After the last `*`; `None` if there is no star.
    tail: Option<Piece>,
    /// The fewest bytes that can fit.
    least: usize,
}

/// What lies between stars: text and `?`.
#[derive(Clone, Debug)]
struct Piece {
    parts: Vec<Part>,
    /// Fast search for the first text of the piece, made when it is first looked for: only pieces between stars ever are.
    finder: OnceLock<Finder<'static>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Box<[u8]>),
    /// Exactly one code point.
    One,
}

impl Wildcard {
    /// Reads a pattern; there is no escape. `folded`: the texts given to `fits` have their ASCII letters lowered.
    pub fn new(pattern: &str, folded: bool) -> Self {
        let pattern = if folded { pattern.to_ascii_lowercase() } else { pattern.to_owned() };
        Self { pattern: pattern.into_boxed_str(), pieces: OnceLock::new() }
    }

    /// Whether the whole text fits. The text must be UTF-8.
    pub fn fits(&self, text: &[u8]) -> bool {
        self.pieces.get_or_init(|| Pieces::new(&self.pattern)).fit(text)
    }

    /// The texts between stars and question marks that every fitting text contains.
    pub fn literals(&self) -> impl Iterator<Item = &[u8]> {
        self.pattern.split(['*', '?']).filter(|text| !text.is_empty()).map(str::as_bytes)
    }

    /// The text that alone fits, for a pattern without `*` and `?`.
    pub fn exact(&self) -> Option<&[u8]> {
        (!self.pattern.contains(['*', '?'])).then_some(self.pattern.as_bytes())
    }
}

impl Pieces {
    fn new(pattern: &str) -> Self {
        let mut pieces: Vec<Piece> = pattern.split('*').map(Piece::new).collect();
        let tail = if pieces.len() > 1 { pieces.pop() } else { None };
        let head = pieces.remove(0);
        pieces.retain(|piece| !piece.parts.is_empty());
        let least = pieces.iter().chain([&head]).chain(&tail).map(Piece::least).sum();
        Self { head, inner: pieces, tail, least }
    }

    fn fit(&self, text: &[u8]) -> bool {
        if text.len() < self.least {
            return false;
        }
        let Some(mut at) = self.head.at(text, 0) else { return false };
        let Some(tail) = &self.tail else { return at == text.len() };
        let Some(end) = tail.before_end(text).filter(|end| *end >= at) else { return false };
        for piece in &self.inner {
            match piece.find(&text[..end], at) {
                Some(next) => at = next,
                None => return false,
            }
        }
        true
    }
}

impl Piece {
    fn new(pattern: &str) -> Self {
        let mut parts = Vec::new();
        for (number, text) in pattern.split('?').enumerate() {
            if number > 0 {
                parts.push(Part::One);
            }
            if !text.is_empty() {
                parts.push(Part::Text(text.as_bytes().into()));
            }
        }
        Self { parts, finder: OnceLock::new() }
    }

    fn least(&self) -> usize {
        let size = |part: &Part| if let Part::Text(text) = part { text.len() } else { 1 };
        self.parts.iter().map(size).sum()
    }

    /// The end of the piece, if it lies at `start`.
    fn at(&self, text: &[u8], start: usize) -> Option<usize> {
        let mut at = start;
        for part in &self.parts {
            match part {
                Part::Text(part) if text.get(at..)?.starts_with(part) => at += part.len(),
                Part::Text(_) => return None,
                Part::One => at += code_point(text.get(at..)?)?,
            }
        }
        Some(at)
    }

    /// The end of the leftmost place at or after `start`.
    fn find(&self, text: &[u8], start: usize) -> Option<usize> {
        // Leading question marks take code points one by one; the rest is found by its first text.
        let ones = self.parts.iter().take_while(|part| **part == Part::One).count();
        let mut from = start;
        for _ in 0..ones {
            from += code_point(text.get(from..)?)?;
        }
        let rest = &self.parts[ones..];
        let Some(Part::Text(first)) = rest.first() else { return Some(from) };
        let finder = self.finder.get_or_init(|| Finder::new(&**first).into_owned());
        while let Some(found) = finder.find(text.get(from..)?) {
            if let Some(end) = at_parts(rest, text, from + found) {
                return Some(end);
            }
            // Text is UTF-8 and so is the part: the next place is at least one byte on.
            from += found + 1;
        }
        None
    }

    /// Where the piece begins, if the text ends with it.
    fn before_end(&self, text: &[u8]) -> Option<usize> {
        let mut end = text.len();
        for part in self.parts.iter().rev() {
            match part {
                Part::Text(part) if text[..end].ends_with(part) => end -= part.len(),
                Part::Text(_) => return None,
                Part::One => end -= code_point_before(&text[..end])?,
            }
        }
        Some(end)
    }
}

fn at_parts(parts: &[Part], text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    for part in parts {
        match part {
            Part::Text(part) if text.get(at..)?.starts_with(part) => at += part.len(),
            Part::Text(_) => return None,
            Part::One => at += code_point(text.get(at..)?)?,
        }
    }
    Some(at)
}

/// Length of the code point at the front.
fn code_point(text: &[u8]) -> Option<usize> {
    Some(match *text.first()? {
        ..0xC0 => 1,
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0.. => 4,
    })
}

/// Length of the code point at the end.
fn code_point_before(text: &[u8]) -> Option<usize> {
    let continued = text.iter().rev().take_while(|byte| **byte & 0xC0 == 0x80).count();
    (continued < text.len()).then_some(continued + 1)
}

/// The same pattern on the result of a function: Elasticsearch makes it a Java regular expression, in which `*` and `?` match no line
/// break. Folds as Java does.
#[derive(Clone, Debug)]
pub struct ScriptWildcard {
    pattern: Vec<char>,
    fold: Fold,
}

impl ScriptWildcard {
    /// Reads a pattern.
    pub fn new(pattern: &str, fold: Fold) -> Self {
        Self { pattern: pattern.chars().map(|letter| folded(letter, fold)).collect(), fold }
    }

    /// Whether the whole text fits.
    pub fn fits(&self, text: &str) -> bool {
        // Only the last star is ever taken back, so time is at most |pattern| × |text|.
        let (mut letters, mut at) = (text.chars(), 0);
        let mut retry: Option<(std::str::Chars<'_>, usize)> = None;
        loop {
            let mut ahead = letters.clone();
            let letter = ahead.next();
            let fits = match (self.pattern.get(at), letter) {
                (Some('*'), _) => {
                    retry = Some((letters.clone(), at + 1));
                    at += 1;
                    continue;
                }
                (None, None) => return true,
                (Some('?'), Some(letter)) => !line_break(letter),
                (Some(wanted), Some(letter)) => *wanted == folded(letter, self.fold),
                (_, None) | (None, Some(_)) => false,
            };
            if fits {
                letters = ahead;
                at += 1;
                continue;
            }
            let Some((from, after)) = &mut retry else { return false };
            match from.next() {
                Some(skipped) if !line_break(skipped) => {}
                _ => return false,
            }
            letters = from.clone();
            at = *after;
        }
    }
}

fn folded(letter: char, fold: Fold) -> char {
    match fold {
        Fold::None => letter,
        Fold::Ascii => letter.to_ascii_lowercase(),
        Fold::Unicode | Fold::Java => fold::java_folded(letter),
    }
}

/// What `.` of Java's expressions does not match.
fn line_break(letter: char) -> bool {
    matches!(letter, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, by recursion over code points.
    fn slow(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), None) => slow(rest, text),
            (Some(('*', rest)), Some((_, others))) => slow(rest, text) || slow(pattern, others),
            (Some(('?', rest)), Some((_, others))) => slow(rest, others),
            (Some((wanted, rest)), Some((letter, others))) => wanted == letter && slow(rest, others),
            _ => false,
        }
    }

    #[test]
    fn all_short_patterns_over_all_short_texts() {
        let strings = |letters: &[char], longest: usize| {
            let mut all = vec![String::new()];
            let mut last = all.clone();
            for _ in 0..longest {
                last =
                    last.iter().flat_map(|text| letters.iter().map(move |letter| format!("{text}{letter}"))).collect();
                all.extend(last.iter().cloned());
            }
            all
        };
        let texts = strings(&['a', 'b', 'ä'], 4);
        for pattern in strings(&['a', 'b', '*', '?', 'ä'], 4) {
            let (fast, script) = (Wildcard::new(&pattern, false), ScriptWildcard::new(&pattern, Fold::None));
            let letters: Vec<char> = pattern.chars().collect();
            for text in &texts {
                let wanted = slow(&letters, &text.chars().collect::<Vec<_>>());
                assert_eq!(fast.fits(text.as_bytes()), wanted, "{pattern} over {text}");
                assert_eq!(script.fits(text), wanted, "{pattern} over {text} in a script");
            }
        }
    }

    #[test]
    fn line_breaks_stop_stars_only_in_scripts() {
        assert!(Wildcard::new("a*b", false).fits(b"a\nb"));
        assert!(!ScriptWildcard::new("a*b", Fold::None).fits("a\nb"));
        assert!(!ScriptWildcard::new("a?b", Fold::None).fits("a\rb"));
        assert!(ScriptWildcard::new("É*", Fold::Java).fits("éa"));
    }

    #[test]
    fn hostile_texts_take_little_time() {
        let text = "a".repeat(200_000);
        assert!(!Wildcard::new("*a*a*a*a*a*a*a*b", false).fits(text.as_bytes()));
        assert!(!Wildcard::new("*aaaaaaaaaaaaaaaa?b*", false).fits(text.as_bytes()));
        assert!(!ScriptWildcard::new("*a*a*a*a*b", Fold::None).fits(&text));
    }

    #[test]
    fn literals_are_what_must_be_there() {
        let pattern = Wildcard::new("?:\\Users\\*\\x?y*", true);
        let literals: Vec<&[u8]> = pattern.literals().collect();
        assert_eq!(literals, [&b":\\users\\"[..], b"\\x", b"y"]);
        assert_eq!(Wildcard::new("abc", false).exact(), Some(&b"abc"[..]));
    }
}
