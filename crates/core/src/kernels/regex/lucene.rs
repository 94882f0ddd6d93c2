//! Lucene's regular expressions (`org.apache.lucene.util.automaton.RegExp`, all flags on) to a tree. Its oddities are kept: an operator
//! where an operand is due is a letter, and an empty alternative is an error.

use super::{lower, refused};
use crate::plan::{Fold, PlanError};
use std::sync::{Arc, LazyLock};

/// Nesting of groups and complements.
const MAX_DEPTH: usize = 100;
/// Repetitions of a repetition, and intersections in a row: each is a level of nesting.
const MAX_CHAIN: usize = 8;
/// `{n,m}`.
const MAX_REPEAT: u32 = 100_000;

/// Code points from one to another, each pair included.
pub(super) type Ranges = Arc<[(char, char)]>;

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tree {
    /// Matches nothing at all (`#`).
    Nothing,
    /// One code point of any of these ranges. Case has been folded already.
    Class(Ranges),
    /// All, one after the other; none is the empty text.
    Concat(Vec<Tree>),
    /// Any.
    Union(Vec<Tree>),
    /// Both.
    Intersection(Box<Tree>, Box<Tree>),
    /// Everything else.
    Complement(Box<Tree>),
    /// From `least` to `most` times.
    Repeat(Box<Tree>, u32, Option<u32>),
    /// One code point outside of these ranges. Case has been folded already.
    Except(Vec<(char, char)>),
}

impl Tree {
    /// Whether no complement and no intersection is in it.
    pub(super) fn is_plain(&self) -> bool {
        match self {
            Tree::Nothing | Tree::Class(_) | Tree::Except(_) => true,
            Tree::Concat(trees) | Tree::Union(trees) => trees.iter().all(Tree::is_plain),
            Tree::Repeat(tree, _, _) => tree.is_plain(),
            Tree::Intersection(..) | Tree::Complement(_) => false,
        }
    }
}

/// Reads an expression.
pub(super) fn parse(pattern: &str, fold: Fold) -> Result<Tree, PlanError> {
    if pattern.is_empty() {
        return Ok(Tree::Concat(Vec::new()));
    }
    let mut parser = Parser { letters: pattern.chars().collect(), at: 0, depth: 0, fold };
    let parsed = parser
        .union()
        .and_then(|tree| if parser.more() { Err("an operand or its end was expected") } else { Ok(tree) });
    parsed.map_err(|why| refused(pattern, &format!("{why} at character {}", parser.at)))
}

type Parsed = Result<Tree, &'static str>;

struct Parser {
    letters: Vec<char>,
    at: usize,
    depth: usize,
    fold: Fold,
}

impl Parser {
    fn more(&self) -> bool {
        self.at < self.letters.len()
    }

    fn peek(&self, any: &str) -> bool {
        self.letters.get(self.at).is_some_and(|letter| any.contains(*letter))
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.letters.get(self.at) == Some(&wanted);
        self.at += usize::from(found);
        found
    }

