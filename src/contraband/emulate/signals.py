"""What an emulation must leave in a recording, as EQL, and whether it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contraband.engine import search


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that must be seen: what it is in words, and the query that at least one event must match."""

    what: str
    eql: str


@dataclass(frozen=True, slots=True)
class SignalResult:
    """A signal and how many events of the recording match it."""

    signal: Signal
    events: int

    @property
    def seen(self) -> bool:
        """Whether the recording shows it."""
        return self.events > 0


def check_signals(
    signals: Sequence[Signal], recording: Sequence[Mapping[str, Any]] | Sequence[str]
) -> tuple[SignalResult, ...]:
    """Each signal with the number of events of a recording that match it. A recording is events, or paths of files."""
    return tuple(SignalResult(signal, len(search(signal.eql, recording).events)) for signal in signals)
