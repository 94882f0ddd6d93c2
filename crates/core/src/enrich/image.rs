//! What one process was from some moment on, in little room: a table holds a hundred thousand. It knows no other process.

use super::identity::Identity;
use super::installers::Role;
use crate::value::Time;
use std::collections::VecDeque;
use std::sync::Arc;

/// When a record was made, and when it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    /// Nanoseconds since 1970; of a record without a time, that of the latest record of its host.
    pub time: Nanoseconds,
    /// Count of the records before it.
    pub arrival: u64,
}

/// Nanoseconds since 1970, from 1677 to 2262; what is further off counts as the nearest of these.
pub(super) type Nanoseconds = i64;

/// A time of a document.
pub(super) fn nanoseconds(time: Time) -> Nanoseconds {
    time.total_nanos().clamp(Nanoseconds::MIN.into(), Nanoseconds::MAX.into()) as Nanoseconds
}

/// Name, executable, command line and arguments of a process, in one piece. A fork shares its parent's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Texts {
    /// All parts, one behind the other.
    text: Arc<str>,
    /// Where each part ends.
    ends: Ends,
    /// Which of the fixed parts are there, as bits.
    there: u8,
}

/// Where parts end: most texts have few, and are short.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ends {
    Few { count: u8, ends: [u16; FEW] },
    Many(Arc<[u32]>),
}

/// So many are kept in place.
const FEW: usize = 10;

impl Ends {
    fn of(all: &[u32]) -> Self {
        let mut ends = [0; FEW];
        // Ends ascend: the last is the largest.
        if all.len() > FEW || all.last().is_some_and(|last| *last > u32::from(u16::MAX)) {
            return Self::Many(all.into());
        }
        ends.iter_mut().zip(all).for_each(|(end, known)| *end = *known as u16);
        Self::Few { count: all.len() as u8, ends }
    }

    fn len(&self) -> usize {
        match self {
            Self::Few { count, .. } => usize::from(*count),
            Self::Many(ends) => ends.len(),
        }
    }

    fn get(&self, number: usize) -> Option<usize> {
        match self {
            Self::Few { count, ends } => ends[..usize::from(*count)].get(number).map(|end| usize::from(*end)),
            Self::Many(ends) => ends.get(number).map(|end| *end as usize),
        }
    }
}

impl Default for Ends {
    fn default() -> Self {
        Self::of(&[])
    }
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
        Texts { text: Arc::from(self.text.as_str()), ends: Ends::of(&self.ends), there: self.there }
    }
}

impl Texts {
    fn part(&self, number: usize) -> Option<&str> {
        let end = self.ends.get(number)?;
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).unwrap_or(0);
        self.text.get(start..end)
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

/// What the processes of one number were, by time; the oldest are forgotten first. Most numbers were one process, which is kept where
/// the number is.
#[derive(Clone, Debug)]
pub(super) struct Images {
    newest: Image,
    /// Those before it, in order.
    older: VecDeque<Image>,
}

/// Images remembered for each number.
const MOST_IMAGES: usize = 8;

impl Images {
    /// One image.
    pub fn new(image: Image) -> Self {
        Self { newest: image, older: VecDeque::new() }
    }

    /// Adds an image at its time.
    pub fn insert(&mut self, image: Image) {
        if image.from >= self.newest.from {
            self.older.push_back(std::mem::replace(&mut self.newest, image));
        } else {
            let place = self.older.partition_point(|known| known.from <= image.from);
            self.older.insert(place, image);
        }
        if self.older.len() >= MOST_IMAGES {
            self.older.pop_front();
        }
    }

    /// From the newest to the oldest.
    pub fn newest_first(&self) -> impl DoubleEndedIterator<Item = &Image> {
        std::iter::once(&self.newest).chain(self.older.iter().rev())
    }

    /// The image of a moment, to be changed.
    pub fn at_mut(&mut self, at: Moment) -> Option<&mut Image> {
        if self.newest.from <= at {
            return Some(&mut self.newest);
        }
        self.older.iter_mut().rev().find(|image| image.from <= at)
    }
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

    #[test]
    fn images_are_kept_by_time_and_the_oldest_forgotten() {
        let image = |time| Image {
            from: Moment { time, arrival: 0 },
            ended: None,
            texts: Texts::default(),
            identity: Identity::from(""),
            parent: None,
            forked: false,
            role: Role::Other,
        };
        let mut images = Images::new(image(5));
        [9, 1, 7, 3, 8, 2, 6, 4, 10].into_iter().for_each(|time| images.insert(image(time)));
        let times: Vec<i64> = images.newest_first().map(|image| image.from.time).collect();
        assert_eq!(times, [10, 9, 8, 7, 6, 5, 4, 3]);
        let at = |images: &mut Images, time| images.at_mut(Moment { time, arrival: 0 }).map(|image| image.from.time);
        assert_eq!((at(&mut images, 11), at(&mut images, 7), at(&mut images, 2)), (Some(10), Some(7), None));
    }
}
