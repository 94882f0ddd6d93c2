"""Which indices the events of each source are declared to live in, for events that do not say so themselves.

The table is data, `content/sources/routing.toml`; the core decides by it which rules an event is offered to.
"""

from __future__ import annotations

import fnmatch
import functools
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from contraband.detection.packages import content_path
from contraband.engine import EngineOptions


@dataclass(frozen=True, slots=True)
class Route:
    """The events of one source, and where they live."""

    source: str
    formats: tuple[str, ...]
    """Raw formats that it is decoded from; empty for documents that are ECS already."""
    when: dict[str, tuple[str, ...]]
    """Fields that tell its events, each with the values that do."""
    indices: tuple[str, ...]
    os: str | None = None
    """The system that its events come from, whether or not they say so: added as `host.os.type`."""

    def as_data(self) -> dict[str, Any]:
        """As docs/plan-format.md describes it."""
        when = {field: list(values) for field, values in self.when.items()}
        return {
            "source": self.source,
            "formats": list(self.formats),
            "when": when,
            "indices": list(self.indices),
            "os": self.os,
        }


@functools.cache
def routes() -> tuple[Route, ...]:
    """Every source, the most telling first."""
    text = (content_path() / "sources" / "routing.toml").read_text(encoding="utf-8")
    return tuple(
        Route(
            source=entry["source"],
            formats=tuple(entry.get("formats", ())),
            when={field: tuple(values) for field, values in entry.get("when", {}).items()},
            indices=tuple(entry["indices"]),
            os=entry.get("os"),
        )
        for entry in tomllib.loads(text)["route"]
    )


def declarations() -> list[dict[str, Any]]:
    """Every source as the engine's options take it."""
    return [route.as_data() for route in routes()]


def unrouted(*, enrich: bool = True) -> EngineOptions:
    """For queries that have no index patterns: they see every event, and what its source implies."""
    return EngineOptions(routing=False, enrich=enrich, declarations=declarations())


def sources_of(index_patterns: Iterable[str]) -> tuple[str, ...]:
    """The sources that a rule with these `index` patterns reads; all of them for a rule without patterns."""
    patterns = tuple(index_patterns)
    return tuple(
        dict.fromkeys(
            route.source
            for route in routes()
            if not patterns
            or any(fnmatch.fnmatchcase(index, pattern) for index in route.indices for pattern in patterns)
        )
    )
