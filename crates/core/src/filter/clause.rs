//! What the stages of all rules need, brought together: which combinations of texts and values make a line worth reading. It knows no conditions.

use super::need::{Need, Needs, Value};
use super::search::{Clause, Key, PARTS, Plan, WINDOW};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// A need that this share of lines has is left out where there is another. The estimate is high for long lists.
const COMMON: f64 = 0.98;
/// Sets of values that are told apart.
const MASKS: usize = 64;

/// What one stage needs: all of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    values: Vec<Value>,
    /// The rarest first.
    texts: Vec<Need>,
}

impl Wanted {
    /// None where no text of a line decides.
    pub(super) fn new(needs: Needs) -> Option<Self> {
        let Needs { mut texts, values, .. } = needs;
        texts.retain(|need| !values.iter().any(|value| value.covers(need)));
        // What nearly every line has tells nothing beside another need.
        let alone = values.is_empty();
        let mut number = 0;
        texts.retain(|need| {
            number += 1;
            need.share < COMMON || (alone && number == 1)
        });
        (!values.is_empty() || !texts.is_empty()).then_some(Self { values, texts })
    }

    /// The share of lines that have all of it, roughly: it takes needs for independent.
    fn share(&self) -> f64 {
        let texts = self.texts.iter().map(|need| need.share).product::<f64>();
        texts * self.values.iter().map(Value::share).product::<f64>()
    }
}

/// What all stages need.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    wanted: Vec<Wanted>,
}

impl Gathered {
    pub(super) fn add(&mut self, wanted: Wanted) {
        if !self.wanted.contains(&wanted) {
            self.wanted.push(wanted);
        }
    }

    /// The share of lines that would be read, roughly.
    pub(super) fn share(&self) -> f64 {
        1.0 - self.wanted.iter().map(|wanted| 1.0 - wanted.share()).product::<f64>()
    }

    /// With a number for each list and each set of values. None where a stage has nothing left that has a number.
    pub(super) fn numbered(self) -> Option<Numbered> {
        let mut masks: Vec<Value> = Vec::new();
        let mut numbers: HashMap<Vec<String>, u16> = HashMap::new();
        let mut stages = Vec::new();
        for wanted in self.wanted {
            let mut stage = Stage::default();
            for value in wanted.values {
                let number = masks.iter().position(|mask| *mask == value).unwrap_or(masks.len());
                if number < MASKS {
                    stage.values |= 1 << number;
                    if number == masks.len() {
                        masks.push(value);
                    }
                }
            }
            for need in wanted.texts {
                let next = numbers.len() as u16;
                if numbers.len() < PARTS || numbers.contains_key(&need.literals) {
                    stage.parts.push(*numbers.entry(need.literals).or_insert(next));
                }
            }
            if stage == Stage::default() {
                return None;
            }
            stages.push(stage);
        }
        let mut lists: Vec<(u16, Vec<String>)> = numbers.into_iter().map(|(list, number)| (number, list)).collect();
        lists.sort();
        Some(Numbered { stages, lists: lists.into_iter().map(|(_, list)| list).collect(), masks })
    }
}

/// What one stage needs, by number.
#[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stage {
    values: u64,
    /// The rarest first.
    parts: Vec<u16>,
}

/// What all stages need, by number: bits for sets of values, numbers for lists of texts.
#[derive(Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Numbered {
    stages: Vec<Stage>,
    lists: Vec<Vec<String>>,
    masks: Vec<Value>,
}

impl Numbered {
    /// How many literals there are.
    pub(super) fn literals(&self) -> usize {
        self.lists.iter().map(Vec::len).sum()
    }

