//! What one process was from some moment on, in little room: a table holds a hundred thousand. It knows no other process.

use super::installers::Role;
use std::sync::Arc;

/// When a record was made, and when it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    /// Nanoseconds since 1970; of a record without a time, that of the latest record of its host.
    pub time: i128,
    /// Count of the records before it.
    pub arrival: u64,
}

/// By what a process is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// Sixteen digits made of host, number and time.
    Derived([u8; 16]),
    Recorded(Box<str>),
}

impl Identity {
    /// As documents have it.
    pub fn as_str(&self) -> &str {
        match self {
            Identity::Derived(digits) => std::str::from_utf8(digits).unwrap_or_default(),
            Identity::Recorded(text) => text,
        }
    }
}

/// Name, executable, command line and arguments of a process, in one piece. A fork shares its parent's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Texts {
    /// Each part behind its length; what is missing has none.
    parts: Option<Arc<str>>,
}

/// The length of a part that is missing.
const MISSING: u32 = u32::MAX;
/// Parts before the arguments.
const FIXED: usize = 3;
/// Characters of a length: seven bits each, the lowest first, so that lengths and parts are one text.
const LENGTH: usize = 5;

fn push_length(buffer: &mut String, length: u32) {
    buffer.extend((0..LENGTH).map(|place| char::from((u64::from(length) >> (7 * place)) as u8 & 0x7f)));
}

fn length_of(digits: &str) -> u32 {
    digits.bytes().rev().fold(0, |length, digit| length << 7 | u64::from(digit)) as u32
}

impl Texts {
    /// The texts of a process; `buffer` is used to put them together.
    pub fn new<'t>(fixed: [Option<&str>; FIXED], args: impl Iterator<Item = &'t str>, buffer: &mut String) -> Self {
        buffer.clear();
        let mut push = |text: Option<&str>| {
            push_length(buffer, text.map_or(MISSING, |text| text.len() as u32));
            buffer.push_str(text.unwrap_or_default());
        };
        fixed.into_iter().for_each(&mut push);
        args.for_each(|argument| push(Some(argument)));
        Self { parts: Some(Arc::from(buffer.as_str())) }
    }

    fn parts(&self) -> impl Iterator<Item = Option<&str>> {
        let mut rest = self.parts.as_deref().unwrap_or_default();
        std::iter::from_fn(move || {
            let (length, after) = rest.split_at_checked(LENGTH)?;
            let length = length_of(length);
            if length == MISSING {
                rest = after;
                return Some(None);
            }
            let (text, after) = after.split_at_checked(length as usize)?;
            rest = after;
            Some(Some(text))
        })
    }

    fn part(&self, number: usize) -> Option<&str> {
        self.parts().nth(number).flatten()
    }

    /// `process.name`.
    pub fn name(&self) -> Option<&str> {
        self.part(0)
    }

    /// `process.executable`.
    pub fn executable(&self) -> Option<&str> {
        self.part(1)
    }

    /// `process.command_line`.
    pub fn command_line(&self) -> Option<&str> {
        self.part(2)
    }

    /// `process.args`.
    pub fn args(&self) -> impl Iterator<Item = &str> {
        self.parts().skip(FIXED).flatten()
    }
}

/// What a process was from some moment on.
#[derive(Clone, Debug)]
pub(super) struct Image {
    pub from: Moment,
    pub ended: Option<Moment>,
    pub texts: Texts,
    pub identity: Identity,
    pub parent: Option<u64>,
    /// A process that has called no exec yet: it is what its parent was.
    pub forked: bool,
    pub role: Role,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_they_were() {
        let mut buffer = String::new();
        let texts = Texts::new([Some("sh"), None, Some("sh -c \0é")], ["sh", "", "-c \0é"].into_iter(), &mut buffer);
        assert_eq!((texts.name(), texts.executable(), texts.command_line()), (Some("sh"), None, Some("sh -c \0é")));
        assert_eq!(texts.args().collect::<Vec<_>>(), ["sh", "", "-c \0é"]);
        let long = "é".repeat(70_000);
        let texts = Texts::new([None, Some(&long), None], ["", &long].into_iter(), &mut buffer);
        assert_eq!((texts.executable(), texts.args().collect::<Vec<_>>()), (Some(&*long), vec!["", &long]));
        let none = Texts::default();
        assert_eq!((none.name(), none.args().count()), (None, 0));
    }
}
