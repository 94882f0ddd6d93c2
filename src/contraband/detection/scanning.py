"""A scan: telemetry and rules in, alerts out. Evaluates with the reference evaluator, one event at a time.

Reads NDJSON (plain or gzip), search responses and documents with `_source`; anything else is a fault that is counted and named.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contraband.detection.alerts import reason_end, static_fields
from contraband.detection.compiled import Compiled, exception_conditions, type_of
from contraband.detection.exceptions import Fields
from contraband.detection.routing import claimed_by, offered
from contraband.eql import CheckedQuery
from contraband.eql.analysis.checked import And, Condition, FieldRef, Leaf, Not, Or, QueryKind
from contraband.eql.reference import EvaluationError, evaluate
from contraband.eql.reference.conditions import Outcome, field_values, meets
from contraband.diagnostics import Span

# Alerts of one rule and event are the same alert whenever and wherever they are found.
_NAMESPACE = uuid.UUID("6a1d7f0e-9a52-5b3c-8a56-54f1546016ab")

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with the input."""

    path: str
    kind: str
    message: str
    record: int = 0

    def __str__(self) -> str:
        where = f"{self.path}:{self.record}" if self.record else self.path
        return f"{where}: {self.kind}: {self.message}"


@dataclass(frozen=True, slots=True)
class Record:
    """One event and where it was found."""

    document: dict[str, Any]
    flat: dict[str, Any]
    path: str
    number: int
    offset: int
    raw: bytes


@dataclass(slots=True)
class Summary:
    """What a scan saw and did."""

    files: list[tuple[str, str, int]] = field(default_factory=list)
    """Path, what it was recognised as, events."""
    events: int = 0
    faults: list[Fault] = field(default_factory=list)
    unclaimed: int = 0
    alerts: Counter[str] = field(default_factory=Counter)
    """By severity; building blocks of sequences do not count."""
    failures: Counter[str] = field(default_factory=Counter)
    """Events on which a rule's query could not be computed, by rule name."""
    unrouted: int = 0
    """Rules to which no event was offered."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Which events and alerts count."""

    start: str | None = None
    end: str | None = None
    hosts: frozenset[str] = frozenset()
    routing: bool = True
    exceptions: bool = True


def scan(paths: Sequence[str | Path], compiled: Sequence[Compiled], limits: Limits, summary: Summary) -> Iterator[dict[str, Any]]:
    """Alerts: those of event queries as they are found, by (file, record, rule id), then those of sequences."""
    ordered = sorted(compiled, key=lambda entry: entry.rule.id)
    rules = [_Running(entry, limits) for entry in ordered]
    for record in _within(read(paths, summary), limits):
        if claimed_by(record.flat) is None:
            summary.unclaimed += 1
        for rule in rules:
            for alert in rule.offer(record, summary):
                summary.alerts[alert["kibana.alert.severity"]] += 1
                yield alert
    summary.unrouted = sum(not rule.seen for rule in rules)
    for alerts in sorted((found for rule in rules for found in rule.sequences(summary)), key=lambda pair: pair[0]):
        summary.alerts[alerts[1][0]["kibana.alert.severity"]] += 1
        yield from alerts[1]


def read(paths: Sequence[str | Path], summary: Summary) -> Iterator[Record]:
    """The events of files and folders, in the order given; folders in byte order of the names."""
    for path in paths:
        for file in files(Path(path)):
            before = summary.events
            kind = "unreadable"
            try:
                with _opened(file) as lines:
                    kind = "NDJSON"
                    yield from _records(str(file), lines, summary)
            except (OSError, EOFError) as error:
                summary.faults.append(Fault(str(file), "unreadable", str(getattr(error, "strerror", None) or error)))
            summary.files.append((str(file), kind, summary.events - before))


def files(path: Path) -> Iterator[Path]:
    """A file itself, or the files below a folder."""
    if not path.is_dir():
        yield path
        return
    for entry in sorted(path.iterdir(), key=lambda entry: entry.name.encode()):
        if entry.is_dir() or entry.is_file():
            yield from files(entry)


