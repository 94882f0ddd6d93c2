//! The raw filter: byte strings and plainly written values of which every line that can match contains some. It is sound: what it passes
//! over, no rule can match. It parses no JSON.
//!
//! Each stage of a rule needs all of a few things: values of `category` and `type`, and something of each of a few lists of texts. Where there are
//! few texts, lines are searched for the rarest list of each stage, and what passes for all. Otherwise the values of each line are found first,
//! and then the texts of the stages that such a line may meet: most lines are files, libraries or the registry, of which rules ask little.

mod buckets;
mod clause;
mod groups;
mod literals;
mod need;
mod rarity;
mod search;
mod values;
mod vector;

use crate::plan::RuleSet;
use crate::route::Declaration;
use clause::{Gathered, Wanted};
use groups::{Groups, Known};
use need::Implied;
use search::{Search, Walk};

/// Where more lines would be read than this, searching them first does not pay. The estimate is high: it takes needs for independent.
const TOO_MANY: f64 = 0.995;
/// More literals let too much through.
const MOST: usize = 8_000;
/// So few literals are searched for at once, whatever the values of the line.
const FEW: usize = 24;

/// Says of lines whether they are worth reading.
#[derive(Debug)]
pub struct Filter {
    way: Way,
    literals: Vec<String>,
    together: Vec<Vec<Vec<String>>>,
    why_none: Option<String>,
}

/// How lines are searched.
#[derive(Debug)]
enum Way {
    /// Not at all.
    Not,
    /// For something rare of each stage, and what has it for everything.
    Texts { first: Box<Search>, whole: Box<Search> },
    /// For the values of telling keys, and then for the texts of the stages that such a line may meet.
    Values(Box<Groups>),
}

impl Filter {
    /// The filter of a rule set. What the process table adds is part of the text by the time it is searched.
    /// `declarations` say which sources imply the system of an event without its line having it.
    pub fn new(rules: &RuleSet, declarations: &[Declaration]) -> Self {
        let implied = Implied::new(declarations);
        let mut gathered = Gathered::default();
        for rule in &rules.rules {
            for stage in rule.plan.stages.iter().chain(&rule.plan.until) {
                let needs = literals::needs(&stage.filter, &rule.plan.fields, &implied);
                if needs.never {
                    continue;
                }
                let Some(wanted) = Wanted::new(needs) else {
                    return Self::none(format!("rule {} has a condition that no text of the line decides", rule.id));
                };
                gathered.add(wanted);
            }
        }
        if gathered.share() > TOO_MANY {
            return Self::none("nearly every line would have one of the literals".to_owned());
        }
        let (literals, together) = gathered.lists();
        let Some(numbered) = gathered.numbered() else {
            return Self::none("there are too many different literals".to_owned());
        };
        if numbered.literals() > MOST {
            return Self::none(format!("there are too many literals: {}", numbered.literals()));
        }
        let way = if numbered.all_have_texts() && numbered.rarest() <= FEW {
            let first = Search::new(numbered.plan(None, 1));
            Way::Texts { first: Box::new(first), whole: Box::new(Search::new(numbered.whole())) }
        } else {
            Way::Values(Box::new(Groups::new(numbered)))
        };
        Self { way, literals, together, why_none: None }
    }

    fn none(why: String) -> Self {
        Self { way: Way::Not, literals: Vec::new(), together: Vec::new(), why_none: Some(why) }
    }

    /// For one thread, to search lines with.
    pub fn lines(&self) -> Lines<'_> {
        Lines { filter: self, known: Known::default() }
    }

    /// The literals that are enough alone, lowered and as JSON writes them.
    pub fn literals(&self) -> &[String] {
        &self.literals
    }

    /// What is enough together: something of each list.
    pub fn together(&self) -> &[Vec<Vec<String>>] {
        &self.together
    }

    /// Why nothing is searched for.
    pub fn why_none(&self) -> Option<&str> {
        self.why_none.as_deref()
    }
}

/// One thread's search.
#[derive(Debug)]
pub struct Lines<'f> {
    filter: &'f Filter,
    known: Known,
}

impl Lines<'_> {
    /// The end of the line that starts at `start`, and whether it may match a rule.
    #[inline]
    pub fn line(&mut self, text: &[u8], start: usize) -> (usize, bool) {
        match &self.filter.way {
            Way::Not => (search::line_end(text, start), true),
            Way::Texts { first, whole } => {
                let (end, passes) = first.line(text, &mut Walk::new(start, 0));
                (end, passes && whole.line(&text[..end], &mut Walk::new(start, 0)).1)
            }
            Way::Values(groups) => groups.line(text, start, &mut self.known),
        }
    }
}
