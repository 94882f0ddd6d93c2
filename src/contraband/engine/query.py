"""One EQL query over events or files, as Elasticsearch's EQL search answers it.

Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-eql-search.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contraband.engine.options import EngineOptions, ScanOptions
from contraband.engine.rule_set import CompiledRule
from contraband.engine.scan import Engine

if TYPE_CHECKING:
    from contraband.eql import CheckedQuery
    from contraband.schema import Schema

Event = Mapping[str, Any]
Events = Iterable[Event] | Iterable[str] | str | os.PathLike[str]


class SearchError(Exception):
    """The query cannot be computed for some event (division by zero, `number("x")`): Elasticsearch fails the search."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a search found: `events` of an event query, else `sequences` as (join keys, events; None for a missing one)."""

    events: list[Event]
    sequences: list[tuple[tuple[Any, ...], list[Event | None]]]


def search(
    query: str | CheckedQuery,
    events: Events,
    *,
    schema: Mapping[str, str] | Schema | None = None,
    size: int | None = None,
    result_position: str = "tail",
    timestamp_field: str = "@timestamp",
    tiebreaker_field: str | None = None,
    event_category_field: str = "event.category",
    max_samples_per_key: int = 1,
    options: EngineOptions | None = None,
) -> Result:
    """Run one query over events (dicts) or paths.

    `schema` maps field names to Elasticsearch types and then exactly these fields exist; None is ECS and the fields of Elastic's
    integrations, every other field being typed by its values. Elasticsearch's own `size` is 10; here the default is all. Raises
    `contraband.CompileError` with every finding in the query, `SearchError` where a condition cannot be computed, OSError if no path
    can be read (some that cannot, and faults in files, are warnings), and ValueError for events and options that mean nothing.
    """
    # Here, so that loading the engine does not load the whole of EQL: a stored rule set runs without it.
    from contraband.eql import compile_query
    from contraband.plan import lower
    from contraband.schema import Schema

    if isinstance(query, str):
        checked = compile_query(
            query,
            Schema.from_types(schema) if isinstance(schema, Mapping) else schema,
            timestamp_field=timestamp_field,
            tiebreaker_field=tiebreaker_field,
            event_category_field=event_category_field,
        )
    else:
        checked = query
    if result_position not in ("head", "tail"):
        raise ValueError(f"result_position is `head` or `tail`, not {result_position!r}")
    if size is not None and size < 0:
        raise ValueError(f"size is 0 or more, not {size}")
    if max_samples_per_key < 1:
        raise ValueError(f"max_samples_per_key is 1 or more, not {max_samples_per_key}")
    given: list[Any] = [events] if isinstance(events, str | os.PathLike) else list(events)
    documents: list[Event] = [event for event in given if isinstance(event, Mapping)]
    if documents and len(documents) != len(given):
        raise TypeError("events are either all dicts or all paths")
    inputs: list[str | bytes] = (
        [_ndjson(documents)] if documents else [os.fspath(path) for path in given if not isinstance(path, Mapping)]
    )
    engine = Engine([CompiledRule("query", lower(checked))], options or EngineOptions(routing=False))
    scan = engine.scan(
        inputs,
        ScanOptions(
            output="matches" if documents else "events",
            size=size,
            result_position=result_position,
            max_samples_per_key=max_samples_per_key,
        ),
    )
    found = list(scan.documents())
    summary = scan.summary()
    if failed := summary["failed"]:
        raise SearchError(f"the condition cannot be computed for {failed['query']} of the events")
    if not documents:
        _check_files(summary["files"])
    return _from_numbers(found, documents) if documents else _from_documents(found)


def _check_files(files: list[dict[str, Any]]) -> None:
    errors = [f"{file['path']}: {file['error']}" for file in files if file["error"]]
    if errors and not any(file["records"] for file in files):
        raise OSError("; ".join(errors))
    faults = [f"{file['path']}: {file['faults']} faults" for file in files if file["faults"]]
    for message in errors + faults:
        warnings.warn(message, stacklevel=3)


def _ndjson(events: Iterable[Event]) -> bytes:
    # JSON has no NaN: an event that cannot be written must not be passed over.
    encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode
    return b"".join(encode(event).encode() + b"\n" for event in events)


def _from_numbers(found: list[dict[str, Any]], events: list[Event]) -> Result:
    def event(number: int | None) -> Event | None:
        return None if number is None else events[number]

    sequences = [line["sequence"] for line in found if "sequence" in line]
    return Result(
        [events[line["event"]] for line in found if "event" in line],
        [(tuple(sequence["join_keys"]), [event(number) for number in sequence["events"]]) for sequence in sequences],
    )


def _from_documents(found: list[dict[str, Any]]) -> Result:
    sequences = [line["sequence"] for line in found if set(line) == {"sequence"} and "join_keys" in line["sequence"]]
    if sequences:
        return Result([], [(tuple(sequence["join_keys"]), sequence["events"]) for sequence in sequences])
    return Result(list(found), [])
