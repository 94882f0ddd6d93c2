"""Which rules an event nearly matches, and the terms that it missed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contraband.detection.compiled import Compiled
from contraband.detection.rules import Rule
from contraband.eql.analysis.checked import Condition, Leaf, QueryKind
from contraband.eql.reference.explain import Told, misses, tell


@dataclass(frozen=True, slots=True)
class Near:
    """A rule, and the fewest terms of it that would have to come out otherwise; none if the event meets it."""

    rule: Rule
    stage: int | None
    """Of a sequence or sample, the stage that the event is nearest to, from 1; None for a rule on single events."""
    stages: int
    terms: int
    """How many terms the condition has."""
    missed: tuple[Told, ...]

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "rule_id": self.rule.id,
            "rule": self.rule.name,
            "severity": str(self.rule.severity),
            **({} if self.stage is None else {"stage": self.stage, "stages": self.stages}),
            "terms": self.terms,
            "missed": [term.as_data() for term in self.missed],
        }


def nearest(compiled: Iterable[Compiled], event: Mapping[str, object]) -> list[Near]:
    """Every rule that the event could meet, nearest first: by terms missed, then by how much of the rule held, then by name.

    A sequence stands with the stage that the event is nearest to. Index patterns and exceptions are not looked at.
    """
    found = [near for entry in compiled if (near := _near(entry, event)) is not None]
    return sorted(found, key=lambda near: (len(near.missed), near.missed and -near.terms, near.rule.name, near.rule.id))


def _near(compiled: Compiled, event: Mapping[str, object]) -> Near | None:
    query, source = compiled.query, compiled.rule.query
    best: tuple[int, tuple[Leaf, ...]] | None = None
    for number, stage in enumerate(query.stages):
        if stage.missing or (missed := misses(stage.condition, event)) is None:
            continue
        if best is None or len(missed) < len(best[1]):
            best = (number, missed)
    if best is None:
        return None
    number, missed = best
    return Near(
        compiled.rule,
        None if query.kind is QueryKind.EVENT else number + 1,
        len(query.stages),
        _count(query.stages[number].condition),
        tuple(tell(leaf, event, source) for leaf in missed),
    )


def _count(condition: Condition) -> int:
    if isinstance(condition, Leaf):
        return 1
    if hasattr(condition, "operands"):
        return sum(map(_count, condition.operands))
    return _count(condition.operand) if hasattr(condition, "operand") else 0
