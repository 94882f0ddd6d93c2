"""The published rule as SQL over the file, on all cores; columns are typed by hand, so that DuckDB need not look first.

`python -m benches.rivals.duckdb_scan {ids|copy|copy-rows} FILE [OUTPUT]`. `seconds` and `processor` (of all threads) are the statement alone.
"""

from __future__ import annotations

import json
import sys
import time
from random import Random
from typing import Any

import duckdb

from benches.events import Number, planted_event
from benches.rivals.predicate import COMMANDS, INSTALLERS, INTERPRETERS

NEEDED = {
    "event": "STRUCT(id VARCHAR, category VARCHAR[], type VARCHAR[])",
    "process": "STRUCT(name VARCHAR, command_line VARCHAR, parent STRUCT(name VARCHAR))",
}


def sql_type(value: Any) -> str:
    """The DuckDB type of one JSON value; a list has the type of its first item."""
    match value:
        case bool():
            return "BOOLEAN"
        case int():
            return "BIGINT"
        case float():
            return "DOUBLE"
        case str():
            return "VARCHAR"
        case list():
            return sql_type(value[0]) + "[]"
        case dict():
            return "STRUCT(" + ", ".join(f'"{name}" {sql_type(item)}' for name, item in value.items()) + ")"
    raise TypeError(value)


def whole_row() -> dict[str, str]:
    """The columns of a whole process event."""
    return {name: sql_type(value) for name, value in planted_event(Number(0), Random(0)).items()}


def _list(names: frozenset[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names))


def condition() -> str:
    """The published rule's condition."""
    likes = " OR ".join(f"process.command_line ILIKE '%{part.replace('.*', '%')}%'" for part in COMMANDS)
    return (
        "list_contains(event.category, 'process') AND list_contains(event.type, 'start')"
        f" AND lower(process.parent.name) IN ({_list(INSTALLERS)})"
        f" AND (lower(process.name) IN ({_list(INTERPRETERS)}) OR {likes})"
    )


def source(path: str, columns: dict[str, str]) -> str:
    """The file as a table of these columns."""
    typed = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    return f"read_json('{path}', format = 'newline_delimited', columns = {{{typed}}})"


def statement(task: str, path: str, output: str | None) -> str:
    """The SQL of one task: `ids` of the matches, `copy` of the rule's own columns, `copy-rows` of all columns of the event."""
    match task:
        case "ids":
            return f"SELECT event.id FROM {source(path, NEEDED)} WHERE {condition()}"
        case "copy":
            return f"COPY (SELECT * FROM {source(path, NEEDED)} WHERE {condition()}) TO '{output}' (FORMAT json)"
        case "copy-rows":
            return f"COPY (SELECT * FROM {source(path, whole_row())} WHERE {condition()}) TO '{output}' (FORMAT json)"
    raise ValueError(task)


def main() -> None:
    """Run one task and print what it found."""
    task, path, *rest = sys.argv[1:]
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    text = statement(task, path, rest[0] if rest else None)
    began, used = time.perf_counter(), time.process_time()
    rows = connection.execute(text).fetchall()
    taken = {"seconds": time.perf_counter() - began, "processor": time.process_time() - used}
    print(json.dumps({**taken, "ids": [row[0] for row in rows] if task == "ids" else None}))


if __name__ == "__main__":
    main()
