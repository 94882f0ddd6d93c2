"""Which installation an alert belongs to: one run of one package's scripts on one host.

An alert carries its own ancestors only as far as the sensor or the process table told them, so the installation is named by what is
surest: the package in a maintainer script's path, the package file on the installer's command line, else the parent process.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

FIELD = "contraband.installation.id"
_NAMESPACE = uuid.UUID("0f2bd4c7-8a45-4c86-9a8e-f1a4d5b31546")
# What names a package in arguments, most telling first.
_MARKS = (
    re.compile(r"/var/lib/dpkg/info/([^/\s]+?)\.(?:preinst|postinst|prerm|postrm|config)"),
    re.compile(r"PKInstallSandbox\.[^/\n]{1,64}/Scripts/([^/\s]+)/"),
    # The name before it is cut off by hand: a pattern for it would take a minute over a long encoded command.
    re.compile(r"()\.(?:msi|msix|appx|deb|rpm|pkg|tgz|whl)(?=[\"'\s]|$)", re.IGNORECASE),
    re.compile(r"/var/tmp/(rpm-tmp\.[^\s/]+)"),  # noqa: S108
    re.compile(r"\\Windows\\Installer\\(MSI[^\\\s\"]+\.tmp)", re.IGNORECASE),
)
_LONGEST_NAME = 255  # of a file, on every system
_TEXTS = (
    "process.parent.command_line",
    "process.parent.args",
    "process.command_line",
    "process.args",
    "process.parent.executable",
    "process.working_directory",
)


def installation_of(alert: Mapping[str, Any]) -> str:
    """A name for people: host and package, or host and parent process where nothing names the package."""
    host = str(alert.get("host.name") or alert.get("host.id") or "unknown host")
    package = _package(alert)
    if package:
        return f"{host}: installation of {package}"
    parent = alert.get("process.parent.name") or alert.get("process.name") or "unknown process"
    number = alert.get("process.parent.pid") or alert.get("process.pid")
    return f"{host}: {parent}" + (f" (pid {number})" if number else "")


def installation_id(alert: Mapping[str, Any]) -> str:
    """The same as a UUID: equal for alerts of the same installation, on hosts that differ even where their names do not."""
    host = alert.get("host.id") or alert.get("host.name") or ""
    parent = alert.get("process.parent.entity_id") or alert.get("process.entity_id")
    what = _package(alert) or (f"process {parent}" if parent else installation_of(alert))
    name = f"{host}\0{what}".encode(errors="replace").decode()  # JSON may hold halves of surrogate pairs
    return str(uuid.uuid5(_NAMESPACE, name))


def with_installations(block: bytes) -> bytes:
    """Lines of alerts with `contraband.installation.id` added to each that lacks it, everything else as it was written.

    The alerts of one sequence lie in one block and share an id: that of the first of its events that names a package.
    """
    lines = block.splitlines()
    alerts = [_read(line) for line in lines]
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for alert in alerts:
        if "kibana.alert.group.index" in alert:
            groups.setdefault(alert["kibana.alert.group.id"], []).append(alert)
    shared = {group: installation_id(next(filter(_package, members), members[0])) for group, members in groups.items()}
    return b"".join(_with(line, alert, shared) for line, alert in zip(lines, alerts, strict=True))


def _read(line: bytes) -> dict[str, Any]:
    try:
        # Python refuses to make a number of thousands of digits; nothing here counts.
        alert: dict[str, Any] = json.loads(line, parse_int=str, parse_float=str)
    except RecursionError:  # lists within lists, deeper than Python goes
        return {FIELD: ""}
    return alert


def _with(line: bytes, alert: Mapping[str, Any], shared: Mapping[str, str]) -> bytes:
    if FIELD in alert:
        return line + b"\n"
    found = shared.get(alert.get("kibana.alert.group.id", "")) or installation_id(alert)
    return b'%s,"%s":"%s"}\n' % (line.rstrip()[:-1], FIELD.encode(), found.encode())


def _package(alert: Mapping[str, Any]) -> str:
    values = (alert.get(name) for name in _TEXTS)
    text = "\n".join(" ".join(map(str, value)) if isinstance(value, list) else str(value or "") for value in values)
    for mark in _MARKS:
        if (found := mark.search(text)) and (name := found[1] or _file_name(text[: found.end()])):
            return name
    return ""


def _file_name(text: str) -> str:
    """The name that a text ends with: what follows the last blank, quote or slash."""
    name = re.split(r"[\\/\s\"']", text[-_LONGEST_NAME:])[-1]
    return "" if name.startswith(".") else name
