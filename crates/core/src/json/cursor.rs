//! The grammar of JSON over a line of text: moves past values, checking every byte. It picks out nothing.

use super::{Broken, BrokenKind, MAX_DEPTH};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// A string's place in the line: its content without the quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StringSpan {
    /// First byte after the opening quote.
    pub start: usize,
    /// The closing quote.
    pub end: usize,
    /// Whether the content holds escapes.
    pub escaped: bool,
}

/// A position in a line of text.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    /// The line.
    pub text: &'a str,
    /// The next byte.
    pub at: usize,
}

impl<'a> Cursor<'a> {
    /// At the start of a line.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// The next byte, without moving.
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.bytes().get(self.at).copied()
    }

    /// A fault at the next byte; at the end of the text, that it is truncated.
    pub fn broken(&self, kind: BrokenKind) -> Broken {
        let kind =
            if self.at >= self.text.len() && kind == BrokenKind::Unexpected { BrokenKind::Truncated } else { kind };
        Broken { kind, at: self.at }
    }

    /// Moves past white space.
    #[inline]
    pub fn blank(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Moves past one expected byte and the white space before it.
    #[inline]
    pub fn expect(&mut self, byte: u8) -> Result<(), Broken> {
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        self.blank();
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.broken(BrokenKind::Unexpected))
        }
    }

    /// Nothing but white space may follow.
    pub fn end(&mut self) -> Result<(), Broken> {
        self.blank();
        if self.at == self.text.len() { Ok(()) } else { Err(self.broken(BrokenKind::Trailing)) }
    }

    /// Moves past a string; the next byte is its opening quote.
    #[inline]
    pub fn string(&mut self) -> Result<StringSpan, Broken> {
        let start = self.at + 1;
        let end = special(self.bytes(), start);
        if self.bytes().get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(StringSpan { start, end, escaped: false });
        }
        self.bent(start, end)
    }

    /// A string whose first special byte, at `at`, is no quote.
    #[inline(never)]
    fn bent(&mut self, start: usize, mut at: usize) -> Result<StringSpan, Broken> {
        let bytes = self.bytes();
        loop {
            match bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(StringSpan { start, end: at, escaped: true });
                }
                // The escape of Windows' paths.
                Some(b'\\') if bytes.get(at + 1) == Some(&b'\\') => at += 2,
                Some(b'\\') => at = self.escape(at)?,
                Some(_) => return Err(Broken { kind: BrokenKind::ControlCharacter, at }),
                None => return Err(Broken { kind: BrokenKind::Truncated, at: bytes.len() }),
            }
            at = special(bytes, at);
        }
    }

    fn escape(&self, at: usize) -> Result<usize, Broken> {
        let bytes = self.bytes();
        match bytes.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u') => match bytes.get(at + 2..at + 6) {
                Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(at + 6),
                _ => Err(Broken { kind: BrokenKind::Escape, at }),
            },
            Some(_) => Err(Broken { kind: BrokenKind::Escape, at }),
            None => Err(Broken { kind: BrokenKind::Truncated, at: bytes.len() }),
        }
    }

    /// Moves past a number and gives its text.
    pub fn number(&mut self) -> Result<&'a str, Broken> {
        let bytes = self.bytes();
        let start = self.at;
        let mut at = start;
        let digits = |at: usize| at + bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if bytes.get(at) == Some(&b'-') {
            at += 1;
        }
        let whole = digits(at);
        if whole == at || (bytes[at] == b'0' && whole > at + 1) {
            self.at = at;
            return Err(self.broken(BrokenKind::Unexpected));
        }
        at = whole;
        if bytes.get(at) == Some(&b'.') {
            let fraction = digits(at + 1);
            if fraction == at + 1 {
                self.at = fraction;
                return Err(self.broken(BrokenKind::Unexpected));
            }
            at = fraction;
        }
        if let Some(b'e' | b'E') = bytes.get(at) {
            let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            let exponent = digits((at + 1 + sign).min(bytes.len()));
            if exponent == at + 1 + sign {
                self.at = exponent;
                return Err(self.broken(BrokenKind::Unexpected));
            }
            at = exponent;
        }
        self.at = at;
        Ok(&self.text[start..at])
    }

    /// Moves past `true`, `false` or `null`.
    pub fn word(&mut self, word: &str) -> Result<(), Broken> {
        if self.bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.broken(BrokenKind::Unexpected))
        }
    }

    /// Moves past a string, number or word.
    fn scalar(&mut self) -> Result<(), Broken> {
        match self.peek() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(b'-' | b'0'..=b'9') => self.number().map(|_| ()),
            _ => Err(self.broken(BrokenKind::Unexpected)),
        }
    }

    /// Moves past any value, at `depth` open brackets, checking all of it. No recursion: depth is hostile input.
    pub fn skip(&mut self, depth: usize) -> Result<(), Broken> {
        self.blank();
        if !matches!(self.peek(), Some(b'{' | b'[')) {
            return self.scalar();
        }
        let mut open = Brackets::default();
        loop {
            self.blank();
            match self.peek() {
                Some(bracket @ (b'{' | b'[')) => {
                    if depth + open.count >= MAX_DEPTH {
                        return Err(self.broken(BrokenKind::TooDeep));
                    }
                    self.at += 1;
                    open.push(bracket == b'{');
                    self.blank();
                    if self.peek() == Some(open.closing()) {
                        self.at += 1;
                        open.count -= 1;
                    } else {
                        self.key(open.is_object())?;
                        continue;
                    }
                }
                _ => self.scalar()?,
            }
            if self.close(&mut open)? {
                return Ok(());
            }
        }
    }

    /// After a value: moves past closing brackets up to the next value. True when the outermost is closed.
    fn close(&mut self, open: &mut Brackets) -> Result<bool, Broken> {
        while open.count > 0 {
            self.blank();
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    self.key(open.is_object())?;
                    return Ok(false);
                }
                Some(byte) if byte == open.closing() => {
                    self.at += 1;
                    open.count -= 1;
                }
                _ => return Err(self.broken(BrokenKind::Unexpected)),
            }
        }
        Ok(true)
    }

    fn key(&mut self, in_object: bool) -> Result<(), Broken> {
        if in_object {
            self.member()?;
        }
        Ok(())
    }

    /// Moves past a key and its colon.
    #[inline]
    pub fn member(&mut self) -> Result<StringSpan, Broken> {
        if self.peek() != Some(b'"') {
            self.blank();
        }
        if self.peek() != Some(b'"') {
            return Err(self.broken(BrokenKind::Unexpected));
        }
        let key = self.string()?;
        self.expect(b':')?;
        Ok(key)
    }
}

