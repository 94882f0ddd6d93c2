"""Why a list of events completes a sequence or sample, or not: told from the steps of the search itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contraband.eql.analysis.checked import CheckedQuery, JoinKey, QueryKind, Stage
from contraband.eql.reference.conditions import Failed, Outcome, field_values, meets
from contraband.eql.reference.explain import misses, tell
from contraband.eql.reference.keys import Key, keys_of, reported
from contraband.eql.reference.order import Placed, in_order
from contraband.eql.reference.samples import find_samples
from contraband.eql.reference.sequences import Meets, find_sequences
from contraband.eql.reference.steps import (
    Bucket,
    Chain,
    Chosen,
    Completed,
    Ended,
    Filled,
    NoKey,
    NothingBefore,
    Step,
    TooLong,
    Unwanted,
)
from contraband.eql.reference.values import plain

_MILLISECOND = 1_000_000

NEAR = 200
"""The event nearest to a stage that none meets is looked for among so many."""

FEW = 20
"""So many events are shown to people although they meet no stage, and so many reasons; `as_data` has all."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that happened, or that stands in the way: a word for programs, a sentence for people, and the particulars."""

    what: str
    text: str
    event: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        where = {} if self.event is None else {"event": self.event}
        return {**where, "what": self.what, **self.details, "text": self.text}


@dataclass(frozen=True, slots=True)
class EventTold:
    """One event: its number in order of arrival, its time, and what it is for each stage (`until` included)."""

    number: int
    time: str | None
    stages: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class SearchTold:
    """What a sequence or sample makes of events. `because` is empty where something was found."""

    kind: str
    stages: tuple[str, ...]
    events: tuple[EventTold, ...]
    steps: tuple[Finding, ...]
    found: tuple[tuple[tuple[Any, ...], tuple[int | None, ...]], ...]
    because: tuple[Finding, ...]

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "kind": self.kind,
            "stages": list(self.stages),
            "events": [
                {"event": told.number, "time": told.time, "stages": [stage.as_data() for stage in told.stages]}
                for told in self.events
            ],
            "steps": [step.as_data() for step in self.steps],
            "found": [{"join_keys": list(keys), "events": list(events)} for keys, events in self.found],
            "because": [finding.as_data() for finding in self.because],
        }

    def lines(self) -> Iterator[str]:
        """For people: the stages, each event with what the search did with it, and the verdict."""
        for number, text in enumerate(self.stages, 1):
            yield f"stage {number}: {text}"
        of_event: dict[int, list[Finding]] = {}
        for step in self.steps:
            if step.event is not None:
                of_event.setdefault(step.event, []).append(step)
        idle = 0
        for told in self.events:
            steps = of_event.get(told.number, [])
            if not steps and len(self.events) > FEW and [stage.what for stage in told.stages] == ["meets_none"]:
                idle += 1
                continue
            yield f"event {told.number}  {told.time or 'no time'}"
            yield from (f"    {stage.text}" for stage in told.stages)
            yield from (f"    > {step.text}" for step in steps)
        if idle:
            yield f"{idle} events meet no stage"
        for step in self.steps:
            if step.event is None:
                yield step.text
        if self.found:
            yield f"{len(self.found)} {self.kind}{'' if len(self.found) == 1 else 's'} found"
            for keys, events in self.found:
                shown = ", ".join("(missing)" if event is None else str(event) for event in events)
                yield f"  events {shown}" + (f", key {json.dumps(list(keys), ensure_ascii=False)}" if keys else "")
            return
        yield f"no {self.kind}, because:"
        # What stands in the way of everything comes first; of what happened to single events the latest says most.
        general = [finding for finding in self.because if finding.event is None]
        single = [finding for finding in self.because if finding.event is not None]
        yield from (f"  {finding.text}" for finding in general)
        if len(single) > FEW:
            yield f"  … {len(single) - FEW} earlier reasons of single events"
        yield from (f"  {finding.text}" for finding in single[-FEW:])


