"""Whether a condition can hold for any event of a kind: evaluated over what is known of its fields instead of over an event.

A field that the kind never fills is null; one whose values are known has these; any other may have any value or none. The answer is
therefore sound one way: "cannot hold" is certain, "can hold" is not yet a promise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import reduce
from typing import TypeAlias

from contraband.coverage.sources import EventKind
from contraband.eql.analysis.checked import (
    Always,
    And,
    Arithmetic,
    Call,
    CheckedQuery,
    CompareOp,
    Comparison,
    Condition,
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
)
from contraband.eql.walk import nodes

Outcome: TypeAlias = bool | None
_ANY: frozenset[Outcome] = frozenset({True, False, None})
_NULL: frozenset[Outcome] = frozenset({None})


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a condition cannot hold: a field that is never filled, or one that never has a value that is asked for."""

    field: str
    has: tuple[str, ...] = ()  # the values that it has; empty where it is never filled

    @property
    def missing(self) -> bool:
        """Whether the field is never filled."""
        return not self.has


@dataclass(frozen=True, slots=True)
class Possibility:
    """Whether a condition can be true and can be false for events of a kind, and what stands in the way."""

    true: bool
    false: bool
    obstacles: frozenset[Obstacle] = frozenset()  # of a condition that can be one of the two only
    lost: frozenset[Obstacle] = frozenset()  # of alternatives that cannot hold, in one that can
    uses: frozenset[str] = field(default=frozenset())  # fields that only the process table fills


def possibility(condition: Condition, kind: EventKind) -> Possibility:
    """What can become of a condition for events of a kind."""
    match condition:
        case Always():
            return Possibility(True, False)
        case Never():
            return Possibility(False, True)
        case Leaf(test=test):
            return _leaf(test, kind)
        case Not(operand=operand):
            inner = possibility(operand, kind)
            return Possibility(
                inner.false, inner.true, frozenset() if inner.false else inner.obstacles, uses=inner.uses
            )
        case And(operands=operands):
            return _all([possibility(operand, kind) for operand in operands])
        case Or(operands=operands):
            return _any([possibility(operand, kind) for operand in operands])


def _all(parts: list[Possibility]) -> Possibility:
    impossible = [part for part in parts if not part.true]
    return Possibility(
        not impossible,
        any(part.false for part in parts),
        _union(part.obstacles for part in impossible),
        _union(part.lost for part in parts) if not impossible else frozenset(),
        _union(part.uses for part in parts),
    )


def _any(parts: list[Possibility]) -> Possibility:
    possible = [part for part in parts if part.true]
    if not possible:
        return Possibility(False, True, _union(part.obstacles for part in parts))
    # An alternative that another kind of event is meant for is no loss; one that lacks a field is.
    lost = (part.obstacles for part in parts if not part.true and all(obstacle.missing for obstacle in part.obstacles))
    return Possibility(
        True,
        all(part.false for part in parts),
        frozenset(),
        _union(lost) | _union(part.lost for part in possible),
        _union(part.uses for part in possible),
    )


def _leaf(test: Scalar, kind: EventKind) -> Possibility:
    outcomes = _outcomes(test, kind)
    mentioned = fields_of(test)
    uses = frozenset(name for name in mentioned if kind.adds(name))
    can, cannot = True in outcomes, bool(outcomes & {False, None})
    if can and cannot:
        return Possibility(True, True, uses=uses)
    obstacles = frozenset(
        Obstacle(name, kind.values.get(name, ())) for name in mentioned if not kind.fills(name) or kind.values.get(name)
    )
    return Possibility(can, cannot, obstacles, uses=uses)


def fields_of_query(query: CheckedQuery) -> frozenset[str]:
    """The fields that a query mentions, in conditions and as keys."""
    return fields_of((query.stages, query.until))


def fields_of(form: object) -> frozenset[str]:
    """The fields that a part of a checked query mentions."""
    return frozenset(reference.path for reference in nodes(form, FieldRef))


def _outcomes(test: Scalar, kind: EventKind) -> frozenset[Outcome]:
    """What a test below a leaf can give: true, false, null."""
    match test:
        case Literal(value=value):
            return frozenset({value}) if isinstance(value, bool) or value is None else _ANY
        case ScalarNot(operand=operand):
            return frozenset(None if outcome is None else not outcome for outcome in _outcomes(operand, kind))
        case ScalarAnd(operands=operands):
            return _combine(_and, [_outcomes(operand, kind) for operand in operands])
        case ScalarOr(operands=operands):
            return _combine(_or, [_outcomes(operand, kind) for operand in operands])
        case NullTest(operand=operand):
            return frozenset({True}) if _is_null(operand, kind) else frozenset({True, False})
        case Comparison() | Match() | Membership():
            return _test(test, kind)
        case FieldRef() | Call() | Arithmetic() | Negative():
            return _NULL if _is_null(test, kind) else _ANY


def _test(test: Comparison | Match | Membership, kind: EventKind) -> frozenset[Outcome]:
    subject = test.left if isinstance(test, Comparison) else test.subject
    if _is_null(subject, kind) or (isinstance(test, Comparison) and _is_null(test.right, kind)):
        return _NULL
    if isinstance(subject, FieldRef) and subject.path in kind.values:
        accepts = _accepts(test)
        if accepts is not None:
            return frozenset(accepts(value) for value in kind.values[subject.path]) | {None}
    return _ANY


def _is_null(scalar: Scalar, kind: EventKind) -> bool:
    """Whether a value is null for certain: a field that is never filled, or anything computed from one."""
    match scalar:
        case FieldRef(path=path):
            return not kind.fills(path)
        case Literal(value=value):
            return value is None
        case Call(arguments=arguments):
            return bool(arguments) and _is_null(arguments[0], kind)
        case Arithmetic(left=left, right=right):
            return _is_null(left, kind) or _is_null(right, kind)
        case Negative(operand=operand):
            return _is_null(operand, kind)
        case _:  # a test is never null for certain here: what it mentions was looked at one by one
            return False


def _accepts(test: Comparison | Match | Membership) -> Callable[[str], bool] | None:
    """The test as a question about a text; None where it is not one against constant texts."""
    match test:
        case Comparison(op=CompareOp.EQ, right=Literal(value=str(value))):
            return value.__eq__
        case Membership(constants=constants):
            values = {constant.value for constant in constants}
            return values.__contains__
        case Match(kind=MatchKind.REGEX):
            return None
        case Match(kind=form, constants=texts, fold=fold):
            patterns = [_pattern(text, form) for text in texts]
            flags = 0 if fold is Fold.NONE else re.IGNORECASE
            compiled = [re.compile(pattern, flags | re.DOTALL) for pattern in patterns]
            return lambda value: any(pattern.fullmatch(value) for pattern in compiled)
        case _:
            return None


def _pattern(text: str, kind: MatchKind) -> str:
    escaped = re.escape(text)
    return escaped.replace(r"\*", ".*").replace(r"\?", ".") if kind is MatchKind.WILDCARD else escaped


def _combine(operation: Callable[[Outcome, Outcome], Outcome], parts: list[frozenset[Outcome]]) -> frozenset[Outcome]:
    return reduce(lambda left, right: frozenset(operation(a, b) for a in left for b in right), parts)


def _and(left: Outcome, right: Outcome) -> Outcome:
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def _or(left: Outcome, right: Outcome) -> Outcome:
    if left is True or right is True:
        return True
    return None if left is None or right is None else False


def _union(parts: Iterable[frozenset[Obstacle]] | Iterable[frozenset[str]]) -> frozenset:  # type: ignore[type-arg]
    return frozenset().union(*parts)
