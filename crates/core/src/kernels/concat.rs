//! `concat(v, …)`: the texts of all values, one after the other; null if any is null.

use super::{Computed, Function};
use crate::plan::Fold;
use crate::value::Value;
use std::borrow::Cow;

pub(super) const CONCAT: Function = Function { name: "concat", arguments: (1, usize::MAX), call };

fn call<'a>(arguments: &[Value<'a>], _: Fold) -> Computed<'a> {
    let mut joined = String::new();
    for argument in arguments {
        let Some(text) = argument.text() else { return Ok(Value::Null) };
        joined.push_str(&text);
    }
    Ok(Value::Text(Cow::Owned(joined)))
}
