"""Hunts as data, run over telemetry. The files have the layout of Elastic's hunting library; `[contraband]` holds the rest."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contraband.detection.routing import unrouted
from contraband.engine import CompiledRule, Engine, ScanOptions
from contraband.eql import compile_query
from contraband.plan import lower


@dataclass(frozen=True, slots=True)
class Hunt:
    """One question."""

    id: str
    name: str
    question: str
    normal: str
    suspicious: str
    group_by: tuple[str, ...]
    eql: str
    hypothesis: str = ""
    elsewhere: tuple[tuple[str, str], ...] = ()
    """The same question in other languages, to be run elsewhere: (language, query)."""


@dataclass(slots=True)
class Group:
    """Results that have the same values in the fields that vary."""

    key: tuple[tuple[str, str], ...]
    count: int = 0
    hosts: set[str] = field(default_factory=set)
    first: str = ""
    last: str = ""
    example: str = ""

    def document(self) -> dict[str, Any]:
        """As NDJSON has it."""
        return {
            "group": dict(self.key),
            "count": self.count,
            "hosts": sorted(self.hosts),
            "first": self.first,
            "last": self.last,
            "example": self.example,
        }


@dataclass(frozen=True, slots=True)
class Found:
    """What a hunt found, the rarest group first, and what was counted while reading."""

    hunt: Hunt
    groups: tuple[Group, ...]
    summary: Mapping[str, Any]

    @property
    def events(self) -> int:
        """How many records were read."""
        return sum(file["records"] for file in self.summary["files"])


def load_hunts(package: Path) -> tuple[Hunt, ...]:
    """The hunts of a package, in the order of their numbers."""
    hunts = []
    for path in sorted((package / "hunts").glob("*.toml")):
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        ours = document["contraband"]
        queries = list(zip(document["hunt"]["language"], document["hunt"]["query"], strict=True))
        hunts.append(
            Hunt(
                id=ours["id"],
                name=document["hunt"]["name"],
                question=ours["question"],
                normal=ours["normal"],
                suspicious=ours["suspicious"],
                group_by=tuple(ours["group_by"]),
                eql=next(query for language, query in queries if language == "EQL"),
                hypothesis=ours["hypothesis"],
                elsewhere=tuple((language, query.strip()) for language, query in queries if language != "EQL"),
            )
        )
    return tuple(hunts)


def run_hunt(hunt: Hunt, paths: Sequence[str | bytes]) -> Found:
    """Run a hunt over files and folders, or the bytes of a file. Rare means: few hosts, then few times; ties in the order of the groups' values."""
    plan = lower(compile_query(hunt.eql))
    scan = Engine([CompiledRule(hunt.id, plan)], unrouted()).scan(list(paths), ScanOptions(output="events"))
    groups: dict[tuple[tuple[str, str], ...], Group] = {}
    for block in scan:
        for line in block.splitlines():
            for event in _events(json.loads(line)):
                _count(hunt, event, groups)
    ranked = sorted(groups.values(), key=lambda group: (len(group.hosts), group.count, group.key))
    return Found(hunt, tuple(ranked), scan.summary())


def _events(line: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """The event that a result is about: of a sequence, the last."""
    sequence = line.get("sequence")
    if isinstance(sequence, dict) and "join_keys" in sequence:
        return [event for event in sequence["events"][-1:] if event is not None]
    return [line]


def _count(hunt: Hunt, event: Mapping[str, Any], groups: dict[tuple[tuple[str, str], ...], Group]) -> None:
    key = tuple((name, value_of(event, name)) for name in hunt.group_by if value_of(event, name))
    group = groups.setdefault(key, Group(key))
    time = value_of(event, "@timestamp")
    group.count += 1
    group.hosts.add(value_of(event, "host.name") or value_of(event, "host.id"))
    group.first = min(filter(None, (group.first, time)), default="")
    group.last = max(group.last, time)
    group.example = (
        group.example
        or value_of(event, "process.command_line")
        or value_of(event, "process.args")
        or value_of(event, "message")
    )


def value_of(event: Mapping[str, Any], name: str) -> str:
    """A field's values as one text, whether its names are nested or dotted; empty where it has none."""
    if name in event:
        found = event[name]
        return " ".join(map(str, found)) if isinstance(found, list) else "" if found is None else str(found)
    for cut in (index for index, letter in enumerate(name) if letter == "."):
        inner = event.get(name[:cut])
        if isinstance(inner, dict) and (text := value_of(inner, name[cut + 1 :])):
            return text
    return ""
