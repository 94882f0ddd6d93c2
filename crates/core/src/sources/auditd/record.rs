//! One line of an audit log: its head, its keys and values, and the coding of values (quotes, hexadecimal). It knows no
//! other record of the event and no field of ECS.

use super::keys::{COUNT, Key};
use super::marks::{Marks, ONES, up_to};
use super::order::Order;
use super::wishes::KeySet;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

/// What joins the records of one event: the kernel numbers events anew after each boot, so the time belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp {
    /// Milliseconds since 1970.
    pub milliseconds: i64,
    /// The kernel's number of the event.
    pub serial: u64,
    /// `node=`, empty where the log names none.
    pub node: String,
}

impl Stamp {
    /// How the event stands to that of a record.
    pub fn rank(&self, head: &Head<'_>) -> Ordering {
        let by_number = (self.milliseconds, self.serial).cmp(&(head.milliseconds, head.serial));
        // Texts without a byte lie anywhere: some processors take longer to compare nothing there than something in memory.
        if self.node.is_empty() && head.node.is_empty() {
            return by_number;
        }
        by_number.then_with(|| self.node.as_str().cmp(head.node))
    }
}

/// A line with its head read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    /// `SYSCALL`, `EXECVE`, `UNKNOWN[1337]`…
    pub kind: &'a str,
    /// `node=`.
    pub node: &'a str,
    /// Milliseconds since 1970.
    pub milliseconds: i64,
    /// The kernel's number of the event.
    pub serial: u64,
    /// What follows the head.
    pub body: &'a str,
}

/// Where the parts of a head lie in its line: a head is read once, wherever the line is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    kind: (u32, u32),
    node: (u32, u32),
    body: u32,
}

impl<'a> Head<'a> {
    /// Where the parts of the head lie in the line that it was read from.
    pub fn parts(&self, line: &str) -> Parts {
        let span = |part: &str| {
            let start = if part.is_empty() { 0 } else { part.as_ptr().addr() - line.as_ptr().addr() };
            (start as u32, (start + part.len()) as u32)
        };
        Parts { kind: span(self.kind), node: span(self.node), body: (line.len() - self.body.len()) as u32 }
    }

    /// The head of a line whose parts and stamp are known.
    pub fn again(line: &'a str, parts: &Parts, milliseconds: i64, serial: u64) -> Option<Self> {
        let part = |(start, end): (u32, u32)| line.get(start as usize..end as usize);
        let body = line.get(parts.body as usize..)?;
        Some(Self { kind: part(parts.kind)?, node: part(parts.node)?, milliseconds, serial, body })
    }
}

/// The first character of what `log_format = ENRICHED` appends.
const ENRICHED: u8 = 0x1d;

/// Reads `[node=N ]type=T msg=audit(1795491264.724:100): body`. `None`: this is no audit record.
pub(super) fn head(line: &str) -> Option<Head<'_>> {
    head_after(line, &mut LastStamp::default())
}

/// The same, of a record that often belongs to the same event as the one before.
pub(super) fn head_after<'l>(line: &'l str, last: &mut LastStamp) -> Option<Head<'l>> {
    usual_head(line, last).or_else(|| any_head(line))
}

/// Time and number of the record before, as they stood there: ` msg=audit(1795491264.724:100):`.
#[derive(Clone, Debug, Default)]
pub(super) struct LastStamp {
    text: Vec<u8>,
    milliseconds: i64,
    serial: u64,
}

/// A head without `node=`, exactly as auditd writes it: nearly all are so, and one pass reads them. `None`: see [`any_head`].
fn usual_head<'l>(line: &'l str, last: &mut LastStamp) -> Option<Head<'l>> {
    let bytes = line.as_bytes();
    let kind = bytes.strip_prefix(b"type=")?.iter().position(|byte| *byte == b' ').filter(|length| *length > 0)?;
    let kind = 5..5 + kind;
    let behind = &bytes[kind.end..];
    if last.text.is_empty() || !behind.starts_with(&last.text) {
        last.text.clear();
        let (seconds, rest, _) = digits(behind.strip_prefix(b" msg=audit(")?)?;
        let (milliseconds, rest, 3) = digits(rest.strip_prefix(b".")?)? else { return None };
        let (serial, rest, _) = digits(rest.strip_prefix(b":")?)?;
        let body = rest.strip_prefix(b"):")?;
        (last.milliseconds, last.serial) = ((seconds * 1000 + milliseconds) as i64, serial);
        last.text.extend_from_slice(&behind[..behind.len() - body.len()]);
    }
    let body = &line[kind.end + last.text.len()..];
    Some(Head { kind: &line[kind], node: "", milliseconds: last.milliseconds, serial: last.serial, body })
}

