//! Per-thread evaluation of events against a joined program.

use super::memory::{Facts, Memory, Open};
use super::node::{FAILED, Node, Nodes, TRUE};
use super::term::{Lowered, Term, Truth};
use super::{Joined, Profile, Program, RuleMask};
use crate::sequences::{Component, Key, Order};
use crate::value::{Event, Time, Value};
use std::collections::HashSet;
use std::time::Instant;

/// Keys that one event may have in one stage: documents with long arrays in several key fields would have millions.
pub const MOST_KEYS: usize = 10_000;

/// A rule and stage that an event meets, or whose evaluation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hit {
    /// Number of the rule.
    pub rule: u32,
    /// Number of the stage; `until` is `stages.len()`.
    pub stage: u16,
    /// Whether it matched.
    pub outcome: Outcome,
}

/// What a condition came to, where that is not false.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The event meets the condition.
    Match,
    /// Division by zero, overflow, `number("x")`: Elasticsearch would fail the search.
    Failed,
}

/// Evaluates events, one after the other. Holds what is worked out about the event at hand.
#[derive(Debug)]
pub struct Evaluator {
    program: Program,
    known: Known,
    memory: Option<Memory>,
    /// Room for a join key.
    key: Vec<u8>,
    profile: Option<Box<Profile>>,
}

impl Evaluator {
    pub(super) fn new(program: Program) -> Self {
        let joined = &program.joined;
        let memory = joined.options.remember.then(|| Memory::new(joined.nodes.clone(), joined.fields.len()));
        Self { known: Known::new(joined.terms.len()), memory, key: Vec::new(), profile: None, program }
    }

    /// Measures from now on what each rule takes.
    pub fn measure(&mut self) {
        self.profile = Some(Box::new(Profile::new(self.program.shapes().len())));
    }

    /// What was measured since the last call; None if nothing is measured.
    pub fn take_profile(&mut self) -> Option<Box<Profile>> {
        let rules = self.program.shapes().len();
        self.profile.as_mut().map(|profile| std::mem::replace(profile, Box::new(Profile::new(rules))))
    }

    /// Adds the hits of an event to `out`, ascending by rule and stage. Rules outside `eligible` are not looked at.
    pub fn evaluate(&mut self, event: &Event<'_>, eligible: Option<&RuleMask>, out: &mut Vec<Hit>) {
        self.known.begin();
        let Self { program, known, memory, profile, .. } = self;
        let joined = &*program.joined;
        let began = profile.as_ref().map(|_| Instant::now());
        let left = memory.as_mut().and_then(|memory| {
            let judge = &mut |term, patterns: Option<&[u32]>| known.term(term, patterns, &joined.terms, event);
            let Joined { start, slots, terms, .. } = joined;
            let rule_by_rule = began.is_some();
            memory.left(&mut Facts { start, slots, terms, event, eligible, rule_by_rule, judge })
        });
        if let (Some(began), Some(profile)) = (began, &mut *profile) {
            profile.event(began.elapsed());
        }
        let trying = &mut Trying { joined, event, known, profile: profile.as_deref_mut(), out };
        if let (Some(left), Some(memory)) = (left, memory) {
            left.iter().for_each(|open| trying.condition(*open, memory.nodes()));
            return;
        }
        let sees = |rule: u32| eligible.is_none_or(|eligible| eligible.contains(rule));
        for (number, slot) in joined.slots.iter().enumerate().filter(|(_, slot)| sees(slot.rule)) {
            trying.condition((number as u32, slot.node), &joined.nodes);
        }
    }

    /// Whether any exception of the rule holds for the event. One whose evaluation fails does not hold.
    pub fn excepted(&mut self, event: &Event<'_>, rule: u32) -> bool {
        let Self { program, known, .. } = self;
        let joined = &*program.joined;
        let exceptions = joined.exceptions.get(rule as usize).map_or(&[][..], Vec::as_slice);
        known.begin();
        exceptions.iter().any(|node| known.node(*node, &joined.nodes, &joined.terms, event) == Truth::True)
    }

