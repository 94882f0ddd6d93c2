"""Where the values of a TOML file stand in its text, so that a finding in a query can be shown in the rule file.

`tomllib` says what a file means and not where. This scanner only finds top-level statements (`key = value`, `[table]`) and
the extent of strings; it trusts that `tomllib` has accepted the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TABLE = re.compile(r"[ \t]*\[\[?([^\]\n]+)\]\]?")
_KEY = re.compile(r"[ \t]*([\w\-.\"']+(?:[ \t]*\.[ \t]*[\w\-\"']+)*)[ \t]*=[ \t]*")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a text: line and column from 1, columns in code points."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Value:
    """The text of one value: where its key starts, where the value starts and ends (`end` excluded)."""

    key: int
    start: int
    end: int


def place(text: str, offset: int) -> Place:
    """The line and column of an offset."""
    before = text.rfind("\n", 0, offset)
    return Place(text.count("\n", 0, offset) + 1, offset - before)


def values(text: str) -> dict[str, Value]:
    """The values of a file by dotted path (`rule.query`). Of an array of tables the first element's keys count."""
    found: dict[str, Value] = {}
    table = ""
    position = 0
    while position < len(text):
        if match := _TABLE.match(text, position):
            table = _plain(match[1]) + "."
            position = _line_end(text, match.end())
        elif match := _KEY.match(text, position):
            end = _value_end(text, match.end())
            key_start = match.start() + len(match[0]) - len(match[0].lstrip())
            found.setdefault(table + _plain(match[1]), Value(key_start, match.end(), end))
            position = _line_end(text, end)
        else:
            position = _line_end(text, position)
    return found


def offsets(text: str, value: Value) -> list[int]:
    """For each code point of a string value, and for its end, the offset in the file where it stands."""
    quote = _quote(text, value.start)
    position = value.start + len(quote)
    end = value.end - len(quote)
    if len(quote) == 3:
        position += len(_leading_break(text, position))
    if quote[0] == "'":
        return _literal_offsets(text, position, end)
    return _basic_offsets(text, position, end)


def _literal_offsets(text: str, position: int, end: int) -> list[int]:
    # tomllib reads "\r\n" as "\n".
    return [*(at for at in range(position, end) if text[at : at + 2] != "\r\n"), end]


def _basic_offsets(text: str, position: int, end: int) -> list[int]:
    found = []
    while position < end:
        if text[position] != "\\":
            if text[position : position + 2] != "\r\n":
                found.append(position)
            position += 1
            continue
        escape = text[position + 1]
        if escape in _ESCAPES:
            found.append(position)
            position += 2
        elif escape in "uU":
            found.append(position)
            position += 6 if escape == "u" else 10
        else:  # a line break that the backslash removes, with the blanks that follow
            position += 1
            while position < end and text[position].isspace():
                position += 1
    return [*found, end]


def _plain(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))


def _quote(text: str, start: int) -> str:
    for quote in ('"""', "'''", '"', "'"):
        if text.startswith(quote, start):
            return quote
    return ""


def _leading_break(text: str, position: int) -> str:
    return next((mark for mark in ("\r\n", "\n") if text.startswith(mark, position)), "")


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end + 1


def _value_end(text: str, start: int) -> int:
    if quote := _quote(text, start):
        return _string_end(text, start, quote)
    depth = 0
    position = start
    while position < len(text):
        mark = text[position]
        if quote := _quote(text, position):
            position = _string_end(text, position, quote)
            continue
        if mark == "#":
            position = _line_end(text, position)
            continue
        if mark in "[{":
            depth += 1
        elif mark in "]}":
            depth -= 1
        if depth == 0 and mark in "]}":
            return position + 1
        if depth == 0 and mark == "\n":
            return position
        position += 1
    return position


def _string_end(text: str, start: int, quote: str) -> int:
    position = start + len(quote)
    while True:
        end = text.find(quote, position)
        if end < 0:
            return len(text)
        if quote[0] == '"' and _escaped(text, end, start + len(quote)):
            position = end + 1
            continue
        # Up to two quotes may stand directly before the closing three.
        while len(quote) == 3 and text.startswith(quote[0], end + 3):
            end += 1
        return end + len(quote)


def _escaped(text: str, position: int, start: int) -> bool:
    slashes = 0
    while position - slashes > start and text[position - slashes - 1] == "\\":
        slashes += 1
    return slashes % 2 == 1
