"""What the sequence machine and the sample search did with each event, as they did it. Decides nothing: `explain_sequence` tells it.

Stages are counted from 0 over the positive stages, `with runs=N` being N of them; a missing stage (`![...]`) by its place in the query.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from contraband.eql.reference.keys import Key
from contraband.eql.reference.order import Placed

Chain: TypeAlias = tuple[Placed, ...]
"""The events of an unfinished sequence."""


@dataclass(frozen=True, slots=True)
class NoKey:
    """The event meets the stage, but a field of `by` has no value; `stage` is None for `until`."""

    event: Placed
    stage: int | None


@dataclass(frozen=True, slots=True)
class NothingBefore:
    """The event meets the stage, but no unfinished sequence with its key waits for that stage."""

    event: Placed
    stage: int
    key: Key


@dataclass(frozen=True, slots=True)
class TooLong:
    """The event comes `over` nanoseconds later than `maxspan` after the first event; the unfinished sequence is given up."""

    event: Placed
    stage: int
    key: Key
    before: Chain
    over: int


@dataclass(frozen=True, slots=True)
class Filled:
    """The event fills the stage; `replaced` is what waited at that stage with this key and is given up for it."""

    event: Placed
    stage: int
    key: Key
    chain: Chain
    replaced: Chain | None


@dataclass(frozen=True, slots=True)
class Completed:
    """The event fills the last stage."""

    event: Placed
    key: Key
    chain: Chain


@dataclass(frozen=True, slots=True)
class Ended:
    """The event meets `until`: what was unfinished with its key is given up."""

    event: Placed
    key: Key
    given_up: tuple[Chain, ...]


@dataclass(frozen=True, slots=True)
class Unwanted:
    """The sequence was complete, but an event that must be missing is there; `stage` is that stage's place in the query."""

    event: Placed
    stage: int
    key: Key
    chain: Chain


@dataclass(frozen=True, slots=True)
class Bucket:
    """A sample's key, with the events that each stage has for it."""

    key: Key
    events: tuple[tuple[Placed, ...], ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """How many samples the events of a key that every stage has make: none, if one event would have to fill two stages."""

    key: Key
    count: int


Step: TypeAlias = NoKey | NothingBefore | TooLong | Filled | Completed | Ended | Unwanted | Bucket | Chosen
Note: TypeAlias = Callable[[Step], None]


def unnoted(_step: Step) -> None:
    """Nobody wants to know."""