    /// The join keys that an event has in a stage: the product of the values of the key fields. Empty when a key that is not
    /// optional has no value; one empty key where the stage has no key fields. `true`: there are more than [`MOST_KEYS`], which are given.
    pub fn keys(&mut self, event: &Event<'_>, rule: u32, stage: u16) -> (Vec<Key>, bool) {
        let shape = &self.program.shapes()[rule as usize];
        let Some(stage) = shape.stages.get(stage as usize).or(shape.until.as_ref()) else {
            return (Vec::new(), false);
        };
        if let Some(keys) = at_most_one_key(&self.program.joined, event, &stage.keys, &mut self.key) {
            return (keys, false);
        }
        let mut keys = vec![Vec::new()];
        let mut cut = false;
        for (field, optional) in &stage.keys {
            let mut parts = field.map_or_else(Vec::new, |field| self.components(event, field));
            if parts.is_empty() && *optional {
                parts.push(Component::Null);
            }
            let longer = keys.iter().flat_map(|key| parts.iter().map(move |part| extended(key, part)));
            keys = longer.take(MOST_KEYS + 1).collect();
            cut |= keys.len() > MOST_KEYS;
            keys.truncate(MOST_KEYS);
        }
        cut &= !keys.is_empty();
        (keys.iter().map(|parts| Key::new(parts)).collect(), cut)
    }

    /// The values of a key field, each once.
    fn components(&self, event: &Event<'_>, field: u32) -> Vec<Component> {
        let reading = &self.program.joined.readings[field as usize];
        let read = |raw| reading.read(raw).as_ref().and_then(Component::of);
        let mut parts: Vec<Component> = event.values(field).filter_map(read).collect();
        if parts.len() > 1 {
            let mut seen = HashSet::new();
            parts.retain(|part| seen.insert(Key::sortable(part)));
        }
        parts
    }

    /// Where an event stands in the order that the rule's query uses. `arrival` breaks all ties.
    pub fn order(&self, event: &Event<'_>, rule: u32, arrival: u64) -> Order {
        let shape = &self.program.shapes()[rule as usize];
        let time = shape.timestamp.and_then(|field| self.time(event, field));
        let tiebreaker = shape.tiebreaker.and_then(|field| {
            let mut keys: Vec<Key> = self.components(event, field).iter().map(Key::sortable).collect();
            keys.sort_unstable();
            keys.into_iter().next()
        });
        Order { time, tiebreaker, arrival }
    }

    /// The earliest time that the event has.
    fn time(&self, event: &Event<'_>, field: u32) -> Option<Time> {
        let reading = &self.program.joined.readings[field as usize];
        let read = |raw| match reading.read(raw) {
            Some(Value::Date(time)) => Some(time),
            Some(value) => value.text().and_then(|text| Time::parse(&text)),
            None => None,
        };
        event.values(field).filter_map(read).min()
    }
}

/// What the terms came to for the event at hand.
#[derive(Debug)]
struct Known {
    /// With the number of the event for which that was found out.
    terms: Vec<(u32, Truth)>,
    epoch: u32,
    lowered: Lowered,
}

impl Known {
    fn new(terms: usize) -> Self {
        Self { terms: vec![(0, Truth::False); terms], epoch: 0, lowered: Lowered::default() }
    }