def tell_search(
    query: CheckedQuery, events: Sequence[Mapping[str, object]], source: str, *, max_samples_per_key: int = 1
) -> SearchTold:
    """Run a sequence or sample over events and tell every step; `source` is the query's text."""
    ordered = in_order(list(events), query)
    names = _Names(query, source)
    steps: list[Step] = []
    known: dict[tuple[int, int], bool] = {}

    def met(stage: Stage, event: Placed) -> bool:
        place = (id(stage), event.index)
        if place not in known:
            known[place] = _met(stage, event)
        return known[place]

    if query.kind is QueryKind.SAMPLE:
        found = find_samples(query, ordered, met, max_samples_per_key=max_samples_per_key, note=steps.append)
    else:
        found = find_sequences(query, ordered, met, note=steps.append)
    told = [finding for step in steps for finding in _step(step, names, query)]
    results = tuple(
        (reported(match.key), tuple(None if event is None else event.index for event in match.events))
        for match in found
    )
    because = () if found else tuple(_because(query, ordered, told, names, source, met))
    shown = tuple(EventTold(event.index, _time(event), tuple(_event(query, event, names))) for event in ordered)
    return SearchTold(str(query.kind), tuple(names.stages), shown, tuple(told), results, because)


def _met(stage: Stage, event: Placed) -> bool:
    """A condition that cannot be computed is told of; Elasticsearch would fail the whole search."""
    return meets(stage.condition, event.document) is Outcome.MATCH


class _Names:
    """What stages, keys and events are called."""

    def __init__(self, query: CheckedQuery, source: str) -> None:
        self.stages = [" ".join(source[stage.span.start : stage.span.end].split()) for stage in query.stages]
        self.keys = tuple(key.name for key in query.stages[0].keys)
        positive = query.kind is QueryKind.SEQUENCE
        self._expanded = [
            (number, run, stage.runs)
            for number, stage in enumerate(query.stages, 1)
            if not (positive and stage.missing)
            for run in range(1, (stage.runs if positive else 1) + 1)
        ]
        self._written = [number for number, stage in enumerate(query.stages, 1) for _ in range(stage.runs)]

    def number(self, stage: int) -> int:
        """The number, as written, of a stage of the machine."""
        return self._expanded[stage][0]

    def stage(self, stage: int) -> str:
        """A stage of the machine."""
        number, run, runs = self._expanded[stage]
        return f"stage {number}" if runs == 1 else f"stage {number} (run {run} of {runs})"

    def written(self, place: int) -> int:
        """The number, as written, of a place in the query with its runs unrolled."""
        return self._written[place]

    def key(self, key: Key) -> str:
        """A join key with the names of its fields."""
        return self.values(reported(key))

    def values(self, values: Sequence[Any]) -> str:
        """The values of a key with the names of their fields."""
        return ", ".join(
            f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in zip(self.keys, values, strict=True)
        )

    def with_key(self, key: Key) -> str:
        """Said of what has the key; nothing where the query has none."""
        return f" with {self.key(key)}" if key else ""


# ------------------------------------------------------------------------------------------------------------- each event


def _event(query: CheckedQuery, event: Placed, names: _Names) -> Iterator[Finding]:
    parts = [(f"stage {number}", number, stage) for number, stage in enumerate(query.stages, 1)]
    told = False
    for title, number, stage in (*parts, *([("until", 0, query.until)] if query.until is not None else [])):
        outcome = meets(stage.condition, event.document)
        where = {"stage": number} if number else {"until": True}
        if isinstance(outcome, Failed):
            told = True
            text = f"{title} cannot be computed ({outcome.reason}): Elasticsearch would fail the search"
            yield Finding("failed", text, details={**where, "reason": outcome.reason})
        elif outcome is Outcome.MATCH:
            told = True
            keys = keys_of(event.document, stage.keys)
            shown = " or ".join(f"({names.key(key)})" for key in keys) if stage.keys else ""
            verb = "meets" if number == 0 or not stage.missing else "is what must be missing in"
            key_text = f", key {shown}" if shown else ", but has no key" if stage.keys else ""
            yield Finding(
                "meets", f"{verb} {title}{key_text}", details={**where, "keys": [list(reported(k)) for k in keys]}
            )
    if not told:
        yield Finding("meets_none", "meets no stage")
    if event.time is None and query.kind is QueryKind.SEQUENCE:
        yield Finding("no_time", "has no timestamp, so it can be part of no sequence")


def _time(event: Placed) -> str | None:
    return None if event.time is None else str(plain(event.time))


# -------------------------------------------------------------------------------------------------------------- each step


