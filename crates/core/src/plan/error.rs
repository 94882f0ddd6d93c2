//! What can be wrong with a plan.

use std::fmt;

/// Why a rule set was refused. `rule` is the identifier of the rule where one is to blame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    /// The rule to blame, if it is known.
    pub rule: Option<String>,
    /// One line: what was found, and what would be accepted.
    pub message: String,
}

impl PlanError {
    /// An error of the document as a whole.
    pub fn new(message: impl Into<String>) -> Self {
        Self { rule: None, message: message.into() }
    }

    /// The same error, with the rule that it was found in.
    #[must_use]
    pub fn in_rule(mut self, id: &str) -> Self {
        self.rule.get_or_insert_with(|| id.to_owned());
        self
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rule {
            Some(rule) => write!(out, "rule {rule}: {}", self.message),
            None => out.write_str(&self.message),
        }
    }
}

impl std::error::Error for PlanError {}
