//! `between(s, left, right[, greedy])`: the text after the first `left` up to `right`.

use super::{Computed, Function, fold, utf16};
use crate::plan::Fold;
use crate::value::Value;
use std::borrow::Cow;

pub(super) const BETWEEN: Function = Function { name: "between", arguments: (3, 4), call };

fn call<'a>(arguments: &[Value<'a>], fold: Fold) -> Computed<'a> {
    let Some(source) = arguments[0].text() else { return Ok(Value::Null) };
    // A null or empty mark leaves the text as it is.
    let (Some(left), Some(right)) = (arguments[1].text(), arguments[2].text()) else {
        return Ok(Value::Text(Cow::Owned(source.into_owned())));
    };
    let greedy = matches!(arguments.get(3), Some(Value::Bool(true)));
    Ok(Value::Text(Cow::Owned(between(&source, &left, &right, greedy, fold).into_owned())))
}

fn between<'s>(source: &'s str, left: &str, right: &str, greedy: bool, fold: Fold) -> Cow<'s, str> {
    if source.is_empty() || left.is_empty() || right.is_empty() {
        return Cow::Borrowed(source);
    }
    // Positions are found in the lowered text and cut from the original, as Elasticsearch does.
    let lowered = |text: &str| if fold == Fold::None { text.to_owned() } else { fold::java_lower(text).into_owned() };
    let (searched, left, right) = (lowered(source), lowered(left), lowered(right));
    let Some(start) = utf16::find(&searched, &left, 0).map(|found| found + utf16::length(&left)) else {
        return Cow::Borrowed("");
    };
    let end = if greedy { utf16::rfind(&searched, &right) } else { utf16::find(&searched, &right, start) };
    end.map_or(Cow::Borrowed(""), |end| utf16::slice(source, start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_and_last_right() {
        assert_eq!(between("welcome to event query language", " ", " ", false, Fold::None), "to");
        assert_eq!(between("welcome to event query language", " ", " ", true, Fold::None), "to event query");
        assert_eq!(between("abc", "x", "c", false, Fold::None), "");
        assert_eq!(between("abc", "a", "x", true, Fold::None), "");
        assert_eq!(between("abc", "", "c", false, Fold::None), "abc");
        assert_eq!(between("sYSTEM", "Sys", "em", false, Fold::Java), "T");
        assert_eq!(between("ab", "b", "a", true, Fold::None), "", "the last right lies before the first left");
    }
}
