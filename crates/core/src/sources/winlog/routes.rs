//! What becomes of each named value of an event of one kind, found out once a kind: the steps that its mapping has for it, and
//! whether anybody looks at what comes of it. It knows no record's values.

use super::document::Slot;
use super::mapping::{self, MAPPINGS, Provider, Step};
use super::wishes::Wishes;
use foldhash::fast::RandomState;
use std::collections::HashMap;

/// One named value.
#[derive(Debug)]
pub struct Route {
    name: Box<str>,
    pub steps: Vec<&'static Step>,
    /// Whether it is in other fields already, or holds others: then it is no event data of its own.
    pub elsewhere: bool,
    /// Whether it decides anything that is wanted.
    pub wanted: bool,
}

/// The named values of an event, in the order in which they came.
type Kind = Vec<Route>;

/// The routes of all kinds of events so far.
#[derive(Debug, Default)]
pub struct Routes {
    /// By the provider's place in memory (0: it has no mapping) and the event's number.
    known: HashMap<(usize, u32), Kind, RandomState>,
    kind: Kind,
    key: (usize, u32),
    provider: Option<&'static Provider>,
    /// Where the next name is expected.
    next: usize,
}

/// Kinds that are remembered, and names of each: no log has so many.
const MOST: usize = 1024;

impl Routes {
    /// Begins with an event's names.
    pub fn begin(&mut self, provider: Option<&'static Provider>, event: u32) {
        let key = (provider.map_or(0, |provider| std::ptr::from_ref(provider).addr()), event);
        if key != self.key {
            if self.known.len() >= MOST {
                self.known.clear();
            }
            let left = std::mem::take(&mut self.kind);
            self.known.insert(self.key, left);
            self.kind = self.known.remove(&key).unwrap_or_default();
            (self.key, self.provider) = (key, provider);
        }
        self.next = 0;
    }

    /// The route of a name. Names mostly come in the same order.
    pub fn of(&mut self, name: &str, wishes: Option<&Wishes>) -> &Route {
        let ahead = self.kind.iter().skip(self.next).position(|route| *route.name == *name).map(|at| at + self.next);
        let at = ahead.or_else(|| self.kind.iter().position(|route| *route.name == *name)).unwrap_or_else(|| {
            if self.kind.len() >= MOST {
                self.kind.clear();
            }
            self.kind.push(Route::new(name, self.provider, self.key.1, wishes));
            self.kind.len() - 1
        });
        self.next = at + 1;
        &self.kind[at]
    }
}

impl Route {
    /// The route of a name in an event.
    pub fn new(name: &str, provider: Option<&'static Provider>, event: u32, wishes: Option<&Wishes>) -> Self {
        let steps: Vec<&'static Step> = provider.map_or_else(Vec::new, |provider| steps(provider, name, event));
        let holds =
            |provider: &Provider| provider.expand.iter().any(|expand| expand.data == name && expand.applies(event));
        let elsewhere = provider.is_some_and(|provider| provider.drop.contains(name) || holds(provider));
        let is_time = provider.is_some_and(|provider| provider.time.as_deref() == Some(name));
        let wanted = wishes.is_none_or(|wishes| {
            is_time
                || provider.is_some_and(holds)
                || wishes.wants_data(name)
                || steps.iter().any(|step| step_is_wanted(step, provider, event, wishes))
        });
        Self { name: name.into(), steps, elsewhere, wanted }
    }
}

fn steps(provider: &'static Provider, name: &str, event: u32) -> Vec<&'static Step> {
    provider.steps.get(name).into_iter().flatten().filter(|step| step.applies(event)).collect()
}

/// Whether a step fills something that is wanted, or a field for which a value competes that is event data if it loses.
fn step_is_wanted(step: &Step, provider: Option<&'static Provider>, event: u32, wishes: &Wishes) -> bool {
    let fills = |slot: &Slot| wishes.wants(*slot);
    let rivals = || {
        let named = provider.into_iter().flat_map(|provider| &provider.steps);
        named.filter(|(name, _)| wishes.wants_data(name)).flat_map(|(_, steps)| steps)
    };
    let relates = step.related.is_some() || matches!(step.kind, mapping::Kind::Hashes | mapping::Kind::DnsAnswers);
    relates && wishes.related
        || step.slots.iter().any(fills)
        || rivals().any(|rival| rival.applies(event) && rival.slots.iter().any(|slot| step.slots.contains(slot)))
}

/// The mapping of a provider.
pub fn provider(name: &str) -> Option<&'static Provider> {
    MAPPINGS.providers.get(name).map(std::sync::Arc::as_ref)
}
