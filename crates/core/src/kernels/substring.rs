//! `substring(s, start[, end])`: counted from 0, end excluded, negative positions from the end, clamped.

use super::{Computed, Function, utf16, whole};
use crate::plan::Fold;
use crate::value::Value;
use std::borrow::Cow;

pub(super) const SUBSTRING: Function = Function { name: "substring", arguments: (2, 3), call };

fn call<'a>(arguments: &[Value<'a>], _: Fold) -> Computed<'a> {
    let Some(source) = arguments[0].text() else { return Ok(Value::Null) };
    let part = match whole(&arguments[1]) {
        None => source.into_owned(),
        Some(start) => {
            let length = utf16::length(&source);
            let end = arguments.get(2).and_then(whole).map_or(length, |end| clamp(end, length));
            utf16::slice(&source, clamp(start, length), end).into_owned()
        }
    };
    Ok(Value::Text(Cow::Owned(part)))
}

fn clamp(position: i128, length: usize) -> usize {
    let position = if position < 0 { position.saturating_add(length as i128) } else { position };
    position.clamp(0, length as i128) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_from_both_ends() {
        let cut = |start: i128, end: Option<i128>| {
            let end = end.map_or(Value::Null, Value::Whole);
            call(&[Value::Text("hello world".into()), Value::Whole(start), end], Fold::None)
        };
        assert_eq!(cut(0, Some(5)), Ok(Value::Text("hello".into())));
        assert_eq!(cut(-5, None), Ok(Value::Text("world".into())));
        assert_eq!(cut(-100, Some(-6)), Ok(Value::Text("hello".into())));
        assert_eq!(cut(5, Some(3)), Ok(Value::Text("".into())));
        assert_eq!(call(&[Value::Text("abc".into()), Value::Null], Fold::None), Ok(Value::Text("abc".into())));
    }
}
