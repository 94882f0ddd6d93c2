//! Which of many texts a text contains. Of each text one *window* of four bytes is looked for, by a bitmap of their hashes that fits into
//! the processor's nearest memory; only where one may be, texts are compared. It knows no letters: who wants case folded, folds.

use foldhash::fast::RandomState;
use std::collections::HashMap;

/// Bytes of a window.
const WINDOW: usize = 4;
/// Bytes of the windows of shorter texts.
const SHORT: usize = 2;
/// Bits of a hash: the bitmap has 16 KiB.
const BITS: u32 = 17;
const WORDS: usize = 1 << (BITS - 6);

/// Texts that are looked for together.
#[derive(Debug)]
pub(crate) struct Texts {
    all: Vec<Box<[u8]>>,
    windows: Windows<WINDOW>,
    /// Of texts that are shorter than a window.
    pairs: Windows<SHORT>,
    /// Single bytes, with the numbers of their texts.
    bytes: Vec<(u8, u32)>,
}

impl Texts {
    /// Texts by number. An empty one is never found.
    pub fn new(texts: Vec<Box<[u8]>>) -> Self {
        let of = |least: usize, most: usize| {
            let all = (0..).zip(texts.iter().map(|text| &**text));
            all.filter(|(_, text)| (least..most).contains(&text.len())).collect::<Vec<(u32, &[u8])>>()
        };
        let windows = Windows::of(&of(WINDOW, usize::MAX));
        let pairs = Windows::of(&of(SHORT, WINDOW));
        let bytes = of(1, SHORT).into_iter().map(|(number, text)| (text[0], number)).collect();
        Self { all: texts, windows, pairs, bytes }
    }

    /// Tells `found` of each text that lies in `text` and is not known to it.
    pub fn find(&self, text: &[u8], found: &mut impl Finds) {
        self.windows.find(text, &self.all, found);
        self.pairs.find(text, &self.all, found);
        for (byte, number) in &self.bytes {
            if !found.knows(*number) && memchr::memchr(*byte, text).is_some() {
                found.add(*number);
            }
        }
    }
}

/// Keeps what is found.
pub(crate) trait Finds {
    /// Whether a text was found before: it is not looked for again.
    fn knows(&self, text: u32) -> bool;
    /// A text is found.
    fn add(&mut self, text: u32);
}

/// The window of one text.
#[derive(Clone, Copy, Debug)]
struct Window {
    bytes: u32,
    text: u32,
    /// Where it lies in the text.
    at: u32,
}

/// Windows of so many bytes, by hash.
#[derive(Debug)]
struct Windows<const N: usize> {
    /// Whose hash is among those of the windows.
    map: Box<[u64; WORDS]>,
    /// The windows, ascending by hash, and where those of each 64 hashes begin.
    all: Vec<Window>,
    starts: Vec<u32>,
}

impl<const N: usize> Windows<N> {
    /// The windows of texts that are long enough, each the one of its text that is rarest among all: what many texts have is
    /// likely to stand in most values, too.
    fn of(texts: &[(u32, &[u8])]) -> Self {
        let mut shares: HashMap<u32, usize, RandomState> = HashMap::default();
        let all = texts.iter().flat_map(|(_, text)| text.windows(N));
        all.filter_map(window::<N>).for_each(|bytes| *shares.entry(bytes).or_default() += 1);
        let rarest = |(number, text): &(u32, &[u8])| {
            let windows = text.windows(N).filter_map(window::<N>).zip(0..);
            let (bytes, at) = windows.min_by_key(|(bytes, at)| (shares.get(bytes), *at))?;
            Some(Window { bytes, text: *number, at })
        };
        let mut windows: Vec<Window> = texts.iter().filter_map(rarest).collect();
        windows.sort_by_key(|window| hash(window.bytes));
        let mut map = Box::new([0_u64; WORDS]);
        for window in &windows {
            let hash = hash(window.bytes);
            map[hash as usize / 64] |= 1 << (hash % 64);
        }
        let before = |word: usize| windows.partition_point(|window| (hash(window.bytes) as usize) < word * 64) as u32;
        let starts = (0..=WORDS).map(before).collect();
        Self { map, all: windows, starts }
    }

