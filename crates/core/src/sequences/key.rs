//! Join keys: values as bytes that are equal exactly if the values join.

/// One value of a join key.
#[derive(Clone, Debug, PartialEq)]
pub enum Component {
    /// No value; only optional keys have it.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Long(i64),
    /// An integer beyond 2^63 - 1.
    Unsigned(u64),
    /// Floating point.
    Double(f64),
    /// Text, addresses and versions.
    Text(String),
    /// An instant, as ISO text.
    Date(String),
}

/// The values of all key fields of one event in one stage, encoded.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub(crate) Box<[u8]>);
