"""Values of alerts as text that is safe to print: telemetry is hostile input."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def text(alert: Mapping[str, Any], *names: str) -> str:
    """The first of the fields that has a value, on one line, control characters and direction marks replaced."""
    for name in names:
        value = alert.get(name)
        if value not in (None, "", []):
            return plain(" ".join(map(str, value)) if isinstance(value, list) else str(value))
    return ""


def plain(value: str) -> str:
    """A text on one line, control characters and direction marks replaced."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", " ".join(value.split()))
