"""Samples: for each key one event a stage, in no order of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from contraband.eql.analysis.checked import CheckedQuery
from contraband.eql.reference.keys import Key, keys_of
from contraband.eql.reference.order import Placed, sort_key
from contraband.eql.reference.sequences import Found, Meets


def find_samples(
    query: CheckedQuery, events: Sequence[Placed], meets: Meets, *, max_samples_per_key: int
) -> list[Found]:
    """Up to `max_samples_per_key` samples for each key that every stage has, keys ascending and null first."""
    buckets: list[dict[Key, list[Placed]]] = []
    for stage in query.stages:
        bucket: dict[Key, list[Placed]] = {}
        for event in sorted(events, key=lambda event: event.index):
            if meets(stage, event):
                for key in keys_of(event.document, stage.keys):
                    bucket.setdefault(key, []).append(event)
        buckets.append(bucket)
    common = [key for key in buckets[0] if all(key in bucket for bucket in buckets)]
    return [
        Found(key, sample)
        for key in sorted(common, key=lambda key: [sort_key(part.value) for part in key])
        for sample in islice(_combinations([bucket[key] for bucket in buckets], ()), max_samples_per_key)
    ]


def _combinations(stages: Sequence[Sequence[Placed]], chosen: tuple[Placed, ...]) -> Iterator[tuple[Placed, ...]]:
    """Every way to choose pairwise distinct events, in order of arrival, the last stage moving fastest."""
    if not stages:
        yield chosen
        return
    for event in stages[0]:
        if event not in chosen:
            yield from _combinations(stages[1:], (*chosen, event))
