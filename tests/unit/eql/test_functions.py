"""Every example of every function gives what it says, on the reference and on the core."""

from __future__ import annotations

import pytest

from contraband.engine import search
from contraband.eql import compile_query
from contraband.eql.functions import FUNCTIONS
from contraband.eql.reference import evaluate

EXAMPLES = [
    pytest.param(example.expression, example.result, id=example.expression)
    for function in FUNCTIONS.values()
    for example in function.examples
]
EVENT = {"@timestamp": "2026-01-01T00:00:00Z", "n": None, "one": 1}


def _literal(value: object) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return str(value).lower() if isinstance(value, bool) else repr(value)


@pytest.mark.parametrize(("expression", "result"), EXAMPLES)
def test_example(expression: str, result: object) -> None:
    test = f"({expression}) == null" if result is None else f"({expression}) == {_literal(result)}"
    query = compile_query(f"any where {test}")
    assert evaluate(query, [EVENT]).events == (0,)
    assert len(search(query, [EVENT]).events) == 1


def test_there_are_examples_of_every_function() -> None:
    assert not [name for name, function in FUNCTIONS.items() if not function.examples and name != "cidrMatch"]
