"""Errors as values that point at text: `Span`, `Diagnostic`, and the exception that carries several of them.

Imports nothing of ours, so every stage may use it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of query text: offsets in code points, `end` excluded."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The stretch from the start of this one to the end of the other."""
        return Span(min(self.start, other.start), max(self.end, other.end))


class Severity(StrEnum):
    """Whether the query can still run."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: a stable code, a one-line message, the text it is about and what would be right."""

    code: str  # E### or W###, documented in docs/errors
    message: str
    span: Span | None = None
    label: str = ""  # shown under the underlined text
    hints: tuple[str, ...] = field(default=())
    severity: Severity = Severity.ERROR


class CompileError(Exception):
    """The query cannot run. Carries every finding of the stage that gave up, not only the first."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...], source: str) -> None:
        super().__init__(diagnostics[0].message if diagnostics else "invalid query")
        self.diagnostics = diagnostics
        self.source = source
