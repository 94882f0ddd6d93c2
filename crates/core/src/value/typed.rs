//! What a field type makes of a document's value, and the text of each kind of value (`docs/values.md`).

use super::date_format::{self, DateFormat};
use super::number::{cut_decimal, float_text, parse_decimal, parse_whole};
use super::{Raw, Time, address};
use crate::plan::{Field, FieldType};
use std::borrow::Cow;
use std::sync::Arc;

/// How the values of one field are read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The field's type.
    pub ty: FieldType,
    formats: Option<Arc<Vec<DateFormat>>>,
}

impl Reading {
    /// How a field of this type is read where nothing else is known of it.
    pub fn plain(ty: FieldType) -> Self {
        Self { ty, formats: None }
    }

    /// How a field of a plan is read.
    pub fn of(field: &Field) -> Self {
        let formats = (!field.formats.is_empty()).then(|| Arc::new(field.formats.clone()));
        Self { ty: field.ty, formats }
    }

    /// Reads a document's value. `None`: it is malformed, and so no value of the field.
    pub fn read<'a, 'e: 'a>(&self, raw: &'a Raw<'e>) -> Option<Value<'a>> {
        match (&self.formats, raw) {
            (None, _) => Value::read(self.ty, raw),
            (Some(formats), Raw::Number(text) | Raw::Text(text)) => {
                date_format::read(text, formats).map(|time| Value::date(self.ty, time))
            }
            (Some(_), Raw::Bool(_)) => None,
        }
    }
}

/// A value with a meaning.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// No value.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer between -2^63 and 2^64 - 1.
    Whole(i128),
    /// Floating point.
    Double(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// An instant.
    Date(Time),
    /// An IP address.
    Address(u128),
    /// A version.
    Version(Cow<'a, str>),
}

impl<'a> Value<'a> {
    /// Reads a document's value as a field type. `None`: it is malformed, and so no value of the field.
    pub fn read<'e: 'a>(ty: FieldType, raw: &'a Raw<'e>) -> Option<Self> {
        match Family::of(ty) {
            Family::Text => Some(Value::Text(Cow::Borrowed(raw.as_text()))),
            Family::Whole => whole(ty, raw).map(Value::Whole),
            Family::Double => double(raw).map(Value::Double),
            Family::Bool => boolean(raw).map(Value::Bool),
            Family::Date => date(raw).map(|time| Self::date(ty, time)),
            Family::Address => match raw {
                Raw::Text(text) => address::parse(text).map(Value::Address),
                Raw::Bool(_) | Raw::Number(_) => None,
            },
            Family::Version => Some(Value::Version(Cow::Borrowed(raw.as_text()))),
            Family::Any => Some(Self::own(raw)),
            Family::None => None,
        }
    }

    fn date(ty: FieldType, time: Time) -> Self {
        Value::Date(if ty == FieldType::Date { time.to_milliseconds() } else { time })
    }

    /// The value's own type, for fields that no schema describes.
    fn own(raw: &'a Raw<'_>) -> Self {
        match raw {
            Raw::Bool(flag) => Value::Bool(*flag),
            Raw::Text(text) => Value::Text(Cow::Borrowed(text)),
            Raw::Number(text) => match parse_whole(text) {
                Some(whole) => Value::Whole(whole),
                None => Value::Double(parse_decimal(text).unwrap_or(f64::NAN)),
            },
        }
    }

    /// The text of the value; null has none.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Value::Null => return None,
            Value::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
            Value::Whole(whole) => Cow::Owned(whole.to_string()),
            Value::Double(float) => Cow::Owned(float_text(*float)),
            Value::Text(text) | Value::Version(text) => Cow::Borrowed(text),
            Value::Date(time) => Cow::Owned(time.iso()),
            Value::Address(bits) => Cow::Owned(address::text(*bits)),
        })
    }

    /// The same value, free of what it was read from.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(flag) => Value::Bool(flag),
            Value::Whole(whole) => Value::Whole(whole),
            Value::Double(float) => Value::Double(float),
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::Date(time) => Value::Date(time),
            Value::Address(bits) => Value::Address(bits),
            Value::Version(text) => Value::Version(Cow::Owned(text.into_owned())),
        }
    }
}

/// Field types that read values alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Family {
    Text,
    Whole,
    Double,
    Bool,
    Date,
    Address,
    Version,
    Any,
    /// Objects and the like: no value can be reached.
    None,
}

