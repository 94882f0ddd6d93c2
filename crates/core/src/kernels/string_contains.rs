//! `stringContains(s, part)`: the part is somewhere in the text; false if either is empty, null if either is null.

use super::{Computed, Function, fold};
use crate::plan::Fold;
use crate::value::Value;
use memchr::memmem;

pub(super) const STRING_CONTAINS: Function = Function { name: "stringContains", arguments: (2, 2), call };

fn call<'a>(arguments: &[Value<'a>], fold: Fold) -> Computed<'a> {
    let (Some(source), Some(part)) = (arguments[0].text(), arguments[1].text()) else { return Ok(Value::Null) };
    if source.is_empty() || part.is_empty() {
        return Ok(Value::Bool(false));
    }
    let found = match fold {
        Fold::None => memmem::find(source.as_bytes(), part.as_bytes()),
        Fold::Ascii => memmem::find(&fold::ascii(&source), &fold::ascii(&part)),
        Fold::Unicode | Fold::Java => {
            memmem::find(fold::java_lower(&source).as_bytes(), fold::java_lower(&part).as_bytes())
        }
    };
    Ok(Value::Bool(found.is_some()))
}
