//! The raw filter: byte strings of which every line that can match contains at least one. It is sound: what it passes over, no rule can
//! match. It reads no JSON.

mod literals;

use crate::plan::RuleSet;
use aho_corasick::{AhoCorasick, MatchKind};

/// Searches lines before they are read.
#[derive(Debug)]
pub struct Filter {
    search: Option<AhoCorasick>,
    literals: Vec<String>,
    why_none: Option<String>,
}

/// An escape of an ASCII character may hide any literal.
const ESCAPES: [&str; 6] = ["\\u002", "\\u003", "\\u004", "\\u005", "\\u006", "\\u007"];

impl Filter {
    /// The filter of a rule set. What the process table adds is part of the text by the time it is searched.
    pub fn new(rules: &RuleSet) -> Self {
        let mut found: Vec<String> = Vec::new();
        for rule in &rules.rules {
            for stage in rule.plan.stages.iter().chain(&rule.plan.until) {
                if let Some(literals) = literals::of(&stage.filter, &rule.plan.fields) {
                    found.extend(literals);
                } else {
                    let why = format!("rule {} has a condition that no text of the line decides", rule.id);
                    return Self { search: None, literals: Vec::new(), why_none: Some(why) };
                }
            }
        }
        found.sort();
        found.dedup();
        let search = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(found.iter().map(String::as_str).chain(ESCAPES))
            .ok();
        let why_none = search.is_none().then(|| "there are too many literals".to_owned());
        Self { search, literals: found, why_none }
    }

    /// Whether the line may match a rule.
    pub fn may_match(&self, line: &[u8]) -> bool {
        self.search.as_ref().is_none_or(|search| search.is_match(line))
    }

    /// Whether there is anything to search for.
    pub fn active(&self) -> bool {
        self.search.is_some()
    }

    /// What is searched for.
    pub fn literals(&self) -> &[String] {
        &self.literals
    }

    /// Why nothing is.
    pub fn why_none(&self) -> Option<&str> {
        self.why_none.as_deref()
    }
}
