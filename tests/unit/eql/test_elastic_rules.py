"""Every EQL rule that Elastic publishes compiles, prints to a fixed point, and loads into the core."""

from __future__ import annotations

import pytest

from contraband.detection.compiled import compile_rules
from contraband.detection.rules import load
from contraband.detection.scan import prepare
from contraband.eql import parse
from contraband.eql.syntax import print_statement
from contraband.plan import lower, read_plan
from shared import shared_path


@pytest.fixture(scope="module")
def loaded():
    return load(shared_path("elastic-rules/rules"))


def test_all_compile(loaded) -> None:
    compiled, problems = compile_rules(loaded.rules)
    assert [str(problem) for problem in (*loaded.problems, *problems)] == []
    assert len(compiled) == 1011
    assert sum(loaded.passed_over.values()) == 2064 - 1011


def test_printing_is_a_fixed_point(loaded) -> None:
    for rule in loaded.rules:
        tree = parse(rule.query)
        assert parse(print_statement(tree)) == tree, rule.name
        assert print_statement(parse(print_statement(tree))) == print_statement(tree), rule.name


def test_plans_are_read_as_they_are_written(loaded) -> None:
    compiled, _ = compile_rules(loaded.rules)
    for entry in compiled:
        plan = lower(entry.query)
        assert read_plan(plan.to_json()) == plan, entry.rule.name


def test_the_core_loads_all_of_them_at_once(loaded) -> None:
    prepared = prepare(loaded, deprecated=True)
    assert len(prepared.rules) == 1011
    assert prepared.engine.explain()["rules"] == 1011
