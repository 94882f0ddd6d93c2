"""What people call an installation. Which installation an alert belongs to is decided by the core, which writes it into the alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

ID = "contraband.installation.id"
PACKAGE = "contraband.installation.package"


def grouped(alerts: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Alerts by their installation, in the order of the first of each."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for alert in alerts:
        groups.setdefault(str(alert.get(ID, "")), []).append(alert)
    return groups


def title(alerts: Sequence[Mapping[str, Any]]) -> str:
    """Host and packages of the alerts of one installation; host and the first one's parent process where nothing names a package."""
    first = alerts[0]
    host = str(first.get("host.name") or first.get("host.id") or "unknown host")
    if packages := list(dict.fromkeys(str(alert[PACKAGE]) for alert in alerts if PACKAGE in alert)):
        return f"{host}: installation of {', '.join(packages)}"
    parent = first.get("process.parent.name") or first.get("process.name") or "unknown process"
    number = first.get("process.parent.pid") or first.get("process.pid")
    return f"{host}: {parent}" + (f" (pid {number})" if number else "")
