//! Comparisons: a field's value with a constant, and two values inside a script (`docs/values.md`).

use super::Failure;
use crate::plan::{CompareOp, FieldType, Literal};
use crate::value::address::{self, Block};
use crate::value::number::{compare_exact, compare_floats, parse_decimal, parse_whole};
use crate::value::{Family, Time, Value, version};
use std::cmp::Ordering;

/// A constant, read once.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// Null equals nothing.
    Null,
    /// Text.
    Text(String),
    /// A number.
    Number(Number),
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
    /// Reads a literal; `None` for a number that is none. What is no address is compared as text.
    pub fn new(literal: Option<&Literal>) -> Option<Self> {
        Some(match literal {
            None => Constant::Null,
            Some(Literal::String(text)) => Constant::Text(text.clone()),
            Some(Literal::Long(whole)) => Constant::Number(Number::Whole((*whole).into())),
            Some(Literal::Unsigned(text)) => {
                Constant::Number(Number::Whole(parse_whole(text).filter(|whole| *whole >= 0)?))
            }
            Some(Literal::Double(float)) => Constant::Number(Number::Double(*float)),
            Some(Literal::Bool(flag)) => Constant::Bool(*flag),
            Some(Literal::Date(span)) => Constant::Date(time(span.first), time(span.last)),
            Some(Literal::Ip(text)) => Block::parse(text).map_or_else(|| Constant::Text(text.clone()), Constant::Block),
            Some(Literal::Version(text)) => Constant::Version(text.clone()),
        })
    }

    /// The constant as a value of a script. A date is its first instant, a block its lowest address.
    pub fn value(&self) -> Value<'_> {
        match self {
            Constant::Null => Value::Null,
            Constant::Text(text) => Value::Text(text.into()),
            Constant::Number(Number::Whole(whole)) => Value::Whole(*whole),
            Constant::Number(Number::Double(float)) => Value::Double(*float),
            Constant::Bool(flag) => Value::Bool(*flag),
            Constant::Date(first, _) => Value::Date(*first),
            Constant::Block(block) => Value::Address(block.first()),
            Constant::Version(text) => Value::Version(text.into()),
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

/// Who compares: Lucene on a field, or a script on computed values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A field of a known type against a constant. Text that is no number fails.
    Typed,
    /// A field whose values decide their own types against a constant.
    Loose,
    /// Anything else.
    Script,
}

impl Mode {
    /// How a field of this type is compared with a constant.
    pub fn of(ty: FieldType) -> Self {
        if Family::of(ty) == Family::Any { Mode::Loose } else { Mode::Typed }
    }
}

/// Compares a value with a constant; `None` (null) if either is null or the two do not go together.
pub fn against(value: &Value<'_>, op: CompareOp, constant: &Constant, mode: Mode) -> Result<Option<bool>, Failure> {
    match constant {
        Constant::Date(first, last) => Ok(instant(value).map(|time| date(time, op, *first, *last))),
        Constant::Block(block) => Ok(address_of(value).map(|address| match op {
            CompareOp::Equal => block.contains(address),
            CompareOp::LessOrEqual => address <= block.last(),
            CompareOp::Greater => address > block.last(),
            CompareOp::Less | CompareOp::GreaterOrEqual => holds(op, address.cmp(&block.first())),
        })),
        Constant::Version(right) => Ok(value.text().map(|left| holds(op, version::compare(&left, right)))),
        _ => values(value, op, &constant.value(), mode),
    }
}

/// Compares two values; `None` (null) if either is null or the two do not go together.
pub fn values(left: &Value<'_>, op: CompareOp, right: &Value<'_>, mode: Mode) -> Result<Option<bool>, Failure> {
    Ok(order(left, right, mode)?.map(|order| holds(op, order)))
}

fn order(left: &Value<'_>, right: &Value<'_>, mode: Mode) -> Result<Option<Ordering>, Failure> {
    Ok(match (left, right) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Text(right)) => match &**right {
            "true" => Some(left.cmp(&true)),
            "false" => Some(left.cmp(&false)),
            _ => None,
        },
        (Value::Whole(left), right) => against_number(Number::Whole(*left), right, mode)?,
        (Value::Double(left), right) => against_number(Number::Double(*left), right, mode)?,
        (Value::Text(left), Value::Text(_) | Value::Bool(_) | Value::Whole(_) | Value::Double(_)) => {
            right.text().map(|right| texts(left, &right, mode))
        }
        (
            Value::Date(_) | Value::Address(_) | Value::Version(_),
            Value::Text(_) | Value::Date(_) | Value::Address(_) | Value::Version(_),
        ) => left.text().zip(right.text()).map(|(left, right)| texts(&left, &right, mode)),
        _ => None,
    })
}

fn against_number(left: Number, right: &Value<'_>, mode: Mode) -> Result<Option<Ordering>, Failure> {
    let right = match right {
        Value::Whole(whole) => Number::Whole(*whole),
        Value::Double(float) => Number::Double(*float),
        Value::Text(text) => match Number::parse(text) {
            Some(number) => number,
            None if mode == Mode::Typed => return Err(Failure),
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    Ok(Some(match (left, right) {
        (Number::Whole(left), Number::Whole(right)) => left.cmp(&right),
        // Lucene keeps the range of a whole-number field exact; a script goes through floating point.
        (Number::Whole(left), Number::Double(right)) if mode != Mode::Script && right.is_finite() => {
            compare_exact(left, right)
        }
        (left, right) => compare_floats(left.float(), right.float()),
    }))
}

/// By code point in Lucene, by UTF-16 unit in Java.
fn texts(left: &str, right: &str, mode: Mode) -> Ordering {
    if mode != Mode::Script || left.is_ascii() && right.is_ascii() {
        return left.as_bytes().cmp(right.as_bytes());
    }
    left.encode_utf16().cmp(right.encode_utf16())
}

/// A value as an instant, where a date constant asks for one.
fn instant(value: &Value<'_>) -> Option<Time> {
    match value {
        Value::Date(time) => Some(*time),
        Value::Text(text) => Time::parse(text),
        Value::Whole(whole) => Time::parse(&whole.to_string()),
        Value::Double(float) => Time::parse(&format!("{float:?}")),
        Value::Null | Value::Bool(_) | Value::Address(_) | Value::Version(_) => None,
    }
}

fn address_of(value: &Value<'_>) -> Option<u128> {
    match value {
        Value::Address(address) => Some(*address),
        Value::Text(text) => address::parse(text),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Raw;

    fn test(ty: FieldType, raw: Raw<'_>, op: CompareOp, literal: Literal) -> Result<bool, Failure> {
        let constant = Constant::new(Some(&literal)).expect("a good literal");
        let value = Value::read(ty, &raw).unwrap_or(Value::Null);
        Ok(against(&value, op, &constant, Mode::of(ty))? == Some(true))
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
    fn scripts_compare_utf16_and_floats() {
        let text = |text: &'static str| Value::Text(text.into());
        let script = |left, op, right| values(&left, op, &right, Mode::Script);
        assert_eq!(script(text("\u{FFFD}"), CompareOp::Greater, text("\u{10000}")), Ok(Some(true)));
        assert_eq!(script(Value::Whole(5), CompareOp::Equal, text("x")), Ok(None));
        assert_eq!(
            script(Value::Whole((1 << 53) + 1), CompareOp::Equal, Value::Double(9_007_199_254_740_992.0)),
            Ok(Some(true))
        );
        assert_eq!(script(Value::Double(-0.0), CompareOp::Equal, Value::Whole(0)), Ok(Some(false)));
    }
}
