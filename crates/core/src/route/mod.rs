//! Which rules an event is offered to: index patterns against where the event lies, or would lie. It knows no conditions.
//!
//! An event is offered to a rule if a pattern fits its `_index` (also by the data stream that a backing index belongs to), else its
//! `data_stream.*`, else the indices that its source is declared to live in. An event of unknown source goes to all rules.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;
use serde::Deserialize;

use crate::program::RuleMask;

/// Where the documents of a source live: a line of the table that comes with the rule set.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// The source, as the summary names it.
    pub source: String,
    /// Raw formats that it is decoded from: for people.
    #[serde(default)]
    pub formats: Vec<String>,
    /// The fields that tell it, all of them, each one of [`TELLING`], with the values that do (or their beginnings, ending in `*`).
    #[serde(default)]
    pub when: BTreeMap<String, Vec<String>>,
    /// The indices that such documents live in; `{event.dataset}` stands for the document's own.
    pub indices: Vec<String>,
    /// The system that such events come from, whether or not they say so.
    #[serde(default)]
    pub os: Option<Os>,
}

/// What `host.os.type` has of a system.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Os {
    Windows,
    Linux,
    Macos,
}

impl Os {
    /// As ECS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Os::Windows => "windows",
            Os::Linux => "linux",
            Os::Macos => "macos",
        }
    }
}

/// The fields that a document is placed by.
pub const TELLING: [&str; 9] = [
    "_index",
    "data_stream.type",
    "data_stream.dataset",
    "data_stream.namespace",
    "event.dataset",
    "event.module",
    "agent.type",
    "winlog.channel",
    "event.category",
];

/// What is known of where an event lies: one value for each of [`TELLING`].
pub type Telling<'a> = [Option<&'a str>; 9];

/// Where an event goes.
#[derive(Clone, Debug)]
pub struct Route {
    /// The rules that see it; `None` is all.
    pub rules: Option<Arc<RuleMask>>,
    /// The source that claims it.
    pub source: Option<Arc<str>>,
    /// The system that the source implies.
    pub os: Option<Os>,
}

/// Why no source claims an event: what its telling fields have, in one line.
pub fn unclaimed(telling: &Telling<'_>) -> String {
    const MOST: usize = 60;
    let short = |text: &str| text.chars().take(MOST).collect::<String>().escape_debug().to_string();
    let found: Vec<String> = TELLING
        .iter()
        .zip(telling)
        .filter_map(|(field, value)| value.map(|value| format!("{field}: \"{}\"", short(value))))
        .collect();
    if found.is_empty() {
        return format!("none of {}", TELLING.join(", "));
    }
    format!("no source has {}", found.join(", "))
}

/// The patterns of all rules.
#[derive(Debug)]
pub struct Router {
    patterns: Vec<Vec<String>>,
    declarations: Vec<Declaration>,
    enabled: bool,
}

impl Router {
    /// `patterns` has the index patterns of each rule; none means every event.
    pub fn new(patterns: Vec<Vec<String>>, declarations: Vec<Declaration>, enabled: bool) -> Self {
        Self { patterns, declarations, enabled }
    }

    /// Works out where an event goes. The caller remembers the answer by what tells it.
    pub fn route(&self, telling: &Telling<'_>) -> Route {
        let declared = self.declarations.iter().find(|declaration| declaration.claims(telling));
        let source = declared.map(|declaration| Arc::from(declaration.source.as_str()));
        let indices = indices(telling).or_else(|| declared.map(|declaration| declaration.indices(telling)));
        let indices = indices.filter(|indices| !indices.is_empty());
        let rules = match indices {
            Some(indices) if self.enabled => Some(Arc::new(self.seeing(&indices))),
            _ => None,
        };
        Route { rules, source, os: declared.and_then(|declaration| declaration.os) }
    }

    fn seeing(&self, indices: &[String]) -> RuleMask {
        let mut mask = RuleMask::none(self.patterns.len());
        for (rule, patterns) in self.patterns.iter().enumerate() {
            if patterns.is_empty() || indices.iter().any(|index| fits(patterns, index)) {
                mask.insert(rule as u32);
            }
        }
        mask
    }
}

impl Declaration {
    fn claims(&self, telling: &Telling<'_>) -> bool {
        !self.when.is_empty()
            && self.when.iter().all(|(field, values)| {
                let Some(number) = TELLING.iter().position(|known| known == field) else { return false };
                telling[number].is_some_and(|found| {
                    values.iter().any(|value| match value.strip_suffix('*') {
                        Some(prefix) => found.starts_with(prefix),
                        None => found == value,
                    })
                })
            })
    }

    fn indices(&self, telling: &Telling<'_>) -> Vec<String> {
        let dataset = telling[4].or(telling[2]).unwrap_or_default();
        self.indices.iter().map(|index| index.replace("{event.dataset}", dataset)).collect()
    }
}

/// The indices that the document itself names.
fn indices(telling: &Telling<'_>) -> Option<Vec<String>> {
    let [index, kind, dataset, namespace, ..] = telling;
    if let Some(index) = index {
        return Some(vec![data_stream(index).to_owned()]);
    }
    let dataset = (*dataset)?;
    Some(vec![format!("{}-{dataset}-{}", kind.unwrap_or("logs"), namespace.unwrap_or("default"))])
}

