//! The search itself: lines of a text are walked once, and each is said to be worth reading or not. It knows literals, not conditions.
//!
//! Of each literal one *window* of four bytes is looked for. Tables by nibble say quickly where none can be (`vector` looks at 32
//! places at a time), a bitmap by hash says nearly exactly where one is, and only then the literal is compared.

use super::rarity::byte_share;
use super::{buckets, vector};
use std::collections::HashMap;

/// Bytes of a window: the shortest literal.
pub(super) const WINDOW: usize = 4;
/// Lists of literals that are told apart.
pub(super) const PARTS: usize = 512;
/// Sets of values that a line is remembered to wait for.
const WAITING: usize = 8;
const MAP_BITS: u32 = 14;
const CHAIN_BITS: u32 = 12;
const NONE: u16 = u16::MAX;

/// What to search for. Literals and names are lowered, the literals at least [`WINDOW`] bytes long.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// With the numbers of the lists that each belongs to.
    pub literals: Vec<(String, Vec<u16>)>,
    pub keys: Vec<Key>,
    pub clauses: Vec<Clause>,
    /// Further bytes that make a line worth reading where they are written as an escape.
    pub hidden: Vec<u8>,
}

/// A key whose values tell something.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// With its closing quote.
    pub name: String,
    /// Values, lowered, whether more may follow, and what each tells, as bits.
    pub values: Vec<(Box<[u8]>, bool, u64)>,
    /// What any value might tell.
    pub all: u64,
}

/// What makes a line worth reading: all of it together.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Clause {
    pub values: u64,
    pub parts: Parts,
}

impl Clause {
    pub(super) fn new(values: u64, numbers: &[u16]) -> Self {
        let mut parts = Parts::default();
        for number in numbers {
            parts.insert(*number);
        }
        Self { values, parts }
    }

    /// Whether it asks all that another asks.
    pub(super) fn holds(&self, other: &Self) -> bool {
        other.values & !self.values == 0 && self.parts.holds(&other.parts)
    }
}

/// Numbers below [`PARTS`].
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Parts([u64; PARTS / 64]);

impl Parts {
    /// Adds a number; false where it was there.
    pub(super) fn insert(&mut self, part: u16) -> bool {
        let (word, bit) = (&mut self.0[usize::from(part) / 64], 1 << (part % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    pub(super) fn contains(&self, part: u16) -> bool {
        self.0[usize::from(part) / 64] >> (part % 64) & 1 == 1
    }

    fn holds(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(all, some)| some & !all == 0)
    }
}

/// A text to find, its ASCII letters lowered.
#[derive(Debug)]
struct Literal {
    text: Box<[u8]>,
    /// Where its window starts.
    offset: usize,
    meaning: Meaning,
    /// The next literal whose window has the same hash.
    next: u16,
}

/// What finding a literal tells.
#[derive(Clone, Debug)]
enum Meaning {
    /// Something of these lists is there.
    Parts(Box<[u16]>),
    /// A key: what it tells is in its values.
    Key(Key),
}

/// By low and by high nibble, for each of the four bytes of a window, the buckets whose windows may have it there.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Tables {
    pub low: [[u8; 16]; WINDOW],
    pub high: [[u8; 16]; WINDOW],
}

/// A compiled search.
#[derive(Debug)]
pub(super) struct Search {
    literals: Vec<Literal>,
    tables: Tables,
    map: Vec<u64>,
    chains: Vec<u16>,
    clauses: Vec<Clause>,
    /// The clauses that each part is in.
    by_part: Vec<Vec<u16>>,
    /// The values of clauses that ask nothing else.
    bare: Vec<u64>,
    /// ASCII characters of the literals: written as an escape, they hide one.
    hidden: [bool; 128],
    vectors: bool,
}

/// What is known of a line while it is walked.
#[derive(Debug)]
pub(super) struct Walk {
    start: usize,
    parts: Parts,
    values: u64,
    /// The values of clauses of which all else was found.
    waiting: [u64; WAITING],
    waits: usize,
}

impl Walk {
    /// Of the line that starts at `start`, of which these values are known.
    #[inline]
    pub(super) fn new(start: usize, values: u64) -> Self {
        Self { start, parts: Parts::default(), values, waiting: [0; WAITING], waits: 0 }
    }

