//! `string(v)`: the text of any value; null stays null.

use super::{Computed, Function};
use crate::plan::Fold;
use crate::value::Value;
use std::borrow::Cow;

pub(super) const STRING: Function = Function { name: "string", arguments: (1, 1), call };

fn call<'a>(arguments: &[Value<'a>], _: Fold) -> Computed<'a> {
    Ok(match &arguments[0] {
        Value::Text(text) => Value::Text(text.clone()),
        other => other.text().map_or(Value::Null, |text| Value::Text(Cow::Owned(text.into_owned()))),
    })
}
