//! A leaf with functions or arithmetic: tried on every combination of the values of the fields it mentions, null counting as false.

use super::term::Truth;
use crate::kernels::arithmetic::{compute, negate};
use crate::kernels::compare::{self, Constant, Mode};
use crate::kernels::fold;
use crate::kernels::regex::Regex;
use crate::kernels::wildcard::{ScriptWildcard, Wildcard};
use crate::kernels::{Failure, Function, function};
use crate::plan::{ArithmeticOp, CompareOp, Field, Fold, Match, MatchKind, PlanError, Scalar};
use crate::value::{Event, Reading, Value};

/// Combinations that are tried for one event before the leaf counts as failed: a document with thousands of values in several fields
/// would otherwise hold everything up.
const MOST_COMBINATIONS: usize = 1_000_000;

#[derive(Debug)]
pub(super) struct Script {
    /// Joined number and type of each mention, in the order of reading.
    mentions: Vec<(u32, Reading)>,
    node: Node,
}

#[derive(Debug)]
enum Node {
    Mention(usize),
    Constant(Constant),
    Call { function: &'static Function, fold: Fold, arguments: Vec<Node> },
    Arithmetic { op: ArithmeticOp, left: Box<Node>, right: Box<Node> },
    Negative(Box<Node>),
    Comparison { op: CompareOp, left: Box<Node>, right: Box<Node>, mode: Mode },
    Member { subject: Box<Node>, constants: Vec<Constant>, mode: Mode },
    Match { subject: Box<Node>, pattern: Pattern },
    IsNull(Box<Node>),
    Not(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
}

#[derive(Debug)]
enum Pattern {
    Equals { constants: Vec<String>, fold: Fold },
    Wildcards { patterns: Vec<Wildcard>, folded: bool },
    ScriptWildcards(Vec<ScriptWildcard>),
    Regex(Regex),
}

impl Script {
    pub(super) fn new(scalar: &Scalar, numbers: &[u32], fields: &[Field]) -> Result<Self, PlanError> {
        let mut compiler = Compiler { numbers, fields, mentions: Vec::new() };
        let node = compiler.node(scalar)?;
        Ok(Self { mentions: compiler.mentions, node })
    }

    /// The field that it mentions, if it is only one.
    pub(super) fn only_field(&self) -> Option<u32> {
        let (first, _) = self.mentions.first()?;
        self.mentions.iter().all(|(field, _)| field == first).then_some(*first)
    }

    pub(super) fn evaluate(&self, event: &Event<'_>) -> Truth {
        let choices: Vec<Vec<Value<'_>>> = self
            .mentions
            .iter()
            .map(|(field, reading)| {
                let values: Vec<Value<'_>> = event.values(*field).filter_map(|raw| reading.read(raw)).collect();
                if values.is_empty() { vec![Value::Null] } else { values }
            })
            .collect();
        let mut chosen = vec![0; choices.len()];
        let mut result = Truth::False;
        for _ in 0..MOST_COMBINATIONS {
            let values: Vec<&Value<'_>> = choices.iter().zip(&chosen).map(|(values, at)| &values[*at]).collect();
            match self.node.value(&values) {
                Ok(Value::Bool(true)) => return Truth::True,
                Ok(_) => {}
                Err(Failure) => result = Truth::Failed,
            }
            if !advance(&mut chosen, &choices) {
                return result;
            }
        }
        Truth::Failed
    }
}

/// Steps to the next combination; false after the last.
fn advance(chosen: &mut [usize], choices: &[Vec<Value<'_>>]) -> bool {
    for (at, values) in chosen.iter_mut().zip(choices).rev() {
        *at += 1;
        if *at < values.len() {
            return true;
        }
        *at = 0;
    }
    false
}

struct Compiler<'p> {
    numbers: &'p [u32],
    fields: &'p [Field],
    mentions: Vec<(u32, Reading)>,
}

impl Compiler<'_> {
    fn node(&mut self, scalar: &Scalar) -> Result<Node, PlanError> {
        Ok(match scalar {
            Scalar::Field(number) => {
                let joined = self.numbers[*number as usize];
                self.mentions.push((joined, Reading::of(&self.fields[joined as usize])));
                Node::Mention(self.mentions.len() - 1)
            }
            Scalar::Literal(literal) => Node::Constant(Constant::new(literal.as_ref()).unwrap_or(Constant::Null)),
            Scalar::Call(call) => {
                let function = function(&call.function)
                    .ok_or_else(|| PlanError::new(format!("there is no function `{}`", call.function)))?;
                let (least, most) = function.arguments;
                if !(least..=most).contains(&call.arguments.len()) {
                    let count = call.arguments.len();
                    return Err(PlanError::new(format!("`{}` was given {count} arguments", call.function)));
                }
                Node::Call { function, fold: call.fold, arguments: self.nodes(&call.arguments)? }
            }
            Scalar::Arithmetic(sum) => {
                Node::Arithmetic { op: sum.op, left: self.boxed(&sum.left)?, right: self.boxed(&sum.right)? }
            }
            Scalar::Negative(operand) => Node::Negative(self.boxed(operand)?),
            Scalar::Comparison(test) => {
                let mode = self.mode(&test.left, matches!(*test.right, Scalar::Literal(_)));
                Node::Comparison { op: test.op, left: self.boxed(&test.left)?, right: self.boxed(&test.right)?, mode }
            }
            Scalar::Member(test) => Node::Member {
                mode: self.mode(&test.subject, true),
                subject: self.boxed(&test.subject)?,
                constants: test.constants.iter().filter_map(|constant| Constant::new(constant.as_ref())).collect(),
            },
            Scalar::Match(test) => {
                let pattern = pattern(test, matches!(*test.subject, Scalar::Field(_)))?;
                Node::Match { subject: self.boxed(&test.subject)?, pattern }
            }
            Scalar::IsNull(operand) => Node::IsNull(self.boxed(operand)?),
            Scalar::Not(operand) => Node::Not(self.boxed(operand)?),
            Scalar::All(operands) => Node::All(self.nodes(operands)?),
            Scalar::Any(operands) => Node::Any(self.nodes(operands)?),
        })
    }

    fn nodes(&mut self, scalars: &[Scalar]) -> Result<Vec<Node>, PlanError> {
        scalars.iter().map(|scalar| self.node(scalar)).collect()
    }

    fn boxed(&mut self, scalar: &Scalar) -> Result<Box<Node>, PlanError> {
        self.node(scalar).map(Box::new)
    }

    /// A field against constants is compared as Lucene does, everything else as scripts do.
    fn mode(&self, subject: &Scalar, constant: bool) -> Mode {
        match subject {
            Scalar::Field(number) if constant => Mode::of(self.fields[self.numbers[*number as usize] as usize].ty),
            _ => Mode::Script,
        }
    }
}

fn pattern(test: &Match, on_field: bool) -> Result<Pattern, PlanError> {
    Ok(match test.kind {
        MatchKind::Equals => Pattern::Equals { constants: test.constants.clone(), fold: test.fold },
        MatchKind::Wildcard if on_field => {
            let folded = test.fold == Fold::Ascii;
            let patterns = test.constants.iter().map(|text| Wildcard::new(text, folded)).collect();
            Pattern::Wildcards { patterns, folded }
        }
        MatchKind::Wildcard => {
            Pattern::ScriptWildcards(test.constants.iter().map(|text| ScriptWildcard::new(text, test.fold)).collect())
        }
        MatchKind::Regex if on_field => Pattern::Regex(Regex::lucene(&test.constants, test.fold)?),
        MatchKind::Regex => Pattern::Regex(Regex::java(&test.constants, test.fold)?),
    })
}

impl Pattern {
    fn fits(&self, text: &str) -> bool {
        match self {
            Pattern::Equals { constants, fold } => constants.iter().any(|constant| match fold {
                Fold::None => constant == text,
                Fold::Ascii => constant.eq_ignore_ascii_case(text),
                Fold::Unicode | Fold::Java => fold::java_equal(constant, text),
            }),
            Pattern::Wildcards { patterns, folded } => {
                let lowered = if *folded { fold::ascii(text) } else { text.as_bytes().into() };
                patterns.iter().any(|pattern| pattern.fits(&lowered))
            }
            Pattern::ScriptWildcards(patterns) => patterns.iter().any(|pattern| pattern.fits(text)),
            Pattern::Regex(regex) => regex.fits(text),
        }
    }
}

impl Node {
    fn value<'v>(&'v self, values: &[&'v Value<'v>]) -> Result<Value<'v>, Failure> {
        match self {
            Node::Mention(number) => Ok(values[*number].clone()),
            Node::Constant(constant) => Ok(constant.value()),
            Node::Call { function, fold, arguments } => {
                let arguments = arguments.iter().map(|node| node.value(values)).collect::<Result<Vec<_>, _>>()?;
                (function.call)(&arguments, *fold)
            }
            Node::Arithmetic { op, left, right } => {
                let (left, right) = both(left.value(values), right.value(values))?;
                compute(*op, &left, &right)
            }
            Node::Negative(operand) => negate(&operand.value(values)?),
            Node::Comparison { op, left, right, mode } => {
                let left = left.value(values);
                if let Node::Constant(constant) = &**right {
                    return compare::against(&left?, *op, constant, *mode).map(ternary);
                }
                let (left, right) = both(left, right.value(values))?;
                compare::values(&left, *op, &right, *mode).map(ternary)
            }
            Node::Member { subject, constants, mode } => member(&subject.value(values)?, constants, *mode),
            Node::Match { subject, pattern } => {
                let subject = subject.value(values)?;
                Ok(subject.text().map_or(Value::Null, |text| Value::Bool(pattern.fits(&text))))
            }
            Node::IsNull(operand) => Ok(Value::Bool(operand.value(values)? == Value::Null)),
            Node::Not(operand) => Ok(match operand.value(values)? {
                Value::Bool(flag) => Value::Bool(!flag),
                _ => Value::Null,
            }),
            Node::All(operands) => settled(operands, values, false),
            Node::Any(operands) => settled(operands, values, true),
        }
    }
}

