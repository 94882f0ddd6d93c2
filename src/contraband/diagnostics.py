"""Errors as values that point at text: `Span`, `Diagnostic`, the exception that carries several, and how one is drawn.

Imports nothing of ours, so every stage may use it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

_TAB = 4
_WIDTH = 160  # columns of a line that are shown; rules with 47,000 characters on one line exist


class Span(NamedTuple):
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
    hints: tuple[str, ...] = ()
    severity: Severity = Severity.ERROR


class CompileError(Exception):
    """The query cannot run. Carries every finding of the stage that gave up, not only the first."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...], source: str) -> None:
        super().__init__(diagnostics[0].message if diagnostics else "invalid query")
        self.diagnostics = diagnostics
        self.source = source

    def render(self, *, path: str = "query", first_line: int = 1) -> str:
        """All findings, drawn one below the other."""
        return render_all(self.diagnostics, self.source, path=path, first_line=first_line)


def line_and_column(source: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both from 1, the column in code points; lines end at LF, CR or CR LF."""
    start, number, _ = _line_at(source, offset)
    return number, offset - start + 1


def render_all(findings: Iterable[Diagnostic], source: str, *, path: str = "query", first_line: int = 1) -> str:
    """Several findings about one text, in the order of their places, an empty line between two."""
    ordered = sorted(findings, key=lambda finding: finding.span or Span(0, 0))
    return "\n\n".join(render(finding, source, path=path, first_line=first_line) for finding in ordered)


def render(finding: Diagnostic, source: str, *, path: str = "query", first_line: int = 1) -> str:
    """One finding with its line underlined. `first_line` is the number of the text's first line in the file `path`."""
    lines = [f"{finding.severity}[{finding.code}]: {visible(finding.message)}"]
    gutter = ""
    if finding.span is not None:
        start, number, line = _line_at(source, finding.span.start)
        label = str(number + first_line - 1)
        gutter = " " * len(label)
        shown, marks = _underlined(line, finding.span.start - start, finding.span.end - start)
        lines.append(f"{gutter}--> {path}:{label}:{finding.span.start - start + 1}")
        lines.append(f"{gutter} |")
        lines.append(f"{label} | {shown}".rstrip())
        lines.append(f"{gutter} | {marks} {visible(finding.label)}".rstrip())
    lines.extend(f"{gutter} = help: {visible(hint)}" for hint in finding.hints)
    return "\n".join(lines)


def _line_at(source: str, offset: int) -> tuple[int, int, str]:
    """Where the line of an offset starts, its number from 1, and its text without the line break."""
    offset = min(offset, len(source))
    before = source[:offset].replace("\r\n", " \n").replace("\r", "\n")
    if source[offset - 1 : offset + 1] == "\r\n":  # between the two characters of one line break
        before = before[:-1] + " "
    start = before.rfind("\n") + 1
    ends = [end for end in (source.find("\n", start), source.find("\r", start)) if end >= 0]
    return start, before.count("\n") + 1, source[start : min(ends, default=len(source))]


def _underlined(line: str, start: int, end: int) -> tuple[str, str]:
    """The line as shown and the marks below it: tabs expanded, wide characters two columns, control characters visible."""
    end = min(max(end, start + 1), max(len(line), start + 1))
    cells: list[str] = []
    columns = [0]
    for character in line:
        cell = " " * (_TAB - columns[-1] % _TAB) if character == "\t" else visible(character)
        cells.append(cell)
        columns.append(columns[-1] + sum(map(columns_of, cell)))
    columns.extend(columns[-1] + extra for extra in range(1, end - len(line) + 1))
    first, last = _window(columns, start, end, len(line))
    head, tail = "…" if first else "", "…" if last < len(line) else ""
    margin = columns[start] - columns[first] + len(head)
    marks = columns[min(end, max(last, start + 1))] - columns[start]
    return head + "".join(cells[first:last]) + tail, " " * margin + "^" * max(marks, 1)


def _window(columns: list[int], start: int, end: int, length: int) -> tuple[int, int]:
    """The characters of a long line to show: the marked ones and something of what stands around them."""
    if columns[length] <= _WIDTH:
        return 0, length
    first = max(0, start - _WIDTH // 4)
    return first, min(length, max(first + _WIDTH, min(end, start + _WIDTH)))


def visible(text: str) -> str:
    """The text with control characters and lone surrogates replaced by visible ones: a terminal must not obey a query or an event."""
    if text.isprintable():
        return text
    return "".join(_visible_character(character) for character in text)


def _visible_character(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if unicodedata.category(character) in {"Cc", "Cs", "Cf", "Zl", "Zp", "Co", "Cn"}:
        return "\N{REPLACEMENT CHARACTER}"
    return character


def columns_of(character: str) -> int:
    """How many columns of a terminal a character takes."""
    if unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
