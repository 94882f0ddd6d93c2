"""What each source records, as data (`content/sources/coverage.toml`), or as telemetry shows it. Knows no rules."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contraband.detection.packages import content_path

ALWAYS = (
    "@timestamp",
    "agent.*",
    "container.*",
    "data_stream.*",
    "ecs.*",
    "event.*",
    "host.*",
    "labels.*",
    "log.*",
    "cloud.*",
)
"""What a shipper adds to every event, whatever it records."""


@dataclass(frozen=True, slots=True)
class EventKind:
    """One kind of event of a source: the values that tell it, and the fields that it fills."""

    name: str
    values: Mapping[str, tuple[str, ...]]  # every value that the field has in this kind of event
    fields: frozenset[str]  # names, or `prefix.*`
    added: frozenset[str]  # filled by contraband's process table, not by the record
    whole: bool = False  # whether nothing else is filled; a declared kind also has what shippers add to every event

    def fills(self, field: str) -> bool:
        """Whether the field ever has a value in this kind of event."""
        if field in self.values or _within(field, self.fields) or _within(field, self.added):
            return True
        return not self.whole and _within(field, ALWAYS)

    def adds(self, field: str) -> bool:
        """Whether the field is there only because the process table adds it."""
        return _within(field, self.added) and not _within(field, self.fields)


@dataclass(frozen=True, slots=True)
class Source:
    """A source of events, as rules' sidecars name it."""

    name: str
    title: str
    platform: str  # windows, linux or macos
    indices: tuple[str, ...]  # where Elastic keeps its events
    kinds: tuple[EventKind, ...]
    when: Mapping[str, tuple[str, ...]]  # the fields that tell its documents, each with the values that do


@functools.cache
def declared_sources() -> tuple[Source, ...]:
    """All sources that the table declares, by platform."""
    text = (content_path() / "sources" / "coverage.toml").read_text(encoding="utf-8")
    return tuple(_source(entry) for entry in tomllib.loads(text)["source"])


def _source(entry: dict[str, Any]) -> Source:
    platform = entry["platform"]
    kinds = tuple(
        EventKind(
            kind["kind"],
            {"host.os.type": (platform,)} | {field: tuple(values) for field, values in kind["values"].items()},
            frozenset(kind.get("fields", ())),
            frozenset(kind.get("added", ())),
        )
        for kind in entry["event"]
    )
    return Source(
        entry["name"],
        entry["title"],
        platform,
        tuple(entry["indices"]),
        kinds,
        {name: tuple(values) for name, values in entry.get("when", {}).items()},
    )


def _within(field: str, patterns: Iterable[str]) -> bool:
    if field in patterns:
        return True
    return any(pattern.endswith(".*") and field.startswith(pattern[:-1]) for pattern in patterns)