fn both<'v>(
    left: Result<Value<'v>, Failure>,
    right: Result<Value<'v>, Failure>,
) -> Result<(Value<'v>, Value<'v>), Failure> {
    Ok((left?, right?))
}

fn ternary<'v>(flag: Option<bool>) -> Value<'v> {
    flag.map_or(Value::Null, Value::Bool)
}

fn member<'v>(subject: &Value<'_>, constants: &[Constant], mode: Mode) -> Result<Value<'v>, Failure> {
    if *subject == Value::Null {
        return Ok(Value::Null);
    }
    let mut failed = false;
    for constant in constants {
        match compare::against(subject, CompareOp::Equal, constant, mode) {
            Ok(Some(true)) => return Ok(Value::Bool(true)),
            Ok(_) => {}
            Err(Failure) => failed = true,
        }
    }
    if failed { Err(Failure) } else { Ok(Value::Bool(false)) }
}

/// `and` (decisive: false) or `or` (decisive: true): the decisive value wins over failure, and failure over null.
fn settled<'v>(operands: &'v [Node], values: &[&'v Value<'v>], decisive: bool) -> Result<Value<'v>, Failure> {
    let (mut failed, mut null) = (false, false);
    for operand in operands {
        match operand.value(values) {
            Ok(Value::Bool(flag)) if flag == decisive => return Ok(Value::Bool(decisive)),
            Ok(Value::Bool(_)) => {}
            Ok(_) => null = true,
            Err(Failure) => failed = true,
        }
    }
    match (failed, null) {
        (true, _) => Err(Failure),
        (false, true) => Ok(Value::Null),
        (false, false) => Ok(Value::Bool(!decisive)),
    }
}
