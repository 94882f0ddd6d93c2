"""Alerts as a Timesketch timeline: CSV with `message`, `datetime` and `timestamp_desc` (Timesketch, import guide)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from contraband.detection.rules import Rule
from contraband.output.csv_format import safe
from contraband.output.fields import text

_EXTRA = (
    "host.name",
    "user.name",
    "process.command_line",
    "process.parent.command_line",
    "kibana.alert.severity",
    "kibana.alert.rule.name",
    "kibana.alert.uuid",
)


def write(
    alerts: Sequence[Mapping[str, Any]], *, rules: Mapping[str, Rule], width: int = 0, color: bool = False
) -> str:
    """One row an alert."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("message", "datetime", "timestamp_desc", "tag", *(name.replace(".", "_") for name in _EXTRA)))
    for alert in alerts:
        row = (
            text(alert, "kibana.alert.reason", "kibana.alert.rule.name"),
            text(alert, "kibana.alert.original_time", "@timestamp"),
            "contraband alert",
            " ".join(dict.fromkeys(str(item) for item in alert.get("threat.technique.subtechnique.id", []))),
            *(text(alert, name) for name in _EXTRA),
        )
        writer.writerow([safe(cell) for cell in row])
    return out.getvalue()
