"""What people call an installation. Which installation an alert belongs to is decided by the core, which writes it into the alert."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
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
    host = str(_one(first, "host.name", "host.id") or "unknown host")
    if packages := list(dict.fromkeys(str(alert[PACKAGE]) for alert in alerts if PACKAGE in alert)):
        return f"{host}: installation of {', '.join(packages)}"
    parent = _one(first, "process.parent.name", "process.name") or "unknown process"
    number = _one(first, "process.parent.pid", "process.pid")
    return f"{host}: {parent}" + (f" (pid {number})" if number else "")


def _one(alert: Mapping[str, Any], *names: str) -> Any:
    """The first of the fields that has a value; of a list, as Kibana shows every field, its first."""
    for name in names:
        value = alert.get(name)
        value = value[0] if isinstance(value, list) and value else value
        if value:
            return value
    return None
