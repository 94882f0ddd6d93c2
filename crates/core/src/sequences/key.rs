//! Join keys: values as bytes that are equal exactly if the values join, and that sort as samples are listed.

use crate::value::{Time, Value, address, version};

/// One value of a join key.
#[derive(Clone, Debug)]
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
    /// Text.
    Text(String),
    /// A version; it sorts as versions do.
    Version(String),
    /// An address, by its 16 bytes.
    Address(u128),
    /// An instant.
    Date(Time),
}

impl PartialEq for Component {
    /// Equal exactly if the values join: 0.0 and -0.0 do not, as in Java's `Double.equals`.
    fn eq(&self, other: &Self) -> bool {
        Key::sortable(self) == Key::sortable(other)
    }
}

impl Component {
    /// What a value is as part of a key; null is none.
    pub fn of(value: &Value<'_>) -> Option<Self> {
        Some(match value {
            Value::Null => return None,
            Value::Bool(flag) => Component::Bool(*flag),
            Value::Whole(whole) => match i64::try_from(*whole) {
                Ok(long) => Component::Long(long),
                Err(_) => Component::Unsigned(*whole as u64),
            },
            Value::Double(float) => Component::Double(*float),
            Value::Text(text) => Component::Text(text.clone().into_owned()),
            Value::Version(text) => Component::Version(text.clone().into_owned()),
            Value::Date(time) => Component::Date(*time),
            Value::Address(bits) => Component::Address(*bits),
        })
    }

    /// The text by which results with the same last event are listed.
    pub fn text(&self) -> String {
        match self {
            Component::Null => "null".into(),
            Component::Bool(flag) => flag.to_string(),
            Component::Long(long) => long.to_string(),
            Component::Unsigned(long) => long.to_string(),
            Component::Double(float) => crate::value::number::float_text(*float),
            Component::Text(text) | Component::Version(text) => text.clone(),
            Component::Date(time) => time.iso(),
            Component::Address(bits) => address::text(*bits),
        }
    }
}

/// The values of all key fields of one event in one stage, encoded.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub(crate) Box<[u8]>);

impl Key {
    /// Writes one more value of a key, null for none: all of them together are the bytes of a key.
    pub(crate) fn put(value: Option<&Value<'_>>, out: &mut Vec<u8>) {
        match value {
            Some(Value::Text(text)) => {
                out.push(TEXT);
                closed(text.as_bytes(), out);
            }
            value => encode(&value.and_then(Component::of).unwrap_or(Component::Null), out),
        }
    }

    /// Encodes the values.
    pub fn new(parts: &[Component]) -> Self {
        let mut bytes = Vec::new();
        parts.iter().for_each(|part| encode(part, &mut bytes));
        Self(bytes.into_boxed_slice())
    }

    /// One value, for ordering: numbers of all kinds by value.
    pub fn sortable(part: &Component) -> Self {
        Self::new(std::slice::from_ref(part))
    }

    /// The values.
    pub fn parts(&self) -> Vec<Component> {
        let mut rest = &*self.0;
        let mut parts = Vec::new();
        while let Some(part) = decode(&mut rest) {
            parts.push(part);
        }
        parts
    }
}

// Tags sort as samples do: null, booleans, numbers, texts. Numbers begin with their value as a sortable float, so that whole
// numbers and floats sort among each other; the exact value follows and decides equality.
const NULL: u8 = 0;
const BOOL: u8 = 1;
const NUMBER: u8 = 2;
const TEXT: u8 = 3;
const VERSION: u8 = 4;

