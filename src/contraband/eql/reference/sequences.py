"""Sequences: the one-pass machine, then the check for events that must be missing.

At most one unfinished sequence is kept for each key and stage, and the newest wins; there is no backtracking.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contraband.eql.analysis.checked import CheckedQuery, Stage
from contraband.eql.reference.keys import Key, keys_of
from contraband.eql.reference.order import Placed

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


def find_sequences(query: CheckedQuery, ordered: Sequence[Placed], meets: Meets) -> list[Found]:
    """All sequences among events in ascending order, by their last event and then by the text of their key."""
    stages = [stage for stage in query.stages for _ in range(stage.runs)]
    timed = [event for event in ordered if event.time is not None]
    matches = _run_machine([stage for stage in stages if not stage.missing], query, timed, meets)
    found = [
        Found(key, _with_placeholders(stages, events))
        for key, events in matches
        if _nothing_unwanted(stages, (key, events), timed, meets, query.maxspan_ms)
    ]
    place = {event.index: number for number, event in enumerate(timed)}
    return sorted(found, key=lambda match: (place[match.last.index], tuple(part.text for part in match.key)))


def _run_machine(
    stages: Sequence[Stage], query: CheckedQuery, events: Sequence[Placed], meets: Meets
) -> list[tuple[Key, list[Placed]]]:
    """`pending[key][j]` is the one unfinished match that has filled the stages up to `j`."""
    pending: dict[Key, dict[int, list[Placed]]] = {}
    results: list[tuple[Key, list[Placed]]] = []
    last = len(stages) - 1
    for event in events:
        for number in range(last, -1, -1):  # last stage first, so that an event never follows itself
            if not meets(stages[number], event):
                continue
            for key in keys_of(event.document, stages[number].keys):
                partials = pending.setdefault(key, {})
                before = partials.pop(number - 1, None) if number else []
                if before is None or _too_long(before, event, query.maxspan_ms):
                    continue
                if number == last:
                    results.append((key, [*before, event]))
                else:
                    partials[number] = [*before, event]
        if query.until is not None and meets(query.until, event):
            for key in keys_of(event.document, query.until.keys):
                pending.pop(key, None)
    return results


def _too_long(before: Sequence[Placed], event: Placed, maxspan_ms: int | None) -> bool:
    if not before or maxspan_ms is None:
        return False
    return _nanoseconds(event) - _nanoseconds(before[0]) > maxspan_ms * _NANOSECONDS_IN_MILLISECOND


def _with_placeholders(stages: Sequence[Stage], events: Sequence[Placed]) -> tuple[Placed | None, ...]:
    rest = iter(events)
    return tuple(None if stage.missing else next(rest) for stage in stages)


def _nothing_unwanted(
    stages: Sequence[Stage],
    match: tuple[Key, Sequence[Placed]],
    timed: Sequence[Placed],
    meets: Meets,
    maxspan_ms: int | None,
) -> bool:
    """Whether no missing stage finds an event with this key where it would belong, in whole milliseconds."""
    key, events = match
    positions = [number for number, stage in enumerate(stages) if not stage.missing]
    first, last = _milliseconds(events[0]), _milliseconds(events[-1])
    times = {position: _milliseconds(event) for position, event in zip(positions, events, strict=True)}
    leading: list[int] = []
    trailing: list[int] = []
    for number, stage in enumerate(stages):
        if not stage.missing:
            continue
        hits = [
            _milliseconds(event)
            for event in timed
            if meets(stage, event) and key in keys_of(event.document, stage.keys)
        ]
        before = [position for position in positions if position < number]
        after = [position for position in positions if position > number]
        if not before:
            leading.extend(time for time in hits if time < first)
        elif not after:
            trailing.extend(time for time in hits if time > last)
        elif any(times[before[-1]] < time < times[after[0]] for time in hits):
            return False
    earliest = max(leading, default=None) if stages[0].missing else first
    latest = min(trailing, default=None) if stages[-1].missing else last
    if maxspan_ms is None or earliest is None or latest is None:
        return True
    # Whether the hits outside, together with the match, fit into one window of maxspan.
    return (earliest, latest) == (first, last) or latest - earliest > maxspan_ms


def _nanoseconds(event: Placed) -> int:
    assert event.time is not None, "sequences are made of events with a time"
    return event.time.nanoseconds


def _milliseconds(event: Placed) -> int:
    return _nanoseconds(event) // _NANOSECONDS_IN_MILLISECOND
