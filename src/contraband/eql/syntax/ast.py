"""The tree: what a query says, construct by construct, with the place of each. Knows no field type and no function."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from contraband.diagnostics import Span

# --------------------------------------------------------------------------------------------------------- expressions


@dataclass(frozen=True, slots=True)
class Null:
    """`null`."""

    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Boolean:
    """`true` or `false`."""

    value: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    """An integer (int) or a decimal number (float), never negative: a sign is an operator."""

    value: int | float
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class String:
    """A string, its escapes resolved."""

    value: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Field:
    """`name`, or `?name` which no mapping needs to have. Parts are joined with dots, quotes removed."""

    name: str
    optional: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """`name(...)`, or `name~(...)` which ignores letter case. The name is spelled as written."""

    name: str
    insensitive: bool
    arguments: tuple[Expr, ...]
    name_span: Span = field(compare=False)
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Negative:
    """`-x`."""

    operand: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left + right`, or one of `- * / %`."""

    operator: str
    left: Expr
    right: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left == right`, or one of `!= < <= > >=`."""

    operator: str
    left: Expr
    right: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Membership:
    """`subject in (...)`, or `in~` which ignores letter case. `not in` is `Not` around it."""

    subject: Expr
    items: tuple[Expr, ...]
    insensitive: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Match:
    """`subject : pattern`, or one of `like like~ regex regex~`; several patterns are alternatives."""

    operator: str
    subject: Expr
    patterns: tuple[Constant, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """`not x`."""

    operand: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class And:
    """`a and b and ...`, flattened through parentheses."""

    operands: tuple[Expr, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Or:
    """`a or b or ...`, flattened through parentheses."""

    operands: tuple[Expr, ...]
    span: Span = field(compare=False)


Constant: TypeAlias = Null | Boolean | Number | String
Expr: TypeAlias = Constant | Field | Call | Negative | Arithmetic | Comparison | Membership | Match | Not | And | Or

# -------------------------------------------------------------------------------------------------------------- queries


@dataclass(frozen=True, slots=True)
class EventFilter:
    """`category where condition`; a category of None is `any`."""

    category: str | None
    condition: Expr
    category_span: Span = field(compare=False)
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Stage:
    """`[filter] by keys with runs=N`; `missing` is written `![filter]`."""

    filter: EventFilter
    keys: tuple[Expr, ...]
    missing: bool
    runs: int
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class EventQuery:
    """A query for single events."""

    filter: EventFilter
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Sequence:
    """`sequence by keys with maxspan=T stages until stage`."""

    keys: tuple[Expr, ...]
    maxspan_ms: int | None
    stages: tuple[Stage, ...]
    until: Stage | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Sample:
    """`sample by keys stages`."""

    keys: tuple[Expr, ...]
    stages: tuple[Stage, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Pipe:
    """`| name arguments`."""

    name: str
    arguments: tuple[Expr, ...]
    name_span: Span = field(compare=False)
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Statement:
    """A whole query and its pipes."""

    query: EventQuery | Sequence | Sample
    pipes: tuple[Pipe, ...]
    span: Span = field(compare=False)
