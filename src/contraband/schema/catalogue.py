"""The shipped schema: ECS and the fields of Elastic's integrations, from `content/schemas/fields.csv` (made by `tools/build_schema.py`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from contraband.schema.types import FieldType
from contraband.schema.version import FIELDS


@cache
def _text() -> str:
    return Path(FIELDS).read_text(encoding="utf-8")


@cache
def shipped_fields() -> dict[str, FieldType]:
    """Name to type of every shipped field."""
    known = FieldType.__members__.values()
    types = {str(kind): kind for kind in known}
    rows = (line.split(",", 2) for line in _text().splitlines() if line and line[0] != "#")
    return {row[0]: types[row[1]] for row in rows if row[0] != "name" and row[1] in types}


def shipped_type(name: str) -> FieldType | None:
    """The type of a shipped field. Those below an object that types its keys alike, such as `winlog.event_data.*`, have that type."""
    fields = shipped_fields()
    kind = fields.get(name)
    while kind is None and "." in name:
        name = name.rpartition(".")[0]
        kind = fields.get(f"{name}.*")
    return kind
