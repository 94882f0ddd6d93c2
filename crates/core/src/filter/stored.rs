//! What was found out about the rules, as data: whoever keeps it with the rules saves finding it out again. It knows no conditions.

use super::clause::Numbered;
use super::need::{Implied, Pairs};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a filter is made from.
#[derive(Debug)]
pub(super) enum Found {
    /// What to look for.
    Needs(Arc<Numbered>),
    /// Why there is nothing to look for.
    Nothing(String),
}

/// With what else it depends on. One of the two is there.
#[derive(Serialize)]
struct Written<'f> {
    implied: &'f BTreeMap<String, Pairs>,
    needs: Option<&'f Numbered>,
    nothing: Option<&'f str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    implied: BTreeMap<String, Pairs>,
    needs: Option<Numbered>,
    nothing: Option<String>,
}

/// As JSON.
pub(super) fn write(found: &Found, implied: &Implied) -> Option<Box<RawValue>> {
    let (needs, nothing) = match found {
        Found::Needs(numbered) => (Some(&**numbered), None),
        Found::Nothing(why) => (None, Some(why.as_str())),
    };
    to_raw_value(&Written { implied: implied.all(), needs, nothing }).ok()
}

/// None where it cannot be read, or was found out where sources imply something else.
pub(super) fn read(stored: &str, implied: &Implied) -> Option<Found> {
    let read: Read = serde_json::from_str(stored).ok()?;
    if read.implied != *implied.all() {
        return None;
    }
    match (read.needs, read.nothing) {
        (Some(numbered), None) => numbered.is_whole().then(|| Found::Needs(Arc::new(numbered))),
        (None, Some(why)) => Some(Found::Nothing(why)),
        _ => None,
    }
}