def _step(step: Step, names: _Names, query: CheckedQuery) -> Iterator[Finding]:
    match step:
        case NoKey(event, stage):
            yield _no_key(event, stage, names, query)
        case NothingBefore(event, stage, key):
            text = (
                f"cannot fill {names.stage(stage)}: nothing{names.with_key(key)} waits after {names.stage(stage - 1)}"
            )
            yield _finding("nothing_before", text, event, names.number(stage), key)
        case TooLong(event, stage, key, before, over):
            text = (
                f"too late for {names.stage(stage)}: {duration(_span(before, event))} after event {before[0].index}, "
                f"{duration(over)} more than maxspan={duration((query.maxspan_ms or 0) * _MILLISECOND)}; "
                f"the unfinished sequence of {_events(before)} is given up"
            )
            yield _finding("maxspan", text, event, names.number(stage), key, over_ns=over, given_up=_numbers(before))
        case Filled(event, stage, key, chain, replaced):
            text = f"fills {names.stage(stage)}{names.with_key(key)}"
            if len(chain) > 1:
                text += f" after {_events(chain[:-1])}"
            yield _finding("fills", text, event, names.number(stage), key, events=_numbers(chain))
            if replaced is not None:
                text = (
                    f"takes the place of {_events(replaced)}, which waited after {names.stage(stage)}: the newest wins"
                )
                yield _finding(
                    "overwritten",
                    text,
                    event,
                    names.number(stage),
                    key,
                    given_up=_numbers(replaced),
                    by=_numbers(chain),
                )
        case Completed(event, key, chain):
            text = f"completes the sequence of {_events(chain)}{names.with_key(key)}"
            yield _finding("completes", text, event, len(names.stages), key, events=_numbers(chain))
        case Ended(event, key, given_up):
            if not given_up:
                return
            shown = "; ".join(_events(chain) for chain in given_up)
            text = f"meets until{names.with_key(key)}: what was unfinished is given up ({shown})"
            yield _finding("until", text, event, None, key, given_up=[_numbers(chain) for chain in given_up])
        case Unwanted(event, stage, key, chain):
            number = names.written(stage)
            text = f"must be missing (stage {number}), so the sequence of {_events(chain)} does not count"
            yield _finding("unwanted", text, event, number, key, given_up=_numbers(chain))
        case Bucket(key, events):
            yield _bucket(key, events, names)
        case Chosen(key, 0):
            text = f"{names.key(key)}: one event would have to fill two stages"
            yield Finding("not_distinct", text, details={"key": list(reported(key))})
        case Chosen():
            return


def _no_key(event: Placed, stage: int | None, names: _Names, query: CheckedQuery) -> Finding:
    if stage is None:
        assert query.until is not None, "only `until` has no number"
        keys, title, number = query.until.keys, "until", None
    else:
        number = names.number(stage)
        keys, title = query.stages[number - 1].keys, names.stage(stage)
    without = [key.name for key in keys if _lacks(key, event)]
    text = f"no key for {title}: {', '.join(without)} {'has' if len(without) == 1 else 'have'} no value"
    return _finding("no_key", text, event, number, (), fields=without)


def _lacks(key: JoinKey, event: Placed) -> bool:
    return not key.optional and (key.field is None or not field_values(event.document, key.field))


def _bucket(key: Key, events: tuple[tuple[Placed, ...], ...], names: _Names) -> Finding:
    parts = [f"stage {number}: {_events(found) if found else 'no event'}" for number, found in enumerate(events, 1)]
    lacking = [number for number, found in enumerate(events, 1) if not found]
    return Finding(
        "key_lacks_stage" if lacking else "key",
        f"{names.key(key)}  {'; '.join(parts)}",
        details={
            "key": list(reported(key)),
            "events": [[event.index for event in found] for found in events],
            **({"stages": lacking} if lacking else {}),
        },
    )


def _finding(what: str, text: str, event: Placed, stage: int | None, key: Key, **details: Any) -> Finding:
    where: dict[str, Any] = {} if stage is None else {"stage": stage}
    if key:
        where["key"] = list(reported(key))
    return Finding(what, text, event.index, {**where, **details})


# ------------------------------------------------------------------------------------------------------------ the verdict

_REASONS = (
    "no_key",
    "nothing_before",
    "maxspan",
    "overwritten",
    "until",
    "unwanted",
    "not_distinct",
    "key_lacks_stage",
)


