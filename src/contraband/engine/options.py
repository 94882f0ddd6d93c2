"""How a rule set is loaded and how a scan runs: the names are those of the command line. Plain classes: every start makes some."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class _Options:
    """Values that are told apart by name alone."""

    __slots__: tuple[str, ...] = ()

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._values().items())})"


class EngineOptions(_Options):
    """How a rule set is loaded. Sizes are in bytes; 0 threads is one a processor. `declarations` may be given as JSON.

    Beyond `memory`, events that wait for others go to temporary files; results are the same.
    """

    __slots__ = (
        "chunk_size",
        "declarations",
        "enrich",
        "filter",
        "max_line",
        "memory",
        "read_size",
        "routing",
        "share",
        "threads",
    )

    def __init__(
        self,
        *,
        enrich: bool = True,
        routing: bool = True,
        filter: bool = True,
        share: bool = True,
        threads: int = 0,
        chunk_size: int = 1 << 20,
        read_size: int = 1 << 20,
        max_line: int = 100 << 20,
        memory: int = 64 << 20,
        declarations: Sequence[Mapping[str, Any]] | bytes = (),
    ) -> None:
        self.enrich = enrich
        self.routing = routing
        self.filter = filter
        self.share = share
        self.threads = threads
        self.chunk_size = chunk_size
        self.read_size = read_size
        self.max_line = max_line
        self.memory = memory
        self.declarations = declarations

    def document(self) -> dict[str, Any]:
        """As the core reads it."""
        return self._values()

    def declaring(self, declarations: bytes) -> EngineOptions:
        """The same with other declarations."""
        return EngineOptions(**{**self._values(), "declarations": declarations})


class ScanOptions(_Options):
    """How a scan runs. Times are ISO 8601; `output` is `alerts`, `events` or `matches`."""

    __slots__ = (
        "host_name",
        "hosts",
        "max_samples_per_key",
        "output",
        "profile",
        "result_position",
        "since",
        "size",
        "sorted",
        "source",
        "strict",
        "until",
    )

    def __init__(
        self,
        *,
        output: str = "alerts",
        since: str | None = None,
        until: str | None = None,
        hosts: Sequence[str] = (),
        strict: bool = False,
        size: int | None = None,
        result_position: str = "tail",
        max_samples_per_key: int = 1,
        source: str | None = None,
        host_name: str | None = None,
        sorted: bool = False,
        profile: bool = False,
    ) -> None:
        self.output = output
        self.since = since
        self.until = until
        self.hosts = hosts
        self.strict = strict
        self.size = size
        self.result_position = result_position
        self.max_samples_per_key = max_samples_per_key
        self.source = source
        self.host_name = host_name
        self.sorted = sorted
        self.profile = profile

    def document(self) -> dict[str, Any]:
        """As the core reads it."""
        document = self._values()
        document["from"], document["to"] = document.pop("since"), document.pop("until")
        return document
