//! Comparisons: a field's value with a constant, and two values inside a script (`docs/values.md`).

use super::Failure;
use crate::plan::{CompareOp, FieldType, Literal};
use crate::value::address::Block;
use crate::value::number::{compare_exact, compare_floats, float_text, parse_decimal, parse_whole};
use crate::value::{Family, Raw, Time, Value, version};
use std::cmp::Ordering;

/// A constant, read once.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// Null equals nothing.
    Null,
    /// Text, and the number that it names, if any.
    Text(String, Option<Number>),
    /// A number, with its text.
    Number(Number, String),
    /// `true` or `false`.
    Bool(bool),
    /// Instants, both ends included.
    Date(Time, Time),
    /// An address or a block of them.
    Block(Block),
    /// A version.
    Version(String),
}

/// A number of either kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Exact.
    Whole(i128),
    /// Floating point.
    Double(f64),
}

impl Number {
    /// Reads a decimal number.
    pub fn parse(text: &str) -> Option<Self> {
        parse_whole(text).map(Number::Whole).or_else(|| parse_decimal(text).map(Number::Double))
    }

    fn float(self) -> f64 {
        match self {
            Number::Whole(whole) => whole as f64,
            Number::Double(float) => float,
        }
    }
}

impl Constant {
    /// Reads a literal; `None` for an address or number that is none.
    pub fn new(literal: Option<&Literal>) -> Option<Self> {
        Some(match literal {
            None => Constant::Null,
            Some(Literal::String(text)) => Constant::Text(text.clone(), Number::parse(text)),
            Some(Literal::Long(whole)) => Constant::Number(Number::Whole((*whole).into()), whole.to_string()),
            Some(Literal::Unsigned(text)) => {
                Constant::Number(Number::Whole(parse_whole(text).filter(|whole| *whole >= 0)?), text.clone())
            }
            Some(Literal::Double(float)) => Constant::Number(Number::Double(*float), float_text(*float)),
            Some(Literal::Bool(flag)) => Constant::Bool(*flag),
            Some(Literal::Date(span)) => Constant::Date(time(span.first), time(span.last)),
            Some(Literal::Ip(text)) => Constant::Block(Block::parse(text)?),
            Some(Literal::Version(text)) => Constant::Version(text.clone()),
        })
    }

    /// The constant as a value of a script. A date is its first instant, a block its lowest address.
    pub fn value(&self) -> Value<'_> {
        match self {
            Constant::Null => Value::Null,
            Constant::Text(text, _) => Value::Text(text.into()),
            Constant::Number(Number::Whole(whole), _) => Value::Whole(*whole),
            Constant::Number(Number::Double(float), _) => Value::Double(*float),
            Constant::Bool(flag) => Value::Bool(*flag),
            Constant::Date(first, _) => Value::Date(*first),
            Constant::Block(block) => Value::Address(block.first()),
            Constant::Version(text) => Value::Version(text.into()),
        }
    }

    /// The type as which a field without a type reads its values before it compares them with this constant.
    pub fn reading(&self) -> Option<FieldType> {
        match self {
            Constant::Date(..) => Some(FieldType::DateNanos),
            Constant::Block(_) => Some(FieldType::Ip),
            Constant::Version(_) => Some(FieldType::Version),
            _ => None,
        }
    }
}

fn time((seconds, nanos): (i64, u32)) -> Time {
    Time { seconds, nanos }
}

/// Whether an order satisfies a comparison.
pub fn holds(op: CompareOp, order: Ordering) -> bool {
    match op {
        CompareOp::Equal => order.is_eq(),
        CompareOp::Less => order.is_lt(),
        CompareOp::LessOrEqual => order.is_le(),
        CompareOp::Greater => order.is_gt(),
        CompareOp::GreaterOrEqual => order.is_ge(),
    }
}

/// Compares one value of a document, read as the field's type, with a constant. A value that is malformed does not match.
pub fn field(ty: FieldType, raw: &Raw<'_>, op: CompareOp, constant: &Constant) -> Result<bool, Failure> {
    let loose = Family::of(ty) == Family::Any;
    let ty = if loose { constant.reading().unwrap_or(ty) } else { ty };
    Value::read(ty, raw).map_or(Ok(false), |value| constant_order(&value, op, constant, loose))
}

