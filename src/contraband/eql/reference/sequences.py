"""Sequences: the one-pass machine, then the check for events that must be missing.

At most one unfinished sequence is kept for each key and stage, and the newest wins; there is no backtracking.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contraband.eql.analysis.checked import CheckedQuery, Stage
from contraband.eql.reference.keys import Key, keys_of
from contraband.eql.reference.order import Placed
from contraband.eql.reference.steps import (
    Completed,
    Ended,
    Filled,
    NoKey,
    Note,
    NothingBefore,
    TooLong,
    Unwanted,
    unnoted,
)

_NANOSECONDS_IN_MILLISECOND = 1_000_000

Meets = Callable[[Stage, Placed], bool]


@dataclass(frozen=True, slots=True)
class Found:
    """A complete match: the event of each positive stage, and None for each missing one."""

    key: Key
    events: tuple[Placed | None, ...]

    @property
    def last(self) -> Placed:
        """The latest event."""
        return [event for event in self.events if event is not None][-1]


def find_sequences(
    query: CheckedQuery, ordered: Sequence[Placed], meets: Meets, *, note: Note = unnoted
) -> list[Found]:
    """All sequences among events in ascending order, by their last event and then by the text of their key.

    `note` is told of every step on the way.
    """
    stages = [stage for stage in query.stages for _ in range(stage.runs)]
    timed = [event for event in ordered if event.time is not None]
    matches = _run_machine([stage for stage in stages if not stage.missing], query, timed, meets, note)
    found = [
        Found(key, _with_placeholders(stages, events))
        for key, events in matches
        if _nothing_unwanted(stages, (key, events), timed, meets, query.maxspan_ms, note)
    ]
    place = {event.index: number for number, event in enumerate(timed)}
    return sorted(found, key=lambda match: (place[match.last.index], tuple(part.text for part in match.key)))


def _run_machine(
    stages: Sequence[Stage], query: CheckedQuery, events: Sequence[Placed], meets: Meets, note: Note
) -> list[tuple[Key, list[Placed]]]:
    """`pending[key][j]` is the one unfinished match that has filled the stages up to `j`."""
    pending: dict[Key, dict[int, list[Placed]]] = {}
    results: list[tuple[Key, list[Placed]]] = []
    last = len(stages) - 1
    for event in events:
        for number in range(last, -1, -1):  # last stage first, so that an event never follows itself
            if not meets(stages[number], event):
                continue
            keys = keys_of(event.document, stages[number].keys)
            if not keys:
                note(NoKey(event, number))
            for key in keys:
                partials = pending.setdefault(key, {})
                before = partials.pop(number - 1, None) if number else []
                if before is None:
                    note(NothingBefore(event, number, key))
                    continue
                if (over := _over(before, event, query.maxspan_ms)) > 0:
                    note(TooLong(event, number, key, tuple(before), over))
                    continue
                chain = [*before, event]
                if number == last:
                    results.append((key, chain))
                    note(Completed(event, key, tuple(chain)))
                    continue
                replaced = partials.get(number)
                partials[number] = chain
                note(Filled(event, number, key, tuple(chain), None if replaced is None else tuple(replaced)))
        if query.until is not None and meets(query.until, event):
            keys = keys_of(event.document, query.until.keys)
            if not keys:
                note(NoKey(event, None))
            for key in keys:
                given_up = pending.pop(key, {})
                note(Ended(event, key, tuple(tuple(chain) for _, chain in sorted(given_up.items()))))
    return results


def _over(before: Sequence[Placed], event: Placed, maxspan_ms: int | None) -> int:
    """By how many nanoseconds a sequence with this event is longer than it may be; 0 or less if it is not."""
    if not before or maxspan_ms is None:
        return 0
    return _nanoseconds(event) - _nanoseconds(before[0]) - maxspan_ms * _NANOSECONDS_IN_MILLISECOND


def _with_placeholders(stages: Sequence[Stage], events: Sequence[Placed]) -> tuple[Placed | None, ...]:
    rest = iter(events)
    return tuple(None if stage.missing else next(rest) for stage in stages)


def _nothing_unwanted(
    stages: Sequence[Stage],
    match: tuple[Key, Sequence[Placed]],
    timed: Sequence[Placed],
    meets: Meets,
    maxspan_ms: int | None,
    note: Note,
) -> bool:
    """Whether no missing stage finds an event with this key where it would belong, in whole milliseconds."""
    key, events = match
    positions = [number for number, stage in enumerate(stages) if not stage.missing]
    first, last = _milliseconds(events[0]), _milliseconds(events[-1])
    times = {position: _milliseconds(event) for position, event in zip(positions, events, strict=True)}
    leading: list[tuple[int, int, Placed]] = []
    trailing: list[tuple[int, int, Placed]] = []
    for number, stage in enumerate(stages):
        if not stage.missing:
            continue
        hits = [
            (_milliseconds(event), number, event)
            for event in timed
            if meets(stage, event) and key in keys_of(event.document, stage.keys)
        ]
        before = [position for position in positions if position < number]
        after = [position for position in positions if position > number]
        if not before:
            leading.extend(hit for hit in hits if hit[0] < first)
        elif not after:
            trailing.extend(hit for hit in hits if hit[0] > last)
        elif between := [hit for hit in hits if times[before[-1]] < hit[0] < times[after[0]]]:
            note(Unwanted(between[0][2], number, key, tuple(events)))
            return False
    earliest = max(leading, key=_when, default=None)
    latest = min(trailing, key=_when, default=None)
    start = first if not stages[0].missing else None if earliest is None else earliest[0]
    end = last if not stages[-1].missing else None if latest is None else latest[0]
    if maxspan_ms is None or start is None or end is None:
        return True
    # Whether the hits outside, together with the match, fit into one window of maxspan.
    if (start, end) == (first, last) or end - start > maxspan_ms:
        return True
    unwanted = earliest or latest
    assert unwanted is not None, "a window wider than the match has a hit at an end"
    note(Unwanted(unwanted[2], unwanted[1], key, tuple(events)))
    return False


def _when(hit: tuple[int, int, Placed]) -> int:
    return hit[0]


def _nanoseconds(event: Placed) -> int:
    assert event.time is not None, "sequences are made of events with a time"
    return event.time.nanoseconds


def _milliseconds(event: Placed) -> int:
    return _nanoseconds(event) // _NANOSECONDS_IN_MILLISECOND
