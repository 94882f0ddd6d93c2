"""What is told of a sequence is what the evaluator finds; where it finds nothing, a reason is given."""

from __future__ import annotations

import json

import pytest

from contraband.eql import compile_query
from contraband.eql.reference import evaluate
from contraband.eql.reference.explain_search import tell_search

from .test_sequences_stage_by_stage import SCHEMA, make_problem

BLOCK = 100


@pytest.mark.parametrize("block", range(4))
def test_told_as_evaluated(block: int) -> None:
    for number in range(block * BLOCK, (block + 1) * BLOCK):
        problem = make_problem(number)
        query = compile_query(problem.query, SCHEMA)
        told = tell_search(query, problem.events, problem.query)
        found = evaluate(query, problem.events).sequences
        assert [events for _, events in told.found] == [sequence.events for sequence in found], number
        assert bool(told.because) is not bool(told.found), number
        assert json.loads(json.dumps(told.as_data()))["steps"] == [step.as_data() for step in told.steps]
        assert "\n".join(told.lines())
