//! What is asked of a plan before anything is built from it: a hostile plan is refused here, so that later stages may index
//! fields and recurse without asking again.

use super::{Condition, Fold, Kind, MatchKind, PLAN_VERSION, Plan, PlanError, RuleSet, Scalar, Stage};

/// Nesting of JSON that is accepted. A term of a query costs two or three levels.
const MAX_DEPTH: usize = 1_000;
/// Stack for reading a plan of that depth.
const STACK: usize = 64 << 20;
/// `with runs=N`, Elasticsearch's own limit.
const MAX_RUNS: u32 = 100;
/// Slots of a sequence after `runs`.
const MAX_SLOTS: u32 = 1_000;

/// Refuses JSON that is nested too deep to be read with recursion.
pub(super) fn depth(bytes: &[u8]) -> Result<(), PlanError> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for &byte in bytes {
        if quoted {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => quoted = true,
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

/// Reads JSON on a stack that is deep enough whatever the caller's is.
pub(super) fn with_room(bytes: &[u8]) -> Result<RuleSet, PlanError> {
    let read = |bytes: &[u8]| {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        reader.disable_recursion_limit();
        let set = serde::Deserialize::deserialize(&mut reader)?;
        reader.end()?;
        Ok(set)
    };
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, || read(bytes))
            .map_err(|error| PlanError::new(format!("no thread to read the plan: {error}")))?
            .join()
            .map_err(|_| PlanError::new("reading the plan failed"))?
            .map_err(|error: serde_json::Error| PlanError::new(format!("the plan does not fit the format: {error}")))
    })
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
