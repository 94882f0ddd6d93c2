"""Sequences by another road: stage by stage over whole lists, with no machine and no code of the reference or the core.

An event that meets stage j takes the newest unfinished match of stage j - 1 before it, if no event in between has taken it and
`until` has not come between.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import pytest

from contraband.engine import search
from contraband.eql import compile_query
from contraband.eql.reference import evaluate
from contraband.schema import Schema

SCHEMA = Schema.from_types(
    {"@timestamp": "date", "event.category": "keyword", "seq": "long", "k": "keyword", "n": "long", "u": "boolean"}
)
START = 1704067200000


@dataclass(frozen=True)
class Problem:
    stages: tuple[str, ...]  # letters that the stage's event may have
    key: str  # "", "n" or "?n"
    maxspan_ms: int | None
    until: bool
    events: tuple[dict[str, Any], ...]

    @property
    def query(self) -> str:
        head = "sequence" + (f" by {self.key}" if self.key else "")
        head += f" with maxspan={self.maxspan_ms}ms" if self.maxspan_ms else ""
        stages = " ".join(
            f"[any where k in ({', '.join(repr(letter) for letter in letters)})]" for letters in self.stages
        ).replace("'", '"')
        return f"{head} {stages}" + (" until [any where u]" if self.until else "")


def make_problem(number: int) -> Problem:
    dice = random.Random(number)
    letters = "abc"
    stages = tuple("".join(dice.sample(letters, dice.choice([1, 1, 2, 3]))) for _ in range(dice.choice([2, 2, 3, 4])))
    events = []
    for _ in range(dice.randrange(4, 16)):
        event: dict[str, Any] = {"@timestamp": START + dice.randrange(0, 12), "k": dice.choice(letters)}
        keys: list[Any] = [1, 1, 1, 2, 2, [1, 2], [2, 1, 1], None]
        event |= {"n": dice.choice(keys), "seq": dice.choice([0, 1, 2, None]), "u": dice.random() < 0.15}
        events.append(event)
    maxspan = dice.choice([None, 1, 3, 6])
    return Problem(stages, dice.choice(["", "n", "?n"]), maxspan, dice.random() < 0.5, tuple(events))


def keys_of(event: dict[str, Any], key: str) -> list[Any]:
    values = event["n"] if isinstance(event["n"], list) else [event["n"]]
    return [()] if not key else sorted({value for value in values if value is not None}) or [None] * key.startswith("?")


def solve(problem: Problem) -> list[tuple[list[Any], list[int]]]:
    def place(number: int) -> tuple[Any, ...]:
        event = problem.events[number]
        return event["@timestamp"], event["seq"] is None, event["seq"] or 0, number

    order = sorted(range(len(problem.events)), key=place)
    events = [problem.events[number] for number in order]
    results = []
    for key in {key for event in events for key in keys_of(event, problem.key)}:
        having = [key in keys_of(event, problem.key) for event in events]
        ends = [at for at, event in enumerate(events) if problem.until and event["u"] and having[at]]
        for chain in chains(problem, events, having, ends):
            results.append((chain[-1], str(key), key, chain))
    results.sort(key=lambda result: result[:2])
    return [([] if key == () else [key], [order[at] for at in chain]) for _, _, key, chain in results]


def chains(
    problem: Problem, events: list[dict[str, Any]], having: list[bool], ends: list[int]
) -> list[tuple[int, ...]]:
    def meeting(stage: int) -> list[int]:
        return [at for at, event in enumerate(events) if having[at] and event["k"] in problem.stages[stage]]

    unfinished = {at: (at,) for at in meeting(0)}
    for stage in range(1, len(problem.stages)):
        takers = meeting(stage)
        longer = {}
        for at in takers:
            newest = max((before for before in unfinished if before < at), default=None)
            if (
                newest is None
                or any(newest < other < at for other in takers)
                or any(newest <= end < at for end in ends)
            ):
                continue
            chain = (*unfinished[newest], at)
            span = events[at]["@timestamp"] - events[chain[0]]["@timestamp"]
            if problem.maxspan_ms is None or span <= problem.maxspan_ms:
                longer[at] = chain
        unfinished = longer
    return list(unfinished.values())


@pytest.mark.parametrize("block", range(10))
def test_both_evaluators_find_what_the_lists_give(block: int) -> None:
    found = 0
    for number in range(block * 100, block * 100 + 100):
        problem = make_problem(number)
        expected = solve(problem)
        found += len(expected)
        query = compile_query(problem.query, SCHEMA, tiebreaker_field="seq")
        reference = evaluate(query, problem.events)
        assert [(list(match.join_keys), list(match.events)) for match in reference.sequences] == expected, problem.query
        events = [dict(event) for event in problem.events]
        numbers = {id(event): at for at, event in enumerate(events)}
        core = [
            (list(keys), [numbers[id(event)] for event in members]) for keys, members in search(query, events).sequences
        ]
        assert core == expected, problem.query
    assert found > 50
