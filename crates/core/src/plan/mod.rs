//! The plan: what to look for, as Python states it in JSON (`docs/plan-format.md`). Types and checks of that document; what a
//! plan means is known to `program`.

mod checks;
mod error;

pub use error::PlanError;

use crate::value::DateFormat;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The version of the plan format that this core reads.
pub const PLAN_VERSION: u32 = 1;

/// What the engine is loaded with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    /// The version of the format.
    pub version: u32,
    /// In the order in which hits number them.
    pub rules: Vec<Rule>,
}

impl RuleSet {
    /// Reads a rule set and checks all that later stages rely on: versions, numbers of fields, counts.
    pub fn from_json(bytes: &[u8]) -> Result<Self, PlanError> {
        checks::depth(bytes)?;
        let set: Self = checks::with_room(bytes)?;
        checks::rule_set(&set)?;
        Ok(set)
    }
}

/// One rule: a plan, and what its alerts carry.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The rule's own identifier.
    pub id: String,
    /// What it looks for.
    pub plan: Plan,
    /// Index patterns; none means every event.
    #[serde(default)]
    pub index: Vec<String>,
    /// The flat fields that every alert of the rule carries, as given.
    #[serde(default)]
    pub alert: Option<Box<RawValue>>,
    /// The template of the alert's reason.
    #[serde(default)]
    pub reason: Option<String>,
    /// What is known to be good.
    #[serde(default)]
    pub exceptions: Vec<Exception>,
}

/// A condition under which an event raises no alert. Its fields are numbered as in the rule's plan.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The exception's own identifier.
    pub id: String,
    /// Met by the events that are excepted.
    pub condition: Condition,
}

/// One query.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The version of the format.
    pub version: u32,
    /// What the query asks for.
    pub kind: Kind,
    /// The fields that the numbers below stand for.
    pub fields: Vec<Field>,
    /// The field that orders events.
    #[serde(default)]
    pub timestamp: Option<u32>,
    /// The field that orders events of the same time.
    #[serde(default)]
    pub tiebreaker: Option<u32>,
    /// An event query has exactly one, without keys.
    pub stages: Vec<Stage>,
    /// Ends a sequence.
    #[serde(default)]
    pub until: Option<Stage>,
    /// The longest time from the first to the last event.
    #[serde(default)]
    pub maxspan_ms: Option<u64>,
    /// `head` and `tail`, in order.
    #[serde(default)]
    pub pipes: Vec<Pipe>,
}

/// What a query asks for.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Single events.
    Event,
    /// Events in order.
    Sequence,
    /// Events in any order.
    Sample,
}

/// A field of the document.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Dotted path.
    pub path: String,
    /// Its type in the mapping.
    #[serde(rename = "type")]
    pub ty: FieldType,
    /// Of a date field whose mapping names its own; empty for the default.
    #[serde(default)]
    pub formats: Vec<DateFormat>,
}

/// The types of Elasticsearch's mappings that a condition can reach, and `any`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the names are Elasticsearch's own
pub enum FieldType {
    Keyword,
    Wildcard,
    ConstantKeyword,
    MatchOnlyText,
    Text,
    Flattened,
    Long,
    Integer,
    Short,
    Byte,
    UnsignedLong,
    Double,
    Float,
    HalfFloat,
    ScaledFloat,
    Boolean,
    Date,
    DateNanos,
    Ip,
    Version,
    Object,
    Nested,
    GeoPoint,
    Binary,
    Any,
}

/// One `[category where condition]`; the category is part of the filter.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Which events fit.
    pub filter: Condition,
    /// The join keys, those of the whole query first.
    #[serde(default)]
    pub keys: Vec<JoinKey>,
    /// `![…]`: no such event may be there.
    #[serde(default)]
    pub missing: bool,
    /// How many times in a row.
    #[serde(default = "once")]
    pub runs: u32,
}

fn once() -> u32 {
    1
}

/// One field of `by`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct JoinKey {
    /// `None`: an optional field that no mapping knows, null for every event.
    pub field: Option<u32>,
    /// Null is a value, and joins null.
    #[serde(default)]
    pub optional: bool,
}

/// `| head N` or `| tail N`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Pipe {
    /// Which end.
    pub kind: PipeKind,
    /// How many at most.
    pub count: u64,
}

/// The two pipes.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum PipeKind {
    Head,
    Tail,
}

/// How text is compared where case does not count.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Fold {
    /// Case counts.
    #[default]
    None,
    /// Only ASCII letters are folded (Lucene).
    Ascii,
    /// Simple Unicode folding, one code point at a time (Lucene 10's `regex~`).
    Unicode,
    /// Java's own ways, on the results of functions.
    Java,
}

/// Comparisons; `!=` is `not ==`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum CompareOp {
    #[serde(rename = "==")]
    Equal,
    #[serde(rename = "<")]
    Less,
    #[serde(rename = "<=")]
    LessOrEqual,
    #[serde(rename = ">")]
    Greater,
    #[serde(rename = ">=")]
    GreaterOrEqual,
}

/// Arithmetic of two numbers.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum ArithmeticOp {
    #[serde(rename = "+")]
    Add,
    #[serde(rename = "-")]
    Subtract,
    #[serde(rename = "*")]
    Multiply,
    #[serde(rename = "/")]
    Divide,
    #[serde(rename = "%")]
    Modulo,
}

/// What the constants of a text leaf or of a `match` are.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum MatchKind {
    /// A whole value.
    Equals,
    /// `*` any run, `?` one code point; the whole value.
    Wildcard,
    /// A regular expression for the whole value; only below a script, in Java's dialect.
    Regex,
}

