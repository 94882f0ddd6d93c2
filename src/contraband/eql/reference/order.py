"""The order of events: timestamp, then tiebreaker, then arrival. Events without a timestamp come after all others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from contraband.eql.analysis.checked import CheckedQuery, FieldRef
from contraband.eql.reference.conditions import field_values
from contraband.eql.reference.values import Address, Instant, Value, Version, as_instant
from contraband.eql.reference.versions import version_key

SortKey: TypeAlias = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """An event with its place among all: `index` is its number in order of arrival."""

    index: int
    document: Mapping[str, object]
    time: Instant | None


def in_order(events: Sequence[Mapping[str, object]], query: CheckedQuery) -> list[Placed]:
    """All events in ascending order."""

    def key(placed: Placed) -> tuple[object, ...]:
        time = (1, 0) if placed.time is None else (0, placed.time.nanoseconds)
        return (*time, *_tiebreaker(placed.document, query.tiebreaker_field), placed.index)

    placed = [Placed(index, event, _time(event, query.timestamp_field)) for index, event in enumerate(events)]
    return sorted(placed, key=key)


def _time(event: Mapping[str, object], field: FieldRef | None) -> Instant | None:
    """The event's time; the earliest of several, as an ascending sort in Elasticsearch has it."""
    if field is None:
        return None
    instants = [instant for value in field_values(event, field) if (instant := as_instant(value)) is not None]
    return min(instants, default=None)


def _tiebreaker(event: Mapping[str, object], field: FieldRef | None) -> tuple[object, ...]:
    values = [] if field is None else field_values(event, field)
    return (0, min(map(sort_key, values))) if values else (1, (0, 0))


def sort_key(value: Value) -> SortKey:
    """What values are sorted by: null, booleans, numbers, texts; each by value, texts by code point."""
    match value:
        case None:
            return (0, 0)
        case bool():
            return (1, value)
        case int() | float():
            return (2, value, math.copysign(1.0, value))  # -0.0 before 0.0, as Java's `Double.compare` has it
        case Instant():
            return (2, value.nanoseconds)
        case Address():
            return (2, value.number)
        case Version():
            return (4, version_key(value.text))
        case str():
            return (3, value)
