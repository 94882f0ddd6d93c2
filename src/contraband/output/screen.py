"""A screen of so many columns, or whole lines for a pipe: how lines are broken and cut. Knows no terminal: width and colour are given."""

from __future__ import annotations

TYPE_CHECKING = False  # a table of alerts needs little of what others need, and is what a person waits for
if TYPE_CHECKING:
    from collections.abc import Iterable

PROSE = 100
"""Sentences are no wider than this on a wide screen: the eye loses longer lines."""

LEAST = 20
"""No column is narrower."""

_JOINED = "\N{NO-BREAK SPACE}"
_SEVERITIES = {"critical": "1;35", "high": "1;31", "medium": "33", "low": "36", "error": "1;31", "warning": "33"}


class Screen:
    """Where text goes: its width in columns, None where every line stays whole; and whether it shows colour."""

    __slots__ = ("color", "width")

    def __init__(self, width: int | None = None, color: bool = False) -> None:
        self.width = width
        self.color = color

    def strong(self, text: str) -> str:
        """A heading."""
        return f"\x1b[1m{text}\x1b[0m" if self.color and text else text

    def colored(self, text: str, word: str) -> str:
        """Text in the colour of a severity, an error or a warning."""
        code = _SEVERITIES.get(word) if self.color else None
        return f"\x1b[{code}m{text}\x1b[0m" if code else text

    def prose(self, text: str, first: str = "", rest: str | None = None) -> list[str]:
        """Sentences after `first`, further lines after `rest` (as many blanks as `first` is wide). Code in back-quotes is not broken."""
        if self.width is None:
            return (first + text).splitlines()
        indent = self._indent(first) if rest is None else rest
        return [line.replace(_JOINED, " ") for line in _wrapped(text, min(self.width, PROSE), first, indent)]

    def heading(self, text: str, first: str = "", rest: str | None = None) -> list[str]:
        """As `prose`, in bold."""
        return [self.strong(line) for line in self.prose(text, first, rest)]

    def listed(self, names: Iterable[str], first: str = "", rest: str | None = None) -> list[str]:
        """Names after one another, by commas; over the whole width."""
        return self.wide(", ".join(names), first, rest)

    def wide(self, text: str, first: str = "", rest: str | None = None) -> list[str]:
        """What is read piece by piece, such as names and values: as `prose`, but over the whole width, and one line where that is none."""
        if self.width is None:
            return [first + text]
        return _wrapped(text, self.width, first, self._indent(first) if rest is None else rest)

    def _indent(self, first: str) -> str:
        """Blanks as wide as what a paragraph begins with; where they would leave no room for it, a little more than that is indented itself."""
        whole = len(first)
        narrow = self.width is not None and self.width - whole < LEAST
        return " " * (whole - len(first.lstrip()) + 4 if narrow else whole)

    def fit(self, line: str) -> str:
        """One line, cut where the screen ends."""
        if self.width is None:
            return line
        if line.isascii() and line.isprintable() and len(line) <= self.width:
            return line
        from bisect import bisect_right
        from itertools import accumulate

        from contraband.diagnostics import columns_of

        ends = list(accumulate(map(columns_of, line)))
        if not ends or ends[-1] <= self.width:
            return line
        return line[: bisect_right(ends, self.width - 1)].rstrip() + "\N{HORIZONTAL ELLIPSIS}"

    def eql(self, query: str, indent: str = "") -> list[str]:
        """A query, its wide lines broken between tokens: what is copied means the same."""
        if self.width is None:
            return [indent + line for line in query.strip().splitlines()]
        from contraband.output.terminal import eql_lines

        return [indent + line for line in eql_lines(query, self.width - len(indent))]


WHOLE = Screen()
"""Lines as they are: for pipes and files."""


def _wrapped(text: str, width: int, first: str, rest: str) -> list[str]:
    import re
    import textwrap

    joined = " ".join(text.split())
    if joined.count("`") % 2 == 0:
        joined = re.sub(r"`[^`]+`", lambda span: span[0].replace(" ", _JOINED), joined)
    wrapped = textwrap.wrap(
        joined,
        max(width, LEAST),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapped or [first.rstrip()]
