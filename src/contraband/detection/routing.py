"""Which indices the events of each source are declared to live in, for events that do not say so themselves.

The table is data, `content/sources/routing.toml`; the core decides by it which rules an event is offered to.
"""

from __future__ import annotations

import fnmatch
import functools
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contraband.detection.packages import content_path


@dataclass(frozen=True, slots=True)
class Route:
    """The events of one source, and where they live."""

    source: str
    formats: tuple[str, ...]
    """Raw formats that it is decoded from; empty for documents that are ECS already."""
    when: dict[str, tuple[str, ...]]
    """Fields that tell its events, each with the values that do."""
    indices: tuple[str, ...]

    def as_data(self) -> dict[str, Any]:
        """As docs/plan-format.md describes it."""
        when = {field: list(values) for field, values in self.when.items()}
        return {"source": self.source, "formats": list(self.formats), "when": when, "indices": list(self.indices)}


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
        )
        for entry in tomllib.loads(text)["route"]
    )


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


def claimed_by(event: Mapping[str, object]) -> Route | None:
    """The source that an ECS document comes from, by its own fields (flat, dotted, each with a list of values)."""
    return next((route for route in routes() if not route.formats and _fits(route, event)), None)


def offered(event: Mapping[str, object], patterns: tuple[str, ...]) -> bool:
    """Whether a rule with these index patterns sees an event (flat, dotted)."""
    if not patterns:
        return True
    indices = _indices(event)
    return indices is None or any(fnmatch.fnmatchcase(index, pattern) for index in indices for pattern in patterns)


_BACKING = re.compile(r"(?:\.ds-)?(.+?)(?:-\d{4}\.\d{2}\.\d{2}-\d{6})?")


def _indices(event: Mapping[str, object]) -> tuple[str, ...] | None:
    if isinstance(index := event.get("_index"), str) and (match := _BACKING.fullmatch(index)):
        return index, match[1]
    stream = [event.get(f"data_stream.{part}") for part in ("type", "dataset", "namespace")]
    if stream[1]:
        return (f"{stream[0] or 'logs'}-{stream[1]}-{stream[2] or 'default'}",)
    route = claimed_by(event)
    return route.indices if route and route.indices else None


def _fits(route: Route, event: Mapping[str, object]) -> bool:
    return all(_has(event.get(field), values) for field, values in route.when.items())


def _has(value: object, wanted: tuple[str, ...]) -> bool:
    return bool(set(map(str, value)) & set(wanted)) if isinstance(value, list) else value in wanted
