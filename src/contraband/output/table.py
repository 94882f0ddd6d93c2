"""Alerts for people: grouped by host and installation, most severe first in each, each with what ran and who started it."""

from __future__ import annotations

from contraband.detection.installations import grouped, title
from contraband.detection.severities import SEVERITIES
from contraband.output.fields import plain, text
from contraband.output.screen import Screen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from contraband.detection.rules import Rule


def write(
    alerts: Sequence[Mapping[str, Any]], *, rules: Mapping[str, Rule], width: int = 120, color: bool = False
) -> str:
    """The table; building blocks of sequences are left to their shell alerts."""
    shown = [alert for alert in alerts if "kibana.alert.group.index" not in alert]
    if not shown:
        return "no alerts\n"
    screen = Screen(width, color=color)
    lines: list[str] = []
    for members in grouped(shown).values():
        heading = plain(title(members))
        lines.append(screen.fit(f"{heading}  ({len(members)} alert{'' if len(members) == 1 else 's'})"))
        for alert in sorted(members, key=lambda alert: -SEVERITIES.index(alert["kibana.alert.severity"])):
            lines.extend(_alert(alert, screen))
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _alert(alert: Mapping[str, Any], screen: Screen) -> list[str]:
    severity = str(alert["kibana.alert.severity"])
    confidence = text(alert, "contraband.rule.confidence")
    name = text(alert, "kibana.alert.rule.name")
    mark = f"{severity:8}"
    head = screen.fit(f"  {mark} {name}" + (f"  (confidence {confidence})" if confidence else ""))
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
    return [
        head.replace(mark, screen.colored(mark, severity), 1),
        *(screen.fit(f"           {name:8} {value}") for name, value in rows if value),
    ]