/// The number that a text begins with, what follows, and how many digits it has: from one to fifteen.
#[inline]
fn digits(text: &[u8]) -> Option<(u64, &[u8], usize)> {
    let (mut number, mut length) = (0, 0);
    for byte in text.iter().take(16) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        number = number * 10 + u64::from(digit);
        length += 1;
    }
    (1..=15).contains(&length).then(|| (number, &text[length..], length))
}

/// A head in any form, with `node=` and blanks.
fn any_head(line: &str) -> Option<Head<'_>> {
    let mut rest = if line.starts_with("type=") { line } else { line.trim_start() };
    let mut node = "";
    if let Some(named) = rest.strip_prefix("node=") {
        (node, rest) = cut(named, b' ')?;
    }
    let (kind, rest) = cut(rest.strip_prefix("type=")?, b' ')?;
    let rest = if rest.starts_with('m') { rest } else { rest.trim_start() };
    let (time, rest) = cut(rest.strip_prefix("msg=audit(")?, b')')?;
    let (seconds, rest_of_time) = cut(time, b'.')?;
    let (milliseconds, serial) = cut(rest_of_time, b':')?;
    if kind.is_empty() || milliseconds.len() != 3 {
        return None;
    }
    let seconds: i64 = seconds.parse().ok()?;
    let milliseconds: u16 = milliseconds.parse().ok()?;
    let milliseconds = seconds.checked_mul(1000)?.checked_add(i64::from(milliseconds))?;
    let body = rest.strip_prefix(':').unwrap_or(rest);
    Some(Head { kind, node, milliseconds, serial: serial.parse().ok()?, body })
}

/// The text before and behind the first such byte, which is ASCII.
#[inline]
fn cut(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = memchr::memchr(byte, text.as_bytes())?;
    Some((&text[..at], &text[at + 1..]))
}

/// A value as it stands in the record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a> {
    /// Without its quotes.
    pub text: &'a str,
    /// Whether it stood in quotes: only a value without them can be hexadecimal.
    pub quoted: bool,
}

impl<'a> Value<'a> {
    #[inline]
    fn of(text: &'a str, quoted: bool) -> Self {
        Self { text: if quoted { trimmed(text) } else { text }, quoted }
    }

    /// The value, decoded if it is hexadecimal: parts that end in NUL are joined with spaces.
    pub fn decoded(self) -> Cow<'a, str> {
        if self.quoted {
            return Cow::Borrowed(self.text);
        }
        match unhex(self.text) {
            Some(bytes) => Cow::Owned(join_strings(bytes)),
            None => Cow::Borrowed(self.text),
        }
    }
}

/// Decodes upper-case hexadecimal, the only kind that the kernel and auditd write. `None`: this is none.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    unhex_into(text, &mut bytes).then_some(bytes)
}

/// The value of each digit; more than 15 for what is none.
const DIGITS: [u8; 256] = {
    let mut digits = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

/// Appends what hexadecimal says, or nothing if it is none.
pub(super) fn unhex_into(text: &str, out: &mut Vec<u8>) -> bool {
    let digits = text.as_bytes();
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return false;
    }
    let start = out.len();
    let mut all = 0;
    out.extend(digits.chunks_exact(2).map(|pair| {
        let (high, low) = (DIGITS[usize::from(pair[0])], DIGITS[usize::from(pair[1])]);
        all |= high | low;
        high << 4 | low
    }));
    if all > 15 {
        out.truncate(start);
    }
    all <= 15
}

/// `["ls", "-l"]` of `ls\0-l\0`, joined with spaces. Bytes that are no UTF-8 are replaced.
fn join_strings(mut bytes: Vec<u8>) -> String {
    if bytes.last() == Some(&0) {
        bytes.pop();
    }
    bytes.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = b' ');
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// One key of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    pub key: Key,
    /// The key as it stands in the record.
    pub name: &'a str,
    pub value: Value<'a>,
}

