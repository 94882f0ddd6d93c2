//! Whether there are events of the hosts that were asked for, and whose there are instead: a mistyped name must not look like a clean host.

use super::engine::Extra;
use super::summary::HostsSummary;
use crate::value::{Event, Raw};
use std::sync::atomic::{AtomicBool, Ordering};

/// Other hosts that are told one by one.
const OTHERS: usize = 6;

/// The hosts that were asked for; all threads share them.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    asked: Vec<Asked>,
    /// Whether one of them has no event so far.
    missing: AtomicBool,
}

#[derive(Debug)]
struct Asked {
    name: String,
    lowered: String,
    found: AtomicBool,
}

impl Hosts {
    pub(super) fn new(names: &[String]) -> Self {
        let asked =
            |name: &String| Asked { name: name.clone(), lowered: name.to_lowercase(), found: AtomicBool::default() };
        Self { asked: names.iter().map(asked).collect(), missing: AtomicBool::new(!names.is_empty()) }
    }

    /// Whether a host that was asked for has no event so far: then lines that no rule can match are looked at too.
    pub(super) fn are_missing(&self) -> bool {
        self.missing.load(Ordering::Relaxed)
    }

    /// Whether an event is of a host that was asked for, by name or id; all are where none was. The names of others go to `others`.
    pub(super) fn allow(&self, event: &Event<'_>, extra: &Extra, others: &mut Vec<String>) -> bool {
        if self.asked.is_empty() {
            return true;
        }
        let mut here = false;
        for value in [extra.host_name, extra.host_id].iter().flat_map(|field| event.values(*field)) {
            let value = value.as_text().to_lowercase();
            for asked in self.asked.iter().filter(|asked| asked.lowered == value) {
                here = true;
                if !asked.found.swap(true, Ordering::Relaxed) {
                    let missing = self.asked.iter().any(|asked| !asked.found.load(Ordering::Relaxed));
                    self.missing.fetch_and(missing, Ordering::Relaxed);
                }
            }
        }
        if !here && self.are_missing() {
            let name = event.first(extra.host_name).or_else(|| event.first(extra.host_id)).map(Raw::as_text);
            name.into_iter().for_each(|name| tell(name, others));
        }
        here
    }

    /// What is to be told of them; `others` are those that events were of, first come first.
    pub(super) fn summary(&self, others: &[String]) -> Option<HostsSummary> {
        let missing = self.asked.iter().filter(|asked| !asked.found.load(Ordering::Relaxed));
        let missing: Vec<_> = missing.map(|asked| asked.name.clone()).collect();
        (!missing.is_empty()).then(|| HostsSummary { missing, others: others.to_vec() })
    }
}

/// Adds a host to those that are told, unless it is among them or they are enough.
pub(super) fn tell(name: &str, others: &mut Vec<String>) {
    if others.len() < OTHERS && !others.iter().any(|other| other == name) {
        others.push(name.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::InstallationFields;

    fn extra() -> Extra {
        let mut number = 10;
        let installation = InstallationFields::new(|_| {
            number += 1;
            number
        });
        Extra { telling: [9; 9], id: 8, event_id: 7, time: 6, host_name: 0, host_id: 1, host_os: 2, installation }
    }

    fn event(name: Option<&'static str>, id: Option<&'static str>) -> Event<'static> {
        let mut event = Event::new(64);
        for (field, value) in [(0, name), (1, id)] {
            value.into_iter().for_each(|value| event.push(field, Raw::Text(value.into())));
        }
        event
    }

    #[test]
    fn hosts_are_missing_until_each_has_an_event() {
        let hosts = Hosts::new(&["Web1".to_owned(), "id-2".to_owned(), "web9".to_owned()]);
        let mut others = Vec::new();
        assert!(!hosts.allow(&event(Some("db"), Some("id-1")), &extra(), &mut others));
        assert!(!hosts.allow(&event(None, Some("id-3")), &extra(), &mut others));
        assert!(!hosts.allow(&event(None, None), &extra(), &mut others));
        assert!(!hosts.allow(&event(Some("db"), None), &extra(), &mut others));
        assert!(hosts.allow(&event(Some("WEB1"), Some("id-1")), &extra(), &mut others));
        assert!(hosts.allow(&event(Some("db2"), Some("ID-2")), &extra(), &mut others));
        assert!(hosts.are_missing());
        let summary = hosts.summary(&others).unwrap();
        assert_eq!(summary.missing, ["web9"]);
        assert_eq!(summary.others, ["db", "id-3"]);
        assert!(hosts.allow(&event(Some("web9"), None), &extra(), &mut others));
        assert!(!hosts.are_missing());
        assert!(!hosts.allow(&event(Some("late"), None), &extra(), &mut others));
        assert!(hosts.summary(&others).is_none());
        assert_eq!(others, ["db", "id-3"]);
    }

    #[test]
    fn all_hosts_count_where_none_was_asked_for() {
        let hosts = Hosts::new(&[]);
        let mut others = Vec::new();
        assert!(!hosts.are_missing());
        assert!(hosts.allow(&event(Some("db"), None), &extra(), &mut others));
        assert!(others.is_empty() && hosts.summary(&others).is_none());
    }

    #[test]
    fn a_few_others_are_told() {
        let mut others = Vec::new();
        for name in ["a", "b", "a", "c", "d", "e", "f", "g"] {
            tell(name, &mut others);
        }
        assert_eq!(others, ["a", "b", "c", "d", "e", "f"]);
    }
}
