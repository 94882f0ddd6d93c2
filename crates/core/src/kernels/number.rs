//! `number(s[, base])`: the number that a text names. Text that names none fails the search.

use super::{Computed, Failure, Function};
use crate::plan::Fold;
use crate::value::Value;

pub(super) const NUMBER: Function = Function { name: "number", arguments: (1, 2), call };

fn call<'a>(arguments: &[Value<'a>], _: Fold) -> Computed<'a> {
    let Some(text) = arguments[0].text() else { return Ok(Value::Null) };
    let base = arguments.get(1).filter(|base| **base != Value::Null);
    let hexadecimal = text.strip_prefix("0x");
    let base = match base {
        Some(Value::Whole(base)) => *base,
        Some(_) => return Err(Failure),
        None if hexadecimal.is_some() => 16,
        None => 10,
    };
    match (base, hexadecimal) {
        (10, _) => decimal(&text),
        (16, Some(digits)) => integer(digits, 16),
        _ => integer(&text, base),
    }
}

/// Java's `Long.valueOf`, else `Double.valueOf`: blanks around it, a type suffix and names are accepted.
fn decimal(text: &str) -> Computed<'static> {
    if let Some(whole) = plain_digits(text).and_then(|()| text.parse::<i64>().ok()) {
        return Ok(Value::Whole(whole.into()));
    }
    let text = text.trim_matches(|letter: char| letter <= ' ');
    let (sign, size) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let value = match size {
        "NaN" => f64::NAN,
        "Infinity" => f64::INFINITY,
        _ => {
            let digits = size.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(size);
            if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
                return Err(Failure);
            }
            crate::value::number::parse_decimal(digits).ok_or(Failure)?
        }
    };
    Ok(Value::Double(sign * value))
}

fn plain_digits(text: &str) -> Option<()> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(())
}

/// Java's `Long.parseLong(text, base)`.
fn integer(text: &str, base: i128) -> Computed<'static> {
    let base = u32::try_from(base).ok().filter(|base| (2..=36).contains(base)).ok_or(Failure)?;
    i64::from_str_radix(text, base).map(|value| Value::Whole(value.into())).map_err(|_| Failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &'static str, base: Value<'static>) -> Computed<'static> {
        call(&[Value::Text(text.into()), base], Fold::None)
    }

    #[test]
    fn bases_and_failures() {
        assert_eq!(number("1337", Value::Null), Ok(Value::Whole(1337)));
        assert_eq!(number("42.5", Value::Null), Ok(Value::Double(42.5)));
        assert_eq!(number("0xdeadbee", Value::Null), Ok(Value::Whole(0x0dea_dbee)));
        assert_eq!(number("0x10", Value::Whole(16)), Ok(Value::Whole(16)));
        assert_eq!(number("deadbeef", Value::Whole(16)), Ok(Value::Whole(0xdead_beef)));
        assert_eq!(number(" 1d ", Value::Null), Ok(Value::Double(1.0)));
        for text in ["x", "", "0x", "1e", "1 2"] {
            assert_eq!(number(text, Value::Null), Err(Failure), "{text}");
        }
        assert_eq!(number("ffffffffffffffff", Value::Whole(16)), Err(Failure), "beyond 63 bits");
    }
}