impl Family {
    /// The family of a type.
    pub fn of(ty: FieldType) -> Self {
        match ty {
            FieldType::Keyword
            | FieldType::Wildcard
            | FieldType::ConstantKeyword
            | FieldType::MatchOnlyText
            | FieldType::Text
            | FieldType::Flattened => Family::Text,
            FieldType::Long | FieldType::Integer | FieldType::Short | FieldType::Byte | FieldType::UnsignedLong => {
                Family::Whole
            }
            FieldType::Double | FieldType::Float | FieldType::HalfFloat | FieldType::ScaledFloat => Family::Double,
            FieldType::Boolean => Family::Bool,
            FieldType::Date | FieldType::DateNanos => Family::Date,
            FieldType::Ip => Family::Address,
            FieldType::Version => Family::Version,
            FieldType::Any => Family::Any,
            FieldType::Object | FieldType::Nested | FieldType::GeoPoint | FieldType::Binary => Family::None,
        }
    }
}

fn whole(ty: FieldType, raw: &Raw<'_>) -> Option<i128> {
    let (Raw::Number(text) | Raw::Text(text)) = raw else { return None };
    let value = parse_whole(text).or_else(|| cut_decimal(text))?;
    let (low, high) = match ty {
        FieldType::Byte => (i128::from(i8::MIN), i128::from(i8::MAX)),
        FieldType::Short => (i128::from(i16::MIN), i128::from(i16::MAX)),
        FieldType::Integer => (i128::from(i32::MIN), i128::from(i32::MAX)),
        FieldType::UnsignedLong => (0, i128::from(u64::MAX)),
        _ => (i128::from(i64::MIN), i128::from(i64::MAX)),
    };
    (low..=high).contains(&value).then_some(value)
}

fn double(raw: &Raw<'_>) -> Option<f64> {
    match raw {
        Raw::Number(text) | Raw::Text(text) => parse_decimal(text).filter(|value| value.is_finite()),
        Raw::Bool(_) => None,
    }
}

fn boolean(raw: &Raw<'_>) -> Option<bool> {
    match raw {
        Raw::Bool(flag) => Some(*flag),
        Raw::Text(text) => match &**text {
            "true" => Some(true),
            "false" | "" => Some(false),
            _ => None,
        },
        Raw::Number(_) => None,
    }
}

fn date(raw: &Raw<'_>) -> Option<Time> {
    match raw {
        Raw::Number(text) | Raw::Text(text) => Time::parse(text),
        Raw::Bool(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(ty: FieldType, raw: &Raw<'static>) -> Option<Value<'static>> {
        Value::read(ty, raw).map(Value::into_owned)
    }

    fn number(text: &'static str) -> Raw<'static> {
        Raw::Number(text.into())
    }

    #[test]
    fn whole_numbers_are_cut_and_ranged() {
        assert_eq!(read(FieldType::Long, &Raw::Text("10.7".into())), Some(Value::Whole(10)));
        assert_eq!(read(FieldType::Long, &Raw::Text("-1e3".into())), Some(Value::Whole(-1000)));
        assert_eq!(read(FieldType::Byte, &number("128")), None);
        assert_eq!(read(FieldType::Long, &number("9223372036854775808")), None);
        assert_eq!(
            read(FieldType::UnsignedLong, &number("18446744073709551615")),
            Some(Value::Whole(i128::from(u64::MAX)))
        );
        assert_eq!(read(FieldType::Long, &Raw::Bool(true)), None);
        assert_eq!(read(FieldType::Long, &Raw::Text(" 1".into())), None);
    }

    #[test]
    fn other_types() {
        assert_eq!(read(FieldType::Keyword, &number("1.0")), Some(Value::Text("1.0".into())));
        assert_eq!(read(FieldType::Boolean, &Raw::Text("".into())), Some(Value::Bool(false)));
        assert_eq!(read(FieldType::Double, &number("1e999")), None);
        assert_eq!(read(FieldType::Any, &number("1e3")), Some(Value::Double(1000.0)));
        assert_eq!(read(FieldType::Any, &number("5")), Some(Value::Whole(5)));
        assert_eq!(read(FieldType::Ip, &number("5")), None);
        let cut = read(FieldType::Date, &Raw::Text("2020-01-01T00:00:00.123456Z".into()));
        assert_eq!(
            cut.and_then(|value| value.text().map(Cow::into_owned)).as_deref(),
            Some("2020-01-01T00:00:00.123Z")
        );
    }
}
