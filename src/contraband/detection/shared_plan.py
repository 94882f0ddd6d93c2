"""What a set of rules has in common once it is joined: terms and who has them, how conditions are reached, what each rule costs.

The core joins the rules and estimates the costs; this puts the words of the queries to its numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from contraband.detection.compiled import Compiled, engine_rule
from contraband.engine import Engine
from contraband.eql.analysis.checked import And, CheckedQuery, Condition, Leaf, Not, Or
from contraband.eql.analysis.printer import print_scalar


@dataclass(frozen=True, slots=True)
class SharedTerm:
    """A distinct term, evaluated at most once an event."""

    text: str
    rules: int
    cost: int
    """Estimated, in units of one hash look-up."""


@dataclass(frozen=True, slots=True)
class RuleCost:
    """What a rule adds, estimated without looking at any event."""

    rule_id: str
    name: str
    cost: float
    """All its terms, in units of one hash look-up."""
    shared_cost: float
    """The same, each term in equal parts to the rules that have it."""
    terms: int
    own_terms: int
    """Terms that no other rule has."""
    conditions: tuple[dict[str, Any], ...]
    """For each stage how many terms over which single fields decide it, those of the bucket's fields apart, or whether it is tried for every event."""

    @property
    def always_tried(self) -> bool:
        """Whether some condition of it has no term that the values of one field decide."""
        return any(condition["tried_for_every_event"] for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class SharedPlan:
    """A joined set of rules. `literals` are what the raw filter looks for; a line with something of each list of one entry of `together`
    is read as well; `no_filter_because` says why it looks for nothing.
    """

    terms: tuple[SharedTerm, ...]
    rules: tuple[RuleCost, ...]
    fields: int
    bucket_fields: tuple[str, ...]
    literals: tuple[str, ...]
    together: tuple[tuple[tuple[str, ...], ...], ...]
    no_filter_because: str | None

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "rules": [
                {
                    "rule_id": rule.rule_id,
                    "rule": rule.name,
                    "estimated_cost": rule.cost,
                    "estimated_shared_cost": rule.shared_cost,
                    "terms": rule.terms,
                    "own_terms": rule.own_terms,
                    "conditions": list(rule.conditions),
                }
                for rule in self.rules
            ],
            "terms": [{"term": term.text, "rules": term.rules, "estimated_cost": term.cost} for term in self.terms],
            "fields": self.fields,
            "bucket_fields": list(self.bucket_fields),
            "literals": list(self.literals),
            "literals_together": [[list(part) for part in parts] for parts in self.together],
            "no_filter_because": self.no_filter_because,
        }


def shared_plan(compiled: Sequence[Compiled]) -> SharedPlan:
    """The joined set of these rules: terms by the number of rules that have them, rules by cost."""
    explained = Engine([engine_rule(entry) for entry in compiled]).explain()
    program = explained["program"]
    texts: dict[int, str] = {}
    for entry, rule in zip(compiled, program["rules"], strict=True):
        for number, leaf in zip(rule["mentions"], _leaves(entry.query), strict=False):  # exceptions come after
            texts.setdefault(number, print_scalar(leaf.test))
    uses = program["terms"]
    terms = [
        SharedTerm(texts.get(number, f"an exception on {term['field']}"), term["rules"], term["cost"])
        for number, term in enumerate(uses)
    ]
    costs = [
        RuleCost(
            rule["id"],
            entry.rule.name,
            rule["cost"],
            rule["shared_cost"],
            len(set(rule["mentions"])),
            sum(uses[number]["rules"] == 1 for number in set(rule["mentions"])),
            tuple(rule["conditions"] or ()),
        )
        for entry, rule in zip(compiled, program["rules"], strict=True)
    ]
    return SharedPlan(
        tuple(sorted(terms, key=lambda term: (-term.rules, -term.cost, term.text))),
        tuple(sorted(costs, key=lambda rule: (-rule.shared_cost, rule.name, rule.rule_id))),
        explained["fields"],
        tuple(program["bucket_fields"]),
        tuple(explained["literals"]),
        tuple(tuple(tuple(part) for part in parts) for parts in explained["literals_together"]),
        explained["no_filter_because"],
    )


def _leaves(query: CheckedQuery) -> Iterator[Leaf]:
    """The leaves in the order of the plan: the stages, then `until`."""
    for stage in (*query.stages, *(() if query.until is None else (query.until,))):
        yield from _leaves_of(stage.condition)


def _leaves_of(condition: Condition) -> Iterator[Leaf]:
    match condition:
        case Leaf():
            yield condition
        case And(operands=operands) | Or(operands=operands):
            for operand in operands:
                yield from _leaves_of(operand)
        case Not(operand=operand):
            yield from _leaves_of(operand)
        case _:
            return
