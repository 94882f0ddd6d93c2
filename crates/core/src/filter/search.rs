//! The search itself: lines of a text are walked once, and each is said to be worth reading or not. It knows literals, not conditions.
//!
//! Of each literal one *window* of four bytes is looked for. Tables by nibble say quickly where none can be (`vector` looks at 32
//! places at a time), a bitmap by hash says nearly exactly where one is, and only then the literal is compared.

use super::rarity::byte_share;
use super::vector;
use std::collections::{BTreeMap, HashMap};

/// Bytes of a window: the shortest literal.
pub(super) const WINDOW: usize = 4;
const BUCKETS: usize = 8;
const MAP_BITS: u32 = 14;
const CHAIN_BITS: u32 = 12;
const NONE: u16 = u16::MAX;

/// What a line is known by once a literal was found in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Worth reading.
    Enough,
    /// One of several that are needed together, as bits.
    Part(u128),
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
    /// Combinations of parts that make a line worth reading.
    clauses: Vec<u128>,
    /// ASCII characters of the literals: written as an escape, they hide one.
    hidden: [bool; 128],
    vectors: bool,
}

/// What is known of a line while it is walked.
#[derive(Debug)]
pub(super) struct Walk {
    start: usize,
    seen: u128,
}

impl Search {
    /// `literals` are lowered, at least [`WINDOW`] bytes long, at most `u16::MAX - 1` of them.
    pub(super) fn new(literals: Vec<(String, Meaning)>, clauses: Vec<u128>) -> Self {
        let mut hidden = [false; 128];
        for byte in literals.iter().flat_map(|(text, _)| text.bytes()).filter(u8::is_ascii) {
            hidden[usize::from(byte)] = true;
            hidden[usize::from(byte.to_ascii_uppercase())] = true;
        }
        let mut search = Self {
            literals: Vec::new(),
            tables: Tables::default(),
            map: vec![0; 1 << (MAP_BITS - 6)],
            chains: vec![NONE; 1 << CHAIN_BITS],
            clauses,
            hidden,
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
        search.tables = tables(&search.literals);
        search
    }

    fn add(&mut self, text: Box<[u8]>, offset: usize, meaning: Meaning) {
        let hash = hash(&text[offset..]);
        let (bit, chain) = (hash >> (32 - MAP_BITS), (hash >> (32 - CHAIN_BITS)) as usize);
        self.map[bit as usize / 64] |= 1 << (bit % 64);
        let next = std::mem::replace(&mut self.chains[chain], self.literals.len() as u16);
        self.literals.push(Literal { text, offset, meaning, next });
    }

    /// The end of the line that starts at `start` (its line break, or the end of the text), and whether it is worth reading.
    #[inline]
    pub(super) fn line(&self, text: &[u8], start: usize) -> (usize, bool) {
        if self.vectors { vector::line(self, text, start) } else { self.line_by_bytes(text, start) }
    }

    /// The twin of [`vector::line`], byte by byte.
    pub(super) fn line_by_bytes(&self, text: &[u8], start: usize) -> (usize, bool) {
        self.rest_by_bytes(text, start, &mut self.begin(start))
    }

    pub(super) fn begin(&self, start: usize) -> Walk {
        Walk { start, seen: 0 }
    }

    pub(super) fn rest_by_bytes(&self, text: &[u8], from: usize, walk: &mut Walk) -> (usize, bool) {
        for at in from..text.len() {
            let found = match text[at] {
                b'\n' => return (at, false),
                b'\\' if self.hides(text, at, walk) => true,
                _ => self.found(text, at, walk),
            };
            if found {
                return (line_end(text, at), true);
            }
        }
        (text.len(), false)
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
            match literal.meaning {
                Meaning::Enough => return true,
                Meaning::Part(bits) if walk.seen & bits == bits => {}
                Meaning::Part(bits) => {
                    walk.seen |= bits;
                    if self.clauses.iter().any(|clause| clause & walk.seen == *clause) {
                        return true;
                    }
                }
            }
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

/// A bucket while windows are shared out: the bytes that it may have at each place.
#[derive(Clone, Copy, Default)]
struct Bucket {
    low: [u16; WINDOW],
    high: [u16; WINDOW],
}

impl Bucket {
    fn with(mut self, window: &[u8]) -> Self {
        for (place, byte) in window.iter().take(WINDOW).enumerate() {
            for byte in [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()] {
                self.low[place] |= 1 << (byte & 15);
                self.high[place] |= 1 << (byte >> 4);
            }
        }
        self
    }

    fn joined(&self, other: &Self) -> Self {
        let both = |one: [u16; WINDOW], two: [u16; WINDOW]| std::array::from_fn(|place| one[place] | two[place]);
        Self { low: both(self.low, other.low), high: both(self.high, other.high) }
    }

    /// The share of places of a text that it lets through.
    fn share(&self) -> f64 {
        let passes = |place: usize, byte: u8| {
            self.low[place] >> (byte & 15) & 1 == 1 && self.high[place] >> (byte >> 4) & 1 == 1
        };
        (0..WINDOW)
            .map(|place| {
                (b' '..=b'~')
                    .filter(|byte| !byte.is_ascii_uppercase() && passes(place, *byte))
                    .map(byte_share)
                    .sum::<f64>()
            })
            .product()
    }
}

/// Windows that share a bucket.
#[derive(Clone)]
struct Group<'w> {
    windows: Vec<&'w [u8]>,
    bucket: Bucket,
    share: f64,
}

impl<'w> Group<'w> {
    fn new(windows: Vec<&'w [u8]>) -> Self {
        let bucket = windows.iter().fold(Bucket::default(), |bucket, window| bucket.with(window));
        Self { share: bucket.share(), windows, bucket }
    }

    /// What both would let through together, beyond what they let through apart.
    fn cost(&self, other: &Self) -> f64 {
        self.bucket.joined(&other.bucket).share() - self.share - other.share
    }
}

/// Which places of a window have no letter, and the first such byte: windows that are alike in this are well searched for together.
fn likeness(window: &[u8]) -> (u8, u8) {
    let places = window.iter().enumerate().filter(|(_, byte)| !byte.is_ascii_alphabetic());
    let mask = places.clone().fold(0, |mask, (place, _)| mask | 1 << place);
    (mask, places.map(|(_, byte)| *byte).next().unwrap_or(0))
}

/// Shares the windows out over the buckets so that few places of a text get through.
fn groups(literals: &[Literal]) -> Vec<Group<'_>> {
    let mut alike: BTreeMap<(u8, u8), Vec<&[u8]>> = BTreeMap::new();
    for literal in literals {
        let window = &literal.text[literal.offset..][..WINDOW];
        alike.entry(likeness(window)).or_default().push(window);
    }
    let mut groups: Vec<Group<'_>> = alike.into_values().map(Group::new).collect();
    while groups.len() > BUCKETS {
        let pairs = (0..groups.len()).flat_map(|one| (0..one).map(move |two| (one, two)));
        let costs = pairs.map(|(one, two)| (groups[one].cost(&groups[two]), one, two));
        let Some((_, one, two)) = costs.min_by(|left, right| left.0.total_cmp(&right.0)) else { break };
        let mut windows = groups.swap_remove(one).windows;
        windows.append(&mut groups[two].windows);
        groups[two] = Group::new(windows);
    }
    while groups.len() < BUCKETS {
        let several = groups.iter().enumerate().filter(|(_, group)| group.windows.len() > 1);
        let Some((widest, _)) = several.max_by(|one, two| one.1.share.total_cmp(&two.1.share)) else { break };
        let mut windows = groups.swap_remove(widest).windows;
        windows.sort_unstable();
        let rest = windows.split_off(windows.len() / 2);
        groups.extend([Group::new(windows), Group::new(rest)]);
    }
    groups
}

fn tables(literals: &[Literal]) -> Tables {
    let mut tables = Tables::default();
    for (number, group) in groups(literals).iter().enumerate() {
        for place in 0..WINDOW {
            for nibble in 0..16 {
                tables.low[place][nibble] |= ((group.bucket.low[place] >> nibble & 1) as u8) << number;
                tables.high[place][nibble] |= ((group.bucket.high[place] >> nibble & 1) as u8) << number;
            }
        }
    }
    tables
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
    }