    /// Whether everything that is referred to is there and fit to be searched for; what was read from a file may be anything.
    pub(super) fn is_whole(&self) -> bool {
        let known = |stage: &Stage| {
            stage.parts.iter().all(|part| usize::from(*part) < self.lists.len())
                && (self.masks.len() == MASKS || stage.values >> self.masks.len() == 0)
                && *stage != Stage::default()
        };
        let lowered = |text: &String| text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_uppercase());
        let literal = |text: &String| text.len() >= WINDOW && lowered(text) && !text.contains('\n');
        let pair = |(key, value): &(String, String)| key.len() + 1 >= WINDOW && lowered(key) && lowered(value);
        self.lists.len() <= PARTS
            && self.masks.len() <= MASKS
            && self.stages.iter().all(known)
            && self.lists.iter().flatten().all(literal)
            && self.masks.iter().flat_map(|mask| &mask.any).all(pair)
    }

    /// For people: what is enough alone.
    pub(super) fn alone(&self) -> Vec<String> {
        let lists = self.stages.iter().map(|stage| self.lists_of(stage)).filter(|lists| lists.len() == 1);
        let mut alone: Vec<String> = lists.flatten().flatten().collect();
        alone.sort();
        alone.dedup();
        alone
    }

    /// For people: what is enough together.
    pub(super) fn together(&self) -> Vec<Vec<Vec<String>>> {
        self.stages.iter().map(|stage| self.lists_of(stage)).filter(|lists| lists.len() != 1).collect()
    }

    /// For people: a list for each need of a stage.
    fn lists_of(&self, stage: &Stage) -> Vec<Vec<String>> {
        let texts = stage.parts.iter().map(|part| self.lists[usize::from(*part)].clone());
        let masks = self.masks.iter().enumerate().filter(|(number, _)| stage.values >> number & 1 == 1);
        let mut values: Vec<&Value> = masks.map(|(_, mask)| mask).collect();
        values.sort();
        let value = |value: &Value| value.any.iter().map(|(key, text)| format!("{key} \"{text}\"")).collect();
        texts.chain(values.into_iter().map(value)).collect()
    }

    /// Whether each stage has texts of its own.
    pub(super) fn all_have_texts(&self) -> bool {
        self.stages.iter().all(|stage| !stage.parts.is_empty())
    }

    /// How many literals the rarest lists of the stages have.
    pub(super) fn rarest(&self) -> usize {
        self.plan(None, 1).literals.len()
    }

    /// Whether any stage may be met by a line with these values.
    pub(super) fn any(&self, values: u64) -> bool {
        self.stages.iter().any(|stage| stage.values & !values == 0)
    }

    /// Whether the values alone meet some stage.
    pub(super) fn enough(&self, values: u64) -> bool {
        self.stages.iter().any(|stage| stage.values & !values == 0 && stage.parts.is_empty())
    }

    /// To search for values only.
    pub(super) fn values(&self) -> Plan {
        let texts = self.lists.iter().flatten().flat_map(|text| text.bytes()).collect();
        Plan { keys: keys(&self.masks), hidden: texts, ..Plan::default() }
    }

    /// To search for everything.
    pub(super) fn whole(&self) -> Plan {
        let clauses = self.stages.iter().map(|stage| Clause::new(stage.values, &stage.parts)).collect();
        Plan { keys: keys(&self.masks), ..self.of(clauses) }
    }

    /// To search for at most so many lists of each stage that a line with these values may meet; `None`: of all stages.
    pub(super) fn plan(&self, values: Option<u64>, texts: usize) -> Plan {
        let may = |stage: &&Stage| values.is_none_or(|values| stage.values & !values == 0);
        let clause = |stage: &Stage| Clause::new(0, &stage.parts[..stage.parts.len().min(texts)]);
        self.of(self.stages.iter().filter(may).map(clause).collect())
    }

    fn of(&self, clauses: Vec<Clause>) -> Plan {
        let clauses = least(clauses);
        let mut literals: BTreeMap<&str, Vec<u16>> = BTreeMap::new();
        for (number, list) in (0u16..).zip(&self.lists) {
            if clauses.iter().any(|clause| clause.parts.contains(number)) {
                list.iter().for_each(|text| literals.entry(text).or_default().push(number));
            }
        }
        let literals = literals.into_iter().map(|(text, parts)| (text.to_owned(), parts)).collect();
        Plan { literals, clauses, ..Plan::default() }
    }
}

/// Without those that ask all that another asks, and more.
fn least(mut clauses: Vec<Clause>) -> Vec<Clause> {
    clauses.sort();
    clauses.dedup();
    let more = |clause: &Clause| clauses.iter().any(|other| other != clause && clause.holds(other));
    clauses.iter().filter(|clause| !more(clause)).cloned().collect()
}

fn keys(masks: &[Value]) -> Vec<Key> {
    let mut keys: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for (number, mask) in masks.iter().enumerate() {
        for (key, value) in &mask.any {
            *keys.entry(key).or_default().entry(value).or_default() |= 1 << number;
        }
    }
    keys.into_iter().map(|(name, values)| Key::new(name, values)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::need::Implied;
    use super::*;

    fn text(literals: &[&str]) -> Need {
        Need::new(literals.iter().map(|text| (*text).to_owned()).collect())
    }

    fn value(path: &str, any: &[&str]) -> Value {
        let any: Vec<_> = any.iter().map(|text| (*text).to_owned()).collect();
        Value::new(path, &any, &Implied::default()).expect("a telling name")
    }

    #[test]
    fn a_value_stands_for_its_text() {
        let needs = Needs {
            texts: vec![text(&["\"msiexec.exe\""]), text(&["\"process\""])],
            values: vec![value("event.category", &["process"])],
            never: false,
        };
        let wanted = Wanted::new(needs).expect("something to look for");
        assert_eq!(wanted.texts, [text(&["\"msiexec.exe\""])]);
        let mut gathered = Gathered::default();
        gathered.add(wanted);
        let numbered = gathered.numbered().expect("a plan");
        assert_eq!(numbered.together(), [[vec!["\"msiexec.exe\""], vec!["category \"process\""]]]);
        assert_eq!(numbered.alone(), [""; 0]);
        assert!(Wanted::new(Needs::default()).is_none());
    }

    #[test]
    fn clauses_that_ask_more_than_another_are_left_out() {
        let mut gathered = Gathered::default();
        for texts in [&["\"aaaa\"", "\"bbbb\""][..], &["\"aaaa\""], &["\"cccc\""]] {
            let texts = texts.iter().map(|one| text(&[one])).collect();
            gathered.add(Wanted { values: vec![value("event.type", &["start"])], texts });
        }
        let numbered = gathered.numbered().expect("a plan");
        assert_eq!(numbered.plan(Some(1), 1).clauses.len(), 2);
        assert_eq!(numbered.plan(Some(1), 2).clauses.len(), 2);
        assert_eq!(numbered.plan(Some(0), 2).clauses.len(), 0);
        assert_eq!(numbered.whole().clauses.len(), 2);
        assert!(numbered.any(1) && !numbered.any(0) && !numbered.enough(1));
    }
}
