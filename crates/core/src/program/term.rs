//! One leaf of a condition over one field, compiled: what the values of the field must be like.

use super::script::Script;
use crate::kernels::Failure;
use crate::kernels::compare::{self, Constant, Mode};
use crate::kernels::equals::Equals;
use crate::kernels::fold;
use crate::kernels::regex::{EDGE, Regex, required};
use crate::kernels::wildcard::Wildcard;
use crate::plan::{CompareOp, Condition, Field, FieldType, Fold, MatchKind, PlanError};
use crate::value::address::{self, Block};
use crate::value::{Event, Family, Raw, Reading, Value};
use memchr::memmem;

/// What a condition comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    False,
    True,
    Failed,
}

/// Which end of a text, or any place of it.
#[derive(Clone, Copy, Debug)]
enum Place {
    Start,
    End,
    Anywhere,
}

#[derive(Debug)]
enum Test {
    Missing,
    Truth,
    Equals(Equals),
    Wildcards { patterns: Vec<Wildcard>, folded: bool },
    Regex { regex: Regex, patterns: Vec<String>, fold: Fold },
    Part { place: Place, constants: Vec<Box<[u8]>>, folded: bool },
    Compare { op: CompareOp, constants: Vec<Constant>, mode: Mode },
    Cidr(Vec<Block>),
    Script(Script),
}

/// A compiled leaf. Its field number is that of the joined program.
#[derive(Debug)]
pub(super) struct Term {
    pub(super) field: u32,
    reading: Reading,
    test: Test,
}

impl Term {
    /// Compiles a leaf; `numbers` are the joined numbers of the plan's fields, `fields` the joined list.
    pub(super) fn new(leaf: &Condition, numbers: &[u32], fields: &[Field]) -> Result<Self, PlanError> {
        let (field, test) = match leaf {
            Condition::Missing(leaf) => (leaf.field, Test::Missing),
            Condition::Truth(leaf) => (leaf.field, Test::Truth),
            Condition::Text(leaf) => (leaf.field, texts(leaf.kind, leaf.fold, &leaf.constants)),
            Condition::Regex(leaf) => {
                let regex = Regex::lucene(&leaf.patterns, leaf.fold)?;
                (leaf.field, Test::Regex { regex, patterns: leaf.patterns.clone(), fold: leaf.fold })
            }
            Condition::Prefix(leaf) => (leaf.field, part(Place::Start, leaf.fold, &leaf.constants)),
            Condition::Suffix(leaf) => (leaf.field, part(Place::End, leaf.fold, &leaf.constants)),
            Condition::Contains(leaf) => (leaf.field, part(Place::Anywhere, leaf.fold, &leaf.constants)),
            Condition::Compare(leaf) => {
                let constant = Constant::new(leaf.constant.as_ref()).unwrap_or(Constant::Null);
                (leaf.field, comparison(leaf.op, vec![constant], leaf.field, numbers, fields))
            }
            Condition::In(leaf) => {
                let constants = leaf.constants.iter().filter_map(|constant| Constant::new(constant.as_ref())).collect();
                (leaf.field, comparison(CompareOp::Equal, constants, leaf.field, numbers, fields))
            }
            Condition::Cidr(leaf) => {
                (leaf.field, Test::Cidr(leaf.blocks.iter().filter_map(|block| Block::parse(block)).collect()))
            }
            Condition::Script(scalar) => {
                let script = Script::new(scalar, numbers, fields)?;
                return Ok(Self {
                    field: u32::MAX,
                    reading: Reading::plain(FieldType::Any),
                    test: Test::Script(script),
                });
            }
            Condition::And(_) | Condition::Or(_) | Condition::Not(_) | Condition::Always(_) => {
                return Ok(Self { field: u32::MAX, reading: Reading::plain(FieldType::Any), test: Test::Truth });
            }
        };
        let field = numbers[field as usize];
        Ok(Self { field, reading: Reading::of(&fields[field as usize]), test })
    }

    /// How much work the term is, roughly: a hash look-up is one.
    pub(super) fn cost(&self) -> u32 {
        match &self.test {
            Test::Missing | Test::Truth | Test::Equals(_) => 1,
            Test::Compare { .. } | Test::Cidr(_) => 2,
            Test::Part { constants, .. } => 2 + constants.len() as u32,
            Test::Wildcards { patterns, .. } => 4 + patterns.len() as u32,
            Test::Regex { .. } => 50,
            Test::Script(_) => 100,
        }
    }

