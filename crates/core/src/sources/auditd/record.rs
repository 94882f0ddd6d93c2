//! One line of an audit log: its head, its keys and values, and the coding of values (quotes, hexadecimal). It knows no
//! other record of the event and no field of ECS.

use std::borrow::Cow;

/// What joins the records of one event: the kernel numbers events anew after each boot, so the time belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// Milliseconds since 1970.
    pub milliseconds: i64,
    /// The kernel's number of the event.
    pub serial: u64,
    /// `node=`, empty where the log names none.
    pub node: String,
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

/// The first character of what `log_format = ENRICHED` appends.
const ENRICHED: char = '\u{1d}';

/// Reads `[node=N ]type=T msg=audit(1795491264.724:100): body`. `None`: this is no audit record.
pub(super) fn head(line: &str) -> Option<Head<'_>> {
    let mut rest = line.trim_start();
    let mut node = "";
    if let Some(named) = rest.strip_prefix("node=") {
        (node, rest) = named.split_once(' ')?;
    }
    let (kind, rest) = rest.strip_prefix("type=")?.split_once(' ')?;
    let (time, rest) = rest.trim_start().strip_prefix("msg=audit(")?.split_once(')')?;
    let (seconds, rest_of_time) = time.split_once('.')?;
    let (milliseconds, serial) = rest_of_time.split_once(':')?;
    if kind.is_empty() || milliseconds.len() != 3 {
        return None;
    }
    let seconds: i64 = seconds.parse().ok()?;
    let milliseconds: u16 = milliseconds.parse().ok()?;
    let milliseconds = seconds.checked_mul(1000)?.checked_add(i64::from(milliseconds))?;
    let body = rest.strip_prefix(':').unwrap_or(rest);
    Some(Head { kind, node, milliseconds, serial: serial.parse().ok()?, body })
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
    /// The value, decoded if it is hexadecimal: parts that end in NUL are joined with spaces.
    pub fn decoded(self) -> Cow<'a, str> {
        if self.quoted {
            return Cow::Borrowed(self.text);
        }
        match unhex(self.text) {
            Some(bytes) => Cow::Owned(join_strings(&bytes)),
            None => Cow::Borrowed(self.text),
        }
    }
}

/// Decodes upper-case hexadecimal, the only kind that the kernel and auditd write. `None`: this is none.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    digits.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// `["ls", "-l"]` of `ls\0-l\0`, joined with spaces. Bytes that are no UTF-8 are replaced.
fn join_strings(bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    if text.contains('\0') { text.replace('\0', " ") } else { text.into_owned() }
}

/// The keys and values of one record. Later values of a key replace earlier ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields<'a> {
    entries: Vec<(&'a str, Value<'a>)>,
    /// The names that ENRICHED appended (`UID="root"`).
    names: Vec<(&'a str, &'a str)>,
    /// A quote that never closes: the record was cut.
    pub cut: bool,
}

/// The most keys that one record may have: the kernel writes fewer than sixty (arguments of EXECVE apart).
const MAXIMUM_FIELDS: usize = 256;

impl<'a> Fields<'a> {
    /// Reads the body of a record.
    pub fn read(kind: &str, body: &'a str) -> Self {
        let mut fields = Fields { entries: Vec::with_capacity(40), ..Fields::default() };
        let (body, enriched) = body.split_once(ENRICHED).unwrap_or((body, ""));
        fields.read_pairs(body);
        for (name, value) in pairs(enriched) {
            fields.names.push((name, value.text));
        }
        match kind {
            "AVC" => fields.read_decision(body),
            "LOGIN" => fields.read_login(body),
            _ => {}
        }
        fields
    }

    fn read_pairs(&mut self, text: &'a str) {
        let mut scanner = Scanner { text, at: 0, cut: false };
        for (key, value) in scanner.by_ref() {
            if key == "msg" {
                self.read_pairs(value.text);
            } else if !matches!(value.text, "" | "?" | "?," | "(null)" | "(none),") {
                self.set(key, value);
            }
        }
        self.cut |= scanner.cut;
    }

    /// `avc:  denied  { read write } for …` of `SELinux`.
    fn read_decision(&mut self, body: &'a str) {
        let Some((_, rest)) = body.split_once("avc:") else { return };
        let Some((decision, rest)) = rest.split_once('{') else { return };
        let Some((permissions, _)) = rest.split_once('}') else { return };
        self.set("seresult", Value { text: decision.trim(), quoted: true });
        self.set("seperms", Value { text: permissions.trim(), quoted: true });
    }

    /// `old auid=1 new auid=2` of kernels before 3.14.
    fn read_login(&mut self, body: &'a str) {
        for (before, key) in [("old auid=", "old_auid"), ("new auid=", "new_auid")] {
            if let Some((_, rest)) = body.split_once(before) {
                let text = rest.split_ascii_whitespace().next().unwrap_or_default();
                self.set(key, Value { text, quoted: false });
            }
        }
    }

    fn set(&mut self, key: &'a str, value: Value<'a>) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.0 == key) {
            entry.1 = value;
        } else if self.entries.len() < MAXIMUM_FIELDS {
            self.entries.push((key, value));
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        self.entries.iter().find(|entry| entry.0 == key).map(|entry| entry.1)
    }

    /// All keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> + '_ {
        self.entries.iter().copied()
    }

    /// The name that ENRICHED gives for a key: `name("auid")` is the value of `AUID=`.
    pub fn name(&self, key: &str) -> Option<&'a str> {
        let name = self.names.iter().find(|entry| entry.0.eq_ignore_ascii_case(key))?.1;
        (!name.is_empty() && name != "unset" && name != "?" && !name.starts_with("unknown")).then_some(name)
    }
}

/// Walks over `key=value` pairs. What is none of them (words between pairs) is passed over.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
    cut: bool,
}

impl<'a> Iterator for Scanner<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        loop {
            let equals = self.at + memchr::memchr(b'=', bytes.get(self.at..)?)?;
            let key_length = bytes[self.at..equals].iter().rev().take_while(|byte| is_key(**byte)).count();
            let key = &self.text[equals - key_length..equals];
            let start = equals + 1;
            self.at = start;
            if key.is_empty() {
                continue;
            }
            let value = match bytes.get(start) {
                Some(quote @ (b'"' | b'\'')) => {
                    let Some(length) = memchr::memchr(*quote, &bytes[start + 1..]) else {
                        // What the open quote holds is still read: `msg='unit=…` loses no field with its last character.
                        self.cut = true;
                        self.at = start + 1;
                        continue;
                    };
                    self.at = start + length + 2;
                    Value { text: self.text[start + 1..=start + length].trim_matches(QUOTES), quoted: true }
                }
                Some(byte) if !byte.is_ascii_whitespace() => {
                    let length = bytes[start..]
                        .iter()
                        .position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\''))
                        .unwrap_or(bytes.len() - start);
                    self.at = start + length;
                    Value { text: &self.text[start..start + length], quoted: false }
                }
                _ => continue,
            };
            return Some((key, value));
        }
    }
}

/// Removed at both ends of a quoted value: the outer quotes of `msg='…'` may be doubled.
const QUOTES: &[char] = &['\'', '"', ' '];

fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'[' | b']')
}

/// The `key=value` pairs of a text, in order, repeated keys included.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (&str, Value<'_>)> {
    Scanner { text, at: 0, cut: false }
}

/// The text before what ENRICHED appended.
pub(super) fn plain(body: &str) -> &str {
    body.split_once(ENRICHED).map_or(body, |(plain, _)| plain)
}