/// The keys and values of one record. Later values of a key replace earlier ones.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    entries: Vec<Field<'a>>,
    /// Where each known key is, counted from 1.
    places: [u16; COUNT],
    /// What ENRICHED appended: names (`UID="root"`).
    enriched: &'a str,
    /// These names, where they are asked for more than once.
    names: Vec<(&'a str, &'a str)>,
    /// In which order the keys of records came, for each of [`ORDERED`].
    pub orders: Orders,
    /// A quote that never closes: the record was cut.
    pub cut: bool,
    /// Whether there are more pairs than are kept.
    pub crowded: bool,
}

impl Default for Fields<'_> {
    fn default() -> Self {
        let (entries, places, enriched, names) = (Vec::new(), [0; COUNT], "", Vec::new());
        Self { entries, places, enriched, names, orders: Orders::default(), cut: false, crowded: false }
    }
}

/// In which order the keys of records came, for each of [`ORDERED`].
pub(super) type Orders = [Order; ORDERED.len()];

/// The kinds of records that make up most of a log: the kernel writes the keys of each in one order.
const ORDERED: [&str; 5] = ["SYSCALL", "PATH", "CWD", "PROCTITLE", "BPRM_FCAPS"];

/// The most keys that one record may have: the kernel writes fewer than sixty (arguments of EXECVE apart).
const MAXIMUM_FIELDS: usize = 256;

impl<'a> Fields<'a> {
    /// Reads the wanted keys of a record's body, in the memory of the record before.
    pub fn read(&mut self, kind: &str, body: &'a str, keys: &KeySet) {
        for entry in self.entries.drain(..) {
            self.places[entry.key as usize] = 0;
        }
        self.names.clear();
        (self.cut, self.crowded) = (false, false);
        let (body, enriched) = cut(body, ENRICHED).unwrap_or((body, ""));
        self.enriched = enriched;
        match ORDERED.iter().position(|ordered| *ordered == kind) {
            Some(number) => {
                let mut order = std::mem::take(&mut self.orders[number]);
                let read = self.read_usual(body, keys, &order);
                self.read_pairs(body, read, keys, Some(&mut order));
                self.orders[number] = order;
            }
            None => self.read_pairs(body, Read::default(), keys, None),
        }
        match kind {
            "AVC" => self.read_decision(body),
            "LOGIN" => self.read_login(body),
            _ => {}
        }
    }

    /// Reads the pairs that stand as they stood in the record before: each behind one blank, none without a value. How far that goes.
    fn read_usual(&mut self, text: &'a str, keys: &KeySet, order: &Order) -> Read {
        let bytes = text.as_bytes();
        let mut marks = Marks::of(bytes);
        let mut read = Read::default();
        if marks.next() != Some(0) {
            return read;
        }
        while let Some(usual) = order.get(read.pairs) {
            let Some(equals) = usual.stands(bytes, read.at) else { break };
            let start = equals + 1;
            let Some((value, after)) = usual_value(bytes, start, &mut marks) else { break };
            if keys.have(usual.key) {
                let quoted = value.start > start;
                let value = Value::of(&text[value], quoted);
                self.take(usual.key, &text[read.at + 1..equals], value);
            }
            read = Read { at: after, pairs: read.pairs + 1 };
        }
        read
    }

    fn read_pairs(&mut self, text: &'a str, read: Read, keys: &KeySet, mut order: Option<&mut Order>) {
        let mut scanner = Scanner { text, at: read.at, cut: false };
        let mut count = read.pairs;
        while let Some((key, pair)) = scanner.pair() {
            if let Some(order) = order.as_deref_mut() {
                order.set(count, key, scanner.name(pair));
            }
            count += 1;
            // Most are passed over: their texts are not even taken out.
            if !keys.have(key) {
                continue;
            }
            let (name, value) = (scanner.name(pair), scanner.value(pair));
            if key == Key::Message {
                self.read_pairs(value.text, Read::default(), keys, None);
            } else {
                self.take(key, name, value);
            }
        }
        self.cut |= scanner.cut;
        self.crowded |= count > MAXIMUM_FIELDS;
    }

    /// Takes a pair, unless its value says that there is none.
    #[inline]
    fn take(&mut self, key: Key, name: &'a str, value: Value<'a>) {
        if !matches!(value.text, "" | "?" | "?," | "(null)" | "(none),") {
            self.set(key, name, value);
        }
    }

