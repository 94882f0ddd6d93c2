//! `cidrMatch(ip, block, …)`: the address lies in one of the blocks.

use super::{Computed, Function};
use crate::plan::Fold;
use crate::value::Value;
use crate::value::address::{self, Block};

pub(super) const CIDR_MATCH: Function = Function { name: "cidrMatch", arguments: (2, usize::MAX), call };

fn call<'a>(arguments: &[Value<'a>], _: Fold) -> Computed<'a> {
    let address = match &arguments[0] {
        Value::Address(address) => Some(*address),
        Value::Text(text) => address::parse(text),
        _ => None,
    };
    let Some(address) = address else { return Ok(Value::Null) };
    let inside = |block: &Value<'_>| {
        block.text().and_then(|text| Block::parse(&text)).is_some_and(|block| block.contains(address))
    };
    Ok(Value::Bool(arguments[1..].iter().any(inside)))
}
