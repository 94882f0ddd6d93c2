"""The reference and a third evaluator agree on generated conditions; what the three share is the parser only."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from contraband.diagnostics import CompileError
from contraband.eql import compile_query
from contraband.eql.reference import EvaluationError, evaluate
from contraband.eql.syntax import ast
from contraband.eql.syntax.parser import parse
from contraband.schema import Schema

from .another import Evaluator, Fails, Refused
from .generator import TEXTS, Maker

CASES = 1_500
TYPES = {
    "k": "keyword",
    "a.k": "keyword",
    "w": "wildcard",
    "b.c.d": "keyword",
    "n": "long",
    "x": "double",
    "ok": "boolean",
}
VALUES: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("k", "a.k", "w", "b.c.d"), TEXTS),
    "n": (0, 1, 2, 3, -1, 5, 9223372036854775807),
    "x": (0.5, 2.0, -0.0, 0.0, 4.5, 1e22, 1e-7, 123456.789),
    "ok": (True, False),
}
SCHEMA = Schema.from_types(TYPES | {"@timestamp": "date", "event.category": "keyword"})
FAILS = "the search fails"


class _PlainMaker(Maker):
    """Conditions over the fields that the third evaluator knows."""

    def leaf(self) -> str:
        return self.plain_leaf()


def test_reference_and_a_third_evaluator_agree() -> None:
    counts: Counter[str] = Counter()
    for number in range(CASES):
        maker = _PlainMaker(random.Random(f"another {number}"))
        query = f"any where {maker.condition(3)}"
        events = [_event(maker) for _ in range(6)]
        try:
            expected = _by_another(query, events)
            found = _by_reference(query, events)
        except (CompileError, Refused):
            counts["left out"] += 1
            continue
        assert found == expected, f"case {number}: {query}\n" + "\n".join(map(str, events))
        counts["fails" if found == FAILS else "found" if found else "empty"] += 1
    assert counts["found"] > CASES / 4, "the comparison says something only while many conditions hold"
    assert counts["empty"] > CASES / 10
    assert counts["fails"] > 5


def _event(maker: Maker) -> dict[str, Any]:
    return {name: maker.several(values) for name, values in VALUES.items() if maker.chance(0.7)}


def _by_another(query: str, events: list[dict[str, Any]]) -> Any:
    statement = parse(query).query
    assert isinstance(statement, ast.EventQuery)
    evaluator = Evaluator(statement.filter.condition, TYPES)
    try:
        return [number for number, event in enumerate(events) if evaluator.matches(event)]
    except Fails:
        return FAILS


def _by_reference(query: str, events: list[dict[str, Any]]) -> Any:
    try:
        return list(evaluate(compile_query(query, SCHEMA), events).events)
    except EvaluationError:
        return FAILS