    /// The field whose values alone decide it, if there is one.
    pub(super) fn only_field(&self) -> Option<u32> {
        match &self.test {
            Test::Script(script) => script.only_field(),
            _ => Some(self.field).filter(|field| *field != u32::MAX),
        }
    }

    /// Texts of which a value must contain one, with ASCII letters lowered in both, or the term is false. None where that is not known. Where
    /// the term has patterns or parts, these are one for each.
    pub(super) fn needs(&self) -> Option<Vec<Box<[u8]>>> {
        if Family::of(self.reading.ty) != Family::Text {
            return None;
        }
        let texts: Option<Vec<&[u8]>> = match &self.test {
            Test::Equals(equals) => Some(equals.constants().iter().map(|text| &**text).collect()),
            Test::Part { constants, .. } => Some(constants.iter().map(|text| &**text).collect()),
            Test::Wildcards { patterns, .. } => {
                patterns.iter().map(|pattern| pattern.literals().max_by_key(|text| text.len())).collect()
            }
            Test::Regex { patterns, fold, .. } => return of_expressions(patterns, *fold),
            _ => None,
        };
        let texts = texts?;
        let some = texts.iter().all(|text| !text.is_empty());
        some.then(|| texts.iter().map(|text| text.to_ascii_lowercase().into_boxed_slice()).collect())
    }

    /// Whether any value of the field makes it true. `lowered` gives the text of value number `n` of the event with ASCII lowered. `only`:
    /// no value has what the patterns or parts but these need.
    pub(super) fn evaluate(&self, event: &Event<'_>, only: Option<&[u32]>, lowered: &mut Lowered) -> Truth {
        match &self.test {
            Test::Script(script) => script.evaluate(event),
            Test::Missing => truth(event.values(self.field).all(|raw| self.reading.read(raw).is_none())),
            Test::Truth => self.any(event, |value| Ok(*value == Value::Bool(true))),
            Test::Compare { op, constants, mode } => self.any(event, |value| {
                let mut failed = None;
                for constant in constants {
                    match compare::against(value, *op, constant, *mode) {
                        Ok(Some(true)) => return Ok(true),
                        Ok(_) => {}
                        Err(failure) => failed = Some(failure),
                    }
                }
                failed.map_or(Ok(false), Err)
            }),
            Test::Cidr(blocks) => self.any(event, |value| {
                let address = match value {
                    Value::Address(address) => Some(*address),
                    // A field that no schema describes holds its addresses as text.
                    Value::Text(text) => address::parse(text),
                    _ => None,
                };
                Ok(address.is_some_and(|address| blocks.iter().any(|block| block.contains(address))))
            }),
            Test::Regex { regex, .. } => self
                .any_text(event, lowered, false, |text| std::str::from_utf8(text).is_ok_and(|text| regex.fits(text))),
            Test::Equals(equals) => {
                self.any_text(event, lowered, equals.wants_lowered(), |text| equals.fits(text, || text))
            }
            Test::Wildcards { patterns, folded } => {
                self.any_text(event, lowered, *folded, |text| any_of(patterns, only, |pattern| pattern.fits(text)))
            }
            Test::Part { place, constants, folded } => self.any_text(event, lowered, *folded, |text| {
                any_of(constants, only, |constant| holds(*place, text, constant))
            }),
        }
    }

    fn any(&self, event: &Event<'_>, mut fits: impl FnMut(&Value<'_>) -> Result<bool, Failure>) -> Truth {
        let mut result = Truth::False;
        for raw in event.values(self.field) {
            let Some(value) = self.reading.read(raw) else { continue };
            match fits(&value) {
                Ok(true) => return Truth::True,
                Ok(false) => {}
                Err(Failure) => result = Truth::Failed,
            }
        }
        result
    }

    /// Whether the text of any value fits; `folded` terms are given it with ASCII letters lowered.
    fn any_text(&self, event: &Event<'_>, lowered: &mut Lowered, folded: bool, fits: impl Fn(&[u8]) -> bool) -> Truth {
        if Family::of(self.reading.ty) == Family::Text {
            let mut shown = event.numbered(self.field);
            return truth(
                shown
                    .any(|(number, raw)| fits(if folded { lowered.of(number, raw) } else { raw.as_text().as_bytes() })),
            );
        }
        self.any(event, |value| {
            let Some(text) = value.text() else { return Ok(false) };
            Ok(if folded { fits(&fold::ascii(&text)) } else { fits(text.as_bytes()) })
        })
    }
}

