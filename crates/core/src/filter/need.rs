//! What a line must hold to meet a condition: texts, of which it has one of each list, and values of a few telling names. It reads no conditions.

use super::rarity::{share, value_share};
use crate::enrich::IMPLIED;
use crate::route::Declaration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Keys with values.
pub(super) type Pairs = Vec<(String, String)>;

/// Fields that nearly every event has, whose values tell much and stand in the line as other things too: `"process"` is a category
/// and a key, `"windows"` is many things.
const TELLING: [&str; 3] = ["event.category", "event.type", IMPLIED];

/// Texts of which a line that meets the condition contains at least one: lowered, and as JSON writes them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Need {
    pub literals: Vec<String>,
    /// The share of lines that contain one, roughly.
    pub share: f64,
}

impl Need {
    pub(super) fn new(mut literals: Vec<String>) -> Self {
        literals.sort();
        literals.dedup();
        let share = 1.0 - literals.iter().map(|literal| 1.0 - share(literal).min(1.0)).product::<f64>();
        Self { literals, share }
    }
}

/// A field of which a line that meets the condition has one of some values: keys (the last segment of a path) with values, lowered, `*` for
/// whatever follows. One of them is there, or one of the keys with a value that is not written plainly.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub(super) struct Value {
    pub path: &'static str,
    pub any: Pairs,
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Stored {
            path: String,
            any: Pairs,
        }
        let Stored { path, any } = Stored::deserialize(deserializer)?;
        let known = TELLING.into_iter().find(|known| *known == path);
        let path = known.ok_or_else(|| serde::de::Error::custom("no field that tells"))?;
        Ok(Self { path, any })
    }
}

impl Value {
    /// None where the field is none of those that tell, or a value is not plain text. `implied` stands for a value without being it.
    pub(super) fn new(path: &str, constants: &[String], implied: &Implied) -> Option<Self> {
        let path = TELLING.into_iter().find(|known| *known == path)?;
        if !constants.iter().all(|text| is_plain(text)) {
            return None;
        }
        let values = constants.iter().map(|text| (last(path), text.to_ascii_lowercase()));
        let from_source = constants.iter().filter(|_| path == IMPLIED).flat_map(|text| implied.of(text));
        Some(Self::of(path, values.chain(from_source.cloned()).collect()))
    }

    fn of(path: &'static str, mut any: Pairs) -> Self {
        any.sort();
        any.dedup();
        Self { path, any }
    }

    /// The share of lines that have one, roughly.
    pub(super) fn share(&self) -> f64 {
        self.any.iter().map(|(_, value)| value_share(value)).sum::<f64>().min(1.0)
    }

    /// Whether a text need asks no more than this.
    pub(super) fn covers(&self, need: &Need) -> bool {
        self.any.iter().all(|(_, value)| need.literals.contains(&format!("\"{value}\"")))
    }
}

fn last(path: &str) -> String {
    path.rsplit('.').next().unwrap_or(path).to_owned()
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// Which keys and values make a source of an event that implies its system, by system.
#[derive(Debug, Default)]
pub(super) struct Implied(BTreeMap<String, Pairs>);

impl Implied {
    pub(super) fn new(declarations: &[Declaration]) -> Self {
        let mut implied: BTreeMap<String, Pairs> = BTreeMap::new();
        for declaration in declarations {
            let Some(os) = declaration.os else { continue };
            // A source has all of these: any one of them is needed.
            let Some((field, values)) = declaration.when.first_key_value() else { continue };
            let values = values.iter().map(|value| (last(field), value.to_ascii_lowercase()));
            implied.entry(os.as_str().to_owned()).or_default().extend(values);
        }
        Self(implied)
    }

    fn of(&self, os: &str) -> &[(String, String)] {
        self.0.get(os.to_ascii_lowercase().as_str()).map_or(&[], Vec::as_slice)
    }

    pub(super) fn all(&self) -> &BTreeMap<String, Pairs> {
        &self.0
    }
}

/// All that a condition needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Needs {
    /// The rarest first.
    pub texts: Vec<Need>,
    pub values: Vec<Value>,
    /// Nothing meets the condition.
    pub never: bool,
}

/// How many needs of a condition are kept.
const MOST: usize = 6;

/// Longer lists are not worth searching for.
pub(super) const MOST_LITERALS: usize = 600;

impl Needs {
    pub(super) fn never() -> Self {
        Self { never: true, ..Self::default() }
    }

    pub(super) fn texts(texts: Vec<Need>) -> Self {
        Self { texts, ..Self::default() }.sorted()
    }

    /// What all of them need.
    pub(super) fn all(each: impl Iterator<Item = Self>) -> Self {
        let mut needs = Self::default();
        for one in each {
            needs.texts.extend(one.texts);
            needs.values.extend(one.values);
            needs.never |= one.never;
        }
        needs.sorted()
    }

    /// What any of them needs: one need of each, joined; the rarest of each, then the next.
    pub(super) fn any(each: impl Iterator<Item = Self>) -> Self {
        // What cannot be met needs nothing of any other need either.
        let possible: Vec<Self> = each.filter(|needs| !needs.never).collect();
        let Some(first) = possible.first() else { return Self::never() };
        let count = possible.iter().map(|needs| needs.texts.len()).min().unwrap_or(0);
        let joined = |number: usize| {
            Need::new(possible.iter().flat_map(|needs| needs.texts[number].literals.iter().cloned()).collect())
        };
        let texts = (0..count).map(joined).filter(|need| need.literals.len() <= MOST_LITERALS).collect();
        let values = first.values.iter().filter_map(|value| {
            let same = |needs: &Self| needs.values.iter().find(|other| other.path == value.path).cloned();
            let values: Vec<Value> = possible.iter().map(same).collect::<Option<_>>()?;
            Some(Value::of(value.path, values.into_iter().flat_map(|value| value.any).collect()))
        });
        Self { texts, values: values.collect(), never: false }.sorted()
    }

    fn sorted(mut self) -> Self {
        self.texts.sort_by(|one, two| one.share.total_cmp(&two.share).then_with(|| one.literals.cmp(&two.literals)));
        self.texts.dedup();
        self.texts.truncate(MOST);
        self.values.sort();
        self.values.dedup();
        self
    }
}
