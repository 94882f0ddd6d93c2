"""Values of alerts as text that is safe to print: telemetry is hostile input."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_CONTROL = dict.fromkeys(
    (*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)),
    "\N{REPLACEMENT CHARACTER}",
)
"""Control characters and direction marks, and what stands for them."""


def text(alert: Mapping[str, Any], *names: str) -> str:
    """The first of the fields that has a value, on one line, control characters and direction marks replaced."""
    for name in names:
        value = alert.get(name)
        if value not in (None, "", []):
            return plain(" ".join(map(str, value)) if isinstance(value, list) else str(value))
    return ""


def plain(value: str) -> str:
    """A text on one line, control characters and direction marks replaced."""
    return " ".join(value.split()).translate(_CONTROL)