fn encode(part: &Component, out: &mut Vec<u8>) {
    match part {
        Component::Null => out.push(NULL),
        Component::Bool(flag) => out.extend([BOOL, u8::from(*flag)]),
        Component::Long(long) => number(*long as f64, 0, &((*long as u64) ^ 1 << 63).to_be_bytes(), out),
        Component::Unsigned(long) => number(*long as f64, 1, &long.to_be_bytes(), out),
        Component::Double(float) => number(*float, 2, &float.to_bits().to_be_bytes(), out),
        Component::Date(time) => {
            let mut exact = ((time.seconds as u64) ^ 1 << 63).to_be_bytes().to_vec();
            exact.extend(time.nanos.to_be_bytes());
            number(time.seconds as f64, 3, &exact, out);
        }
        Component::Address(bits) => number(*bits as f64, 4, &bits.to_be_bytes(), out),
        Component::Text(text) => {
            out.push(TEXT);
            closed(text.as_bytes(), out);
        }
        Component::Version(text) => {
            out.push(VERSION);
            closed(&version::sort_key(text), out);
            closed(text.as_bytes(), out);
        }
    }
}

/// A zero byte ends the bytes, so that shorter ones sort first; zero bytes inside are doubled up.
fn closed(bytes: &[u8], out: &mut Vec<u8>) {
    for (number, part) in bytes.split(|byte| *byte == 0).enumerate() {
        if number > 0 {
            out.extend([0, 0xFF]);
        }
        out.extend_from_slice(part);
    }
    out.extend([0, 0]);
}

fn number(value: f64, kind: u8, exact: &[u8], out: &mut Vec<u8>) {
    let bits = value.to_bits();
    let sortable = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    out.push(NUMBER);
    out.extend(sortable.to_be_bytes());
    out.push(kind);
    out.extend(exact);
}

fn decode(rest: &mut &[u8]) -> Option<Component> {
    let (tag, after) = rest.split_first()?;
    *rest = after;
    match *tag {
        NULL => Some(Component::Null),
        BOOL => Some(Component::Bool(take::<1>(rest)?[0] == 1)),
        NUMBER => {
            take::<8>(rest)?;
            match take::<1>(rest)?[0] {
                0 => Some(Component::Long((u64::from_be_bytes(take(rest)?) ^ 1 << 63) as i64)),
                1 => Some(Component::Unsigned(u64::from_be_bytes(take(rest)?))),
                2 => Some(Component::Double(f64::from_bits(u64::from_be_bytes(take(rest)?)))),
                4 => Some(Component::Address(u128::from_be_bytes(take(rest)?))),
                _ => {
                    let seconds = (u64::from_be_bytes(take(rest)?) ^ 1 << 63) as i64;
                    Some(Component::Date(Time { seconds, nanos: u32::from_be_bytes(take(rest)?) }))
                }
            }
        }
        VERSION => {
            opened(rest)?;
            String::from_utf8(opened(rest)?).ok().map(Component::Version)
        }
        _ => String::from_utf8(opened(rest)?).ok().map(Component::Text),
    }
}

fn opened(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let [byte] = take::<1>(rest)?;
        if byte != 0 {
            bytes.push(byte);
            continue;
        }
        if take::<1>(rest)?[0] == 0 {
            return Some(bytes);
        }
        bytes.push(0);
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_and_sort_by_kind_and_value() {
        let parts = [
            Component::Null,
            Component::Bool(false),
            Component::Long(-5),
            Component::Double(1.5),
            Component::Long(2),
            Component::Unsigned(u64::MAX),
            Component::Text("a".into()),
            Component::Text("a\0b".into()),
            Component::Text("b".into()),
            Component::Version("1.2.0-a.2".into()),
            Component::Version("1.2.0-a.10".into()),
            Component::Version("1.2.0-b".into()),
            Component::Version("1.2.0".into()),
            Component::Version("1.10.0".into()),
            Component::Version("01.2".into()),
        ];
        assert_eq!(Key::new(&parts).parts(), parts);
        let keys: Vec<Key> = parts.iter().map(Key::sortable).collect();
        assert!(keys.windows(2).all(|pair| pair[0] < pair[1]), "{keys:?}");
        let date = [Component::Date(Time { seconds: -3, nanos: 7 })];
        assert_eq!(Key::new(&date).parts(), date);
    }
}