/// Whether any of the items fits, or any of only these.
fn any_of<T>(items: &[T], only: Option<&[u32]>, fits: impl Fn(&T) -> bool) -> bool {
    match only {
        None => items.iter().any(fits),
        Some(only) => only.iter().any(|number| fits(&items[*number as usize])),
    }
}

/// The shortest texts that are looked for in the place of an expression: two letters stand nearly everywhere.
const SHORTEST: usize = 3;

/// Texts of which whatever one of the expressions matches contains one. None where that is not known of each.
fn of_expressions(patterns: &[String], fold: Fold) -> Option<Vec<Box<[u8]>>> {
    let mut all = Vec::new();
    for pattern in patterns {
        let lists = required(pattern, fold, SHORTEST).into_iter();
        let inner = lists.map(|list| list.iter().map(|text| text.trim_matches(EDGE).into()).collect::<Vec<Box<str>>>());
        let shortest = |list: &Vec<Box<str>>| list.iter().map(|text| text.len()).min().unwrap_or(0);
        let best = inner.filter(|list| shortest(list) >= SHORTEST).max_by_key(shortest)?;
        all.extend(best.into_iter().map(|text| Box::from(text.as_bytes())));
    }
    Some(all)
}

fn truth(flag: bool) -> Truth {
    if flag { Truth::True } else { Truth::False }
}

fn texts(kind: MatchKind, fold: Fold, constants: &[String]) -> Test {
    let folded = fold == Fold::Ascii;
    match kind {
        MatchKind::Equals => Test::Equals(Equals::new(constants, fold)),
        MatchKind::Wildcard | MatchKind::Regex => {
            Test::Wildcards { patterns: constants.iter().map(|text| Wildcard::new(text, folded)).collect(), folded }
        }
    }
}

fn part(place: Place, fold: Fold, constants: &[String]) -> Test {
    let folded = fold == Fold::Ascii;
    let bytes = |text: &String| if folded { text.to_ascii_lowercase() } else { text.clone() }.into_bytes();
    Test::Part { place, constants: constants.iter().map(|text| bytes(text).into_boxed_slice()).collect(), folded }
}

fn comparison(op: CompareOp, constants: Vec<Constant>, field: u32, numbers: &[u32], fields: &[Field]) -> Test {
    let ty = fields[numbers[field as usize] as usize].ty;
    Test::Compare { op, constants, mode: Mode::of(ty) }
}

fn holds(place: Place, text: &[u8], constant: &[u8]) -> bool {
    match place {
        Place::Start => text.starts_with(constant),
        Place::End => text.ends_with(constant),
        // An empty text contains nothing, and nothing is contained in any: as Elasticsearch has it.
        Place::Anywhere => !text.is_empty() && !constant.is_empty() && memmem::find(text, constant).is_some(),
    }
}

/// The texts of one event's values with ASCII letters lowered, each lowered once.
#[derive(Debug, Default)]
pub(super) struct Lowered {
    bytes: Vec<u8>,
    /// Where the text of each value lies in `bytes`.
    places: Vec<Option<(usize, usize)>>,
}

impl Lowered {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.places.clear();
    }

    pub(super) fn of<'l>(&'l mut self, number: usize, raw: &'l Raw<'_>) -> &'l [u8] {
        let text = raw.as_text().as_bytes();
        if !text.iter().any(u8::is_ascii_uppercase) {
            return text;
        }
        if self.places.len() <= number {
            self.places.resize(number + 1, None);
        }
        let (start, end) = *self.places[number].get_or_insert_with(|| {
            let start = self.bytes.len();
            self.bytes.extend(text.iter().map(u8::to_ascii_lowercase));
            (start, self.bytes.len())
        });
        &self.bytes[start..end]
    }
}
