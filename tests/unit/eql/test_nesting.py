"""The deepest queries that the language accepts are plans that the core accepts."""

from __future__ import annotations

import pytest

from contraband.diagnostics import CompileError
from contraband.engine import search
from contraband.eql import compile_query
from contraband.eql.reference import evaluate

SHAPES = {
    "not": lambda depth: "any where " + "not (" * depth + "n == 1" + ")" * depth,
    "functions": lambda depth: "any where " + "concat(" * depth + "f" + ")" * depth + ' == "a"',
    "arithmetic": lambda depth: "any where " + "(1 + " * depth + "n" + ")" * depth + f" == {depth + 1}",
    "negation": lambda depth: "any where " + "-(" * (depth * 2) + "n" + ")" * (depth * 2) + " == 1",
    "and in or": lambda depth: "any where " + "(n == 1 and (n == 2 or " * depth + "n == 1" + "))" * depth,
    "stages": lambda depth: "sequence [any where " + "not (" * depth + "n == 1" + ")" * depth + "] [any where true]",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_deepest_query_runs_on_both(shape: str) -> None:
    accepted = []
    for depth in range(2, 110, 2):
        try:
            accepted.append(compile_query(SHAPES[shape](depth)))
        except CompileError as error:
            assert "nested more than" in error.render()
            break
    else:
        pytest.fail("nothing is nested too deeply")
    assert len(accepted) > 10
    events = [{"@timestamp": "2024-01-01", "n": 1, "f": "a"}, {"@timestamp": "2024-01-02", "n": 1, "f": "a"}]
    query = accepted[-1]
    expected = evaluate(query, events)
    found = search(query, events)
    assert len(found.events) == len(expected.events)
    assert len(found.sequences) == len(expected.sequences)
    assert found.events or found.sequences
