"""`evaluate`: a checked query over events, slowly and obviously. What it gives is what the query means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from contraband.eql.analysis.checked import CheckedQuery, Never, PipeKind, QueryKind, Stage
from contraband.eql.functions import EvaluationError
from contraband.eql.reference.conditions import Failed, Outcome, meets
from contraband.eql.reference.keys import Reported, reported, reported_in_sample
from contraband.eql.reference.order import Placed, in_order
from contraband.eql.reference.pipes import limited
from contraband.eql.reference.samples import find_samples
from contraband.eql.reference.sequences import Found, find_sequences


@dataclass(frozen=True, slots=True)
class FoundSequence:
    """A sequence or sample: its key, and the number of each event in order of arrival (None for a missing event)."""

    join_keys: tuple[Reported, ...]
    events: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What a search found: `events` of an event query, else `sequences`."""

    events: tuple[int, ...] = ()
    sequences: tuple[FoundSequence, ...] = ()


def evaluate(
    query: CheckedQuery,
    events: Iterable[Mapping[str, object]],
    *,
    size: int | None = None,
    result_position: PipeKind | str = PipeKind.TAIL,
    max_samples_per_key: int = 1,
) -> Result:
    """What Elasticsearch would answer.

    Events are documents as `json.loads` gives them; results name them by their number from 0 in order of arrival.
    Raises `EvaluationError` when a condition fails on any event (`number("x")`, whole-number division by zero).
    """
    position = PipeKind(result_position)
    if any(not stage.missing and isinstance(stage.condition, Never) for stage in query.stages):
        return Result()
    ordered = in_order(list(events), query)
    matches = _Matches(query, ordered)
    match query.kind:
        case QueryKind.EVENT:
            hits = [event for event in ordered if matches(query.stages[0], event)]
            kept = limited(hits, query.pipes, size=size, result_position=position)
            return Result(events=tuple(event.index for event in kept))
        case QueryKind.SEQUENCE:
            found = find_sequences(query, ordered, matches)
            found = limited(found, query.pipes, size=size, result_position=position)
            return Result(sequences=tuple(FoundSequence(reported(match.key), _numbers(match)) for match in found))
        case QueryKind.SAMPLE:
            found = find_samples(query, ordered, matches, max_samples_per_key=max_samples_per_key)
            samples = found if size is None else found[:size]
            return Result(
                sequences=tuple(FoundSequence(reported_in_sample(match.key), _numbers(match)) for match in samples)
            )


def _numbers(match: Found) -> tuple[int | None, ...]:
    return tuple(None if event is None else event.index for event in match.events)


class _Matches:
    """Which events meet the condition of which stage, looked up rather than computed again and again."""

    def __init__(self, query: CheckedQuery, events: Iterable[Placed]) -> None:
        stages = [*query.stages, *([query.until] if query.until is not None else [])]
        events = list(events)
        self._met = {id(stage): {event.index for event in events if _met(stage, event)} for stage in stages}

    def __call__(self, stage: Stage, event: Placed) -> bool:
        return event.index in self._met[id(stage)]


def _met(stage: Stage, event: Placed) -> bool:
    outcome = meets(stage.condition, event.document)
    if isinstance(outcome, Failed):
        raise EvaluationError(outcome.reason)
    return outcome is Outcome.MATCH
