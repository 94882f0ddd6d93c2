//! What an event holds for each field of a plan: the document's own values, before a field type gives them meaning.

use std::borrow::Cow;

/// One value as the document has it. Nulls are never stored: a missing field is an empty list of values.
#[derive(Clone, Debug, PartialEq)]
pub enum Raw<'a> {
    /// `true` or `false`.
    Bool(bool),
    /// A number, as its JSON text.
    Number(Cow<'a, str>),
    /// A string, unescaped.
    Text(Cow<'a, str>),
}

/// The values of one event, one list for each field of the joined plan, in document order (arrays and arrays of objects
/// are flattened, nulls left out).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event<'a> {
    /// Indexed by the joined plan's field number.
    pub values: Vec<Vec<Raw<'a>>>,
}
