//! What a caller may set, as JSON.

use crate::plan::PlanError;
use crate::route::Declaration;
use serde::Deserialize;

/// How a rule set is loaded.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineOptions {
    /// Whether the process table adds what records lack.
    pub enrich: bool,
    /// Whether index patterns decide which rules see an event.
    pub routing: bool,
    /// Whether lines that cannot match are passed over unread.
    pub filter: bool,
    /// Threads that read lines; 0 is one a processor.
    pub threads: usize,
    /// Bytes handed to a thread at a time.
    pub chunk_size: usize,
    /// Bytes read at a time.
    pub read_size: usize,
    /// Longest line that is read.
    pub max_line: usize,
    /// Bytes of kept events and candidates beyond which they go to disk.
    pub memory: usize,
    /// The indices that each source is declared to live in.
    pub declarations: Vec<Declaration>,
    /// Whether work is shared between rules; results are the same.
    pub share: bool,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            enrich: true,
            routing: true,
            filter: true,
            threads: 0,
            chunk_size: 1 << 20,
            read_size: 1 << 20,
            max_line: 100 << 20,
            memory: 64 << 20,
            declarations: Vec::new(),
            share: true,
        }
    }
}

/// What a scan writes.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Output {
    /// Alerts of all rules.
    #[default]
    Alerts,
    /// The events that one query matches.
    Events,
    /// Their numbers in order of arrival.
    Matches,
}

/// Which results are kept when there are more than asked for.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Position {
    /// The first ones.
    Head,
    /// The most recent ones.
    #[default]
    Tail,
}

/// How a scan runs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScanOptions {
    /// What is written.
    pub output: Output,
    /// Events before this time are left out.
    pub from: Option<String>,
    /// Events from this time on are left out.
    pub to: Option<String>,
    /// Only events of these hosts, by name or id.
    pub hosts: Vec<String>,
    /// Every line is read, whatever the filter says.
    pub strict: bool,
    /// Most results of a query.
    pub size: Option<usize>,
    /// Which of them.
    pub result_position: Position,
    /// Samples for each join key.
    pub max_samples_per_key: usize,
    /// The format of all input, where the caller knows better.
    pub source: Option<String>,
    /// The host of records that name none.
    pub host_name: Option<String>,
    /// The input is in time order.
    pub sorted: bool,
    /// The summary says what each rule took.
    pub profile: bool,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self {
            output: Output::Alerts,
            from: None,
            to: None,
            hosts: Vec::new(),
            strict: false,
            size: None,
            result_position: Position::Tail,
            max_samples_per_key: 1,
            source: None,
            host_name: None,
            sorted: false,
            profile: false,
        }
    }
}

/// Reads options; an empty text is the defaults.
pub fn read<T: for<'d> Deserialize<'d> + Default>(json: &[u8]) -> Result<T, PlanError> {
    if json.trim_ascii().is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(json).map_err(|error| PlanError::new(format!("options: {error}")))
}
