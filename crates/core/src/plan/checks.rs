//! What is asked of a plan before anything is built from it: a hostile plan is refused here, so that later stages may index
//! fields and recurse without asking again.

use super::{Condition, Fold, Kind, MatchKind, PLAN_VERSION, Plan, PlanError, Rule, RuleSet, Scalar, Stage};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::thread;

/// Nesting of JSON that is accepted. A term of a query costs two or three levels.
const MAX_DEPTH: usize = 1_000;
/// Stack for reading a plan of that depth.
const STACK: usize = 64 << 20;
/// Bytes of a rule set that two threads read faster than one.
const LARGE: usize = 64 << 10;
/// `with runs=N`, Elasticsearch's own limit.
const MAX_RUNS: u32 = 100;
/// Slots of a sequence after `runs`.
const MAX_SLOTS: u32 = 1_000;

/// Refuses JSON that is nested too deep to be read with recursion.
pub(super) fn depth(bytes: &[u8]) -> Result<(), PlanError> {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => at = after_text(bytes, at),
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(PlanError::new(format!("the plan is nested deeper than {MAX_DEPTH} levels")));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// Behind the closing quote of the text that begins at `from`.
fn after_text(bytes: &[u8], mut from: usize) -> usize {
    while let Some(found) = bytes.get(from..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        if bytes[from + found] == b'"' {
            return from + found + 1;
        }
        from += found + 2; // an escape: what follows ends nothing
    }
    bytes.len()
}

/// Reads JSON on a stack that is deep enough whatever the caller's is.
pub(super) fn with_room(bytes: &[u8]) -> Result<RuleSet, PlanError> {
    if let Some(set) = by_two(bytes) {
        return Ok(set);
    }
    thread::scope(|scope| {
        roomy()
            .spawn_scoped(scope, || read(bytes))
            .map_err(|error| PlanError::new(format!("no thread to read the plan: {error}")))?
            .join()
            .map_err(|_| PlanError::new("reading the plan failed"))?
            .map_err(|error| PlanError::new(format!("the plan does not fit the format: {error}")))
    })
}

fn roomy() -> thread::Builder {
    thread::Builder::new().stack_size(STACK)
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    reader.disable_recursion_limit();
    let value = T::deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// A rule set whose rules are not read yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outline<'j> {
    version: u32,
    #[serde(borrow)]
    rules: Vec<&'j RawValue>,
}

/// A large rule set, the rules read by two threads. None where it is small, or anything is not as it should be: who reads it whole says what.
fn by_two(bytes: &[u8]) -> Option<RuleSet> {
    if bytes.len() < LARGE || thread::available_parallelism().map_or(1, usize::from) < 2 {
        return None;
    }
    let Outline { version, rules } = serde_json::from_slice(bytes).ok()?;
    let mut size = 0;
    let half = rules.iter().take_while(|rule| {
        size += rule.get().len();
        size <= bytes.len() / 2
    });
    let (first, second) = rules.split_at(half.count());
    let all = |rules: &[&RawValue]| rules.iter().map(|rule| read(rule.get().as_bytes()).ok()).collect();
    let (first, second): (Option<Vec<Rule>>, Option<Vec<Rule>>) = thread::scope(|scope| {
        let [first, second] = [first, second].map(|part| roomy().spawn_scoped(scope, move || all(part)).ok());
        Some((first?.join().ok()?, second?.join().ok()?))
    })?;
    let mut rules = first?;
    rules.extend(second?);
    Some(RuleSet { version, rules })
}

/// Checks versions, numbers and counts of all rules.
pub(super) fn rule_set(set: &RuleSet) -> Result<(), PlanError> {
    version(set.version)?;
    for rule in &set.rules {
        let checked = plan(&rule.plan).and_then(|()| {
            rule.exceptions.iter().try_for_each(|exception| condition(&exception.condition, &rule.plan))
        });
        checked.map_err(|error| error.in_rule(&rule.id))?;
    }
    Ok(())
}

fn version(found: u32) -> Result<(), PlanError> {
    if found == PLAN_VERSION {
        return Ok(());
    }
    Err(PlanError::new(format!("plan version {found}; this core reads version {PLAN_VERSION}")))
}

fn plan(plan: &Plan) -> Result<(), PlanError> {
    version(plan.version)?;
    for number in [plan.timestamp, plan.tiebreaker].into_iter().flatten() {
        field(number, plan)?;
    }
    for stage in plan.stages.iter().chain(&plan.until) {
        self::stage(stage, plan)?;
    }
    let slots: u32 = plan.stages.iter().map(|stage| stage.runs).sum();
    let fits = match plan.kind {
        Kind::Event => plan.stages.len() == 1 && slots == 1 && plan.until.is_none() && plan.stages[0].keys.is_empty(),
        Kind::Sequence => {
            !plan.stages.is_empty() && slots <= MAX_SLOTS && plan.stages.iter().any(|stage| !stage.missing)
        }
        Kind::Sample => !plan.stages.is_empty() && slots <= MAX_SLOTS && plan.until.is_none(),
    };
    if !fits {
        return Err(PlanError::new(format!(
            "{:?} query with {} stages of {slots} slots",
            plan.kind,
            plan.stages.len()
        )));
    }
    if plan.kind == Kind::Sequence && plan.maxspan_ms.is_none() && plan.stages.iter().any(|stage| stage.missing) {
        return Err(PlanError::new("missing events need a maxspan"));
    }
    let keys = plan.stages[0].keys.len();
    if plan.stages.iter().chain(&plan.until).any(|stage| stage.keys.len() != keys) {
        return Err(PlanError::new("the stages have different numbers of join keys"));
    }
    Ok(())
}

fn stage(stage: &Stage, plan: &Plan) -> Result<(), PlanError> {
    if !(1..=MAX_RUNS).contains(&stage.runs) {
        return Err(PlanError::new(format!("runs={}; from 1 to {MAX_RUNS} is accepted", stage.runs)));
    }
    for key in &stage.keys {
        key.field.map_or(Ok(()), |number| field(number, plan))?;
    }
    condition(&stage.filter, plan)
}

fn field(number: u32, plan: &Plan) -> Result<(), PlanError> {
    if (number as usize) < plan.fields.len() {
        return Ok(());
    }
    Err(PlanError::new(format!("field number {number}, but the plan has {} fields", plan.fields.len())))
}

fn condition(term: &Condition, plan: &Plan) -> Result<(), PlanError> {
    match term {
        Condition::And(terms) | Condition::Or(terms) => terms.iter().try_for_each(|term| condition(term, plan)),
        Condition::Not(term) => condition(term, plan),
        Condition::Always(_) => Ok(()),
        Condition::Missing(leaf) | Condition::Truth(leaf) => field(leaf.field, plan),
        Condition::Text(leaf) => match (leaf.kind, leaf.fold) {
            (MatchKind::Regex, _) | (_, Fold::Unicode | Fold::Java) => {
                Err(PlanError::new("a text leaf is equals or wildcard, folded none or ascii"))
            }
            _ => field(leaf.field, plan),
        },
        Condition::Regex(leaf) => match leaf.fold {
            Fold::None | Fold::Unicode => field(leaf.field, plan),
            Fold::Ascii | Fold::Java => Err(PlanError::new("a regex leaf is folded none or unicode")),
        },
        Condition::Prefix(leaf) | Condition::Suffix(leaf) | Condition::Contains(leaf) => match leaf.fold {
            Fold::None | Fold::Ascii => field(leaf.field, plan),
            Fold::Unicode | Fold::Java => Err(PlanError::new("prefix, suffix and contains are folded none or ascii")),
        },
        Condition::Compare(leaf) => field(leaf.field, plan),
        Condition::In(leaf) => field(leaf.field, plan),
        Condition::Cidr(leaf) => field(leaf.field, plan),
        Condition::Script(scalar) => self::scalar(scalar, plan),
    }
}

fn scalar(term: &Scalar, plan: &Plan) -> Result<(), PlanError> {
    match term {
        Scalar::Field(number) => field(*number, plan),
        Scalar::Literal(_) => Ok(()),
        Scalar::Call(call) => call.arguments.iter().try_for_each(|term| scalar(term, plan)),
        Scalar::Arithmetic(term) => scalar(&term.left, plan).and_then(|()| scalar(&term.right, plan)),
        Scalar::Comparison(term) => scalar(&term.left, plan).and_then(|()| scalar(&term.right, plan)),
        Scalar::Negative(term) | Scalar::IsNull(term) | Scalar::Not(term) => scalar(term, plan),
        Scalar::Member(term) => scalar(&term.subject, plan),
        Scalar::Match(term) => scalar(&term.subject, plan),
        Scalar::All(terms) | Scalar::Any(terms) => terms.iter().try_for_each(|term| scalar(term, plan)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rule set beyond the size that one thread reads, with something of the caller's in its last rule.
    fn large(more: &str) -> String {
        let rule = |number: usize, more: &str| {
            let constants: Vec<String> = (0..50).map(|text| format!(r#""{number}-\\{text}[{{""#)).collect();
            format!(
                r#"{{"id":"r{number}","plan":{{"version":1,"kind":"event","fields":[{{"path":"a","type":"keyword"}}],"stages":[{{"filter":
                {{"text":{{"field":0,"kind":"equals","constants":[{}]}}}}}}]}},"alert":{{"a.b":[1,null]}}{more}}}"#,
                constants.join(",")
            )
        };
        let rules: Vec<String> = (0..99).map(|number| rule(number, "")).chain([rule(99, more)]).collect();
        format!(r#"{{"version":1,"rules":[{}]}}"#, rules.join(","))
    }

    #[test]
    fn two_threads_read_what_one_reads() {
        let text = large("");
        assert!(text.len() > LARGE);
        let (one, two) = (read::<RuleSet>(text.as_bytes()).expect("good rules"), with_room(text.as_bytes()));
        let two = two.expect("good rules");
        assert_eq!(format!("{one:?}"), format!("{two:?}"));
        assert_eq!(two.rules.len(), 100);
    }

    #[test]
    fn what_is_wrong_with_a_large_set_is_told_with_its_place_in_the_whole() {
        for wrong in [r#","unknown":1"#, r#","reason":7"#, "}", r#","index":["#] {
            let text = large(wrong);
            let expected = read::<RuleSet>(text.as_bytes()).expect_err("a fault").to_string();
            let error = with_room(text.as_bytes()).expect_err("a fault").to_string();
            assert!(error.ends_with(&expected) && expected.contains("column"), "{error} / {expected}");
        }
    }

    #[test]
    fn depth_is_counted_outside_of_texts() {
        let nested = |levels: usize, text: &str| format!("{}{text}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(depth(nested(MAX_DEPTH, r#""[[\"[[\\""#).as_bytes()).is_ok());
        assert!(depth(nested(MAX_DEPTH + 1, "").as_bytes()).is_err());
        assert!(depth(nested(MAX_DEPTH, r#""\\",[]"#).as_bytes()).is_err());
        assert!(depth(br#"["never ended \"#).is_ok() && depth(br#"["[[["#).is_ok() && depth(b"").is_ok());
    }
}
