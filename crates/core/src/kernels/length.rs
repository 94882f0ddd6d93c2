//! `length(s)`: the number of UTF-16 units, as Java counts; null for null.

use super::{Computed, Function, utf16};
use crate::plan::Fold;
use crate::value::Value;

pub(super) const LENGTH: Function = Function { name: "length", arguments: (1, 1), call };

fn call<'a>(arguments: &[Value<'a>], _: Fold) -> Computed<'a> {
    Ok(arguments[0].text().map_or(Value::Null, |text| Value::Whole(utf16::length(&text) as i128)))
}
