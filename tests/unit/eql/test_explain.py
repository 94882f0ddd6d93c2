"""Why events complete a sequence or sample or not: each reason, told from what the search did."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contraband.eql import compile_query
from contraband.eql.reference import evaluate
from contraband.eql.reference.explain import misses, tell
from contraband.eql.reference.explain_search import SearchTold, duration, tell_search

SEQUENCE = (
    "sequence by host.id with maxspan=10s [process where process.name == 'a'] [process where process.name == 'b'] "
    "until [process where process.name == 'u']"
).replace("'", '"')


def event(second: float, name: str, host: Any = "h", **more: Any) -> dict[str, Any]:
    found = {"event.category": "process", "process.name": name, "@timestamp": 1767225600000 + round(second * 1000)}
    return found | ({} if host is None else {"host.id": host}) | more


def told(query: str, *events: dict[str, Any]) -> SearchTold:
    compiled = compile_query(query)
    answer = tell_search(compiled, events, query)
    # What is told is what the search finds, and all of it can be written.
    found = evaluate(compiled, events).sequences
    assert [tuple(numbers) for _, numbers in answer.found] == [sequence.events for sequence in found]
    json.dumps(answer.as_data())
    assert "\n".join(answer.lines())
    return answer


def reasons(answer: SearchTold) -> list[str]:
    return [finding.what for finding in answer.because]


def test_a_complete_sequence_has_no_reason() -> None:
    answer = told(SEQUENCE, event(0, "a"), event(10, "b"))
    assert reasons(answer) == []
    assert answer.found == ((("h",), (0, 1)),)
    assert [step.what for step in answer.steps] == ["fills", "completes"]


def test_no_key() -> None:
    answer = told(SEQUENCE, event(0, "a"), event(5, "b", host=None))
    (reason, waiting) = answer.because
    assert (reason.what, reason.event, reason.details["fields"]) == ("no_key", 1, ["host.id"])
    assert waiting.what == "unfinished"
    assert waiting.details["events"] == [0]


def test_another_key() -> None:
    answer = told(SEQUENCE, event(0, "a"), event(5, "b", host="other"))
    assert reasons(answer) == ["other_key", "unfinished"]
    assert 'nothing with host.id = "other" waits after stage 1, only host.id = "h"' in answer.because[0].text


def test_maxspan_by_how_much() -> None:
    answer = told(SEQUENCE, event(0, "a"), event(12.5, "b"))
    (reason,) = answer.because
    assert reason.what == "maxspan"
    assert reason.details["over_ns"] == 2_500_000_000
    assert "12.5 s after event 0, 2.5 s more than maxspan=10 s" in reason.text


def test_maxspan_is_inclusive_and_counts_from_the_first_event() -> None:
    query = SEQUENCE.replace(" until", ' [process where process.name == "c"] until')
    assert told(query, event(0, "a"), event(5, "b"), event(10, "c")).found
    (reason,) = told(query, event(0, "a"), event(9, "b"), event(10.001, "c")).because
    assert reason.details["over_ns"] == 1_000_000
    assert reason.details["given_up"] == [0, 1]


def test_until() -> None:
    answer = told(SEQUENCE, event(0, "a"), event(1, "u"), event(2, "b"))
    assert reasons(answer) == ["until", "nothing_before"]
    assert answer.because[0].details["given_up"] == [[0]]


def test_until_of_another_key_does_not_matter() -> None:
    assert reasons(told(SEQUENCE, event(0, "a"), event(1, "u", host="other"), event(2, "b"))) == []


def test_overwritten_by_a_newer_event() -> None:
    query = SEQUENCE.replace(" until", ' [process where process.name == "c"] until')
    answer = told(query, event(0, "a"), event(1, "b"), event(2, "a"), event(3, "b"))
    assert reasons(answer) == ["missing_stage", "overwritten", "unfinished"]
    assert answer.because[1].details["given_up"] == [0, 1]
    assert answer.because[1].details["by"] == [2, 3]
    assert answer.because[2].details["events"] == [2, 3]


def test_a_missing_stage_names_the_nearest_event_and_what_it_misses() -> None:
    answer = told(SEQUENCE, event(0, "a"), event(1, "x"))
    assert reasons(answer) == ["missing_stage", "unfinished"]
    assert answer.because[0].details["stage"] == 2
    assert answer.because[0].details["misses"][0]["values"] == {"process.name": ["a"]}


def test_the_wrong_order() -> None:
    assert reasons(told(SEQUENCE, event(0, "b"), event(1, "a"))) == ["nothing_before", "unfinished"]


def test_an_event_without_a_time() -> None:
    late = event(0, "b")
    del late["@timestamp"]
    answer = told(SEQUENCE, event(0, "a"), late)
    assert reasons(answer) == ["no_time", "unfinished"]
    assert answer.because[0].details["events"] == [1]


@pytest.mark.parametrize(
    ("query", "events", "stage"),
    [
        ("[any where n == 1] ![any where n == 2] [any where n == 3]", [(0, 1), (1, 2), (2, 3)], 2),
        ("![any where n == 2] [any where n == 1] [any where n == 3]", [(0, 2), (1, 1), (2, 3)], 1),
        ("[any where n == 1] [any where n == 3] ![any where n == 2]", [(0, 1), (1, 3), (2, 2)], 3),
    ],
)
def test_an_event_that_must_be_missing(query: str, events: list[tuple[int, int]], stage: int) -> None:
    answer = told(f"sequence with maxspan=10s {query}", *(event(second, "x", n=n) for second, n in events))
    (reason,) = answer.because
    assert (reason.what, reason.details["stage"]) == ("unwanted", stage)


def test_runs_are_told_as_runs() -> None:
    answer = told('sequence [any where process.name == "a"] with runs=2 [any where process.name == "b"]', event(0, "a"))
    assert "fills stage 1 (run 1 of 2)" in "\n".join(answer.lines())


def test_a_condition_that_cannot_be_computed_is_told() -> None:
    query = 'sequence [any where number(process.name) > 1] [any where process.name == "b"]'
    compiled = compile_query(query)
    text = "\n".join(tell_search(compiled, [event(0, "zero")], query).lines())
    assert "cannot be computed" in text


def test_samples_tell_what_each_key_has() -> None:
    query = 'sample by host.id [any where process.name == "a"] [any where process.name == "b"]'
    answer = told(query, event(0, "a", host="one"), event(0, "b", host="two"), event(0, "b", host=None))
    assert reasons(answer) == ["no_key", "key_lacks_stage", "key_lacks_stage"]
    assert answer.because[1].details == {"key": ["one"], "events": [[0], []], "stages": [2]}


def test_one_event_cannot_fill_two_stages_of_a_sample() -> None:
    query = 'sample by host.id [any where process.name == "a"] [any where process.name : "A"]'
    assert reasons(told(query, event(0, "a"))) == ["not_distinct"]
    assert reasons(told(query, event(0, "a"), event(0, "a"))) == []


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("process.name == 'a' and process.pid == 1", []),
        ("process.name == 'x' and process.pid == 1", ["process.name == 'x'"]),
        ("process.name == 'x' and process.pid == 2", ["process.name == 'x'", "process.pid == 2"]),
        ("process.name == 'x' or process.pid == 2 and process.name == 'y'", ["process.name == 'x'"]),
        ("not (process.name == 'a' or process.pid == 1)", ["process.name == 'a'", "process.pid == 1"]),
        ("not (process.name == 'a' and process.pid == 1)", ["process.name == 'a'"]),
        ("not process.name == 'a' and not process.pid == 2", ["process.name == 'a'"]),
    ],
)
def test_the_fewest_terms_that_are_missing(condition: str, expected: list[str]) -> None:
    query = f"any where {condition}".replace("'", '"')
    leaves = misses(compile_query(query).stages[0].condition, event(0, "a", **{"process.pid": 1}))
    assert leaves is not None
    assert [query[leaf.span.start : leaf.span.end].replace('"', "'") for leaf in leaves] == expected


def test_what_nothing_can_meet_has_no_missing_terms() -> None:
    assert misses(compile_query("any where false").stages[0].condition, {}) is None


def test_a_told_condition_as_lines_and_data() -> None:
    query = 'any where process.name == "a" and not process.args : "-x"'
    found = tell(compile_query(query).stages[0].condition, event(0, "a", **{"process.args": ["-x", "-y"]}), query)
    assert list(found.lines()) == [
        "- all of",
        '+   process.name == "a"    <- process.name = a',
        "-   not",
        '+     process.args : "-x"    <- process.args = -x, -y',
    ]
    assert found.as_data()["operands"][1]["operands"][0] == {
        "kind": "term",
        "outcome": "held",
        "term": 'process.args : "-x"',
        "values": {"process.args": ["-x", "-y"]},
    }


def test_durations() -> None:
    assert [duration(number) for number in (0, 1, 1_500_000_000, 60_000_000_000, 90_061_000_000_000)] == [
        "0 s",
        "0.000000001 s",
        "1.5 s",
        "1 m",
        "1 d 1 h 1 m 1 s",
    ]
