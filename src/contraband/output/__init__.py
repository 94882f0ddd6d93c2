"""Alerts in other forms than NDJSON: one module a format. Knows no terminal: width and colour are given."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, BinaryIO, TypeAlias

    from contraband.detection.rules import Rule

    Alerts: TypeAlias = Sequence[Mapping[str, Any]]

FORMATS = {"table": "table", "csv": "csv_format", "sarif": "sarif", "timesketch": "timesketch"}
"""Name to module; a module is loaded when its form is asked for."""

__all__ = ["FORMATS", "write_alerts"]


def write_alerts(
    form: str, alerts: Alerts, stream: BinaryIO, *, rules: Mapping[str, Rule], width: int = 120, color: bool = False
) -> None:
    """Write all alerts in one of `FORMATS`. `rules` are those that ran, by id; `width` is in columns."""
    from importlib import import_module

    write: Callable[..., str] = import_module(f"{__name__}.{FORMATS[form]}").write
    stream.write(write(alerts, rules=rules, width=width, color=color).encode("utf-8", "replace"))