    fn next(&mut self) -> Result<char, &'static str> {
        let letter = self.letters.get(self.at).copied().ok_or("an operand is missing")?;
        self.at += 1;
        Ok(letter)
    }

    fn deeper(&mut self, inner: fn(&mut Self) -> Parsed) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("too deeply nested");
        }
        let tree = inner(self);
        self.depth -= 1;
        tree
    }

    fn union(&mut self) -> Parsed {
        let mut trees = vec![self.intersection()?];
        while self.take('|') {
            trees.push(self.intersection()?);
        }
        Ok(if trees.len() == 1 { trees.remove(0) } else { Tree::Union(trees) })
    }

    fn intersection(&mut self) -> Parsed {
        let mut tree = self.concat()?;
        let mut operands = 1;
        while self.take('&') {
            operands += 1;
            if operands > MAX_CHAIN {
                return Err("too many intersections");
            }
            tree = Tree::Intersection(Box::new(tree), Box::new(self.concat()?));
        }
        Ok(tree)
    }

    fn concat(&mut self) -> Parsed {
        let mut trees = vec![self.repeat()?];
        while self.more() && !self.peek(")|&") {
            trees.push(self.repeat()?);
        }
        Ok(if trees.len() == 1 { trees.remove(0) } else { Tree::Concat(trees) })
    }

    fn repeat(&mut self) -> Parsed {
        // Most of an expression: a letter that stands for itself, once.
        if let Some(letter) = self.letters.get(self.at)
            && !"|&?*+{~[.#@\"(<\\)".contains(*letter)
            && !self.letters.get(self.at + 1).is_some_and(|after| "?*+{".contains(*after))
        {
            let letter = *letter;
            self.at += 1;
            return self.one(letter);
        }
        let mut tree = self.complement()?;
        let mut operators = 0;
        while self.peek("?*+{") {
            operators += 1;
            if operators > MAX_CHAIN {
                return Err("too many repetitions");
            }
            let (least, most) = match self.next()? {
                '?' => (0, Some(1)),
                '*' => (0, None),
                '+' => (1, None),
                _ => self.counts()?,
            };
            tree = Tree::Repeat(Box::new(tree), least, most);
        }
        Ok(tree)
    }

    /// What follows `{`.
    fn counts(&mut self) -> Result<(u32, Option<u32>), &'static str> {
        let least = self.count()?.ok_or("a count was expected")?;
        let most = if self.take(',') { self.count()? } else { Some(least) };
        if !self.take('}') {
            return Err("`}` was expected");
        }
        if most.is_some_and(|most| most < least) {
            return Err("the counts are in the wrong order");
        }
        Ok((least, most))
    }

    fn count(&mut self) -> Result<Option<u32>, &'static str> {
        let start = self.at;
        let mut value = 0_u32;
        while let Some(digit) = self.letters.get(self.at).and_then(|letter| letter.to_digit(10)) {
            value = value
                .checked_mul(10)
                .and_then(|value| value.checked_add(digit))
                .filter(|value| *value <= MAX_REPEAT)
                .ok_or("the count is too large")?;
            self.at += 1;
        }
        Ok((self.at > start).then_some(value))
    }

    fn complement(&mut self) -> Parsed {
        if self.take('~') {
            return Ok(Tree::Complement(Box::new(self.deeper(Self::complement)?)));
        }
        self.class()
    }

    fn class(&mut self) -> Parsed {
        if !self.take('[') {
            return self.simple();
        }
        let negated = self.take('^');
        let mut ranges = self.class_part()?;
        while self.more() && !self.peek("]") {
            ranges.extend(self.class_part()?);
        }
        if !self.take(']') {
            return Err("`]` was expected");
        }
        Ok(if negated { Tree::Except(ranges) } else { Tree::Class(ranges.into()) })
    }

    fn class_part(&mut self) -> Result<Vec<(char, char)>, &'static str> {
        if let Some(ranges) = self.named_class() {
            return Ok(ranges);
        }
        let first = self.letter()?;
        let last = if self.take('-') { self.letter()? } else { first };
        if last < first {
            return Err("the range is in the wrong order");
        }
        self.folded(first, last)
    }

    fn simple(&mut self) -> Parsed {
        if self.take('.') {
            return Ok(Tree::Except(Vec::new()));
        }
        if self.take('#') {
            return Ok(Tree::Nothing);
        }
        if self.take('@') {
            return Ok(Tree::Repeat(Box::new(Tree::Except(Vec::new())), 0, None));
        }
        if self.take('"') {
            return self.quoted();
        }
        if self.take('(') {
            if self.take(')') {
                return Ok(Tree::Concat(Vec::new()));
            }
            let tree = self.deeper(Self::union)?;
            return if self.take(')') { Ok(tree) } else { Err("`)` was expected") };
        }
        if self.take('<') {
            return self.interval();
        }
        if let Some(ranges) = self.named_class() {
            return Ok(Tree::Class(ranges.into()));
        }
        let letter = self.letter()?;
        self.one(letter)
    }

    fn until(&mut self, end: char) -> Option<Vec<char>> {
        let length = self.letters[self.at..].iter().position(|letter| *letter == end)?;
        let part = self.letters[self.at..self.at + length].to_vec();
        self.at += length + 1;
        Some(part)
    }

    fn quoted(&mut self) -> Parsed {
        let part = self.until('"').ok_or("`\"` was expected")?;
        let letters: Result<_, _> = part.into_iter().map(|letter| self.one(letter)).collect();
        Ok(Tree::Concat(letters?))
    }

    fn interval(&mut self) -> Parsed {
        let part: String = self.until('>').ok_or("`>` was expected")?.into_iter().collect();
        let (first, last) = part.split_once('-').ok_or("a numeric interval such as <1-99> was expected")?;
        let number = |text: &str| {
            let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| text.parse::<i32>().ok()).flatten().ok_or("an interval has two numbers below 2^31")
        };
        let (low, high) = (number(first)?, number(last)?);
        let digits = if first.len() == last.len() { first.len() } else { 0 };
        let (low, high) = (low.min(high) as u32, low.max(high) as u32);
        Ok(if digits > 0 { padded(low, high, digits) } else { unpadded(low, high) })
    }

    /// `\d` and the like. Inside and outside of brackets.
    fn named_class(&mut self) -> Option<Vec<(char, char)>> {
        if self.letters.get(self.at) != Some(&'\\') {
            return None;
        }
        let digit: &[(char, char)] = &[('0', '9')];
        let blank: &[(char, char)] = &[('\t', '\n'), ('\r', '\r'), (' ', ' ')];
        let word: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
        let ranges = match self.letters.get(self.at + 1)? {
            'd' => digit.to_vec(),
            'D' => all_but(digit),
            's' => blank.to_vec(),
            'S' => all_but(blank),
            'w' => word.to_vec(),
            'W' => all_but(word),
            _ => return None,
        };
        self.at += 2;
        Some(ranges)
    }

    /// A range with all that equals it when case is folded. `\d`, `\s` and `\w` mean what they mean either way: otherwise `\W`,
    /// which has the long s and the Kelvin sign, would have `s` and `k`.
    fn folded(&self, first: char, last: char) -> Result<Vec<(char, char)>, &'static str> {
        match ASCII.get(first as usize) {
            _ if self.fold == Fold::None => Ok(vec![(first, last)]),
            Some([_, folded]) if first == last => Ok(folded.to_vec()),
            _ => equal(first, last, self.fold),
        }
    }

    /// One letter, and what equals it.
    fn one(&self, letter: char) -> Parsed {
        Ok(Tree::Class(match (self.fold, ASCII.get(letter as usize)) {
            (Fold::None, Some([letter, _])) => Arc::clone(letter),
            (_, Some([_, folded])) => Arc::clone(folded),
            _ => self.folded(letter, letter)?.into(),
        }))
    }

    fn letter(&mut self) -> Result<char, &'static str> {
        self.take('\\');
        self.next()
    }
}

