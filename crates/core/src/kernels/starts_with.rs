//! `startsWith(s, part)`: the text begins with the part; null if either is null.

use super::{Computed, Function, fold};
use crate::plan::Fold;
use crate::value::Value;

pub(super) const STARTS_WITH: Function = Function { name: "startsWith", arguments: (2, 2), call };

fn call<'a>(arguments: &[Value<'a>], fold: Fold) -> Computed<'a> {
    let (Some(source), Some(part)) = (arguments[0].text(), arguments[1].text()) else { return Ok(Value::Null) };
    Ok(Value::Bool(fold::folded(fold, &source, &part, <[u8]>::starts_with)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(source: &str, part: &str, fold: Fold) -> Computed<'static> {
        call(&[Value::Text(source.to_owned().into()), Value::Text(part.to_owned().into())], fold)
    }

    #[test]
    fn case_counts_unless_folded() {
        assert_eq!(test("cmd.exe", "cmd", Fold::None), Ok(Value::Bool(true)));
        assert_eq!(test("CMD.exe", "cmd", Fold::None), Ok(Value::Bool(false)));
        assert_eq!(test("ÉTÉ", "é", Fold::Java), Ok(Value::Bool(true)));
        assert_eq!(test("ÉTÉ", "é", Fold::Ascii), Ok(Value::Bool(false)));
        assert_eq!(call(&[Value::Null, Value::Null], Fold::None), Ok(Value::Null));
    }
}
