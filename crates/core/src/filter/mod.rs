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
mod stored;
mod values;
mod vector;

use crate::plan::RuleSet;
use crate::route::Declaration;
use clause::{Gathered, Numbered, Wanted};
use groups::{Groups, Known};
use need::Implied;
use search::{Search, Walk};
use serde_json::value::RawValue;
use std::sync::Arc;
use stored::Found;

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
    found: Found,
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
        Self::of(look(rules, &Implied::new(declarations)))
    }

    /// The same from what [`Filter::stored`] gave for these rules. None where it was made with declarations that imply something else, or
    /// is not whole.
    pub fn from_stored(stored: &str, declarations: &[Declaration]) -> Option<Self> {
        stored::read(stored, &Implied::new(declarations)).map(Self::of)
    }

    /// What was found out about the rules, as JSON, for [`Filter::from_stored`].
    pub fn stored(&self, declarations: &[Declaration]) -> Option<Box<RawValue>> {
        stored::write(&self.found, &Implied::new(declarations))
    }

    fn of(found: Found) -> Self {
        let way = match &found {
            Found::Nothing(_) => Way::Not,
            Found::Needs(numbered) if numbered.all_have_texts() && numbered.rarest() <= FEW => {
                let first = Search::new(numbered.plan(None, 1));
                Way::Texts { first: Box::new(first), whole: Box::new(Search::new(numbered.whole())) }
            }
            Found::Needs(numbered) => Way::Values(Box::new(Groups::new(Arc::clone(numbered)))),
        };
        Self { way, found }
    }

    /// For one thread, to search lines with.
    pub fn lines(&self) -> Lines<'_> {
        Lines { filter: self, known: Known::default() }
    }

    /// The literals that are enough alone, lowered and as JSON writes them.
    pub fn literals(&self) -> Vec<String> {
        self.needs().map(Numbered::alone).unwrap_or_default()
    }

    /// What is enough together: something of each list.
    pub fn together(&self) -> Vec<Vec<Vec<String>>> {
        self.needs().map(Numbered::together).unwrap_or_default()
    }

    /// Why nothing is searched for.
    pub fn why_none(&self) -> Option<&str> {
        match &self.found {
            Found::Needs(_) => None,
            Found::Nothing(why) => Some(why),
        }
    }

    fn needs(&self) -> Option<&Numbered> {
        match &self.found {
            Found::Needs(numbered) => Some(numbered),
            Found::Nothing(_) => None,
        }
    }
}

/// What the rules need.
fn look(rules: &RuleSet, implied: &Implied) -> Found {
    let mut gathered = Gathered::default();
    for rule in &rules.rules {
        for stage in rule.plan.stages.iter().chain(&rule.plan.until) {
            let needs = literals::needs(&stage.filter, &rule.plan.fields, implied);
            if needs.never {
                continue;
            }
            let Some(wanted) = Wanted::new(needs) else {
                return Found::Nothing(format!("rule {} has a condition that no text of the line decides", rule.id));
            };
            gathered.add(wanted);
        }
    }
    if gathered.share() > TOO_MANY {
        return Found::Nothing("nearly every line would have one of the literals".to_owned());
    }
    let Some(numbered) = gathered.numbered() else {
        return Found::Nothing("there are too many different literals".to_owned());
    };
    if numbered.literals() > MOST {
        return Found::Nothing(format!("there are too many literals: {}", numbered.literals()));
    }
    Found::Needs(Arc::new(numbered))
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

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"{"version":1,"rules":[{"id":"r","plan":{"version":1,"kind":"event","fields":[
        {"path":"event.category","type":"keyword"},{"path":"host.os.type","type":"keyword"},{"path":"process.name","type":"keyword"}],
        "stages":[{"filter":{"and":[{"text":{"field":0,"kind":"equals","constants":["process"]}},
        {"text":{"field":1,"kind":"equals","constants":["windows"]}},
        {"text":{"field":2,"kind":"equals","fold":"ascii","constants":["Curl.exe"]}}]}}]}}]}"#;

    fn declared(kind: &str) -> Vec<Declaration> {
        let text = format!(r#"[{{"source":"b","when":{{"agent.type":["{kind}"]}},"indices":[],"os":"windows"}}]"#);
        serde_json::from_str(&text).expect("a declaration")
    }

    fn passes(filter: &Filter, line: &str) -> bool {
        filter.lines().line(line.as_bytes(), 0).1
    }

    #[test]
    fn what_was_stored_filters_as_what_was_found() {
        let rules = RuleSet::from_json(RULES.as_bytes()).expect("good rules");
        let filter = Filter::new(&rules, &declared("winbeat"));
        let stored = filter.stored(&declared("winbeat")).expect("it can be written");
        let again = Filter::from_stored(stored.get(), &declared("winbeat")).expect("as it was stored");
        assert_eq!((again.literals(), again.together()), (filter.literals(), filter.together()));
        let twice = again.stored(&declared("winbeat")).expect("it can be written");
        assert_eq!(twice.get(), stored.get());
        for (line, expected) in [
            (r#"{"event":{"category":"process"},"agent":{"type":"winbeat"},"process":{"name":"CURL.exe"}}"#, true),
            (r#"{"event":{"category":"file"},"agent":{"type":"winbeat"},"process":{"name":"curl.exe"}}"#, false),
            (r#"{"event":{"category":"process"},"host":{"os":{"type":"windows"}},"process":{"name":"sh"}}"#, false),
        ] {
            assert_eq!((passes(&filter, line), passes(&again, line)), (expected, expected), "{line}");
        }
        assert!(Filter::from_stored(stored.get(), &declared("other")).is_none(), "other sources imply the system");
    }

    #[test]
    fn what_is_not_whole_is_not_believed() {
        let rules = RuleSet::from_json(RULES.as_bytes()).expect("good rules");
        let stored = Filter::new(&rules, &[]).stored(&[]).expect("it can be written").get().to_owned();
        assert!(Filter::from_stored(&stored, &[]).is_some());
        for (from, to) in [
            ("\\\"curl.exe\\\"", "abc"),
            ("curl", "CURL"),
            ("curl", "cu\\n"),
            ("\"parts\":[0]", "\"parts\":[7]"),
            ("\"values\":3", "\"values\":4"),
            ("event.category", "event.kind"),
            ("\"stages\"", "\"other\""),
        ] {
            let changed = stored.replace(from, to);
            assert_ne!(changed, stored, "{from} is in {stored}");
            assert!(Filter::from_stored(&changed, &[]).is_none(), "{changed}");
        }
        assert!(Filter::from_stored("", &[]).is_none() && Filter::from_stored("{}", &[]).is_none());
    }

    #[test]
    fn why_nothing_is_searched_for_is_stored_too() {
        let rules = RuleSet::from_json(RULES.replace(r#"{"and":["#, r#"{"or":[{"always":true},"#).as_bytes());
        let filter = Filter::new(&rules.expect("good rules"), &[]);
        let stored = filter.stored(&[]).expect("it can be written");
        let again = Filter::from_stored(stored.get(), &[]).expect("as it was stored");
        assert!(filter.why_none().is_some_and(|why| again.why_none() == Some(why)));
    }
}
