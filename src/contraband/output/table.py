"""Alerts for people: grouped by host and installation, most severe first in each, each with what ran and who started it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from contraband.detection.installations import grouped, title
from contraband.detection.rules import Rule, Severity
from contraband.output.fields import plain, text
from contraband.output.terminal import Screen


def write(
    alerts: Sequence[Mapping[str, Any]], *, rules: Mapping[str, Rule], width: int = 120, color: bool = False
) -> str:
    """The table; building blocks of sequences are left to their shell alerts."""
    shown = [alert for alert in alerts if "kibana.alert.group.index" not in alert]
    if not shown:
        return "no alerts\n"
    lines: list[str] = []
    for members in grouped(shown).values():
        worst = max(Severity(alert["kibana.alert.severity"]) for alert in members) if members else None
        heading = plain(title(members))
        lines.append(_fit(f"{heading}  ({len(members)} alert{'' if len(members) == 1 else 's'})", width))
        for alert in sorted(members, key=lambda alert: -Severity(alert["kibana.alert.severity"]).rank):
            lines.extend(_alert(alert, width, color=color))
        if worst is not None:
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _alert(alert: Mapping[str, Any], width: int, *, color: bool) -> list[str]:
    severity = str(alert["kibana.alert.severity"])
    confidence = text(alert, "contraband.rule.confidence")
    name = text(alert, "kibana.alert.rule.name")
    mark = Screen(color=color).colored(f"{severity:8}", severity)
    head = f"  {mark} {_fit(name + (f'  (confidence {confidence})' if confidence else ''), width - 11)}"
    rows = [
        ("time", text(alert, "kibana.alert.original_time", "@timestamp")),
        ("process", text(alert, "process.name", "process.executable")),
        ("command", text(alert, "process.command_line", "process.args", "process.title")),
        (
            "parent",
            text(
                alert,
                "process.parent.command_line",
                "process.parent.args",
                "process.parent.executable",
                "process.parent.name",
            ),
        ),
        ("file", text(alert, "file.path")),
        ("registry", text(alert, "registry.path")),
        ("to", text(alert, "destination.domain", "destination.ip")),
        ("from", f"{text(alert, 'contraband.origin.path')}, record {text(alert, 'contraband.origin.record')}"),
    ]
    return [head, *(_fit(f"           {name:8} {value}", width) for name, value in rows if value)]


def _fit(line: str, width: int) -> str:
    return line if len(line) <= width else line[: max(width - 1, 1)] + "\N{HORIZONTAL ELLIPSIS}"
