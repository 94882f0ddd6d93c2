//! What functions and matches compute: one file each. A kernel sees values, never events or fields.

mod between;
mod cidr_match;
mod concat;
mod ends_with;
mod index_of;
mod length;
mod number;
mod starts_with;
mod string;
mod string_contains;
mod substring;

pub mod arithmetic;
pub mod compare;
pub mod equals;
pub mod fold;
pub mod regex;
pub(crate) mod texts;
pub mod utf16;
pub mod wildcard;

use crate::plan::Fold;
use crate::value::Value;
use std::fmt;

/// Evaluation failed: Elasticsearch would fail the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure;

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("division by zero, overflow, or text that is no number")
    }
}

impl std::error::Error for Failure {}

/// What a kernel gives back.
pub type Computed<'a> = Result<Value<'a>, Failure>;

/// A function of the language.
#[derive(Clone, Copy)]
pub struct Function {
    /// Its canonical name.
    pub name: &'static str,
    /// Fewest and most arguments.
    pub arguments: (usize, usize),
    /// Computes it; the number of arguments has been checked.
    pub call: for<'a> fn(&[Value<'a>], Fold) -> Computed<'a>,
}

impl fmt::Debug for Function {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name)
    }
}

/// Every function, by name.
pub const FUNCTIONS: [Function; 16] = [
    arithmetic::ADD,
    between::BETWEEN,
    cidr_match::CIDR_MATCH,
    concat::CONCAT,
    arithmetic::DIVIDE,
    ends_with::ENDS_WITH,
    index_of::INDEX_OF,
    length::LENGTH,
    arithmetic::MODULO,
    arithmetic::MULTIPLY,
    number::NUMBER,
    starts_with::STARTS_WITH,
    string::STRING,
    string_contains::STRING_CONTAINS,
    substring::SUBSTRING,
    arithmetic::SUBTRACT,
];

/// The names of all functions that a plan may call.
pub fn function_names() -> Vec<&'static str> {
    FUNCTIONS.iter().map(|function| function.name).collect()
}

/// The function of a name.
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// The whole number of a value as Java converts it: floats cut toward zero, NaN is 0; nothing else is one.
fn whole(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Whole(whole) => Some(*whole),
        Value::Double(float) => Some(float.trunc() as i128),
        _ => None,
    }
}
