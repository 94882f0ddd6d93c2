"""Why an event meets a condition or not: the tree of the condition, each term with the values that it met and whether it held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contraband.eql.analysis.checked import Always, And, Condition, Leaf, Never, Not, Or
from contraband.eql.reference.conditions import Failed, Outcome, field_values, meets
from contraband.eql.reference.scalars import mentions
from contraband.eql.reference.values import plain, text_of

_MARKS = {"held": "+", "not held": "-", "failed": "!"}


@dataclass(frozen=True, slots=True)
class Told:
    """One node of a condition, and what it came to: `held`, `not held` or `failed` (it could not be computed)."""

    kind: str
    """`all of`, `any of`, `not`, `term`, `true` or `never`."""
    outcome: str
    text: str = ""
    """Of a term: as the query has it."""
    values: tuple[tuple[str, tuple[Any, ...], str], ...] = ()
    """Of a term: (field, its values, the values as text) for each field that it mentions."""
    reason: str = ""
    """Why a term could not be computed."""
    operands: tuple[Told, ...] = ()

    @property
    def mark(self) -> str:
        """`+` held, `-` did not, `!` could not be computed."""
        return _MARKS[self.outcome]

    @property
    def met(self) -> str:
        """Of a term: the values that it met, and why it could not be computed."""
        values = "; ".join(f"{field} = {shown}" for field, _, shown in self.values)
        return values + (f" ({self.reason})" if self.reason else "")

    def line(self) -> str:
        """A term with the values that it met; of another node what it is."""
        return f"{self.text}    <- {self.met}" if self.kind == "term" else self.kind

    def lines(self, depth: int = 0) -> Iterator[str]:
        """One line a node: its mark, and the node."""
        yield f"{self.mark} {'  ' * depth}{self.line()}"
        for operand in self.operands:
            yield from operand.lines(depth + 1)

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        data: dict[str, Any] = {"kind": self.kind, "outcome": self.outcome}
        if self.kind == "term":
            data |= {"term": self.text, "values": {field: list(values) for field, values, _ in self.values}}
        if self.reason:
            data["reason"] = self.reason
        if self.operands:
            data["operands"] = [operand.as_data() for operand in self.operands]
        return data


def tell(condition: Condition, event: Mapping[str, object], source: str) -> Told:
    """A condition over an event; `source` is the text that the condition's spans refer to."""
    found = meets(condition, event)
    outcome = "failed" if isinstance(found, Failed) else "held" if found is Outcome.MATCH else "not held"
    match condition:
        case And(operands=operands):
            return Told("all of", outcome, operands=_each(operands, event, source))
        case Or(operands=operands):
            return Told("any of", outcome, operands=_each(operands, event, source))
        case Not(operand=operand):
            return Told("not", outcome, operands=_each((operand,), event, source))
        case Leaf():
            reason = found.reason if isinstance(found, Failed) else ""
            return Told("term", outcome, _text(condition, source), _values(condition, event), reason)
        case Always():
            return Told("true", outcome)
        case Never():
            return Told("never", outcome)


def explain_event(condition: Condition, event: Mapping[str, object], source: str) -> Iterator[str]:
    """The lines of `tell`."""
    return tell(condition, event, source).lines()


def misses(condition: Condition, event: Mapping[str, object]) -> tuple[Leaf, ...] | None:
    """The fewest terms that would have to come out otherwise for the event to meet the condition, in the order of the query.

    None if no outcome of any term would do.
    """
    return _changes(condition, event, wanted=True)


def _changes(condition: Condition, event: Mapping[str, object], *, wanted: bool) -> tuple[Leaf, ...] | None:
    match condition:
        case Always():
            return () if wanted else None
        case Never():
            return None if wanted else ()
        case Not(operand=operand):
            return _changes(operand, event, wanted=not wanted)
        case Leaf():
            return () if meets(condition, event) is (Outcome.MATCH if wanted else Outcome.NO_MATCH) else (condition,)
        case And(operands=operands) | Or(operands=operands):
            parts = [_changes(operand, event, wanted=wanted) for operand in operands]
            possible = [part for part in parts if part is not None]
            if isinstance(condition, And) is not wanted:  # one operand decides
                return min(possible, key=len, default=None)
            if len(possible) < len(parts):
                return None
            return tuple(dict.fromkeys(leaf for part in possible for leaf in part))


def _each(operands: Iterable[Condition], event: Mapping[str, object], source: str) -> tuple[Told, ...]:
    return tuple(tell(operand, event, source) for operand in operands)


def _text(leaf: Leaf, source: str) -> str:
    return " ".join(source[leaf.span.start : leaf.span.end].split())


def _values(leaf: Leaf, event: Mapping[str, object]) -> tuple[tuple[str, tuple[Any, ...], str], ...]:
    fields = {(field.path, field.type): field for field in mentions(leaf.test)}
    found = []
    for field in fields.values():
        values = field_values(event, field)
        shown = ", ".join(str(text_of(value)) for value in values) if values else "no value"
        found.append((field.path, tuple(map(plain, values)), shown))
    return tuple(found)
