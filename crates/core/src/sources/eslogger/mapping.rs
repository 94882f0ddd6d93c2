//! The table of `content/sources/macos/eslogger.toml`: which members of an Endpoint Security event become which fields. It
//! knows no event by itself.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::OnceLock;

const TABLE: &str = include_str!("../../../../../src/contraband/content/sources/macos/eslogger.toml");

#[derive(Deserialize)]
struct Table {
    event: Vec<Entry>,
}

/// What one kind of event becomes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    events: Vec<String>,
    #[serde(default)]
    when: BTreeMap<String, Value>,
    pub category: Vec<String>,
    #[serde(rename = "type")]
    pub kind: Vec<String>,
    pub action: String,
    pub dataset: String,
    /// The member that holds the process that the document is about.
    pub process: Option<String>,
    #[serde(default)]
    pub fields: BTreeMap<String, Vec<String>>,
}

/// The entry for an event, if the table has one.
pub(super) fn entry(name: &str, event: &Value) -> Option<&'static Entry> {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    let entries = ENTRIES.get_or_init(|| toml::from_str::<Table>(TABLE).expect("the shipped table is valid").event);
    entries.iter().find(|entry| entry.events.iter().any(|known| known == name) && fits(entry, event))
}

fn fits(entry: &Entry, event: &Value) -> bool {
    entry.when.iter().all(|(path, wanted)| match (member(event, path), wanted) {
        (Some(found), Value::Array(wanted)) => wanted.contains(found),
        (Some(found), wanted) => found == wanted,
        (None, _) => false,
    })
}

/// The value at a dotted path. Null and the empty text are none.
pub(super) fn member<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let found = path.split('.').try_fold(value, |value, name| value.get(name))?;
    (!found.is_null() && found.as_str() != Some("")).then_some(found)
}

/// The value of a place in the table: a path, or paths whose texts are joined with slashes.
pub(super) fn place(event: &Value, place: &str) -> Option<Value> {
    if !place.contains('/') {
        return member(event, place).cloned();
    }
    let parts = place.split('/').map(|path| member(event, path)?.as_str()).collect::<Option<Vec<_>>>()?;
    let root = parts[0].trim_end_matches('/');
    Some(format!("{root}/{}", parts[1..].join("/")).into())
}