    fn search(dice: &mut Dice) -> Search {
        let mut bits = 0;
        let literals = (0..dice.below(40))
            .map(|number| {
                let length = 4 + dice.below(4);
                let text: Vec<u8> = dice
                    .text(length)
                    .into_iter()
                    .map(|byte| if byte == b'\n' || !byte.is_ascii() { b'a' } else { byte })
                    .collect();
                let meaning = if number % 3 == 0 {
                    bits = (bits + 1) % 6;
                    Meaning::Part(1 << bits)
                } else {
                    Meaning::Enough
                };
                (String::from_utf8(text).expect("ASCII").to_ascii_lowercase(), meaning)
            })
            .collect();
        Search::new(literals, vec![0b11, 0b1_0100, 0b10_1010])
    }

    /// The meaning of a search, spelled out.
    fn plainly(search: &Search, line: &[u8]) -> bool {
        let lowered = line.to_ascii_lowercase();
        let found = |literal: &&Literal| memchr::memmem::find(&lowered, &literal.text).is_some();
        let mut seen = 0;
        for literal in search.literals.iter().filter(found) {
            match literal.meaning {
                Meaning::Enough => return true,
                Meaning::Part(bits) => seen |= bits,
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
        search.clauses.iter().any(|clause| clause & seen == *clause)
    }

    #[test]
    fn vectors_bytes_and_the_meaning_agree() {
        let mut dice = Dice(7);
        let mut passed = [0; 2];
        for _ in 0..400 {
            let search = search(&mut dice);
            let length = dice.below(700);
            let text = dice.text(length);
            let mut at = 0;
            while at < text.len() {
                let by_bytes = search.line_by_bytes(&text, at);
                assert_eq!(search.line(&text, at), by_bytes, "{:?} from {at}", String::from_utf8_lossy(&text));
                let (end, passes) = by_bytes;
                assert_eq!(end, line_end(&text, at));
                assert_eq!(passes, plainly(&search, &text[at..end]), "{:?}", String::from_utf8_lossy(&text[at..end]));
                passed[usize::from(passes)] += 1;
                at = end + 1;
            }
        }
        assert!(passed.iter().all(|count| *count > 500), "both must be frequent: {passed:?}");
    }

    #[test]
    fn a_doubled_backslash_hides_nothing() {
        let search = Search::new(vec![("\"msi".into(), Meaning::Enough)], Vec::new());
        for (line, passes) in [
            (r#"{"a":"C:\\u006dsi"}"#, false),
            (r#"{"a":"\u006dsi"}"#, true),
            (r#"{"a":"\\\u004Dsi"}"#, true),
            (r#"{"a":"\u003c"}"#, false),
            (r#"{"a":"MSI"}"#, true),
            (r#"{"a":"xmsi"}"#, false),
        ] {
            assert_eq!(search.line(line.as_bytes(), 0), (line.len(), passes), "{line}");
        }
    }
}