    /// `avc:  denied  { read write } for …` of `SELinux`.
    fn read_decision(&mut self, body: &'a str) {
        let Some((_, rest)) = body.split_once("avc:") else { return };
        let Some((decision, rest)) = rest.split_once('{') else { return };
        let Some((permissions, _)) = rest.split_once('}') else { return };
        self.set(Key::SeResult, Key::SeResult.text(), Value { text: decision.trim(), quoted: true });
        self.set(Key::SePermissions, Key::SePermissions.text(), Value { text: permissions.trim(), quoted: true });
    }

    /// `old auid=1 new auid=2` of kernels before 3.14.
    fn read_login(&mut self, body: &'a str) {
        for (before, key) in [("old auid=", Key::OldAuditOld), ("new auid=", Key::NewAuditOld)] {
            if let Some((_, rest)) = body.split_once(before) {
                let text = rest.split_ascii_whitespace().next().unwrap_or_default();
                self.set(key, key.text(), Value { text, quoted: false });
            }
        }
    }

    fn set(&mut self, key: Key, name: &'a str, value: Value<'a>) {
        if let Some(at) = self.place(key, name) {
            self.entries[at].value = value;
        } else if self.entries.len() < MAXIMUM_FIELDS {
            self.entries.push(Field { key, name, value });
            self.places[key as usize] = self.entries.len() as u16;
        }
    }

    #[inline]
    fn place(&self, key: Key, name: &str) -> Option<usize> {
        if key == Key::Other {
            return self.entries.iter().position(|entry| entry.key == key && entry.name == name);
        }
        usize::from(self.places[key as usize]).checked_sub(1)
    }

    /// The value of a key.
    pub fn get(&self, key: Key) -> Option<Value<'a>> {
        self.place(key, key.text()).map(|at| self.entries[at].value)
    }

    /// All keys and values.
    pub fn iter(&self) -> impl Iterator<Item = Field<'a>> + '_ {
        self.entries.iter().copied()
    }

    /// Reads the names that ENRICHED appended, for whoever asks for many. Whether there are any.
    pub fn read_names(&mut self) -> bool {
        if self.names.is_empty() {
            self.names.extend(pairs(self.enriched).map(|(name, value)| (name, value.text)));
        }
        !self.names.is_empty()
    }

    /// The name that ENRICHED gives for a key: `name("auid")` is the value of `AUID=`.
    pub fn name(&self, key: &str) -> Option<&'a str> {
        let is_named = |name: &str| name.eq_ignore_ascii_case(key);
        let name = if self.names.is_empty() {
            pairs(self.enriched).find(|(name, _)| is_named(name)).map(|(_, value)| value.text)
        } else {
            self.names.iter().find(|(name, _)| is_named(name)).map(|(_, name)| *name)
        }?;
        (!name.is_empty() && name != "unset" && name != "?" && !name.starts_with("unknown")).then_some(name)
    }
}

/// How much of a body is read.
#[derive(Clone, Copy, Debug, Default)]
struct Read {
    /// Where the next pair stands, with the blank before it.
    at: usize,
    pairs: usize,
}

/// Where a value lies that begins here, without its quotes, and where the next pair begins behind it. `None`: it is to be looked at
/// more closely. `marks` comes to the latter.
#[inline]
fn usual_value(bytes: &[u8], start: usize, marks: &mut Marks<'_>) -> Option<(Range<usize>, usize)> {
    let end = marks.next().unwrap_or(bytes.len());
    if end > start {
        return bytes.get(end).is_none_or(|byte| *byte == b' ').then_some((start..end, end));
    }
    let quote = *bytes.get(start).filter(|byte| matches!(byte, b'"' | b'\''))?;
    let close = marks.find(|mark| bytes[*mark] == quote)?;
    let after = close + 1;
    let usual = after == bytes.len() || bytes[after] == b' ' && marks.next() == Some(after);
    usual.then_some((start + 1..close, after))
}

/// Where a pair stands in a text.
#[derive(Clone, Copy)]
struct Pair {
    first: usize,
    equals: usize,
    /// Of the value, without quotes.
    start: usize,
    end: usize,
    quoted: bool,
}

