"""The published rule by hand, as someone writes it in Python. Knows decoded documents only; checked against EQL in the unit tests."""

from __future__ import annotations

import re
from typing import Any

INSTALLERS = frozenset(
    ("msiexec.exe", "installer", "pkgutil", "dpkg", "rpm", "yum", "apt-get", "apt", "chocolatey", "winget")
)
INTERPRETERS = frozenset(
    (
        "powershell.exe", "pwsh.exe", "cmd.exe", "wscript.exe", "cscript.exe", "mshta.exe", "certutil.exe", "bitsadmin.exe",
        "bash", "sh", "python3", "python",
    )
)  # fmt: skip
COMMANDS = (
    "invoke-webrequest", "downloadstring", "net.webclient", "-encodedcommand", "certutil.*urlcache", "bitsadmin.*transfer",
    "curl.*http", "wget.*http",
)  # fmt: skip
COMMAND = re.compile("|".join(part.replace("net.web", r"net\.web") for part in COMMANDS), re.IGNORECASE | re.DOTALL)


def matches(document: dict[str, Any]) -> bool:
    """Whether the published rule matches a document whose `event.category` and `event.type` are lists."""
    event = document["event"]
    if "process" not in event["category"] or "start" not in event["type"]:
        return False
    process = document["process"]
    if process.get("parent", {}).get("name", "").lower() not in INSTALLERS:
        return False
    return (
        process.get("name", "").lower() in INTERPRETERS or COMMAND.search(process.get("command_line", "")) is not None
    )
