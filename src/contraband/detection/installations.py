"""Which installation an alert belongs to: one run of one package's scripts on one host.

An alert carries its own ancestors only as far as the sensor or the process table told them, so the installation is named by what is
surest: the package in a maintainer script's path, the package file on the installer's command line, else the parent process.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

_NAMESPACE = uuid.UUID("0f2bd4c7-8a45-4c86-9a8e-f1a4d5b31546")
# What names a package in arguments, most telling first.
_MARKS = (
    re.compile(r"/var/lib/dpkg/info/([^/\s]+?)\.(?:preinst|postinst|prerm|postrm|config)"),
    re.compile(r"PKInstallSandbox\.[^/]+/Scripts/([^/\s]+)/"),
    re.compile(r"([^\\/\s\"']+\.(?:msi|msix|appx|deb|rpm|pkg|tgz|whl))(?=[\"'\s]|$)", re.IGNORECASE),
    re.compile(r"/var/tmp/(rpm-tmp\.[^\s/]+)"),  # noqa: S108
    re.compile(r"\\Windows\\Installer\\(MSI[^\\\s\"]+\.tmp)", re.IGNORECASE),
)
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
    """The same as a UUID: equal for alerts of the same installation."""
    return str(uuid.uuid5(_NAMESPACE, installation_of(alert)))


def _package(alert: Mapping[str, Any]) -> str:
    for mark in _MARKS:
        for name in _TEXTS:
            value = alert.get(name)
            text = " ".join(map(str, value)) if isinstance(value, list) else str(value or "")
            if found := mark.search(text):
                return found[1]
    return ""