    /// Where the line starts.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// What the values of the line tell.
    pub(super) fn values(&self) -> u64 {
        self.values
    }
}

impl Search {
    /// At most `u16::MAX - 1` literals.
    pub(super) fn new(plan: Plan) -> Self {
        let Plan { literals, keys, clauses, hidden } = plan;
        let parts = literals.into_iter().map(|(text, parts)| (text, Meaning::Parts(parts.into())));
        let literals: Vec<_> = parts.chain(keys.into_iter().map(|key| (key.name.clone(), Meaning::Key(key)))).collect();
        let belongs = |part: u16| {
            (0u16..).zip(&clauses).filter(move |(_, clause)| clause.parts.contains(part)).map(|(number, _)| number)
        };
        let mut search = Self {
            literals: Vec::new(),
            tables: Tables::default(),
            map: vec![0; 1 << (MAP_BITS - 6)],
            chains: vec![NONE; 1 << CHAIN_BITS],
            by_part: (0..PARTS as u16).map(|part| belongs(part).collect()).collect(),
            bare: clauses
                .iter()
                .filter(|clause| clause.parts == Parts::default())
                .map(|clause| clause.values)
                .collect(),
            clauses,
            hidden: self::hidden(&literals, hidden),
            vectors: vector::available(),
        };
        let mut used = HashMap::new();
        for (text, meaning) in literals {
            let offset = best_window(text.as_bytes(), &used);
            if let Some(window) = text.as_bytes()[offset..].first_chunk() {
                *used.entry(*window).or_default() += 1;
            }
            search.add(text.into_bytes().into_boxed_slice(), offset, meaning);
        }
        search.tables =
            buckets::tables(search.literals.iter().map(|literal| &literal.text[literal.offset..][..WINDOW]));
        search
    }

    fn add(&mut self, text: Box<[u8]>, offset: usize, meaning: Meaning) {
        let hash = hash(&text[offset..]);
        let (bit, chain) = (hash >> (32 - MAP_BITS), (hash >> (32 - CHAIN_BITS)) as usize);
        self.map[bit as usize / 64] |= 1 << (bit % 64);
        let next = std::mem::replace(&mut self.chains[chain], self.literals.len() as u16);
        self.literals.push(Literal { text, offset, meaning, next });
    }

    /// The end of the line that the walk begins (its line break, or the end of the text), and whether it is worth reading.
    #[inline]
    pub(super) fn line(&self, text: &[u8], walk: &mut Walk) -> (usize, bool) {
        if self.vectors { vector::line(self, text, walk) } else { self.line_by_bytes(text, walk) }
    }

    /// The twin of [`vector::line`], byte by byte.
    pub(super) fn line_by_bytes(&self, text: &[u8], walk: &mut Walk) -> (usize, bool) {
        self.rest_by_bytes(text, walk.start, walk)
    }

    pub(super) fn rest_by_bytes(&self, text: &[u8], from: usize, walk: &mut Walk) -> (usize, bool) {
        for at in from..text.len() {
            let found = match text[at] {
                b'\n' => return (at, self.ended(walk)),
                b'\\' if self.hides(text, at, walk) => true,
                _ => self.found(text, at, walk),
            };
            if found {
                return (line_end(text, at), true);
            }
        }
        (text.len(), self.ended(walk))
    }

    /// Whether a line is worth reading of which all was looked at.
    #[inline]
    pub(super) fn ended(&self, walk: &Walk) -> bool {
        let met = |values: &u64| values & !walk.values == 0;
        walk.waiting[..walk.waits].iter().any(met) || self.bare.iter().any(met)
    }

    pub(super) fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Whether what starts at `at` makes the line worth reading.
    #[inline]
    pub(super) fn found(&self, text: &[u8], at: usize, walk: &mut Walk) -> bool {
        let Some(window) = text.get(at..at + WINDOW) else { return false };
        let hash = hash(window);
        let bit = hash >> (32 - MAP_BITS);
        if self.map[bit as usize / 64] >> (bit % 64) & 1 == 0 {
            return false;
        }
        self.compare(text, at, self.chains[(hash >> (32 - CHAIN_BITS)) as usize], walk)
    }

    #[inline(never)]
    fn compare(&self, text: &[u8], at: usize, mut number: u16, walk: &mut Walk) -> bool {
        while let Some(literal) = self.literals.get(usize::from(number)) {
            number = literal.next;
            let Some(start) = at.checked_sub(literal.offset).filter(|start| *start >= walk.start) else { continue };
            let Some(here) = text.get(start..start + literal.text.len()) else { continue };
            if !here.eq_ignore_ascii_case(&literal.text) {
                continue;
            }
            match &literal.meaning {
                Meaning::Parts(parts) if parts.iter().any(|part| self.enough(*part, walk)) => return true,
                Meaning::Parts(_) => {}
                // Another key may end alike.
                Meaning::Key(_) if start == walk.start || !matches!(text[start - 1], b'"' | b'.') => {}
                Meaning::Key(key) => walk.values |= key.read(text, start + literal.text.len()),
            }
        }
        false
    }

