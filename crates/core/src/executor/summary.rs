//! What a scan counted.

use crate::program::RuleProfile;
use crate::sources::Fault;
use serde::Serialize;
use std::collections::BTreeMap;

/// Faults of one kind that are told one by one; the rest are counted.
const TOLD: usize = 3;

/// One file.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FileSummary {
    /// As the caller named it; members of archives as `archive!member`.
    pub path: String,
    /// What it was recognised as.
    pub recognised: String,
    /// Bytes of its text.
    pub bytes: u64,
    /// Lines that threads cut it into, blank ones included.
    #[serde(skip)]
    pub(super) lines: u64,
    /// Records found.
    pub records: u64,
    /// Records read.
    pub parsed: u64,
    /// Records passed over unread, because no rule can match them.
    pub skipped: u64,
    /// Faults found.
    pub faults: u64,
    /// Why it could not be read, or not to its end.
    pub error: Option<String>,
}

/// Events that no source claims that are told one by one.
pub(super) const UNCLAIMED: usize = 5;

/// An event that no source claims.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Unclaimed {
    /// Its file.
    pub path: String,
    /// Number of the record in it.
    pub record: u64,
    /// Offset of the record in it.
    pub offset: u64,
    /// What it has of the fields that tell sources.
    pub reason: String,
}

/// Hosts that were asked for and have no event.
#[derive(Clone, Debug, Default, Serialize)]
pub struct HostsSummary {
    /// As the caller named them.
    pub missing: Vec<String>,
    /// The first few others that there are events of.
    pub others: Vec<String>,
}

/// Faults of one kind in one file.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FaultSummary {
    /// How many.
    pub count: u64,
    /// The first few: record, offset, message.
    pub first: Vec<(u64, u64, String)>,
}

/// What each rule took.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ProfileSummary {
    /// Events that were evaluated.
    pub events: u64,
    /// Nanoseconds for finding out which conditions to try.
    pub reaching: u64,
    /// By rule; those of which no condition was evaluated are left out.
    pub rules: BTreeMap<String, RuleProfile>,
}

/// Everything.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// In the order in which they were read.
    pub files: Vec<FileSummary>,
    /// By path and kind.
    pub faults: BTreeMap<String, BTreeMap<String, FaultSummary>>,
    /// Alerts (matches of a query) by rule.
    pub alerts: BTreeMap<String, u64>,
    /// Events on which a rule's condition could not be computed, by rule.
    pub failed: BTreeMap<String, u64>,
    /// Matches that an exception took away, by rule.
    pub excepted: BTreeMap<String, u64>,
    /// Rules that no event was offered to.
    pub unseen: Vec<String>,
    /// Events by the source that claims them.
    pub sources: BTreeMap<String, u64>,
    /// The first few events that no source claims.
    pub unclaimed: Vec<Unclaimed>,
    /// Hosts that were asked for and have no event, where there are such.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts: Option<HostsSummary>,
    /// Candidates of sequences without a timestamp.
    pub without_time: u64,
    /// What each rule took, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileSummary>,
    /// Whether a thread of the scan broke down: a defect, and the results are not whole.
    pub broken: bool,
    /// Why results are not whole: events that wait for others could not be kept on disk.
    pub failure: Option<String>,
    /// Whether the scan was stopped before its end.
    pub stopped: bool,
}

impl Summary {
    /// Counts a fault, and tells it if it is among the first of its kind.
    pub fn fault(&mut self, file: usize, fault: Fault, records_before: u64) {
        let Some(summary) = self.files.get_mut(file) else { return };
        summary.faults += 1;
        let kinds = self.faults.entry(summary.path.clone()).or_default();
        let kind = kinds.entry(fault.kind.to_owned()).or_default();
        kind.count += 1;
        if kind.first.len() < TOLD {
            kind.first.push((fault.place.record + records_before, fault.place.offset, fault.message));
        }
    }
}
