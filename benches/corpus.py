"""The files that are scanned, with the truth about each: made once, in parallel, the same bytes every time. Times nothing.

A corpus is made in shards of `SHARD` events; what an event is depends on the corpus's kind and the event's number only.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import IO

from benches.events import (
    Event,
    Number,
    entity,
    installer_event,
    ordinary_event,
    planted_event,
    process_event,
    winlogbeat_event,
)

DATA = Path(__file__).parent / ".data"
VERSION = 1  # raised when an event changes, so that old files are made again
SHARD = 10_000
PLANT_EVERY = 7_500  # of the ordinary corpora: one event in so many is a match
SEQUENCE_EVERY = 100  # of the sequence corpus: one stage two in so many events
LITERAL = rb"msiexec\.exe"
STAGE_ONE = ("stage-one.exe", "C:\\Stage\\", "--wait {n}")
STAGE_TWO = ("stage-two.exe", "C:\\Stage\\", "--go {n}")


@dataclass(frozen=True)
class Truth:
    """What is known of a corpus: every run's answer is held against it. `digest` is over the sorted ids of the matches."""

    kind: str
    events: int
    bytes: int
    matches: int
    digest: str
    literal_lines: int
    sequences: int
    version: int = VERSION


def digest(ids: Iterable[str]) -> str:
    """A short hash of a set of event ids."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()[:16]


def _mixed(number: Number, random: Random) -> tuple[Event, bool]:
    if number.index % PLANT_EVERY == PLANT_EVERY // 2:
        return planted_event(number, random), True
    busy = random.random() < 0.002
    return (installer_event if busy else ordinary_event)(number, random), False


def _installer(number: Number, random: Random) -> tuple[Event, bool]:
    if number.index % PLANT_EVERY == PLANT_EVERY // 2:
        return planted_event(number, random), True
    busy = random.random() < 0.05
    return (installer_event if busy else ordinary_event)(number, random), False


def _every(number: Number, random: Random) -> tuple[Event, bool]:
    return planted_event(number, random), True


def _winlogbeat(number: Number, random: Random) -> tuple[Event, bool]:
    planted = number.index % PLANT_EVERY == PLANT_EVERY // 2
    return winlogbeat_event(number, random, planted=planted), planted


def _sequences(number: Number, random: Random) -> tuple[Event, bool]:
    """Every second event fills stage one; now and then stage two follows it at once, or follows nothing.

    The pair shares its parent. Later stage twos have a parent of their own, so that no sequence completes.
    """
    place = number.index % SEQUENCE_EVERY
    if place == SEQUENCE_EVERY - 1:
        program, salt = STAGE_TWO, number.index - 1
    elif place == SEQUENCE_EVERY // 2 + 1:
        program, salt = STAGE_TWO, number.index + 10**9
    elif place % 2 == 0:
        program, salt = STAGE_ONE, number.index
    else:
        return ordinary_event(number, random), False
    event = process_event(number, random, program=program, types=["start"])
    event["process"]["parent"]["entity_id"] = entity(salt, 1)
    return event, False


KINDS: dict[str, Callable[[Number, Random], tuple[Event, bool]]] = {
    "mixed": _mixed,
    "installer": _installer,
    "every": _every,
    "winlogbeat": _winlogbeat,
    "sequences": _sequences,
}


def _line(event: Event, *, escaped: bool) -> bytes:
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    if escaped:  # escapes that mean the same: a match must be found through them
        text = re.sub(
            r'("name":")([MmPpCc])(?=siexec|owershell|MD|md)', lambda found: f"{found[1]}\\u{ord(found[2]):04x}", text
        )
        text = text.replace("://", ":\\/\\/")
    return text.encode()


def shard(kind: str, start: int, end: int) -> tuple[bytes, list[str], int]:
    """Lines of the events from `start` to `end`, the ids of those that match, and how many lines have `LITERAL`."""
    make = KINDS[kind]
    random = Random(f"{kind}:{start}")
    lines: list[bytes] = []
    ids: list[str] = []
    literal = re.compile(LITERAL, re.IGNORECASE)
    found = 0
    for index in range(start, end):
        number = Number(index)
        event, planted = make(number, random)
        line = _line(event, escaped=planted and random.random() < 0.33)
        found += literal.search(line) is not None
        lines.append(line)
        if planted:
            ids.append(number.id)
    return b"\n".join(lines) + b"\n", ids, found


def _shard(task: tuple[str, int, int]) -> tuple[bytes, list[str], int]:
    return shard(*task)


def write(kind: str, events: int, stream: IO[bytes], *, processes: int | None = None) -> Truth:
    """Write a corpus to `stream`; what is true of it."""
    tasks = [(kind, start, min(start + SHARD, events)) for start in range(0, events, SHARD)]
    ids: list[str] = []
    size = literal = 0

    def take(shards: Iterable[tuple[bytes, list[str], int]]) -> None:
        nonlocal size, literal
        for data, matched, found in shards:
            stream.write(data)
            ids.extend(matched)
            size += len(data)
            literal += found

    if processes == 1:
        take(map(_shard, tasks))
    else:
        with ProcessPoolExecutor(processes or os.cpu_count()) as pool:
            for first in range(0, len(tasks), 16):  # a few at a time: the writer is slower than the makers
                take(pool.map(_shard, tasks[first : first + 16]))
    sequences = events // SEQUENCE_EVERY if kind == "sequences" else 0
    return Truth(kind, events, size, len(ids), digest(ids), literal, sequences)


def ensure(kind: str, events: int, folder: Path) -> tuple[Path, Truth]:
    """The corpus's file and truth: from the folder, or made there."""
    path = folder / f"{kind}-{events}.ndjson"
    told = path.with_suffix(".truth.json")
    if path.exists() and told.exists():
        truth = Truth(**json.loads(told.read_text()))
        if truth.version == VERSION and path.stat().st_size == truth.bytes:
            return path, truth
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as stream:
        truth = write(kind, events, stream)
    part.replace(path)
    told.write_text(json.dumps(asdict(truth), indent=1) + "\n")
    return path, truth


def main() -> None:
    """Make one corpus: `python -m benches.corpus KIND EVENTS`."""
    kind, events = sys.argv[1], int(sys.argv[2].replace(",", ""))
    path, truth = ensure(kind, events, DATA)
    print(path, truth)


if __name__ == "__main__":
    main()

__all__ = ["DATA", "KINDS", "LITERAL", "Truth", "digest", "ensure", "shard", "write"]
