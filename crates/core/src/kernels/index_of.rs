//! `indexOf(s, part[, start])`: position of the part, counted from 0; null if it is not there.

use super::{Computed, Function, fold, utf16, whole};
use crate::plan::Fold;
use crate::value::Value;

pub(super) const INDEX_OF: Function = Function { name: "indexOf", arguments: (2, 3), call };

fn call<'a>(arguments: &[Value<'a>], fold: Fold) -> Computed<'a> {
    let (Some(source), Some(part)) = (arguments[0].text(), arguments[1].text()) else { return Ok(Value::Null) };
    // A null start is 0, and so is a negative one.
    let start = arguments.get(2).and_then(whole).unwrap_or(0).max(0);
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let found = if fold == Fold::None {
        utf16::find(&source, &part, start)
    } else {
        utf16::find(&fold::java_lower(&source), &fold::java_lower(&part), start)
    };
    Ok(found.map_or(Value::Null, |found| Value::Whole(found as i128)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_found_is_null() {
        let text = |text: &'static str| Value::Text(text.into());
        assert_eq!(call(&[text("subdomain.co.uk"), text(".")], Fold::None), Ok(Value::Whole(9)));
        assert_eq!(call(&[text("abab"), text("a"), Value::Whole(1)], Fold::None), Ok(Value::Whole(2)));
        assert_eq!(call(&[text("abab"), text("A"), Value::Null], Fold::Java), Ok(Value::Whole(0)));
        assert_eq!(call(&[text("abab"), text("c"), Value::Whole(-5)], Fold::None), Ok(Value::Null));
        assert_eq!(call(&[text("abab"), text("a"), Value::Whole(i128::from(u64::MAX))], Fold::None), Ok(Value::Null));
    }
}
