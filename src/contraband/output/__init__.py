"""Alerts in other forms than NDJSON: one module a format. Knows no terminal: width and colour are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO

from contraband.detection.rules import Rule
from contraband.output import csv_format, sarif, table, timesketch

Alerts = Sequence[Mapping[str, Any]]
Writer = Callable[..., str]

FORMATS: dict[str, Writer] = {
    "table": table.write,
    "csv": csv_format.write,
    "sarif": sarif.write,
    "timesketch": timesketch.write,
}

__all__ = ["FORMATS", "write_alerts"]


def write_alerts(
    form: str, alerts: Alerts, stream: BinaryIO, *, rules: Mapping[str, Rule], width: int = 120, color: bool = False
) -> None:
    """Write all alerts in one of `FORMATS`. `rules` are those that ran, by id; `width` is in columns."""
    stream.write(FORMATS[form](alerts, rules=rules, width=width, color=color).encode("utf-8", "replace"))
