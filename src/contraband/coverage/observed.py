"""Sources as telemetry shows them: which kinds of event came, and which fields were really filled. Knows no rules."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from contraband.coverage.sources import EventKind, Source, declared_sources
from contraband.detection.routing import unrouted
from contraband.engine import CompiledRule, Engine, ScanOptions
from contraband.eql import compile_query
from contraband.plan import lower

_TELLING = ("event.category", "event.type", "event.action", "host.os.type")
_OTHER = "other"


@dataclass(frozen=True, slots=True)
class Observed:
    """One source in a body of telemetry."""

    source: Source  # its kinds are those that were seen
    events: int
    filled: Mapping[str, int]  # field to the number of events that have a value for it


@dataclass(slots=True)
class _Kind:
    events: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    added: set[str] = field(default_factory=set)
    values: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def observed_sources(
    paths: Sequence[str], *, source: str | None = None, host_name: str | None = None
) -> tuple[Observed, ...]:
    """Read telemetry of any kind, whole, and say what each source in it fills. Memory: one count a field and kind of event."""
    engine = Engine(
        [CompiledRule("all", lower(compile_query("any where true")))],
        unrouted(),
    )
    scan = engine.scan(list(paths), ScanOptions(output="events", source=source, host_name=host_name))
    found: dict[str, dict[tuple[str, ...], _Kind]] = defaultdict(lambda: defaultdict(_Kind))
    for document in scan.documents():
        flat = {name: values for name, values in _flat(document) if values}
        kind = tuple(",".join(sorted(flat.get(name, ()))) for name in _TELLING[:2])
        _count(found[_name(flat)][kind], flat)
    return tuple(_observed(name, kinds) for name, kinds in sorted(found.items()))


def _count(kind: _Kind, flat: Mapping[str, list[str]]) -> None:
    kind.events += 1
    added = set(flat.get("contraband.added", ()))
    kind.added |= added
    kind.fields.update(flat.keys())
    for name in _TELLING:
        kind.values[name].update(flat.get(name, ()))


def _flat(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    """Each field with its values as text; an array of objects gives its fields' values together."""
    for key, value in document.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
            continue
        parts = value if isinstance(value, list) else [value]
        for part in parts:
            if isinstance(part, Mapping):
                yield from _flat(part, f"{name}.")
        yield name, [str(part) for part in parts if part is not None and not isinstance(part, Mapping | list)]


def _name(flat: Mapping[str, list[str]]) -> str:
    """The declared source that a document is from, by the fields that tell it; else `other` with its platform."""
    for source in declared_sources():
        if source.when and all(set(values) & set(flat.get(name, ())) for name, values in source.when.items()):
            return source.name
    platform = "".join(flat.get("host.os.type", [])[:1])
    return f"{_OTHER}-{platform}" if platform else _OTHER


def _observed(name: str, kinds: Mapping[tuple[str, ...], _Kind]) -> Observed:
    declared = next((source for source in declared_sources() if source.name == name), None)
    platforms = sorted({value for kind in kinds.values() for value in kind.values["host.os.type"]})
    base = declared or Source(name, "other ECS documents", "".join(platforms[:1]) or "any", (), (), {})
    filled: Counter[str] = Counter()
    for kind in kinds.values():
        filled.update(kind.fields)
    seen = tuple(_kind(key, kind) for key, kind in kinds.items())
    return Observed(replace(base, kinds=seen), sum(kind.events for kind in kinds.values()), filled)


def _kind(key: Iterable[str], kind: _Kind) -> EventKind:
    values = {name: tuple(sorted(kind.values[name])) for name in _TELLING if kind.values[name]}
    names = frozenset(kind.fields)
    return EventKind(
        " / ".join(part for part in key if part) or "uncategorised",
        values,
        names - kind.added,
        frozenset(kind.added),
        whole=True,
    )
