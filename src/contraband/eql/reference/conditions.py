"""Does an event meet a condition? Two-valued but for failure, which a search as a whole answers for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import product

from contraband.eql.analysis.checked import Always, And, Condition, FieldRef, Leaf, Never, Not, Or
from contraband.eql.functions import EvaluationError
from contraband.eql.reference.documents import raw_values
from contraband.eql.reference.scalars import evaluate, mentions
from contraband.eql.reference.values import Value, read


class Outcome(Enum):
    """What a condition makes of an event."""

    MATCH = "match"
    NO_MATCH = "no match"


@dataclass(frozen=True, slots=True)
class Failed:
    """A value could not be computed (`number("x")`, division by zero)."""

    reason: str


def meets(condition: Condition, event: Mapping[str, object]) -> Outcome | Failed:
    """Whether the event meets the condition."""
    match condition:
        case Always():
            return Outcome.MATCH
        case Never():
            return Outcome.NO_MATCH
        case Not(operand=operand):
            return _negated(meets(operand, event))
        case And(operands=operands):
            return _decided((meets(operand, event) for operand in operands), Outcome.NO_MATCH, Outcome.MATCH)
        case Or(operands=operands):
            return _decided((meets(operand, event) for operand in operands), Outcome.MATCH, Outcome.NO_MATCH)
        case Leaf():
            return _leaf(condition, event)


def _negated(outcome: Outcome | Failed) -> Outcome | Failed:
    match outcome:
        case Outcome.MATCH:
            return Outcome.NO_MATCH
        case Outcome.NO_MATCH:
            return Outcome.MATCH
        case Failed():
            return outcome


def _decided(outcomes: Iterable[Outcome | Failed], decisive: Outcome, otherwise: Outcome) -> Outcome | Failed:
    """The decisive outcome if any has it, else a failure if any has that."""
    seen = list(outcomes)
    if decisive in seen:
        return decisive
    return next((outcome for outcome in seen if isinstance(outcome, Failed)), otherwise)


def _leaf(leaf: Leaf, event: Mapping[str, object]) -> Outcome | Failed:
    """A match if any combination of values makes the test true, each mention of a field looping on its own."""
    loops = [field_values(event, field) or [None] for field in mentions(leaf.test)]
    failure: Failed | None = None
    for combination in product(*loops):
        try:
            if evaluate(leaf.test, combination) is True:
                return Outcome.MATCH
        except EvaluationError as error:
            failure = failure or Failed(str(error))
    return failure or Outcome.NO_MATCH


def field_values(event: Mapping[str, object], field: FieldRef) -> list[Value]:
    """The values that a field has in an event; what cannot be read as its type is none."""
    return [
        value for raw in raw_values(event, field.path) if (value := read(raw, field.type, field.formats)) is not None
    ]
