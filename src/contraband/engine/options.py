"""How a scan runs: the names are those of the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """How a rule set is loaded. Sizes are in bytes; 0 threads is one a processor.

    Beyond `memory`, events that wait for others go to temporary files; results are the same.
    """

    enrich: bool = True
    routing: bool = True
    filter: bool = True
    share: bool = True
    threads: int = 0
    chunk_size: int = 1 << 20
    read_size: int = 1 << 20
    max_line: int = 100 << 20
    memory: int = 64 << 20
    declarations: Sequence[Mapping[str, Any]] = ()

    def to_json(self) -> bytes:
        """As the core reads it."""
        return json.dumps(asdict(self)).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOptions:
    """How a scan runs. Times are ISO 8601; `output` is `alerts`, `events` or `matches`."""

    output: str = "alerts"
    since: str | None = None
    until: str | None = None
    hosts: Sequence[str] = field(default=())
    strict: bool = False
    size: int | None = None
    result_position: str = "tail"
    max_samples_per_key: int = 1
    source: str | None = None
    host_name: str | None = None
    sorted: bool = False
    profile: bool = False

    def to_json(self) -> bytes:
        """As the core reads it."""
        document = asdict(self)
        document["from"], document["to"] = document.pop("since"), document.pop("until")
        return json.dumps(document).encode()
