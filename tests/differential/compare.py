"""Runs a case on the reference and on the core, and says how they differ."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from contraband.diagnostics import CompileError
from contraband.engine import EngineOptions, SearchError, search
from contraband.eql import CheckedQuery, compile_query
from contraband.eql.reference import EvaluationError, evaluate
from contraband.schema import Schema

from .generator import FORMATS, SCHEMA, Case

_MAPPING = {name: {"type": kind} for name, kind in SCHEMA.items()}
_SCHEMA = Schema.from_mapping(
    {"properties": _MAPPING | {name: _MAPPING[name] | {"format": form} for name, form in FORMATS.items()}}
)
ENGINES = (
    EngineOptions(routing=False, chunk_size=1, read_size=7, threads=2, memory=300),
    EngineOptions(routing=False, filter=False, share=False, threads=1),
)
FAILS = "the search fails"


class Verdict(Enum):
    """What became of a case."""

    REJECTED = "the query is an error"
    FAILED = "the search fails on both"
    EMPTY = "no results on both"
    FOUND = "the same results on both"
    DIFFERENT = "different"


@dataclass(frozen=True)
class Outcome:
    """What became of a case, and what each evaluator said where they differ."""

    verdict: Verdict
    reference: Any = None
    core: Any = None


def run(case: Case) -> Outcome:
    """Compare the two evaluators on one case."""
    try:
        query = compile_query(case.query, _SCHEMA, tiebreaker_field=case.tiebreaker)
    except CompileError:
        return Outcome(Verdict.REJECTED)
    expected = by_reference(query, case)
    for engine in ENGINES:
        found = by_core(query, case, engine)
        if found != expected:
            return Outcome(Verdict.DIFFERENT, expected, found)
    if expected == FAILS:
        return Outcome(Verdict.FAILED)
    return Outcome(Verdict.FOUND if expected else Verdict.EMPTY)


def by_reference(query: CheckedQuery, case: Case) -> Any:
    """Event numbers, or (join keys, event numbers) of each sequence."""
    try:
        result = evaluate(query, case.events, **case.options)
    except EvaluationError:
        return FAILS
    return [*result.events, *((list(found.join_keys), list(found.events)) for found in result.sequences)]


def by_core(query: CheckedQuery, case: Case, engine: EngineOptions) -> Any:
    """The same from the core. Events are told apart by identity, as equal ones may occur."""
    events = [dict(event) for event in case.events]
    number = {id(event): at for at, event in enumerate(events)}
    try:
        result = search(query, events, options=engine, **case.options)
    except SearchError:
        return FAILS
    sequences = [
        (list(keys), [None if member is None else number[id(member)] for member in members])
        for keys, members in result.sequences
    ]
    return [*(number[id(event)] for event in result.events), *sequences]


def smallest(case: Case) -> Case:
    """The case with as few events and values as still show a difference."""
    shrinking = True
    while shrinking:
        shrinking = False
        for smaller in case.smaller():
            if smaller.events and run(smaller).verdict is Verdict.DIFFERENT:
                case, shrinking = smaller, True
                break
    return case


def report(number: int, case: Case) -> str:
    """A difference in its smallest form."""
    case = smallest(case)
    outcome = run(case)
    return f"case {number}\n{case}\nreference  {outcome.reference}\ncore       {outcome.core}"