    fn find(&self, text: &[u8], texts: &[Box<[u8]>], found: &mut impl Finds) {
        if self.all.is_empty() {
            return;
        }
        for (at, bytes) in text.windows(N).enumerate() {
            let Some(bytes) = window::<N>(bytes) else { return };
            let hash = hash(bytes);
            let word = (hash / 64) as usize;
            if self.map[word] >> (hash % 64) & 1 == 1 {
                self.compare(word, bytes, (text, at), texts, found);
            }
        }
    }

    /// The texts whose window lies here.
    #[cold]
    fn compare(
        &self,
        word: usize,
        bytes: u32,
        (text, at): (&[u8], usize),
        texts: &[Box<[u8]>],
        found: &mut impl Finds,
    ) {
        let range = self.starts[word] as usize..self.starts[word + 1] as usize;
        for window in self.all[range].iter().filter(|window| window.bytes == bytes) {
            if found.knows(window.text) {
                continue;
            }
            let wanted = &*texts[window.text as usize];
            let rest = at.checked_sub(window.at as usize).and_then(|start| text.get(start..));
            if wanted.len() == N || rest.is_some_and(|rest| rest.starts_with(wanted)) {
                found.add(window.text);
            }
        }
    }
}

/// The bytes of a window as a number.
#[inline]
fn window<const N: usize>(bytes: &[u8]) -> Option<u32> {
    let bytes: &[u8; N] = bytes.first_chunk()?;
    let mut all = [0; 4];
    all[..N].copy_from_slice(bytes);
    Some(u32::from_le_bytes(all))
}

#[inline]
const fn hash(bytes: u32) -> u32 {
    bytes.wrapping_mul(0x9e37_79b1) >> (32 - BITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    impl Finds for BTreeSet<u32> {
        fn knows(&self, text: u32) -> bool {
            self.contains(&text)
        }

        fn add(&mut self, text: u32) {
            assert!(self.insert(text), "it was known");
        }
    }

    fn found(texts: &[&str], text: &str) -> Vec<u32> {
        let all = Texts::new(texts.iter().map(|text| text.as_bytes().into()).collect());
        let mut found = BTreeSet::new();
        all.find(text.as_bytes(), &mut found);
        found.into_iter().collect()
    }

    #[test]
    fn exactly_the_texts_are_found_that_are_there() {
        let texts =
            ["a", "ab", "abc", "abcd", "bcde", "é", "-c", "x", "abcdefgh", "hgfe", "dddd", "e", ".exe", "cmd.exe"];
        let values =
            ["", "a", "b", "abc", "xabcd", "abcdefgh", "hgfedcba", "ddd", "dddd", "c:\\cmd.exe -c é", "cmd.ex"];
        for text in values {
            let expected: Vec<u32> =
                (0..).zip(texts).filter(|(_, wanted)| text.contains(wanted)).map(|(number, _)| number).collect();
            assert_eq!(found(&texts, text), expected, "{text}");
        }
        assert_eq!(found(&[], "abcd"), [] as [u32; 0]);
        assert_eq!(found(&["", "b"], "abc"), [1]);
    }

    #[test]
    fn many_texts_are_found_like_one() {
        let texts: Vec<String> = (0..3_000).map(|number: u64| format!("{:x}", number * 7_919 % 100_003)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let words = (0..4_000_u64).map(|number| format!("{:x}", number * number * 31 % 65_537));
        let text = words.collect::<Vec<_>>().join(" ");
        let expected: Vec<u32> =
            (0..).zip(&texts).filter(|(_, wanted)| text.contains(**wanted)).map(|(number, _)| number).collect();
        assert!(expected.len() > 100);
        assert_eq!(found(&texts, &text), expected);
    }
}
