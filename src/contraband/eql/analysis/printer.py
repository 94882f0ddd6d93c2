"""A checked query for people: every decision of the analysis on a line of its own. Reads nothing back."""

from __future__ import annotations

import json
from collections.abc import Iterator

from contraband.eql.analysis.checked import (
    Always,
    And,
    Arithmetic,
    Call,
    CheckedQuery,
    Comparison,
    Condition,
    DateValue,
    FieldRef,
    Fold,
    Leaf,
    Literal,
    Match,
    MatchKind,
    Membership,
    Negative,
    Never,
    Not,
    NullTest,
    Or,
    Scalar,
    ScalarAnd,
    ScalarNot,
    ScalarOr,
    Stage,
)
from contraband.eql.reference.dates import SECOND, date_text


def print_checked(query: CheckedQuery) -> str:
    """The whole query, a line a term: fields with their types, constants as they are compared, how case is folded."""
    return "\n".join(_lines(query))


def _lines(query: CheckedQuery) -> Iterator[str]:
    ordered = [field for field in (query.timestamp_field, query.tiebreaker_field) if field is not None]
    by = f", ordered by {', '.join(map(print_scalar, ordered))}" if ordered else ""
    span = "" if query.maxspan_ms is None else f", maxspan {query.maxspan_ms} ms"
    yield f"{query.kind}{by}{span}"
    for number, stage in enumerate(query.stages, 1):
        yield f"stage {number}{_traits(stage)}"
        yield from print_condition(stage.condition, 1)
    if query.until is not None:
        yield f"until{_traits(query.until)}"
        yield from print_condition(query.until.condition, 1)
    yield from (f"{pipe.kind} {pipe.count}" for pipe in query.pipes)


def _traits(stage: Stage) -> str:
    keys = [
        f"{'?' if key.optional else ''}{'null' if key.field is None else print_scalar(key.field)}" for key in stage.keys
    ]
    by = f" by {', '.join(keys)}" if keys else ""
    return f"{' missing' if stage.missing else ''}{by}{'' if stage.runs == 1 else f' runs {stage.runs}'}"


def print_condition(condition: Condition, depth: int = 0) -> Iterator[str]:
    """The two-valued level: decided on whole events."""
    pad = "  " * depth
    match condition:
        case And(operands=operands):
            yield f"{pad}all of"
            for operand in operands:
                yield from print_condition(operand, depth + 1)
        case Or(operands=operands):
            yield f"{pad}any of"
            for operand in operands:
                yield from print_condition(operand, depth + 1)
        case Not(operand=operand):
            yield f"{pad}not"
            yield from print_condition(operand, depth + 1)
        case Always():
            yield f"{pad}always"
        case Never():
            yield f"{pad}never"
        case Leaf(test=test):
            yield f"{pad}{print_scalar(test)}"


def print_scalar(scalar: Scalar) -> str:
    """The three-valued level, below a leaf. What is written like a call is one; operators of several parts stand in parentheses."""
    match scalar:
        case Literal(value=value):
            return _constant(value)
        case FieldRef(path=path, type=kind):
            return f"{path}:{kind}"
        case Call(function=function, arguments=arguments, fold=fold):
            return f"{function}({', '.join(map(print_scalar, arguments))}){_fold(fold)}"
        case Arithmetic(op=op, left=left, right=right) | Comparison(op=op, left=left, right=right):
            return f"{_part(left)} {op} {_part(right)}"
        case Negative(operand=operand):
            return f"-{_part(operand)}"
        case Match(subject=subject, kind=kind, constants=constants, fold=fold):
            how = "equals" if kind is MatchKind.EQUALS else "is like" if kind is MatchKind.WILDCARD else "fits regex"
            return f"{_part(subject)} {how} {_any_of([json.dumps(text, ensure_ascii=False) for text in constants])}{_fold(fold)}"
        case Membership(subject=subject, constants=constants):
            return f"{_part(subject)} in {_any_of([print_scalar(constant) for constant in constants])}"
        case NullTest(operand=operand):
            return f"{_part(operand)} is null"
        case ScalarNot(operand=operand):
            return f"not {_part(operand)}"
        case ScalarAnd(operands=operands):
            return " and ".join(map(_part, operands))
        case ScalarOr(operands=operands):
            return " or ".join(map(_part, operands))


def _part(scalar: Scalar) -> str:
    plain = isinstance(scalar, Literal | FieldRef | Call)
    return print_scalar(scalar) if plain else f"({print_scalar(scalar)})"


def _constant(value: object) -> str:
    if isinstance(value, DateValue):
        first, last = (date_text(seconds * SECOND + nanoseconds) for seconds, nanoseconds in (value.first, value.last))
        return f"date({first})" if first == last else f"date({first} to {last})"
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def _any_of(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"any of ({', '.join(texts)})"


def _fold(fold: Fold) -> str:
    return "" if fold is Fold.NONE else f" [fold {fold}]"