    /// Notes that a part was found. Whether the line is worth reading whatever follows.
    fn enough(&self, part: u16, walk: &mut Walk) -> bool {
        if !walk.parts.insert(part) {
            return false;
        }
        for clause in self.by_part[usize::from(part)].iter().map(|number| &self.clauses[usize::from(*number)]) {
            if !walk.parts.holds(&clause.parts) || walk.waiting[..walk.waits].contains(&clause.values) {
                continue;
            }
            if clause.values & !walk.values == 0 || walk.waits == WAITING {
                return true;
            }
            walk.waiting[walk.waits] = clause.values;
            walk.waits += 1;
        }
        false
    }

    /// Whether the backslash at `at` starts an escape that stands for a character of a literal.
    #[cold]
    pub(super) fn hides(&self, text: &[u8], at: usize, walk: &Walk) -> bool {
        let before = text[walk.start..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        if before % 2 == 1 {
            return false;
        }
        match text.get(at + 1) {
            Some(b'/') => self.hidden[usize::from(b'/')],
            Some(b'u') => {
                let digits = text.get(at + 2..at + 6).and_then(|digits| std::str::from_utf8(digits).ok());
                let code = digits.and_then(|digits| usize::from_str_radix(digits, 16).ok());
                code.is_some_and(|code| code < 128 && self.hidden[code])
            }
            _ => false,
        }
    }
}

/// The characters of the literals, in either case.
fn hidden(literals: &[(String, Meaning)], more: Vec<u8>) -> [bool; 128] {
    let mut hidden = [false; 128];
    for byte in literals.iter().flat_map(|(text, _)| text.bytes()).chain(more).filter(u8::is_ascii) {
        hidden[usize::from(byte.to_ascii_lowercase())] = true;
        hidden[usize::from(byte.to_ascii_uppercase())] = true;
    }
    hidden
}

pub(super) fn line_end(text: &[u8], from: usize) -> usize {
    memchr::memchr(b'\n', &text[from..]).map_or(text.len(), |found| from + found)
}

/// Of the first four bytes, case apart. Some other characters are the same to it as well.
#[inline]
fn hash(window: &[u8]) -> u32 {
    let word = window.first_chunk().map_or(0, |four: &[u8; WINDOW]| u32::from_le_bytes(*four));
    (word | 0x2020_2020).wrapping_mul(0x9E37_79B1)
}

/// What a byte of a window leaves of a text once many windows are searched for together: letters tell little then.
fn telling(byte: u8) -> f64 {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' => 0.5,
        b'0'..=b'9' => 0.3,
        other => byte_share(other),
    }
}

/// Where the best window of a literal starts: rare bytes, and not what many others have.
fn best_window(text: &[u8], used: &HashMap<[u8; WINDOW], u32>) -> usize {
    let cost = |window: &[u8]| {
        let same = window.first_chunk().and_then(|four| used.get(four)).copied().unwrap_or(0);
        let rarity: f64 = window.iter().map(|byte| telling(*byte) * byte_share(*byte).sqrt()).product();
        rarity * f64::from(1 + 2 * same)
    };
    let windows = text.windows(WINDOW).map(cost).enumerate();
    windows.min_by(|one, two| one.1.total_cmp(&two.1)).map_or(0, |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random, the same every time.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, end: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % end
        }

        /// A text of a few letters, so that literals and what nearly is one are frequent.
        fn text(&mut self, length: usize) -> Vec<u8> {
            const LETTERS: &[u8] = b"abAB\"\\\\/u006\n.\xc3\xa9z";
            (0..length).map(|_| LETTERS[self.below(LETTERS.len())]).collect()
        }

        /// Some such text, with keys in it.
        fn lines(&mut self, length: usize) -> Vec<u8> {
            const MEMBERS: [&[u8]; 6] = [
                b"\"aabz\":\"a\",",
                b"\"AABZ\" : [\"BB\"]",
                b"\"x.aabz\":[ \"c\", \"a\" ]",
                b"\"aabz\":null",
                b"\"xaabz\":1",
                b"\"aabz\",",
            ];
            let mut lines = Vec::new();
            while lines.len() < length {
                let size = self.below(90);
                lines.extend(self.text(size));
                lines.extend(MEMBERS[self.below(MEMBERS.len())]);
            }
            lines
        }
    }