/// Which of the open brackets are braces, as bits.
#[derive(Default)]
struct Brackets {
    bits: [u64; MAX_DEPTH / 64 + 1],
    count: usize,
}

impl Brackets {
    fn push(&mut self, object: bool) {
        let (word, bit) = (self.count / 64, 1 << (self.count % 64));
        if object {
            self.bits[word] |= bit;
        } else {
            self.bits[word] &= !bit;
        }
        self.count += 1;
    }

    fn is_object(&self) -> bool {
        let top = self.count - 1;
        self.bits[top / 64] >> (top % 64) & 1 == 1
    }

    fn closing(&self) -> u8 {
        if self.is_object() { b'}' } else { b']' }
    }
}

/// The first quote, backslash or control character at or after `at`; the length of the text when there is none.
#[inline]
pub(super) fn special(bytes: &[u8], mut at: usize) -> usize {
    #[cfg(target_arch = "x86_64")]
    while let Some(sixteen) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let found = super::vector::specials(sixteen);
        if found != 0 {
            return at + found.trailing_zeros() as usize;
        }
        at += 16;
    }
    while let Some(eight) = bytes.get(at..at + 8) {
        let word = u64::from_le_bytes(eight.try_into().expect("a slice of eight bytes"));
        // In each term the lowest set bit is exact: a borrow only disturbs bytes above a true hit.
        let quote = word ^ (ONES * u64::from(b'"'));
        let slash = word ^ (ONES * u64::from(b'\\'));
        let hits = (quote.wrapping_sub(ONES) & !quote)
            | (slash.wrapping_sub(ONES) & !slash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let hits = hits & HIGHS;
        if hits != 0 {
            return at + hits.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' || byte == b'\\' || byte < 0x20 {
            break;
        }
        at += 1;
    }
    at
}
