//! A loaded rule set: the joined program with what surrounds it.

use super::options::EngineOptions;
use crate::alert::{InstallationFields, Reason, RuleAlert};
use crate::enrich::{IMPLIED, Wanted};
use crate::filter::Filter;
use crate::json::Projection;
use crate::plan::{PlanError, RuleSet};
use crate::program::{Options, Program};
use crate::route::{Declaration, Router, TELLING};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::Arc;

/// Event numbers of the fields that are needed beside the rules' own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extra {
    pub telling: [u32; 9],
    pub id: u32,
    pub event_id: u32,
    pub time: u32,
    pub host_name: u32,
    pub host_id: u32,
    pub host_os: u32,
    pub installation: InstallationFields,
}

#[derive(Debug)]
pub(super) struct Loaded {
    pub program: Program,
    pub projection: Projection,
    /// Those of them that decide, and those that the process table needs, for records whose documents are not written yet.
    pub wanted: Wanted,
    pub router: Router,
    pub alerts: Vec<RuleAlert>,
    pub ids: Vec<String>,
    /// The place of each identifier among all in byte order.
    pub ranks: Vec<u32>,
    pub extra: Extra,
    pub filter: Filter,
    pub options: EngineOptions,
    pub has_exceptions: Vec<bool>,
    of: Of,
}

/// The layout of what is stored. It is counted up with each change of what a filter looks for, too.
const STORED: u32 = 1;

/// What something stored was found out about, and by whom.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
struct Of {
    layout: u32,
    core: String,
    bytes: usize,
    crc32: u32,
}

impl Of {
    fn new(rules: &[u8]) -> Self {
        let core = env!("CARGO_PKG_VERSION").to_owned();
        Self { layout: STORED, core, bytes: rules.len(), crc32: crc32fast::hash(rules) }
    }
}

/// What is found out about a rule set once.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored<F> {
    of: Of,
    filter: F,
}

/// The stored filter, if it is of these rules.
fn stored_filter(stored: &[u8], of: &Of, declarations: &[Declaration]) -> Option<Filter> {
    let stored: Stored<&RawValue> = serde_json::from_slice(stored).ok()?;
    if stored.of == *of { Filter::from_stored(stored.filter.get(), declarations) } else { None }
}

/// A loaded rule set. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(super) loaded: Arc<Loaded>,
}

impl Engine {
    /// Loads a rule set (JSON).
    pub fn new(rules: &[u8], options: &[u8]) -> Result<Self, PlanError> {
        Self::with_stored(rules, options, b"")
    }

    /// Loads a rule set with what [`Engine::stored`] gave for it, which saves finding that out again. What is of another rule set, of other
    /// declarations or of another core, or cannot be read, is passed over: the engine is the same with it and without it.
    pub fn with_stored(rules: &[u8], options: &[u8], stored: &[u8]) -> Result<Self, PlanError> {
        let options: EngineOptions = super::options::read(options)?;
        let set = RuleSet::from_json(rules)?;
        let of = Of::new(rules);
        let ways = Options { share: options.share, remember: options.share, ..Options::default() };
        // Filter and program know nothing of each other, and take time.
        let (program, filter) = std::thread::scope(|scope| {
            let filter = scope.spawn(|| {
                stored_filter(stored, &of, &options.declarations)
                    .unwrap_or_else(|| Filter::new(&set, &options.declarations))
            });
            let program = Program::with_options(&set, ways);
            (program, filter.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        let program = program?;
        let mut paths = Paths::new(&program);
        let telling = TELLING.map(|path| paths.number(path));
        let [time, host_name, host_id, host_os] =
            ["@timestamp", "host.name", "host.id", IMPLIED].map(|path| paths.number(path));
        // Whether a record may meet a condition is decided by these alone; those that come after them are for alerts.
        let deciding = paths.list.len();
        let extra = Extra {
            telling,
            id: paths.number("_id"),
            event_id: paths.number("event.id"),
            time,
            host_name,
            host_id,
            host_os,
            installation: InstallationFields::new(|path| paths.number(path)),
        };
        let alerts = set
            .rules
            .iter()
            .map(|rule| {
                let reason = rule.reason.as_deref().map(|text| Reason::new(text, |path| paths.number(path)));
                RuleAlert::new(&rule.id, rule.alert.as_deref().map(serde_json::value::RawValue::get), reason)
            })
            .collect();
        let patterns = set.rules.iter().map(|rule| rule.index.clone()).collect();
        let router = Router::new(patterns, options.declarations.clone(), options.routing);
        let fields = paths.list.iter().map(String::as_str);
        let wanted = Wanted::new(fields.clone().take(deciding));
        let loaded = Loaded {
            projection: Projection::new(fields),
            wanted,
            router,
            alerts,
            ranks: ranks(&set),
            ids: set.rules.iter().map(|rule| rule.id.clone()).collect(),
            has_exceptions: set.rules.iter().map(|rule| !rule.exceptions.is_empty()).collect(),
            extra,
            filter,
            options,
            program,
            of,
        };
        // Taking a large rule set apart takes as long as joining some of it, and nobody waits for it.
        std::thread::Builder::new().spawn(move || drop(set)).ok();
        Ok(Self { loaded: Arc::new(loaded) })
    }

    /// What was found out about the rule set, for [`Engine::with_stored`]: nothing, where that cannot be written.
    pub fn stored(&self) -> Vec<u8> {
        let filter = self.loaded.filter.stored(&self.loaded.options.declarations);
        let stored = filter.map(|filter| Stored { of: self.loaded.of.clone(), filter });
        stored.and_then(|stored| serde_json::to_vec(&stored).ok()).unwrap_or_default()
    }

    /// What was loaded, for people: JSON.
    pub fn explain(&self) -> String {
        let (terms, always) = self.loaded.program.counts();
        serde_json::json!({
            "rules": self.loaded.ids.len(),
            "fields": self.loaded.program.fields().len(),
            "terms": terms,
            "conditions_tried_for_every_event": always,
            "program": self.loaded.program.explain(),
            "literals": self.loaded.filter.literals(),
            "literals_together": self.loaded.filter.together(),
            "no_filter_because": self.loaded.filter.why_none(),
        })
        .to_string()
    }
}

fn ranks(set: &RuleSet) -> Vec<u32> {
    let mut numbers: Vec<usize> = (0..set.rules.len()).collect();
    numbers.sort_by_key(|number| &set.rules[*number].id);
    let mut ranks = vec![0; numbers.len()];
    for (rank, number) in numbers.into_iter().enumerate() {
        ranks[number] = rank as u32;
    }
    ranks
}

/// The fields of an event by number: the program's own first.
struct Paths {
    list: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Paths {
    fn new(program: &Program) -> Self {
        let list: Vec<String> = program.fields().iter().map(|field| field.path.clone()).collect();
        let numbers = list.iter().enumerate().map(|(number, path)| (path.clone(), number as u32)).collect();
        Self { list, numbers }
    }

    fn number(&mut self, path: &str) -> u32 {
        if let Some(number) = self.numbers.get(path) {
            return *number;
        }
        let number = self.list.len() as u32;
        self.list.push(path.to_owned());
        self.numbers.insert(path.to_owned(), number);
        number
    }
}