/// Walks over `key=value` pairs. What is none of them (words between pairs) is passed over.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
    cut: bool,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, cut: false }
    }

    /// The key that stands at the walk's place as nearly all do: behind one blank, known, and not longer than sixteen bytes.
    #[inline]
    fn usual_key(&self) -> Option<(Key, usize, usize)> {
        let bytes = self.text.as_bytes();
        let first = self.at + usize::from(bytes.get(self.at) == Some(&b' '));
        let equals = first + position_of_equals(bytes.get(first..)?)?;
        // A known key holds nothing that could part it.
        let key = Key::of(self.text.get(first..equals)?);
        (key != Key::Other).then_some((key, first, equals))
    }

    /// Where the next key begins and where its equals sign is, whatever stands before it.
    #[inline]
    fn any_name(&self) -> Option<(usize, usize)> {
        let bytes = self.text.as_bytes();
        let (mut first, mut equals) = (self.at, self.at);
        loop {
            match CLASSES[usize::from(*bytes.get(equals)?)] {
                Class::Key => {}
                Class::Equals => return Some((first, equals)),
                _ => first = equals + 1,
            }
            equals += 1;
        }
    }

    fn any_key(&self) -> Option<(Key, usize, usize)> {
        let (first, equals) = self.any_name()?;
        Some((Key::of(&self.text[first..equals]), first, equals))
    }

    /// Where a value without quotes ends that begins here.
    #[inline]
    fn end_of_value(&self, start: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut end = start;
        loop {
            // Eight bytes at a time, as long as none of them can end it.
            while let Some(eight) = bytes.get(end..).and_then(|rest| rest.first_chunk()) {
                let low = (up_to(b'\'', *eight).trailing_zeros() / 8) as usize;
                end += low;
                if low < 8 {
                    break;
                }
            }
            match bytes.get(end) {
                Some(byte) if !matches!(CLASSES[usize::from(*byte)], Class::Blank | Class::Quote) => end += 1,
                _ => return end,
            }
        }
    }

    /// The next pair.
    fn pair(&mut self) -> Option<(Key, Pair)> {
        loop {
            let (key, first, equals) = self.usual_key().or_else(|| self.any_key())?;
            if let Some(pair) = self.pass(first, equals) {
                return Some((key, pair));
            }
        }
    }

    /// The next pair, for whom the key's text is enough.
    fn named_pair(&mut self) -> Option<(&'a str, Value<'a>)> {
        loop {
            let (first, equals) = self.any_name()?;
            if let Some(pair) = self.pass(first, equals) {
                return Some((self.name(pair), self.value(pair)));
            }
        }
    }

    /// Passes over the value of a key. `None`: there is no key or no value.
    #[inline]
    fn pass(&mut self, first: usize, equals: usize) -> Option<Pair> {
        let bytes = self.text.as_bytes();
        let start = equals + 1;
        self.at = start;
        if first == equals {
            return None;
        }
        match bytes.get(start) {
            Some(quote @ (b'"' | b'\'')) => {
                let Some(length) = memchr::memchr(*quote, &bytes[start + 1..]) else {
                    // What the open quote holds is still read: `msg='unit=…` loses no field with its last character.
                    self.cut = true;
                    self.at = start + 1;
                    return None;
                };
                self.at = start + length + 2;
                Some(Pair { first, equals, start: start + 1, end: self.at - 1, quoted: true })
            }
            Some(byte) if !byte.is_ascii_whitespace() => {
                self.at = self.end_of_value(start);
                Some(Pair { first, equals, start, end: self.at, quoted: false })
            }
            _ => None,
        }
    }

    fn name(&self, pair: Pair) -> &'a str {
        &self.text[pair.first..pair.equals]
    }

    fn value(&self, pair: Pair) -> Value<'a> {
        Value::of(&self.text[pair.start..pair.end], pair.quoted)
    }
}

/// Where the first `=` of a text is, looked for in the first 24 bytes, of which all must be there: else somebody else looks.
#[inline]
fn position_of_equals(text: &[u8]) -> Option<usize> {
    for start in [0, 8, 16] {
        let eight = u64::from_le_bytes(*text.get(start..)?.first_chunk()?);
        let at = (up_to(0, (eight ^ (ONES * u64::from(b'='))).to_le_bytes()).trailing_zeros() / 8) as usize;
        if at < 8 {
            return Some(start + at);
        }
    }
    None
}