/// Compares a value with a constant. `loose`: the value decided its own type, so a text that is no number is no failure.
pub fn constant_order(value: &Value<'_>, op: CompareOp, constant: &Constant, loose: bool) -> Result<bool, Failure> {
    let number = match constant {
        Constant::Number(number, _) => Some(*number),
        Constant::Text(_, number) => *number,
        _ => None,
    };
    let order = match (value, constant) {
        (Value::Text(left), Constant::Text(right, _) | Constant::Number(_, right)) => {
            left.as_bytes().cmp(right.as_bytes())
        }
        (Value::Text(left), Constant::Bool(flag)) => left.as_bytes().cmp(flag_text(*flag).as_bytes()),
        (Value::Whole(_) | Value::Double(_), Constant::Text(..)) if number.is_none() => {
            return if loose { Ok(false) } else { Err(Failure) };
        }
        (Value::Whole(_) | Value::Double(_), Constant::Text(..) | Constant::Number(..)) => match (value, number) {
            (Value::Whole(left), Some(Number::Whole(right))) => left.cmp(&right),
            (Value::Whole(left), Some(Number::Double(right))) => compare_exact(*left, right),
            (Value::Double(left), Some(right)) => compare_floats(*left, right.float()),
            _ => return Ok(false),
        },
        (Value::Bool(left), Constant::Bool(right)) => left.cmp(right),
        (Value::Bool(left), Constant::Text(right, _)) => match flag(right, loose) {
            Some(right) => left.cmp(&right),
            None => return Ok(false),
        },
        (Value::Date(time), Constant::Date(first, last)) => return Ok(date(*time, op, *first, *last)),
        (Value::Address(address), Constant::Block(block)) => {
            return Ok(match op {
                CompareOp::Equal => block.contains(*address),
                op => holds(op, address.cmp(&block.first())),
            });
        }
        (Value::Version(left), Constant::Version(right) | Constant::Text(right, _) | Constant::Number(_, right)) => {
            version::compare(left, right)
        }
        _ => return Ok(false),
    };
    Ok(holds(op, order))
}

fn flag_text(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}

fn flag(text: &str, loose: bool) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        "" if !loose => Some(false),
        _ => None,
    }
}

fn date(time: Time, op: CompareOp, first: Time, last: Time) -> bool {
    match op {
        CompareOp::Equal => (first..=last).contains(&time),
        CompareOp::Less => time < first,
        CompareOp::LessOrEqual => time <= last,
        CompareOp::Greater => time > last,
        CompareOp::GreaterOrEqual => time >= first,
    }
}

/// Compares two values inside a script; `None` (null) if either is null or the kinds do not go together.
pub fn values(left: &Value<'_>, op: CompareOp, right: &Value<'_>) -> Option<bool> {
    let order = match (left, right) {
        (Value::Whole(left), Value::Whole(right)) => left.cmp(right),
        (Value::Whole(left), Value::Double(right)) => compare_floats(*left as f64, *right),
        (Value::Double(left), Value::Whole(right)) => compare_floats(*left, *right as f64),
        (Value::Double(left), Value::Double(right)) => compare_floats(*left, *right),
        (Value::Text(left), Value::Text(right)) if left.is_ascii() && right.is_ascii() => {
            left.as_bytes().cmp(right.as_bytes())
        }
        (Value::Text(left), Value::Text(right)) => left.encode_utf16().cmp(right.encode_utf16()),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Date(left), Value::Date(right)) => left.cmp(right),
        (Value::Address(left), Value::Address(right)) => left.cmp(right),
        (Value::Version(left), Value::Version(right)) => version::compare(left, right),
        _ => return None,
    };
    Some(holds(op, order))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(ty: FieldType, raw: Raw<'_>, op: CompareOp, literal: Literal) -> Result<bool, Failure> {
        field(ty, &raw, op, &Constant::new(Some(&literal)).expect("a good literal"))
    }

    #[test]
    fn text_against_numbers_both_ways() {
        let five = || Raw::Number("5".into());
        assert_eq!(test(FieldType::Keyword, five(), CompareOp::Equal, Literal::Long(5)), Ok(true));
        assert_eq!(test(FieldType::Long, five(), CompareOp::Equal, Literal::String("5.0".into())), Ok(true));
        assert_eq!(test(FieldType::Long, five(), CompareOp::Equal, Literal::String("x".into())), Err(Failure));
        assert_eq!(test(FieldType::Any, five(), CompareOp::Equal, Literal::String("x".into())), Ok(false));
        assert_eq!(test(FieldType::Any, Raw::Text("5".into()), CompareOp::Equal, Literal::Long(5)), Ok(true));
        assert_eq!(
            test(FieldType::Any, Raw::Text("9".into()), CompareOp::Greater, Literal::Long(10)),
            Ok(true),
            "as text"
        );
        assert_eq!(
            test(FieldType::Long, Raw::Text("x".into()), CompareOp::Less, Literal::Long(10)),
            Ok(false),
            "malformed"
        );
    }

    #[test]
    fn spans_of_dates() {
        let day = || Literal::Date(crate::plan::DateSpan { first: (86_400, 0), last: (172_799, 999_999_999) });
        let at = |text: &'static str, op| test(FieldType::Date, Raw::Text(text.into()), op, day());
        assert_eq!(at("1970-01-02T12:00", CompareOp::Equal), Ok(true));
        assert_eq!(at("1970-01-02T12:00", CompareOp::Greater), Ok(false));
        assert_eq!(at("1970-01-02T12:00", CompareOp::LessOrEqual), Ok(true));
        assert_eq!(at("1970-01-03", CompareOp::Greater), Ok(true));
        assert_eq!(at("1970-01-01T23:59:59.999Z", CompareOp::Less), Ok(true));
    }

    #[test]
    fn scripts_compare_utf16_and_know_no_conversion() {
        let text = |text: &'static str| Value::Text(text.into());
        assert_eq!(values(&text("\u{FFFD}"), CompareOp::Greater, &text("\u{10000}")), Some(true));
        assert_eq!(values(&text("5"), CompareOp::Equal, &Value::Whole(5)), None);
        assert_eq!(values(&Value::Double(-0.0), CompareOp::Equal, &Value::Whole(0)), Some(false));
    }
}