    /// A new event: nothing is known.
    fn begin(&mut self) {
        self.lowered.clear();
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            self.terms.fill((0, Truth::False));
            self.epoch = 1;
        }
    }

    fn term(&mut self, number: u32, patterns: Option<&[u32]>, terms: &[Term], event: &Event<'_>) -> Truth {
        let (epoch, known) = self.terms[number as usize];
        if epoch == self.epoch {
            return known;
        }
        let found = terms[number as usize].evaluate(event, patterns, &mut self.lowered);
        self.terms[number as usize] = (self.epoch, found);
        found
    }

    fn node(&mut self, number: u32, nodes: &Nodes, terms: &[Term], event: &Event<'_>) -> Truth {
        match nodes.get(number) {
            Node::Always(false) => Truth::False,
            Node::Always(true) => Truth::True,
            Node::Failed => Truth::Failed,
            Node::Not(operand) => match self.node(*operand, nodes, terms, event) {
                Truth::True => Truth::False,
                Truth::False => Truth::True,
                Truth::Failed => Truth::Failed,
            },
            Node::Term(number) => self.term(*number, None, terms, event),
            Node::And(operands) => {
                settled(operands, Truth::False, Truth::True, |operand| self.node(operand, nodes, terms, event))
            }
            Node::Or(operands) => {
                settled(operands, Truth::True, Truth::False, |operand| self.node(operand, nodes, terms, event))
            }
        }
    }
}

/// `decisive` if any operand is, else failed if any failed, else `otherwise`.
fn settled(operands: &[u32], decisive: Truth, otherwise: Truth, mut truth: impl FnMut(u32) -> Truth) -> Truth {
    let mut result = otherwise;
    for operand in operands {
        let found = truth(*operand);
        if found == decisive {
            return decisive;
        }
        if found == Truth::Failed {
            result = Truth::Failed;
        }
    }
    result
}

/// Tries the conditions that are left.
struct Trying<'t, 'e> {
    joined: &'t Joined,
    event: &'t Event<'e>,
    known: &'t mut Known,
    profile: Option<&'t mut Profile>,
    out: &'t mut Vec<Hit>,
}

impl Trying<'_, '_> {
    fn condition(&mut self, (slot, node): Open, nodes: &Nodes) {
        let slot = &self.joined.slots[slot as usize];
        let began = self.profile.as_ref().map(|_| Instant::now());
        let truth = match node {
            TRUE => Truth::True,
            FAILED => Truth::Failed,
            _ => self.known.node(node, nodes, &self.joined.terms, self.event),
        };
        if let (Some(began), Some(profile)) = (began, &mut self.profile) {
            profile.condition(slot.rule, began.elapsed(), truth);
        }
        let outcome = match truth {
            Truth::False => return,
            Truth::True => Outcome::Match,
            Truth::Failed => Outcome::Failed,
        };
        self.out.push(Hit { rule: slot.rule, stage: slot.stage, outcome });
    }
}

/// The one key, or none, of an event that has at most one value in each key field; None for other events. `key` is room to write it.
fn at_most_one_key(
    joined: &Joined,
    event: &Event<'_>,
    fields: &[(Option<u32>, bool)],
    key: &mut Vec<u8>,
) -> Option<Vec<Key>> {
    key.clear();
    for (field, optional) in fields {
        let mut values = field.map(|field| event.values(field)).into_iter().flatten();
        let value = values.next();
        if values.next().is_some() {
            return None;
        }
        let reading = field.and_then(|field| joined.readings.get(field as usize));
        let read = value.and_then(|raw| reading?.read(raw)).filter(|value| *value != Value::Null);
        if read.is_none() && !optional {
            return Some(Vec::new());
        }
        Key::put(read.as_ref(), key);
    }
    Some(vec![Key(key.as_slice().into())])
}

