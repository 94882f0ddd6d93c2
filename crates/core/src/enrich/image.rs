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

/// By what a process is known: sixteen digits made of host, number and time, or what was recorded.
pub(super) type Identity = Arc<str>;

/// Name, executable, command line and arguments of a process, in two pieces. A fork shares its parent's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Texts {
    /// All parts, one behind the other.
    text: Arc<str>,
    /// Where each part ends.
    ends: Arc<[u32]>,
    /// Which of the fixed parts are there, as bits.
    there: u8,
}

/// Parts before the arguments.
const FIXED: usize = 3;

/// Puts the texts of a process together, one after the other in the same memory.
#[derive(Debug, Default)]
pub(super) struct Builder {
    text: String,
    ends: Vec<u32>,
    there: u8,
}

impl Builder {
    /// Forgets what was put in.
    pub fn begin(&mut self) -> &mut Self {
        self.text.clear();
        self.ends.clear();
        self.there = 0;
        self
    }

    /// The next part, if there is one: name, executable, command line, then the arguments.
    pub fn add(&mut self, text: Option<&str>) -> &mut Self {
        self.text.push_str(text.unwrap_or_default());
        self.end(text.is_some())
    }

    /// The next part, made of arguments with blanks between them.
    pub fn add_joined<'t>(&mut self, mut args: impl Iterator<Item = &'t str>) -> &mut Self {
        let first = args.next();
        self.text.push_str(first.unwrap_or_default());
        args.for_each(|argument| {
            self.text.push(' ');
            self.text.push_str(argument);
        });
        self.end(first.is_some())
    }

    fn end(&mut self, is_there: bool) -> &mut Self {
        if self.ends.len() < FIXED {
            self.there |= u8::from(is_there) << self.ends.len();
        }
        self.ends.push(self.text.len() as u32);
        self
    }

    /// The texts, with the arguments as the last of them.
    pub fn texts<'t>(&mut self, args: impl Iterator<Item = &'t str>) -> Texts {
        args.for_each(|argument| {
            self.add(Some(argument));
        });
        Texts { text: Arc::from(self.text.as_str()), ends: Arc::from(self.ends.as_slice()), there: self.there }
    }
}

impl Texts {
    fn part(&self, number: usize) -> Option<&str> {
        let end = *self.ends.get(number)?;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start as usize..end as usize)
    }

    fn fixed(&self, number: usize) -> Option<&str> {
        self.part(number).filter(|_| self.there >> number & 1 == 1)
    }

    /// `process.name`.
    pub fn name(&self) -> Option<&str> {
        self.fixed(0)
    }

    /// `process.executable`.
    pub fn executable(&self) -> Option<&str> {
        self.fixed(1)
    }

    /// `process.command_line`.
    pub fn command_line(&self) -> Option<&str> {
        self.fixed(2)
    }

    /// `process.args`.
    pub fn args(&self) -> impl Iterator<Item = &str> {
        (FIXED..self.ends.len()).filter_map(|number| self.part(number))
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
        let mut builder = Builder::default();
        let args = ["sh", "", "-c \0é"];
        let texts = builder.begin().add(Some("sh")).add(None).add_joined(args.into_iter()).texts(args.into_iter());
        assert_eq!((texts.name(), texts.executable(), texts.command_line()), (Some("sh"), None, Some("sh  -c \0é")));
        assert_eq!(texts.args().collect::<Vec<_>>(), args);
        let long = "é".repeat(70_000);
        let none = std::iter::empty();
        let texts = builder.begin().add(None).add(Some(&long)).add_joined(none).texts(["", &long].into_iter());
        assert_eq!((texts.executable(), texts.args().collect::<Vec<_>>()), (Some(&*long), vec!["", &long]));
        assert_eq!(texts.command_line(), None);
        let none = Texts::default();
        assert_eq!((none.name(), none.args().count()), (None, 0));
    }
}
