"""Alerts as CSV (RFC 4180), safe to open in a spreadsheet: a cell that would be a formula begins with an apostrophe."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from contraband.detection.rules import Rule
from contraband.output.fields import text

COLUMNS = (
    "@timestamp",
    "kibana.alert.severity",
    "kibana.alert.risk_score",
    "contraband.rule.confidence",
    "kibana.alert.rule.name",
    "kibana.alert.rule.rule_id",
    "host.name",
    "user.name",
    "process.pid",
    "process.name",
    "process.executable",
    "process.command_line",
    "process.parent.name",
    "process.parent.command_line",
    "file.path",
    "registry.path",
    "destination.ip",
    "kibana.alert.reason",
    "contraband.origin.path",
    "contraband.origin.record",
    "kibana.alert.uuid",
)


def write(
    alerts: Sequence[Mapping[str, Any]], *, rules: Mapping[str, Rule], width: int = 0, color: bool = False
) -> str:
    """One row an alert, the same columns always."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([safe(text(alert, column)) for column in COLUMNS] for alert in alerts)
    return out.getvalue()


def safe(cell: str) -> str:
    """The cell, unable to be a formula (OWASP, CSV injection)."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
