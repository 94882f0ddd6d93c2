"""The checked query: what analysis makes of a tree, and what both evaluators are held to.

Everything that is *meaning* has been decided here: fields have types, optional fields that no mapping knows have become
null, boolean functions compared with `true` or `false` have been rewritten, and every condition is split into the two
levels on which Elasticsearch evaluates it:

* a `Condition` is two-valued (a Lucene bool query): an event matches it or does not;
* a `Leaf` holds a `Scalar` test that is tried on every combination of the values of the fields it mentions, each mention
  being a loop of its own; null counts as false, after which the conditions around it apply.

Nothing here knows files, rules or the plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from contraband.diagnostics import Span
from contraband.schema.date_formats import DateFormat
from contraband.schema.types import FieldType


class Fold(StrEnum):
    """How a text comparison treats case. Elasticsearch has three implementations; which one runs depends on the leaf."""

    NONE = "none"
    """Case counts."""
    ASCII = "ascii"
    """A field against a constant: Lucene folds ASCII letters only."""
    UNICODE = "unicode"
    """`regex~` on a field, since Lucene 10: simple Unicode case folding, one code point at a time."""
    JAVA = "java"
    """The result of a function: Java's `compareToIgnoreCase`, or a pattern with CASE_INSENSITIVE and UNICODE_CASE."""


class CompareOp(StrEnum):
    """Comparisons that survive analysis; `!=` has become `not ==`."""

    EQ = "=="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="


class ArithmeticOp(StrEnum):
    """The five arithmetic operators; the functions `add` .. `modulo` are the same thing."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"
    MODULO = "%"


class MatchKind(StrEnum):
    """What the constants of a `Match` are."""

    EQUALS = "equals"
    """A whole value; `*` and `?` are ordinary characters."""
    WILDCARD = "wildcard"
    """`*` any run, `?` exactly one code point; the whole value must match."""
    REGEX = "regex"
    """A regular expression that must match the whole value: Lucene's dialect on a field, Java's on a function's result."""


# ---------------------------------------------------------------------------------------------------------------- scalars


@dataclass(frozen=True, slots=True)
class DateValue:
    """A date constant as the span of instants that it covers, both ends included: (seconds since 1970, nanoseconds).

    A partial date covers its whole unit (`"2017-08-30"` the day); a full one covers its millisecond on `date_nanos` and
    exactly itself on `date`.
    """

    first: tuple[int, int]
    last: tuple[int, int]


Constant: TypeAlias = bool | int | float | str | DateValue | None


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant, converted to the type of the field it is compared with where there is one."""

    value: Constant
    type: FieldType | None  # None for null
    span: Span


@dataclass(frozen=True, slots=True)
class FieldRef:
    """One mention of a mapped field. `path` is where the value lies in the document: aliases have been resolved.

    `formats` are those of a date field whose mapping names its own.
    """

    path: str
    type: FieldType
    span: Span
    formats: tuple[DateFormat, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the catalogue by its canonical name; arithmetic functions have become `Arithmetic`."""

    function: str
    arguments: tuple[Scalar, ...]
    fold: Fold  # NONE, or for a `~` call ASCII (first argument a field, others constant) or JAVA
    span: Span


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left OP right`; null if either is."""

    op: ArithmeticOp
    left: Scalar
    right: Scalar
    span: Span


@dataclass(frozen=True, slots=True)
class Negative:
    """Unary minus."""

    operand: Scalar
    span: Span


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left OP right`; null if either is."""

    op: CompareOp
    left: Scalar
    right: Scalar
    span: Span


@dataclass(frozen=True, slots=True)
class Match:
    """`:`, `like`, `like~`, `in~`, `regex`, `regex~`: true if any of the constants fits the text; null on null."""

    subject: Scalar
    kind: MatchKind
    constants: tuple[str, ...]
    fold: Fold
    span: Span


@dataclass(frozen=True, slots=True)
class Membership:
    """`in`: true if the subject equals any of the constants; null on null."""

    subject: Scalar
    constants: tuple[Literal, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class NullTest:
    """`x == null`. Directly in a leaf and over a field: the document has no value for it."""

    operand: Scalar
    span: Span


@dataclass(frozen=True, slots=True)
class ScalarNot:
    """`not` below a leaf: null stays null."""

    operand: Scalar
    span: Span


@dataclass(frozen=True, slots=True)
class ScalarAnd:
    """`and` below a leaf, three-valued: false wins over null."""

    operands: tuple[Scalar, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ScalarOr:
    """`or` below a leaf, three-valued: true wins over null."""

    operands: tuple[Scalar, ...]
    span: Span


Scalar: TypeAlias = (
    Literal
    | FieldRef
    | Call
    | Arithmetic
    | Negative
    | Comparison
    | Match
    | Membership
    | NullTest
    | ScalarNot
    | ScalarAnd
    | ScalarOr
)

# ------------------------------------------------------------------------------------------------------------- conditions


@dataclass(frozen=True, slots=True)
class Leaf:
    """A test that an event meets if any combination of values makes it true."""

    test: Scalar
    span: Span


@dataclass(frozen=True, slots=True)
class Not:
    """Every event that does not meet the operand, events without the field included."""

    operand: Condition
    span: Span


@dataclass(frozen=True, slots=True)
class And:
    """All of them (two or more; flattened)."""

    operands: tuple[Condition, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them (two or more; flattened)."""

    operands: tuple[Condition, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Always:
    """`true`, or a condition that folded to it."""

    span: Span


@dataclass(frozen=True, slots=True)
class Never:
    """`false` or null, or a condition that folded to either: no event meets it."""

    span: Span


Condition: TypeAlias = Leaf | Not | And | Or | Always | Never

# ---------------------------------------------------------------------------------------------------------------- queries


class QueryKind(StrEnum):
    """What the query asks for."""

    EVENT = "event"
    SEQUENCE = "sequence"
    SAMPLE = "sample"


class PipeKind(StrEnum):
    """The two pipes that Elasticsearch has."""

    HEAD = "head"
    TAIL = "tail"


@dataclass(frozen=True, slots=True)
class Pipe:
    """`| head N` or `| tail N`."""

    kind: PipeKind
    count: int
    span: Span


@dataclass(frozen=True, slots=True)
class JoinKey:
    """A field of `by`; `optional` (`?name`) lets null join null, and an unmapped one (`field` None) is null everywhere."""

    field: FieldRef | None
    optional: bool
    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Stage:
    """One `[category where condition]`; the category is part of `condition`. Query-level keys come first in `keys`."""

    condition: Condition
    keys: tuple[JoinKey, ...]
    missing: bool  # `![...]`
    runs: int  # `with runs=N`; 1 when not written
    span: Span


@dataclass(frozen=True, slots=True)
class CheckedQuery:
    """A whole query that Elasticsearch would accept. An event query has exactly one stage, without keys."""

    kind: QueryKind
    stages: tuple[Stage, ...]
    until: Stage | None
    maxspan_ms: int | None
    pipes: tuple[Pipe, ...]
    timestamp_field: FieldRef | None  # None when the mapping does not have it (samples need none)
    tiebreaker_field: FieldRef | None
    span: Span