/// Each ASCII character, and what equals it when case is folded: nearly all letters of an expression are such.
static ASCII: LazyLock<Vec<[Ranges; 2]>> = LazyLock::new(|| {
    let folded = |letter| equal(letter, letter, Fold::Unicode).unwrap_or_else(|_| vec![(letter, letter)]);
    (0..128_u8).map(char::from).map(|letter| [[(letter, letter)].into(), folded(letter).into()]).collect()
});

fn equal(first: char, last: char, fold: Fold) -> Result<Vec<(char, char)>, &'static str> {
    let class = lower::class(&[(first, last)], fold).map_err(|_| "case cannot be folded")?;
    Ok(class.iter().map(|range| (range.start(), range.end())).collect())
}

/// Every code point outside of sorted ranges.
pub(super) fn all_but(ranges: &[(char, char)]) -> Vec<(char, char)> {
    let mut rest = Vec::new();
    let mut from = Some('\0');
    for (first, last) in ranges {
        if let Some(start) = from
            && let Some(end) = before(*first)
            && start <= end
        {
            rest.push((start, end));
        }
        from = after(*last);
    }
    rest.extend(from.map(|start| (start, char::MAX)));
    rest
}

/// The code point before, over the gap of the surrogates.
pub(super) fn before(letter: char) -> Option<char> {
    match letter {
        '\0' => None,
        '\u{E000}' => Some('\u{D7FF}'),
        letter => char::from_u32(u32::from(letter) - 1),
    }
}

/// The code point after, over the gap of the surrogates.
pub(super) fn after(letter: char) -> Option<char> {
    match letter {
        char::MAX => None,
        '\u{D7FF}' => Some('\u{E000}'),
        letter => char::from_u32(u32::from(letter) + 1),
    }
}

fn digit(value: u32) -> char {
    char::from_digit(value, 10).unwrap_or('0')
}

/// Numbers with exactly `digits` digits.
fn padded(low: u32, high: u32, digits: usize) -> Tree {
    let text = |value: u32| format!("{value:0digits$}").bytes().map(|byte| u32::from(byte - b'0')).collect::<Vec<_>>();
    between(&text(low), &text(high))
}

/// Digit strings of one length from `low` to `high`.
fn between(low: &[u32], high: &[u32]) -> Tree {
    let (Some((first, lows)), Some((last, highs))) = (low.split_first(), high.split_first()) else {
        return Tree::Concat(Vec::new());
    };
    let starting =
        |from: u32, to: u32, rest: Tree| Tree::Concat(vec![Tree::Class([(digit(from), digit(to))].into()), rest]);
    if first == last {
        return starting(*first, *first, between(lows, highs));
    }
    let (zeros, nines) = (vec![0; lows.len()], vec![9; lows.len()]);
    let mut parts =
        vec![starting(*first, *first, between(lows, &nines)), starting(*last, *last, between(&zeros, highs))];
    if first + 1 < *last {
        parts.push(starting(first + 1, last - 1, between(&zeros, &nines)));
    }
    Tree::Union(parts)
}

/// Numbers with any number of leading zeros.
fn unpadded(low: u32, high: u32) -> Tree {
    let longest = high.to_string().len();
    let mut parts = Vec::new();
    for digits in low.to_string().len()..=longest {
        let least = if digits == 1 { 0 } else { 10_u64.pow(digits as u32 - 1) };
        let most = 10_u64.pow(digits as u32) - 1;
        let (from, to) = (least.max(low.into()) as u32, most.min(high.into()) as u32);
        if from <= to {
            parts.push(padded(from, to, digits));
        }
    }
    let zeros = Tree::Repeat(Box::new(Tree::Class([('0', '0')].into())), 0, None);
    Tree::Concat(vec![zeros, Tree::Union(parts)])
}
