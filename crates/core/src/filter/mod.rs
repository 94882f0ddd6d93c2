//! The raw filter: byte strings of which every line that can match contains some. It is sound: what it passes over, no rule can match.
//! It reads no JSON.

mod literals;
mod rarity;
mod search;
mod vector;

use crate::plan::RuleSet;
use literals::Need;
use search::{Meaning, Search, WINDOW};
use std::collections::{BTreeMap, HashMap};

/// A literal that fewer lines contain is enough alone.
const RARE: f64 = 0.04;
/// A need that this share of lines has is left out where there is another.
const COMMON: f64 = 0.8;
/// Where more lines would be read than this, searching them first does not pay. The estimate is high: it takes needs for independent.
const TOO_MANY: f64 = 0.995;
/// More literals let too much through.
const MOST: usize = 3_000;
/// Needs that are looked for together, over all rules.
const PARTS: usize = 128;

/// Searches lines before they are read.
#[derive(Debug)]
pub struct Filter {
    search: Option<Search>,
    literals: Vec<String>,
    together: Vec<Vec<Vec<String>>>,
    why_none: Option<String>,
}

/// What is gathered from the rules.
#[derive(Default)]
struct Gathered {
    /// Literals that are enough alone.
    enough: BTreeMap<String, f64>,
    /// Needs that tell only together, and which of them belong together.
    parts: Vec<Need>,
    clauses: Vec<u128>,
}

impl Filter {
    /// The filter of a rule set. What the process table adds is part of the text by the time it is searched.
    pub fn new(rules: &RuleSet) -> Self {
        let mut gathered = Gathered::default();
        for rule in &rules.rules {
            for stage in rule.plan.stages.iter().chain(&rule.plan.until) {
                if !gathered.stage(literals::needs(&stage.filter, &rule.plan.fields)) {
                    return Self::none(format!("rule {} has a condition that no text of the line decides", rule.id));
                }
            }
        }
        gathered.absorb();
        let literals = gathered.enough.len() + gathered.parts.iter().map(|part| part.literals.len()).sum::<usize>();
        if literals > MOST {
            return Self::none(format!("there are too many literals: {literals}"));
        }
        if gathered.share() > TOO_MANY {
            return Self::none("nearly every line would have one of the literals".to_owned());
        }
        gathered.filter()
    }

    fn none(why: String) -> Self {
        Self { search: None, literals: Vec::new(), together: Vec::new(), why_none: Some(why) }
    }

    /// The end of the line that starts at `start`, and whether it may match a rule.
    #[inline]
    pub fn line(&self, text: &[u8], start: usize) -> (usize, bool) {
        match &self.search {
            Some(search) => search.line(text, start),
            None => (search::line_end(text, start), true),
        }
    }

    /// Whether there is anything to search for.
    pub fn active(&self) -> bool {
        self.search.is_some()
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

impl Gathered {
    /// Adds the needs of one stage, the rarest first; false where there are none.
    fn stage(&mut self, needs: Vec<Need>) -> bool {
        let Some(rarest) = needs.first() else { return false };
        if rarest.share <= RARE {
            self.enough.extend(rarest.literals.iter().map(|literal| (literal.clone(), rarest.share)));
            return true;
        }
        let mut clause = 0;
        // What nearly every line has tells nothing beside another need.
        let tells = |number: usize, need: &Need| number == 0 || need.share < COMMON;
        for need in needs.into_iter().enumerate().filter(|(number, need)| tells(*number, need)).map(|(_, need)| need) {
            let known = self.parts.iter().position(|part| part.literals == need.literals);
            let number = known.unwrap_or(self.parts.len());
            if number >= PARTS {
                continue;
            }
            if known.is_none() {
                self.parts.push(need);
            }
            clause |= 1 << number;
        }
        if clause != 0 && !self.clauses.contains(&clause) {
            self.clauses.push(clause);
        }
        clause != 0
    }

    /// Takes out what adds nothing: clauses and literals that contain others.
    fn absorb(&mut self) {
        let clauses = std::mem::take(&mut self.clauses);
        let more = |clause: u128| clauses.iter().any(|other| *other != clause && other & clause == *other);
        self.clauses = clauses.iter().copied().filter(|clause| !more(*clause)).collect();
        let texts: Vec<String> = self.enough.keys().cloned().collect();
        let mut starting: HashMap<&[u8], Vec<&str>> = HashMap::new();
        texts.iter().for_each(|text| {
            starting.entry(text.as_bytes().get(..WINDOW).unwrap_or(text.as_bytes())).or_default().push(text);
        });
        let holds = |text: &str, at: usize, window: &[u8]| {
            let others = starting.get(window).into_iter().flatten();
            others
                .into_iter()
                .any(|other| other.len() < text.len() && text.as_bytes()[at..].starts_with(other.as_bytes()))
        };
        self.enough
            .retain(|text, _| !text.as_bytes().windows(WINDOW).enumerate().any(|(at, window)| holds(text, at, window)));
    }

    /// The share of lines that would be read, roughly.
    fn share(&self) -> f64 {
        let parts = |clause: u128| self.parts.iter().enumerate().filter(move |(number, _)| clause >> number & 1 == 1);
        let clause = |clause: &u128| parts(*clause).map(|(_, part)| part.share).product::<f64>();
        let passed_over = self.clauses.iter().map(|one| 1.0 - clause(one)).product::<f64>();
        passed_over.mul_add(-self.enough.keys().map(|text| 1.0 - rarity::share(text)).product::<f64>(), 1.0)
    }

    fn filter(self) -> Filter {
        let mut meanings: BTreeMap<&str, u128> = BTreeMap::new();
        for (number, part) in self.parts.iter().enumerate() {
            for literal in &part.literals {
                *meanings.entry(literal).or_default() |= 1 << number;
            }
        }
        let parts = meanings.into_iter().map(|(text, bits)| (text.to_owned(), Meaning::Part(bits)));
        let enough = self.enough.keys().map(|text| (text.clone(), Meaning::Enough));
        let search = Search::new(enough.chain(parts).collect(), self.clauses.clone());
        let of = |clause: &u128| {
            let parts = self.parts.iter().enumerate().filter(|(number, _)| clause >> number & 1 == 1);
            parts.map(|(_, part)| part.literals.clone()).collect()
        };
        Filter {
            search: Some(search),
            literals: self.enough.keys().cloned().collect(),
            together: self.clauses.iter().map(of).collect(),
            why_none: None,
        }
    }
}