/// A two-valued condition over one event.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// All of them.
    And(Vec<Condition>),
    /// Any of them.
    Or(Vec<Condition>),
    /// Every event that does not meet it.
    Not(Box<Condition>),
    /// A constant.
    Always(bool),
    /// The document has no value for the field.
    Missing(FieldLeaf),
    /// A boolean field has a true value.
    Truth(FieldLeaf),
    /// Any value fits any constant.
    Text(TextLeaf),
    /// Any value matches any pattern as a whole (Lucene's dialect).
    Regex(RegexLeaf),
    /// `startsWith` of a field and constants.
    Prefix(PartLeaf),
    /// `endsWith` of a field and constants.
    Suffix(PartLeaf),
    /// `stringContains` of a field and constants.
    Contains(PartLeaf),
    /// Any value compares so.
    Compare(CompareLeaf),
    /// Any value equals any constant.
    In(InLeaf),
    /// Any value lies in any block.
    Cidr(CidrLeaf),
    /// Some combination of values makes it true.
    Script(Scalar),
}

/// A leaf that needs no more than a field.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct FieldLeaf {
    /// Number of the field.
    pub field: u32,
}

/// See [`Condition::Text`].
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct TextLeaf {
    /// Number of the field.
    pub field: u32,
    /// `Equals` or `Wildcard`.
    pub kind: MatchKind,
    /// `None` or `Ascii`.
    #[serde(default)]
    pub fold: Fold,
    /// Alternatives.
    pub constants: Vec<String>,
}

/// See [`Condition::Regex`].
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct RegexLeaf {
    /// Number of the field.
    pub field: u32,
    /// `None` or `Unicode`.
    #[serde(default)]
    pub fold: Fold,
    /// Alternatives.
    pub patterns: Vec<String>,
}

/// See [`Condition::Prefix`], [`Condition::Suffix`], [`Condition::Contains`].
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct PartLeaf {
    /// Number of the field.
    pub field: u32,
    /// `None` or `Ascii`.
    #[serde(default)]
    pub fold: Fold,
    /// Alternatives.
    pub constants: Vec<String>,
}

/// See [`Condition::Compare`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompareLeaf {
    /// Number of the field.
    pub field: u32,
    /// The field stands on the left.
    pub op: CompareOp,
    /// What it is compared with.
    pub constant: Option<Literal>,
}

/// See [`Condition::In`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InLeaf {
    /// Number of the field.
    pub field: u32,
    /// Alternatives.
    pub constants: Vec<Option<Literal>>,
}

/// See [`Condition::Cidr`].
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct CidrLeaf {
    /// Number of the field.
    pub field: u32,
    /// `address/bits`; host bits may be set.
    pub blocks: Vec<String>,
}

/// A three-valued term on one combination of values.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scalar {
    /// One mention of a field.
    Field(u32),
    /// A constant.
    Literal(Option<Literal>),
    /// A function.
    Call(Call),
    /// `left OP right`.
    Arithmetic(Arithmetic),
    /// Unary minus.
    Negative(Box<Scalar>),
    /// `left OP right`.
    Comparison(Comparison),
    /// `in`.
    Member(Member),
    /// `:`, `like`, `regex` and their folded forms.
    Match(Match),
    /// `x == null`.
    IsNull(Box<Scalar>),
    /// Null stays null.
    Not(Box<Scalar>),
    /// False wins over null.
    All(Vec<Scalar>),
    /// True wins over null.
    Any(Vec<Scalar>),
}

/// See [`Scalar::Call`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Its canonical name.
    pub function: String,
    /// `None` or `Java`.
    #[serde(default)]
    pub fold: Fold,
    /// In order.
    pub arguments: Vec<Scalar>,
}

/// See [`Scalar::Arithmetic`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Arithmetic {
    pub op: ArithmeticOp,
    pub left: Box<Scalar>,
    pub right: Box<Scalar>,
}

/// See [`Scalar::Comparison`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Comparison {
    pub op: CompareOp,
    pub left: Box<Scalar>,
    pub right: Box<Scalar>,
}

/// See [`Scalar::Member`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// What is looked for.
    pub subject: Box<Scalar>,
    /// Alternatives.
    pub constants: Vec<Option<Literal>>,
}

/// See [`Scalar::Match`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// What is looked at.
    pub subject: Box<Scalar>,
    /// What the constants are.
    pub kind: MatchKind,
    /// How case counts.
    #[serde(default)]
    pub fold: Fold,
    /// Alternatives.
    pub constants: Vec<String>,
}

/// A constant; null is the absence of one.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Literal {
    /// Text.
    String(String),
    /// A 64-bit integer.
    Long(i64),
    /// An integer from 2^63 to 2^64 - 1, in decimal.
    Unsigned(String),
    /// Floating point.
    #[serde(deserialize_with = "float")]
    Double(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A span of instants.
    Date(DateSpan),
    /// An address or a block.
    Ip(String),
    /// A version.
    Version(String),
}

/// A float as a number, or by name where JSON has none for it.
fn float<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Name(String),
    }
    match Written::deserialize(deserializer)? {
        Written::Number(number) => Ok(number),
        Written::Name(name) => match name.as_str() {
            "NaN" => Ok(f64::NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            _ => Err(serde::de::Error::custom("expected a number, `NaN`, `Infinity` or `-Infinity`")),
        },
    }
}

/// Instants from `first` to `last`, both included, as (seconds since 1970, nanoseconds).
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct DateSpan {
    pub first: (i64, u32),
    pub last: (i64, u32),
}
