"""A running scan: output as the core writes it, block by block, and what was counted."""

from __future__ import annotations

from contraband._core import Engine as _Engine
from contraband._core import PlanError as CorePlanError
from contraband.engine.options import EngineOptions, ScanOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from contraband.engine.rule_set import CompiledRule


class EngineError(Exception):
    """The core refused rules or options: which, and why."""


class Engine:
    """A loaded rule set. Raises `EngineError`."""

    def __init__(self, rules: Sequence[CompiledRule], options: EngineOptions | None = None) -> None:
        from contraband.engine.rule_set import rule_set_json

        self._load(rule_set_json(rules), options, None)

    @classmethod
    def from_json(cls, rule_set: bytes, options: EngineOptions | None = None, stored: bytes | None = None) -> Engine:
        """The engine of a rule set that `rule_set_json` wrote. Raises `EngineError`.

        With what `stored` gave for this rule set it loads faster; what is of another is passed over.
        """
        engine = cls.__new__(cls)
        engine._load(rule_set, options, stored)
        return engine

    def _load(self, rule_set: bytes, options: EngineOptions | None, stored: bytes | None) -> None:
        try:
            self._engine = _Engine(rule_set, (options or EngineOptions()).document(), stored)
        except CorePlanError as error:
            raise EngineError(str(error)) from None

    def stored(self) -> bytes:
        """What the core found out about the rules, to be kept with them."""
        return self._engine.stored()

    def explain(self) -> dict[str, Any]:
        """What was loaded: counts of terms, the literals that are searched for, or why there are none."""
        import json

        return dict(json.loads(self._engine.explain()))

    def scan(self, inputs: Sequence[str | bytes], options: ScanOptions | None = None) -> Scan:
        """Start reading: paths of files and folders, `-` for standard input, or the bytes of a file."""
        try:
            return Scan(self._engine.scan(list(inputs), (options or ScanOptions()).document()))
        except CorePlanError as error:
            raise EngineError(str(error)) from None


class Scan:
    """Iterates over blocks of output, each some whole lines of JSON."""

    def __init__(self, scan: Any) -> None:
        self._scan = scan
        self._watch = scan.watch()

    def __iter__(self) -> Iterator[bytes]:
        while (block := self._scan.next()) is not None:
            yield block
        summary = self.summary()
        if failure := summary["failure"]:
            raise EngineError(failure)
        if summary["broken"]:
            raise EngineError("the core broke down: this is a defect, and the results are not whole")

    def documents(self) -> Iterator[dict[str, Any]]:
        """The output line by line, read."""
        import json

        for block in self:
            for line in block.splitlines():
                yield json.loads(line)

    def progress(self) -> tuple[int, int]:
        """Bytes read so far, and bytes known in all. Any thread may ask while another waits for output."""
        read, total = self._watch.progress()
        return read, total

    def summary(self) -> dict[str, Any]:
        """What was counted; complete once the output has ended."""
        summary: dict[str, Any] = self._scan.summary()
        return summary

    def stop(self) -> None:
        """End early; what was found so far still comes out."""
        self._scan.stop()