fn extended(key: &[Component], part: &Component) -> Vec<Component> {
    let mut longer = key.to_vec();
    longer.push(part.clone());
    longer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::RuleSet;
    use crate::program::Options;
    use crate::value::Raw;

    /// Rules over a few fields, of every shape that buckets and witnesses look at.
    fn rules() -> RuleSet {
        let fields = r#"[{"path":"event.category","type":"keyword"},{"path":"process.name","type":"keyword"},
            {"path":"host.os.type","type":"keyword"},{"path":"size","type":"long"},{"path":"peer","type":"any"}]"#;
        let equals = |field: u32, fold: &str, texts: &str| {
            format!(r#"{{"text":{{"field":{field},"kind":"equals","fold":"{fold}","constants":[{texts}]}}}}"#)
        };
        let divided = r#"{"script":{"comparison":{"op":"==","left":{"arithmetic":{"op":"/","left":{"literal":{"long":4}},
            "right":{"field":3}}},"right":{"literal":{"long":2}}}}}"#;
        let process = equals(0, "none", r#""process""#);
        let linux = equals(2, "none", r#""linux""#);
        let names = equals(1, "ascii", r#""Bash","curl""#);
        let filters = [
            format!(r#"{{"and":[{process},{linux},{names}]}}"#),
            format!(r#"{{"and":[{process},{{"not":{linux}}},{{"or":[{names},{divided}]}}]}}"#),
            format!(r#"{{"or":[{{"and":[{process},{names}]}},{{"and":[{linux},{divided}]}}]}}"#),
            format!(r#"{{"and":[{linux},{divided}]}}"#),
            format!(r#"{{"not":{{"and":[{process},{names}]}}}}"#),
            r#"{"cidr":{"field":4,"blocks":["10.0.0.0/8"]}}"#.to_owned(),
            r#"{"and":[{"missing":{"field":1}},{"always":true}]}"#.to_owned(),
        ];
        let rule = |(number, filter): (usize, &String)| {
            format!(
                r#"{{"id":"{number}","plan":{{"version":1,"kind":"event","fields":{fields},"stages":[{{"filter":{filter}}}]}}}}"#
            )
        };
        let rules: Vec<String> = filters.iter().enumerate().map(rule).collect();
        let json = format!(r#"{{"version":1,"rules":[{}]}}"#, rules.join(","));
        RuleSet::from_json(json.as_bytes()).expect("good rules")
    }

    #[test]
    fn no_way_to_save_work_changes_a_result() {
        let rules = rules();
        let off = Options { share: false, remember: false, cheapest_first: false };
        let single = [
            Options { share: true, ..off },
            Options { remember: true, ..off },
            Options { cheapest_first: true, ..off },
            Options::default(),
        ];
        let plain = Program::with_options(&rules, off).expect("good rules");
        let others = single.map(|options| Program::with_options(&rules, options).expect("good rules"));
        let (mut slow, mut fast) = (plain.evaluator(), others.each_ref().map(Program::evaluator));
        let texts: [&[&str]; 5] = [&[], &["process"], &["Process", "file"], &["linux", "process"], &["linux"]];
        let names: [&[&str]; 4] = [&[], &["BASH"], &["sh", "curl"], &["sh"]];
        let (mut hits, mut failures) = (0, 0);
        for round in 0..texts.len() * texts.len() * names.len() * 3 {
            let mut event = Event::new(plain.fields().len());
            let mut push = |field: u32, values: &[&'static str]| {
                values.iter().for_each(|value| event.push(field, Raw::Text((*value).into())));
            };
            push(0, texts[round % 5]);
            push(2, texts[round / 5 % 5]);
            push(1, names[round / 25 % 4]);
            push(3, [&[][..], &["0"], &["2", "0"]][round / 100]);
            push(4, [&["10.1.2.3"][..], &["x"], &[]][round % 3]);
            let mut wanted = Vec::new();
            slow.evaluate(&event, None, &mut wanted);
            failures += wanted.iter().filter(|hit| hit.outcome == Outcome::Failed).count();
            hits += wanted.len();
            for (evaluator, options) in fast.iter_mut().zip(single) {
                let mut found = Vec::new();
                evaluator.evaluate(&event, None, &mut found);
                assert_eq!(found, wanted, "{options:?} on {event:?}");
            }
        }
        assert!(hits > 300 && failures > 10, "the events must meet something: {hits} hits, {failures} failures");
    }

    /// Conditions over a path and a name, more than are tried one by one.
    fn rules_over_paths() -> RuleSet {
        let fields = r#"[{"path":"event.category","type":"keyword"},{"path":"process.name","type":"keyword"},
            {"path":"file.path","type":"keyword"},{"path":"size","type":"long"},{"path":"other","type":"long"}]"#;
        let texts = |field: u32, kind: &str, texts: &str| {
            format!(r#"{{"text":{{"field":{field},"kind":"{kind}","fold":"ascii","constants":[{texts}]}}}}"#)
        };
        let either = r#"{"script":{"comparison":{"op":"==","left":{"field":3},"right":{"field":4}}}}"#;
        let filter = |number: usize| {
            let name = texts(1, "equals", &format!(r#""tool{}.exe""#, number % 5));
            let path = texts(2, "wildcard", &format!(r#""*\\Folder{number}\\*", "*.x{number}""#));
            let not = texts(2, "wildcard", r#""*9""#);
            let pattern = format!(r"(.*older{number}\\\\|d:)[0-9]*[{}]\\.x.*", number % 10);
            let expression =
                format!(r#"{{"regex":{{"field":2,"fold":"unicode","patterns":["{pattern}",".*\\.x{number}"]}}}}"#);
            match number % 4 {
                0 if number.is_multiple_of(8) => format!(r#"{{"or":[{expression},{{"and":[{name},{path}]}}]}}"#),
                0 => format!(r#"{{"and":[{name},{path}]}}"#),
                1 => format!(r#"{{"or":[{name},{{"and":[{path},{{"not":{not}}}]}}]}}"#),
                2 => format!(r#"{{"and":[{path},{{"or":[{either},{name}]}}]}}"#),
                _ => format!(r#"{{"and":[{{"not":{path}}},{{"not":{name}}},{either}]}}"#),
            }
        };
        let rule = |number: usize| {
            let filter = filter(number);
            format!(
                r#"{{"id":"{number}","plan":{{"version":1,"kind":"event","fields":{fields},"stages":[{{"filter":{filter}}}]}}}}"#
            )
        };
        let rules: Vec<String> = (0..20).map(rule).collect();
        RuleSet::from_json(format!(r#"{{"version":1,"rules":[{}]}}"#, rules.join(",")).as_bytes()).expect("good rules")
    }

    #[test]
    fn values_that_repeat_and_values_that_do_not_leave_the_same_as_trying_everything() {
        let rules = rules_over_paths();
        let off = Options { remember: false, ..Options::default() };
        let plain = Program::with_options(&rules, off).expect("good rules");
        let fast = Program::new(&rules).expect("good rules");
        let (mut slow, mut fast, mut measured) = (plain.evaluator(), fast.evaluator(), fast.evaluator());
        measured.measure();
        let mut odd = RuleMask::none(20);
        (1..20).step_by(2).for_each(|rule| odd.insert(rule));
        let mut hits = 0;
        for round in 0_usize..6_000 {
            let mut event = Event::new(plain.fields().len());
            let path = format!("C:\\FOLDER{}\\{}.X{}", round % 23, round * 7919, round % 31);
            let (name, long) = (format!("Tool{}.exe", round % 7), "y".repeat(2_000));
            event.push(0, Raw::Text(["file", "process"][round % 2].into()));
            event.push(1, Raw::Text(if round % 97 == 0 { &*long } else { &*name }.into()));
            if round % 11 > 0 {
                event.push(2, Raw::Text(path.as_str().into()));
            }
            event.push(3, Raw::Number((round % 3).to_string().into()));
            event.push(4, Raw::Number((round % 5).to_string().into()));
            let eligible = (round % 3 == 0).then_some(&odd);
            let mut wanted = Vec::new();
            slow.evaluate(&event, eligible, &mut wanted);
            hits += wanted.len();
            for evaluator in [&mut fast, &mut measured] {
                let mut found = Vec::new();
                evaluator.evaluate(&event, eligible, &mut found);
                assert_eq!(found, wanted, "{event:?}");
            }
        }
        assert!(hits > 6_000, "the events must meet something: {hits} hits");
    }
}