/// A quoted value without quotes and spaces at its ends: the outer quotes of `msg='…'` may be doubled.
#[inline]
fn trimmed(text: &str) -> &str {
    let outer = |byte: Option<&u8>| matches!(byte, Some(b'\'' | b'"' | b' '));
    let bytes = text.as_bytes();
    if outer(bytes.first()) || outer(bytes.last()) { text.trim_matches(['\'', '"', ' ']) } else { text }
}

/// What a byte is between pairs, and in a value without quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Key,
    Equals,
    Blank,
    Quote,
    Other,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'_' | b'-' | b'[' | b']' => Class::Key,
            byte if byte.is_ascii_alphanumeric() => Class::Key,
            b'=' => Class::Equals,
            b'"' | b'\'' => Class::Quote,
            byte if byte.is_ascii_whitespace() => Class::Blank,
            _ => Class::Other,
        };
        byte += 1;
    }
    classes
};

/// The `key=value` pairs of a text, in order, repeated keys included.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (&str, Value<'_>)> {
    let mut scanner = Scanner::new(text);
    std::iter::from_fn(move || scanner.named_pair())
}

/// Whether a record may have been cut inside a quoted value: exactly where its last quote follows an equals sign. Of texts with
/// single quotes nothing is known, for these may hold others.
pub(super) fn may_be_cut(body: &str) -> bool {
    let bytes = plain(body).as_bytes();
    let last = memchr::memrchr(b'"', bytes).and_then(|at| at.checked_sub(1));
    last.is_some_and(|before| bytes[before] == b'=') || memchr::memchr(b'\'', bytes).is_some()
}

/// The text before what ENRICHED appended.
pub(super) fn plain(body: &str) -> &str {
    cut(body, ENRICHED).map_or(body, |(plain, _)| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the definition has it: byte by byte.
    fn slow(text: &str) -> Vec<(&str, String)> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(equals) = text[at..].find('=').map(|equals| at + equals) {
            let is_key = |character: char| character.is_ascii_alphanumeric() || "_-[]".contains(character);
            let first = text[..equals]
                .rfind(|character| !is_key(character))
                .map_or(at, |before| (before + text[before..].chars().next().map_or(1, char::len_utf8)).max(at));
            at = equals + 1;
            let rest = &text[at..];
            if first == equals {
                continue;
            }
            if let Some(quote) = rest.chars().next().filter(|quote| "\"'".contains(*quote)) {
                if let Some(length) = rest[1..].find(quote) {
                    found.push((&text[first..equals], rest[1..=length].trim_matches(['\'', '"', ' ']).to_owned()));
                    at += length + 2;
                } else {
                    at += 1;
                }
            } else {
                let ends = |character: char| character.is_ascii_whitespace() || "\"'".contains(character);
                let length = rest.find(ends).unwrap_or(rest.len());
                if length > 0 {
                    found.push((&text[first..equals], rest[..length].to_owned()));
                }
                at += length;
            }
        }
        found
    }

    #[test]
    fn pairs_are_found_as_byte_by_byte() {
        let records = [
            " arch=c000003e syscall=59 success=yes exit=0 a0=1 items=2 ppid=7 comm=\"a b\" exe=\"/x\" key=(null)",
            "name=\"/tmp/nametype=X\" nametype=NORMAL obj=a:b:c pid=1",
            "pid=1\tuid=2 (pid=3) new auid=4,old-auid=5 \"pid=6\" x=pid=7 =8 pid= uid='a=1 b=\"2\"' é=pidé=9 pid=é\u{1}!# x",
            "audit_backlog_limits=1 audit_backlog_limit=64 a very long word without any end pid=2 msg='op=x acct=\"y\"",
        ];
        let pairs_of = |text: &str| pairs(text).map(|(name, value)| (name.to_owned(), value.text.to_owned())).collect();
        for record in records {
            for start in (0..record.len()).filter(|start| record.is_char_boundary(*start)) {
                for end in (start..=record.len()).filter(|end| record.is_char_boundary(*end)) {
                    let text = &record[start..end];
                    let expected: Vec<(String, String)> =
                        slow(text).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                    let found: Vec<(String, String)> = pairs_of(text);
                    assert_eq!(found, expected, "{text}");
                }
            }
        }
    }
}