/// The data stream of a backing index (`.ds-NAME-2026.08.11-000001`, also restored or shrunk ones), else the name as it is. A
/// remote cluster's prefix is taken off.
fn data_stream(index: &str) -> &str {
    let name = index.rsplit_once(':').map_or(index, |(_, name)| name);
    let Some(start) = name.find(".ds-") else { return name };
    let inner = &name[start + 4..];
    let dated = inner.rsplit_once('-').filter(|(_, generation)| generation.bytes().all(|byte| byte.is_ascii_digit()));
    match dated.and_then(|(rest, _)| rest.rsplit_once('-')) {
        Some((stream, date)) if date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => stream,
        _ => inner,
    }
}

/// Elasticsearch's multi-target syntax: names with `*`, and exclusions (`-name*`) that take away what came before them.
fn fits(patterns: &[String], index: &str) -> bool {
    let mut fitting = false;
    for pattern in patterns.iter().flat_map(|pattern| pattern.split(',')).map(str::trim) {
        match pattern.strip_prefix('-') {
            Some(excluded) => fitting &= !wildcard(local(excluded), index),
            None => fitting |= wildcard(local(pattern), index),
        }
    }
    fitting
}

/// A pattern without the cluster that it asks for.
fn local(pattern: &str) -> &str {
    pattern.rsplit_once(':').map_or(pattern, |(_, name)| name)
}

fn wildcard(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(last)
}

/// Remembers routes by what tells them; one for each thread.
#[derive(Debug, Default)]
pub struct Memo {
    routes: HashMap<Vec<u8>, Route, RandomState>,
    key: Vec<u8>,
}

/// Distinct placings that are remembered; hostile input may have any number.
const REMEMBERED: usize = 4096;

impl Memo {
    /// The route of an event.
    pub fn route(&mut self, router: &Router, telling: &Telling<'_>) -> Route {
        self.key.clear();
        for value in telling {
            self.key.extend_from_slice(value.unwrap_or("\u{1}").as_bytes());
            self.key.push(0);
        }
        if let Some(route) = self.routes.get(&self.key) {
            return route.clone();
        }
        if self.routes.len() >= REMEMBERED {
            self.routes.clear();
        }
        let route = router.route(telling);
        self.routes.insert(self.key.clone(), route.clone());
        route
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(patterns: &[&[&str]]) -> Router {
        let patterns = patterns.iter().map(|list| list.iter().map(|text| (*text).to_owned()).collect()).collect();
        let declaration = |source: &str, field: &str, value: &str, index: &str| Declaration {
            source: source.into(),
            formats: Vec::new(),
            when: BTreeMap::from([(field.to_owned(), vec![value.to_owned()])]),
            indices: vec![index.into()],
            os: (source == "winlogbeat").then_some(Os::Windows),
        };
        let declarations = vec![
            declaration("endpoint", "event.dataset", "endpoint.*", "logs-{event.dataset}-default"),
            declaration("winlogbeat", "agent.type", "winlogbeat", "winlogbeat-9"),
            Declaration { indices: Vec::new(), ..declaration("ecs", "event.category", "*", "") },
        ];
        Router::new(patterns, declarations, true)
    }

    fn seen(router: &Router, telling: &Telling<'_>) -> Option<Vec<usize>> {
        let mask = router.route(telling).rules?;
        Some((0..router.patterns.len()).filter(|rule| mask.contains(*rule as u32)).collect())
    }

    #[test]
    fn events_go_where_their_index_fits() {
        let router = router(&[
            &["logs-endpoint.events.process-*", "winlogbeat-*"],
            &["logs-endpoint.events.*", "-logs-endpoint.events.file*"],
            &["auditbeat-*"],
            &[],
        ]);
        let index = |name| [Some(name), None, None, None, None, None, None, None, None];
        let backing = ".ds-logs-endpoint.events.process-default-2026.08.11-000001";
        assert_eq!(seen(&router, &index(backing)), Some(vec![0, 1, 3]));
        assert_eq!(seen(&router, &index("logs-endpoint.events.file-prod")), Some(vec![3]));
        assert_eq!(seen(&router, &index("eu:auditbeat-8.1")), Some(vec![2, 3]));
        let stream = [None, Some("logs"), Some("endpoint.events.process"), Some("x"), None, None, None, None, None];
        assert_eq!(seen(&router, &stream), Some(vec![0, 1, 3]));
        let endpoint = [None, None, None, None, Some("endpoint.events.process"), None, None, None, None];
        assert_eq!(seen(&router, &endpoint), Some(vec![0, 1, 3]));
        assert_eq!(
            seen(&router, &[None, None, None, None, None, None, Some("winlogbeat"), None, None]),
            Some(vec![0, 3])
        );
        assert_eq!(seen(&router, &[None; 9]), None);
        let any = [None, None, None, None, None, None, None, None, Some("process")];
        assert_eq!(seen(&router, &any), None);
        assert_eq!(router.route(&any).source.as_deref(), Some("ecs"));
        let beat = [None, None, None, None, None, None, Some("winlogbeat"), None, None];
        assert_eq!(router.route(&beat).os, Some(Os::Windows));
        assert_eq!(router.route(&endpoint).os, None);
    }

    #[test]
    fn wildcards() {
        for (pattern, text, fits) in [
            ("a*", "a", true),
            ("a*b*c", "axxbyyc", true),
            ("*", "", true),
            ("a*a", "a", false),
            ("apm-*-transaction*", "apm-8-transaction-1", true),
            ("ab", "abc", false),
        ] {
            assert_eq!(wildcard(pattern, text), fits, "{pattern} {text}");
        }
    }
}
