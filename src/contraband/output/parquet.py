"""ECS documents as Parquet: the same columns whatever the input, and the whole document beside them, so that nothing is lost.

Source of the names and types: the shipped schema. A value that does not fit its column's type is null there and stands in `document`.
Needs pyarrow, which the extra `parquet` brings.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

from contraband.schema import FieldType, Schema

ROWS = 8_192
"""Rows held in memory before they are written as one group."""

DOCUMENT = "document"

# What questions about installations, processes, files, persistence and network ask for; everything else is in `document`.
COLUMNS = (
    "@timestamp", "event.category", "event.type", "event.action", "event.outcome", "event.code", "event.provider", "event.module",
    "event.dataset", "event.id", "event.ingested", "host.id", "host.name", "host.os.type", "user.id", "user.name", "user.domain",
    "process.pid", "process.entity_id", "process.name", "process.executable", "process.args", "process.args_count",
    "process.command_line", "process.working_directory", "process.start", "process.exit_code", "process.hash.sha256",
    "process.pe.original_file_name", "process.code_signature.exists", "process.code_signature.trusted",
    "process.code_signature.subject_name", "process.parent.pid", "process.parent.entity_id", "process.parent.name",
    "process.parent.executable", "process.parent.args", "process.parent.command_line", "process.Ext.ancestry", "file.path",
    "file.name", "file.extension", "file.hash.sha256", "dll.path", "dll.name", "registry.path", "registry.value",
    "registry.data.strings", "service.name", "package.name", "package.version", "dns.question.name", "url.full", "source.ip",
    "source.port", "destination.ip", "destination.port", "destination.domain", "network.transport", "winlog.channel",
    "winlog.event_id", "winlog.record_id", "message", "tags", "contraband.added",
)  # fmt: skip

# Fields that hold several values as a rule; of any other the first value goes into its column.
LISTS = frozenset(
    {
        "event.category", "event.type", "process.args", "process.parent.args", "process.Ext.ancestry", "registry.data.strings",
        "tags", "contraband.added",
    }
)  # fmt: skip


class ParquetUnavailable(Exception):
    """pyarrow is not installed."""


def write_parquet(documents: Iterable[Mapping[str, Any]], stream: BinaryIO) -> int:
    """Write documents as one Parquet file and give their number. Memory: one group of rows. Raises `ParquetUnavailable`."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise ParquetUnavailable("Parquet needs pyarrow: pip install 'contraband[parquet]'") from error
    schema = pa.schema([(name, _arrow_type(pa, name)) for name in (*COLUMNS, DOCUMENT)])
    readers = {name: _reader(name) for name in COLUMNS}
    written = 0
    with parquet.ParquetWriter(stream, schema, compression="zstd") as writer:
        for group in _groups(documents):
            columns: dict[str, list[Any]] = {name: [] for name in schema.names}
            for document in group:
                for name, read in readers.items():
                    columns[name].append(read(values_at(document, name)))
                columns[DOCUMENT].append(json.dumps(document, ensure_ascii=False, separators=(",", ":")))
            writer.write_table(pa.table(columns, schema=schema))
            written += len(group)
    return written


def _groups(documents: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    group: list[Mapping[str, Any]] = []
    for document in documents:
        group.append(document)
        if len(group) == ROWS:
            yield group
            group = []
    if group:
        yield group


def column_type(name: str) -> FieldType:
    """The Elasticsearch type that decides a column's own; what the schema does not know is a keyword."""
    field = Schema.open().lookup(name)
    return FieldType.KEYWORD if field is None else field.type


def _arrow_type(pa: Any, name: str) -> Any:
    if name == DOCUMENT:
        return pa.string()
    match column_type(name):
        case FieldType.DATE | FieldType.DATE_NANOS:
            single = pa.timestamp("ns", tz="UTC")
        case FieldType.LONG | FieldType.INTEGER | FieldType.SHORT | FieldType.BYTE:
            single = pa.int64()
        case FieldType.BOOLEAN:
            single = pa.bool_()
        case _:
            single = pa.string()
    return pa.list_(single) if name in LISTS else single


def _reader(name: str) -> Callable[[list[Any]], Any]:
    match column_type(name):
        case FieldType.DATE | FieldType.DATE_NANOS:
            convert: Callable[[Any], Any] = nanoseconds
        case FieldType.LONG | FieldType.INTEGER | FieldType.SHORT | FieldType.BYTE:
            convert = _integer
        case FieldType.BOOLEAN:
            convert = _boolean
        case FieldType.IP:
            convert = _address
        case _:
            convert = _text
    if name in LISTS:
        return lambda values: [convert(value) for value in values] or None
    return lambda values: convert(values[0]) if values else None


def values_at(document: Mapping[str, Any], path: str) -> list[Any]:
    """The values of a field, nested or dotted, without nulls."""
    found = _find(document, path)
    values = found if isinstance(found, list) else [found]
    return [value for value in values if value is not None and not isinstance(value, Mapping)]


def _find(document: Mapping[str, Any], path: str) -> Any:
    if path in document:
        return document[path]
    head, dot, tail = path.partition(".")
    while dot:
        inner = document.get(head)
        if isinstance(inner, Mapping) and (found := _find(inner, tail)) is not None:
            return found
        more, dot, tail = tail.partition(".")
        head = f"{head}.{more}"
    return None


def nanoseconds(value: Any) -> int | None:
    """A date as nanoseconds since 1970: ISO 8601 with up to nine digits of a second, or milliseconds since 1970."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value * 1_000_000)
    if not isinstance(value, str):
        return None
    whole, dot, rest = value.strip().partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    zone = rest[len(digits) :] if dot else ""
    try:
        moment = datetime.fromisoformat((whole + zone).replace("Z", "+00:00"))
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    seconds = int(moment.timestamp())
    nanos = seconds * 1_000_000_000 + int(digits[:9].ljust(9, "0") or 0)
    return nanos if -(2**63) <= nanos < 2**63 else None


def _integer(value: Any) -> int | None:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if -(2**63) <= number < 2**63 else None


def _boolean(value: Any) -> bool | None:
    return (
        {True: True, False: False, "true": True, "false": False}.get(value) if isinstance(value, bool | str) else None
    )


def _address(value: Any) -> str | None:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        return None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    return json.dumps(value, ensure_ascii=False)
