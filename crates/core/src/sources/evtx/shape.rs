//! What becomes of a template's values, found out once a template: it is replayed with a mark in place of each value, and what the
//! record then has tells where each belongs. Templates of Windows' own providers put each value to one place; others have no shape.

use super::super::winlog::{Record, SYSTEM, System, Tree};
use super::binxml::{Token, step};

/// Where a text of a record belongs.
#[derive(Debug)]
pub(super) enum Target {
    /// To the common values.
    System(System),
    /// To the event data, under this name.
    Data(Box<str>),
}

/// What a text of a record is.
#[derive(Debug)]
pub(super) enum Source {
    /// The same in every record.
    Text(Box<str>),
    /// The value of this number.
    Value(u16),
}

/// What becomes of a template's values.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// The common values first.
    pub texts: Vec<(Target, Source)>,
    /// How many of them are common values.
    pub system: usize,
    /// The values that lie in the element `Event` itself: binary XML of its children.
    pub inside: Vec<u16>,
    /// Tells it from all others of its library.
    pub number: u64,
}

/// Tokens of a template that is worth it.
const MOST: usize = 4096;
/// The mark of a value's number: characters for private use, which no template has in its own text.
const MARKS: u32 = 0xf_0000;

impl Shape {
    /// The shape of a template of whole events, or of children of `Event`. `None`: it has none.
    pub fn of(tokens: &[Token], inside_event: bool) -> Option<Self> {
        if tokens.len() > MOST {
            return None;
        }
        let mut shape = Self::default();
        let mut record = Record::default();
        let mut tree = if inside_event { Tree::inside_event(&mut record) } else { Tree::new(&mut record) };
        for token in tokens {
            if matches!(token, Token::Text(text) if text.chars().any(|char| u32::from(char) >= MARKS)) {
                return None;
            }
            let Some(number) = step(token, &mut tree) else { continue };
            if tree.is_in_event() {
                shape.inside.push(number);
            } else {
                tree.text()?.push(char::from_u32(MARKS + u32::from(number))?);
            }
        }
        for field in SYSTEM {
            let text = record.get(field);
            if !text.is_empty() {
                shape.texts.push((Target::System(field), source(text)?));
            }
        }
        shape.system = shape.texts.len();
        for (name, text) in record.data() {
            if !matches!(source(name)?, Source::Text(_)) {
                return None;
            }
            shape.texts.push((Target::Data(name.into()), source(text)?));
        }
        Some(shape)
    }
}

/// One value or none of them: nothing else is simple.
fn source(text: &str) -> Option<Source> {
    let mark = |char: char| u32::from(char).checked_sub(MARKS).and_then(|number| u16::try_from(number).ok());
    if !text.chars().any(|char| mark(char).is_some()) {
        return Some(Source::Text(text.into()));
    }
    let mut chars = text.chars();
    let number = chars.next().and_then(mark)?;
    chars.next().is_none().then_some(Source::Value(number))
}
