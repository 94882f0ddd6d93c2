"""Samples: for each key one event a stage, in no order of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from contraband.eql.analysis.checked import CheckedQuery
from contraband.eql.reference.keys import Key, keys_of
from contraband.eql.reference.order import Placed, sort_key
from contraband.eql.reference.sequences import Found, Meets
from contraband.eql.reference.steps import Bucket, Chosen, NoKey, Note, unnoted


def find_samples(
    query: CheckedQuery, events: Sequence[Placed], meets: Meets, *, max_samples_per_key: int, note: Note = unnoted
) -> list[Found]:
    """Up to `max_samples_per_key` samples for each key that every stage has, keys ascending and null first.

    `note` is told what each key has and came to.
    """
    buckets: list[dict[Key, list[Placed]]] = []
    for number, stage in enumerate(query.stages):
        bucket: dict[Key, list[Placed]] = {}
        for event in sorted(events, key=lambda event: event.index):
            if meets(stage, event):
                keys = keys_of(event.document, stage.keys)
                if not keys:
                    note(NoKey(event, number))
                for key in keys:
                    bucket.setdefault(key, []).append(event)
        buckets.append(bucket)
    for key in dict.fromkeys(key for bucket in buckets for key in bucket):
        note(Bucket(key, tuple(tuple(bucket.get(key, ())) for bucket in buckets)))
    common = [key for key in buckets[0] if all(key in bucket for bucket in buckets)]
    found: list[Found] = []
    for key in sorted(common, key=lambda key: [sort_key(part.value) for part in key]):
        samples = list(islice(_combinations([bucket[key] for bucket in buckets], ()), max_samples_per_key))
        note(Chosen(key, len(samples)))
        found.extend(Found(key, sample) for sample in samples)
    return found


def _combinations(stages: Sequence[Sequence[Placed]], chosen: tuple[Placed, ...]) -> Iterator[tuple[Placed, ...]]:
    """Every way to choose pairwise distinct events, in order of arrival, the last stage moving fastest."""
    if not stages:
        yield chosen
        return
    for event in stages[0]:
        if event not in chosen:
            yield from _combinations(stages[1:], (*chosen, event))