def _opened(path: Path) -> contextlib.AbstractContextManager[Any]:
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if compressed else path.open("rb")


def _records(path: str, lines: Iterator[bytes], summary: Summary) -> Iterator[Record]:
    offset = 0
    for number, line in enumerate(lines, start=1):
        start, offset = offset, offset + len(line)
        text = line.strip()
        if not text:
            continue
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            summary.faults.append(Fault(path, "no JSON", str(error), number))
            continue
        if not isinstance(document, dict):
            summary.faults.append(Fault(path, "no JSON object", f"found {type(document).__name__}", number))
            continue
        for event in _unwrapped(document):
            summary.events += 1
            flat = flatten(event)
            if "@timestamp" not in flat:
                summary.faults.append(Fault(path, "no timestamp", "the event has no `@timestamp`", number))
            yield Record(event, flat, path, number, start, text)


def _unwrapped(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    hits = document.get("hits")
    if isinstance(hits, dict) and isinstance(hits.get("hits"), list):
        for hit in hits["hits"]:
            yield from _unwrapped(hit)
    elif isinstance(source := document.get("_source"), dict):
        yield {**source, **{key: document[key] for key in ("_id", "_index") if key in document}}
    else:
        yield document


def flatten(document: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A document with dotted keys; lists stay as they are."""
    found: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, Mapping):
            found.update(flatten(value, f"{prefix}{key}."))
        else:
            found[prefix + key] = value
    return found


def _within(records: Iterator[Record], limits: Limits) -> Iterator[Record]:
    for record in records:
        time = str(record.flat.get("@timestamp", ""))
        if (limits.start and time < limits.start) or (limits.end and time >= limits.end):
            continue
        if limits.hosts and str(record.flat.get("host.name", record.flat.get("host.hostname", ""))) not in limits.hosts:
            continue
        yield record


class _Running:
    """One rule while it runs."""

    def __init__(self, compiled: Compiled, limits: Limits) -> None:
        self.rule = compiled.rule
        self.query: CheckedQuery = compiled.query
        self.routing = limits.routing
        self.static = static_fields(compiled.rule)
        self.seen = False
        self.candidates: list[Record] = []
        fields = Fields([], type_of)
        conditions = [entry["condition"] for entry in exception_conditions(compiled, fields)] if limits.exceptions else []
        self.exceptions = conditions
        self.fields = [FieldRef(entry["path"], type_of(entry["path"]), Span(0, 0)) for entry in fields.entries]

    def offer(self, record: Record, summary: Summary) -> Iterator[dict[str, Any]]:
        if self.routing and not offered(record.flat, self.rule.index):
            return
        self.seen = True
        stages = (*self.query.stages, *((self.query.until,) if self.query.until else ()))
        outcomes = [_holds(stage.condition, record.document) for stage in stages]
        if None in outcomes:
            summary.failures[self.rule.name] += 1
        if not any(outcomes):
            return
        if self.query.kind is not QueryKind.EVENT:
            self.candidates.append(record)
        elif not self._excepted(record):
            yield self._alert((record,), record)

    def sequences(self, summary: Summary) -> Iterator[tuple[tuple[str, str, str], list[dict[str, Any]]]]:
        if self.query.kind is QueryKind.EVENT or not self.candidates:
            return
        try:
            found = evaluate(self.query, [record.document for record in self.candidates]).sequences
        except EvaluationError:
            summary.failures[self.rule.name] += 1
            return
        for sequence in found:
            records = [self.candidates[number] for number in sequence.events if number is not None]
            if any(map(self._excepted, records)):
                continue
            order = (str(records[-1].flat.get("@timestamp", "")), self.rule.id, str(sequence.join_keys))
            yield order, self._group(records)

    def _group(self, records: list[Record]) -> list[dict[str, Any]]:
        shared = {key: value for key, value in records[0].flat.items() if all(record.flat.get(key) == value for record in records)}
        shell = self._alert(tuple(records), records[-1], event=shared)
        group = shell["kibana.alert.uuid"]
        shell |= {"kibana.alert.group.id": group, "kibana.alert.depth": 2}
        blocks = [
            self._alert((record,), record, name=f"{group}:{number}")
            | {"kibana.alert.building_block_type": "default", "kibana.alert.group.id": group, "kibana.alert.group.index": number}
            for number, record in enumerate(records)
        ]
        return [shell, *blocks]

    def _alert(self, records: tuple[Record, ...], last: Record, *, event: Event | None = None, name: str = "") -> dict[str, Any]:
        identity = name or "\n".join((self.rule.id, *map(_identity, records)))
        flat = dict(last.flat if event is None else event)
        alert = {key: value for key, value in flat.items() if key not in ("_id", "_index")}
        alert |= {f"kibana.alert.original_event.{key[6:]}": value for key, value in flat.items() if key.startswith("event.")}
        alert |= self.static
        alert |= {
            "@timestamp": last.flat.get("@timestamp"),
            "kibana.alert.original_time": last.flat.get("@timestamp"),
            "kibana.alert.reason": f"{_reason(last.flat)} {reason_end(self.rule)}",
            "kibana.alert.uuid": str(uuid.uuid5(_NAMESPACE, identity)),
            "contraband.origin": {"path": last.path, "record": last.number, "offset": last.offset},
        }
        return alert

    def _excepted(self, record: Record) -> bool:
        return any(self._meets(condition, record.document) for condition in self.exceptions)

    def _meets(self, condition: Mapping[str, Any], event: Event) -> bool:
        ((kind, body),) = condition.items()
        match kind:
            case "and":
                return all(self._meets(part, event) for part in body)
            case "or":
                return any(self._meets(part, event) for part in body)
            case "not":
                return not self._meets(body, event)
        values = [value for value in field_values(event, self.fields[body["field"]]) if value is not None]
        match kind:
            case "missing":
                return not values
            case "text" if body["kind"] == "equals":
                return any(str(value) in body["constants"] for value in values)
            case "text":
                return any(_wild(pattern, str(value)) for value in values for pattern in body["constants"])
            case "in":
                wanted = [constant for literal in body["constants"] for constant in literal.values()]
                return any(value in wanted for value in values)
            case _:
                raise ValueError(f"an exception with `{kind}`")


def _wild(pattern: str, value: str) -> bool:
    import re

    expression = "".join({"*": ".*", "?": "."}.get(mark, re.escape(mark)) for mark in pattern)
    return re.fullmatch(expression, value, re.DOTALL) is not None


def _holds(condition: Condition, event: Event) -> bool | None:
    """As the reference has it, but stopping at the first operand that decides; None where it failed."""
    match condition:
        case And(operands=operands):
            failed = False
            for operand in operands:
                outcome = _holds(operand, event)
                if outcome is False:
                    return False
                failed = failed or outcome is None
            return None if failed else True
        case Or(operands=operands):
            failed = False
            for operand in operands:
                outcome = _holds(operand, event)
                if outcome:
                    return True
                failed = failed or outcome is None
            return None if failed else False
        case Not(operand=operand):
            inner = _holds(operand, event)
            return None if inner is None else not inner
        case Leaf() | _:
            result = meets(condition, event)
            return result is Outcome.MATCH if isinstance(result, Outcome) else None


def _identity(record: Record) -> str:
    named = record.document.get("_id") or record.flat.get("event.id")
    return str(named) if named else hashlib.sha256(record.raw).hexdigest()


def _reason(event: Event) -> str:
    def first(name: str) -> str:
        value = event.get(name)
        return str(value[0] if isinstance(value, list) and value else value or "")

    named = (
        ("with process ", "process.name"), ("parent process ", "process.parent.name"), ("file ", "file.name"),
        ("source ", "source.ip"), ("destination ", "destination.ip"),
    )  # fmt: skip
    parts = [label + first(name) for label, name in named if first(name)]
    text = f"{first('event.category') or 'event'} event {', '.join(parts)}".rstrip()
    text += f", by {first('user.name')}" if first("user.name") else ""
    return text + (f" on {first('host.name')}" if first("host.name") else "")
