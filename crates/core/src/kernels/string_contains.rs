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
    Ok(Value::Bool(fold::folded(fold, &source, &part, |text, part| memmem::find(text, part).is_some())))
}