def _because(
    query: CheckedQuery,
    events: Sequence[Placed],
    told: Sequence[Finding],
    names: _Names,
    source: str,
    meets_stage: Meets,
) -> Iterator[Finding]:
    for number, stage in enumerate(query.stages, 1):
        if not stage.missing and not any(meets_stage(stage, event) for event in events):
            yield _unmet(number, stage, events, source)
    if query.kind is QueryKind.SEQUENCE and (timeless := [event.index for event in events if event.time is None]):
        yield Finding("no_time", f"without a timestamp: {_listed(timeless)}", details={"events": timeless})
    filling = {finding.event for finding in told if finding.what in ("fills", "completes")}
    filled: dict[int, dict[str, None]] = {}
    for finding in told:
        if finding.what == "fills" and "key" in finding.details:
            filled.setdefault(finding.details["stage"], {})[names.values(finding.details["key"])] = None
        if finding.what not in _REASONS or (finding.what == "nothing_before" and finding.event in filling):
            continue
        text = finding.text if finding.event is None else f"event {finding.event}: {finding.text}"
        others = _other_keys(finding, filled, names)
        if others:
            shown = " and ".join(others[:3]) + (f" and {len(others) - 3} others" if len(others) > 3 else "")
            yield Finding("other_key", f"{text}, only {shown}", finding.event, finding.details)
        else:
            yield Finding(finding.what, text, finding.event, finding.details)
    yield from _waiting(told, names, query)


def _other_keys(finding: Finding, filled: Mapping[int, Mapping[str, None]], names: _Names) -> list[str]:
    """The keys with which the stage before was filled instead, where nothing waited with this one."""
    if finding.what != "nothing_before" or "key" not in finding.details:
        return []
    own = names.values(finding.details["key"])
    return [key for key in filled.get(finding.details["stage"] - 1, {}) if key != own]


def _unmet(number: int, stage: Stage, events: Sequence[Placed], source: str) -> Finding:
    """No event meets a stage: the one that misses the fewest terms of it, and which."""
    text = f"stage {number} is met by no event"
    near = [(found, event) for event in events[:NEAR] if (found := misses(stage.condition, event.document)) is not None]
    if not near:
        return Finding("missing_stage", text, details={"stage": number})
    leaves, event = min(near, key=lambda pair: len(pair[0]))
    terms = [tell(leaf, event.document, source) for leaf in leaves]
    shown = "; ".join(term.line() for term in terms)
    return Finding(
        "missing_stage",
        f"{text}; event {event.index} is nearest and misses: {shown}",
        details={"stage": number, "nearest": event.index, "misses": [term.as_data() for term in terms]},
    )


def _waiting(told: Sequence[Finding], names: _Names, query: CheckedQuery) -> Iterator[Finding]:
    """What was left unfinished at the end of the events, furthest stage first."""
    if query.kind is QueryKind.SAMPLE:
        return
    chains: dict[tuple[int, ...], Finding] = {}
    for finding in told:
        for given_up in _given_up(finding):
            chains.pop(given_up, None)
        if finding.what in ("fills", "completes"):
            events = tuple(finding.details["events"])
            chains.pop(events[:-1], None)
            if finding.what == "fills":
                chains[events] = finding
    if chains:
        events, finding = max(chains.items(), key=lambda pair: len(pair[0]))
        text = f"the sequence of {_listed(list(events))} still waits after stage {finding.details['stage']} of {len(names.stages)}"
        yield Finding("unfinished", text, details={**finding.details})


def _given_up(finding: Finding) -> list[tuple[int, ...]]:
    given_up = finding.details.get("given_up", [])
    return [tuple(chain) for chain in given_up] if finding.what == "until" else [tuple(given_up)]


# ------------------------------------------------------------------------------------------------------------------- words


def duration(nanoseconds: int) -> str:
    """A length of time in the largest units that it has, exactly: `1 m 3.5 s`."""
    parts: list[str] = []
    rest = nanoseconds
    for unit, size in (("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    if rest or not parts:
        whole, fraction = divmod(rest, 1_000_000_000)
        digits = f"{fraction:09}".rstrip("0")
        parts.append(f"{whole}.{digits} s" if digits else f"{whole} s")
    return " ".join(parts)


def _span(before: Chain, event: Placed) -> int:
    assert event.time is not None, "sequences are made of events with a time"
    assert before[0].time is not None, "sequences are made of events with a time"
    return event.time.nanoseconds - before[0].time.nanoseconds


def _numbers(events: Sequence[Placed]) -> list[int]:
    return [event.index for event in events]


def _events(events: Sequence[Placed]) -> str:
    return _listed(_numbers(events))


def _listed(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"event {numbers[0]}"
    return f"events {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
