//! By what an event and an alert are known again in another run.

use crate::enrich::listed;
use sha1::{Digest, Sha1};

/// Namespace of our alerts' UUIDs (a random one, fixed for good).
const NAMESPACE: [u8; 16] =
    [0x9a, 0x4f, 0x0c, 0x62, 0x5b, 0x1d, 0x4e, 0x07, 0xb3, 0x2e, 0x6d, 0x18, 0xf0, 0x95, 0xc7, 0x31];

/// An event's `_id`, else its `event.id`, else a hash of its raw record: what the process table adds may hold the name of a
/// folder, and is left out.
pub fn identity(id: Option<&str>, event_id: Option<&str>, raw: &str) -> String {
    if let Some(known) = id.or(event_id) {
        return known.to_owned();
    }
    let own = own(raw);
    let mut hash = Sha1::new();
    hash.update(own.as_bytes());
    if own.len() < raw.len() {
        hash.update(b"}");
    }
    hex(&hash.finalize())
}

/// A document's own members. What was added stands behind them, its names last of all.
fn own(document: &str) -> &str {
    let own = || {
        let (before, names) = listed(document)?;
        let first = names.split('"').nth(1)?;
        before.rfind(&format!(",\"{first}\":"))
    };
    own().map_or(document, |end| &document[..end])
}

/// The UUID (version 5, RFC 9562) of an alert: of its rule and the identities of its events in order. No path enters it.
pub fn uuid(rule: &str, identities: &[&str]) -> String {
    let mut hash = Sha1::new();
    hash.update(NAMESPACE);
    hash.update(rule.as_bytes());
    for identity in identities {
        hash.update([0]);
        hash.update(identity.as_bytes());
    }
    version_5(&hash.finalize())
}

/// The UUID (version 5) of a name in a namespace.
pub(super) fn named_uuid(namespace: [u8; 16], name: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(namespace);
    hash.update(name.as_bytes());
    version_5(&hash.finalize())
}

/// A UUID as text, from the first sixteen bytes of a hash.
fn version_5(hash: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (number, byte) in hash[..16].iter().enumerate() {
        if matches!(number, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        push_hex(
            &mut text,
            match number {
                6 => (byte & 0x0f) | 0x50,
                8 => (byte & 0x3f) | 0x80,
                _ => *byte,
            },
        );
    }
    text
}

fn push_hex(text: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    text.push(char::from(DIGITS[usize::from(byte >> 4)]));
    text.push(char::from(DIGITS[usize::from(byte & 15)]));
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    bytes.iter().for_each(|byte| push_hex(&mut text, *byte));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_of_version_5_and_depend_on_rule_events_and_order() {
        let one = uuid("r", &["a", "b"]);
        assert_eq!(one.len(), 36);
        assert_eq!(&one[14..15], "5");
        assert!(matches!(&one[19..20], "8" | "9" | "a" | "b"));
        assert_eq!(one, uuid("r", &["a", "b"]));
        for other in [uuid("r", &["b", "a"]), uuid("s", &["a", "b"]), uuid("r", &["ab"])] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn what_was_added_enters_no_identity() {
        let bare = r#"{"process":{"pid":1},"host.id":null}"#;
        let added = |host: &str| {
            format!(
                r#"{{"process":{{"pid":1}},"host.id":null,"host.name":"{host}","host.id":"{host}","contraband.added":["host.name","host.id"]}}"#
            )
        };
        assert_eq!(identity(None, None, &added("a")), identity(None, None, bare));
        assert_eq!(identity(None, None, &added("b")), identity(None, None, bare));
        let own = r#"{"contraband.added":["x"],"a":1}"#;
        assert_ne!(identity(None, None, own), identity(None, None, "{}"));
        assert_ne!(identity(None, None, own), identity(None, None, r#"{"contraband.added":["x"],"a":2}"#));
    }

    #[test]
    fn identities_prefer_what_elasticsearch_knows() {
        assert_eq!(identity(Some("i"), Some("e"), "{}"), "i");
        assert_eq!(identity(None, Some("e"), "{}"), "e");
        assert_eq!(identity(None, None, "{}"), "bf21a9e8fbc5a3846fb05b4fa0859e0917b2202f");
    }
}
