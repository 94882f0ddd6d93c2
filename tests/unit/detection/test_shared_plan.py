"""What rules share, and which are nearest to an event."""

from __future__ import annotations

from contraband.detection.compiled import compile_rules
from contraband.detection.nearest import nearest
from contraband.detection.packages import load_package
from contraband.detection.rules import Rule, Severity
from contraband.detection.shared_plan import shared_plan


def rule(name: str, query: str) -> Rule:
    return Rule(name, name, query, Severity.LOW, 21, (), {}, {}, None, name)


RULES = [
    rule("one", 'process where process.name == "curl" and process.parent.name : "dpkg"'),
    rule("two", 'process where process.name == "curl" and process.args : "-s*" and user.name == "root"'),
    rule("three", 'file where file.path like "/etc/*"'),
    rule(
        "four",
        'sequence by host.id [process where process.name == "sh"] '
        '[network where destination.ip == "10.0.0.1" and process.name == "curl"]',
    ),
    rule("never", "process where false"),
]
EVENT = {
    "event.category": "process",
    "process.name": "curl",
    "process.parent.name": "bash",
    "process.args": ["curl", "-s"],
    "user.name": "root",
}


def test_rules_by_the_number_of_terms_that_the_event_misses() -> None:
    compiled, problems = compile_rules(RULES)
    assert not problems
    near = nearest(compiled, EVENT)
    assert [(entry.rule.id, len(entry.missed)) for entry in near] == [("two", 0), ("one", 1), ("four", 1), ("three", 2)]
    assert near[1].missed[0].line() == 'process.parent.name : "dpkg"    <- process.parent.name = bash'
    assert (near[2].stage, near[2].stages) == (1, 2)
    assert near[1].as_data()["missed"][0]["values"] == {"process.parent.name": ["bash"]}


def test_terms_are_counted_by_the_rules_that_have_them() -> None:
    compiled, _ = compile_rules(RULES)
    plan = shared_plan(compiled)
    rules = {term.text: term.rules for term in plan.terms}
    assert rules['process.name:keyword == "curl"'] == 3
    assert rules['event.category:keyword == "process"'] == 3
    assert rules['file.path:keyword is like "/etc/*"'] == 1
    costs = {cost.rule_id: cost for cost in plan.rules}
    assert (costs["one"].terms, costs["one"].own_terms) == (3, 1)
    assert costs["never"].cost == 0
    # Equal parts of every term add up to all terms.
    total = sum(term.cost for term in plan.terms)
    assert abs(sum(cost.shared_cost for cost in plan.rules) - total) < len(plan.rules) * 0.1


def test_terms_of_the_package_have_their_words() -> None:
    compiled, _ = compile_rules(load_package().rules)
    plan = shared_plan(compiled)
    assert len(plan.rules) == len(compiled)
    assert not [term.text for term in plan.terms if not term.text]
    words = {term.text for term in plan.terms}
    assert 'event.category:keyword == "process"' in words
    assert plan.terms[0].rules >= plan.terms[-1].rules
    assert plan.no_filter_because is None
    assert plan.literals or plan.together