    fn search(dice: &mut Dice) -> Search {
        let mut literal = |number: usize| {
            let length = 4 + dice.below(4);
            let text: Vec<u8> = dice
                .text(length)
                .into_iter()
                .map(|byte| if byte == b'\n' || !byte.is_ascii() { b'a' } else { byte })
                .collect();
            let parts = if number.is_multiple_of(5) { vec![number as u16, 300] } else { vec![(number % 7) as u16] };
            (String::from_utf8(text).expect("ASCII").to_ascii_lowercase(), parts)
        };
        let literals: std::collections::BTreeMap<_, _> = (0..40).map(&mut literal).collect();
        let key = Key::new("aabz", [("a", 1), ("bb", 2)]);
        let clause = Clause::new;
        let clauses = [
            clause(0, &[1]),
            clause(1, &[2]),
            clause(0, &[3, 4]),
            clause(3, &[300]),
            clause(2, &[0, 5]),
            clause(3, &[]),
        ];
        Search::new(Plan {
            literals: literals.into_iter().collect(),
            keys: vec![key],
            clauses: clauses.into(),
            ..Plan::default()
        })
    }

    /// The meaning of a search, spelled out.
    fn plainly(search: &Search, line: &[u8]) -> bool {
        let lowered = line.to_ascii_lowercase();
        let (mut parts, mut values) = (Parts::default(), 0);
        for literal in &search.literals {
            for start in memchr::memmem::find_iter(&lowered, &literal.text) {
                match &literal.meaning {
                    Meaning::Parts(found) => {
                        for part in found {
                            parts.insert(*part);
                        }
                    }
                    Meaning::Key(key) if start > 0 && matches!(line[start - 1], b'"' | b'.') => {
                        values |= key.read(line, start + literal.text.len());
                    }
                    Meaning::Key(_) => {}
                }
            }
        }
        let mut escaped = false;
        for (at, byte) in line.iter().enumerate() {
            let starts = *byte == b'\\' && !escaped;
            if starts && line.get(at + 1) == Some(&b'/') && search.hidden[usize::from(b'/')] {
                return true;
            }
            let digits = line.get(at + 2..at + 6).and_then(|digits| std::str::from_utf8(digits).ok());
            let code = digits.and_then(|digits| usize::from_str_radix(digits, 16).ok()).unwrap_or(usize::MAX);
            if starts && line.get(at + 1) == Some(&b'u') && search.hidden.get(code) == Some(&true) {
                return true;
            }
            escaped = starts;
        }
        let found = Clause { values, parts };
        search.clauses.iter().any(|clause| found.holds(clause))
    }

    #[test]
    fn vectors_bytes_and_the_meaning_agree() {
        let mut dice = Dice(7);
        let mut passed = [0; 2];
        for _ in 0..400 {
            let search = search(&mut dice);
            let length = dice.below(700);
            let text = dice.lines(length);
            let mut at = 0;
            while at < text.len() {
                let by_bytes = search.line_by_bytes(&text, &mut Walk::new(at, 0));
                assert_eq!(
                    search.line(&text, &mut Walk::new(at, 0)),
                    by_bytes,
                    "{:?} from {at}",
                    String::from_utf8_lossy(&text)
                );
                let (end, passes) = by_bytes;
                assert_eq!(end, line_end(&text, at));
                assert_eq!(passes, plainly(&search, &text[at..end]), "{:?}", String::from_utf8_lossy(&text[at..end]));
                passed[usize::from(passes)] += 1;
                at = end + 1;
            }
        }
        assert!(passed.iter().all(|count| *count > 500), "both must be frequent: {passed:?}");
    }

    fn only(text: &str) -> Search {
        let clauses = vec![Clause::new(0, &[0])];
        Search::new(Plan { literals: vec![(text.into(), vec![0])], clauses, ..Plan::default() })
    }

    #[test]
    fn a_doubled_backslash_hides_nothing() {
        let search = only("\"msi");
        for (line, passes) in [
            (r#"{"a":"C:\\u006dsi"}"#, false),
            (r#"{"a":"\u006dsi"}"#, true),
            (r#"{"a":"\\\u004Dsi"}"#, true),
            (r#"{"a":"\u003c"}"#, false),
            (r#"{"a":"MSI"}"#, true),
            (r#"{"a":"xmsi"}"#, false),
        ] {
            assert_eq!(search.line(line.as_bytes(), &mut Walk::new(0, 0)), (line.len(), passes), "{line}");
        }
    }
}
