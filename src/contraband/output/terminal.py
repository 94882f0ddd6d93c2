"""What is laid out for a screen (`screen`): tables, queries, Markdown."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from contraband.output.screen import LEAST, WHOLE, Screen

__all__ = ["WHOLE", "Screen", "below", "eql_lines", "grid", "markdown"]

_EQL_PIECE = re.compile(
    r'(?P<comment>(?s:/\*.*?\*/))|(?P<rest>//[^\n]*|/\*|"(?!(?:\\.|[^"\\\n])*")|`(?![^`\n]*`))'
    r'|"""(?:.*?)"""(?:"{0,2})|"(?:\\.|[^"\\\n])*"|`[^`\n]*`|(?P<blank>\s+)|[^\s"`/]+|/'
)
_HEADING = re.compile(r"[^\s-]+-?")
_CELL = re.compile(r"(?<!\\)\|")
_STARTS = re.compile(r"- |#|    |```|<!--|\|")


def eql_lines(query: str, width: int) -> list[str]:
    """A query, its wide lines broken between tokens."""
    # A comment over several lines is one line first, which may be broken anew.
    pieces = (
        " ".join(piece[0].split()) if piece["comment"] else piece[0] for piece in _EQL_PIECE.finditer(query.strip())
    )
    return [part for line in "".join(pieces).splitlines() for part in _eql_line(line, width)]


def _eql_line(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    start = line[: len(line) - len(line.lstrip())]
    words = [""]
    for match in _EQL_PIECE.finditer(line.strip()):
        piece = match[0]
        if match["rest"]:
            return [line]  # a comment to the end of the line, or a text that does not end in it
        if match["comment"]:
            first, *others = piece.split(" ")
            words[-1] += first
            words += others
        elif match["blank"]:
            words.append("")
        else:
            words[-1] += piece
    lines, current = [], start + words[0]
    for word in words[1:]:
        if len(current) + 1 + len(word) > width and current.strip():
            lines.append(current)
            current = f"{start}    {word}"
        else:
            current += f" {word}"
    return [*lines, current]


Table = Sequence[Sequence[str]]
Blocks = list[list[str]]
"""The lines of each row of a table, the headings' first."""


def grid(headings: Sequence[str], rows: Table, screen: Screen, *, indent: str = "") -> list[str]:
    """A table: side by side where that fits, else its first column on lines of its own, else one value a line."""
    table = [headings, *rows]
    blocks = _fitted(table, screen, indent)
    return below(headings, rows, screen, indent=indent) if blocks is None else _flat(blocks, screen)


def below(headings: Sequence[str], rows: Table, screen: Screen, *, indent: str = "") -> list[str]:
    """A table whose first column is on lines of its own, once for all rows that follow one another with the same."""
    blocks = _fitted([row[1:] for row in (headings, *rows)], screen, indent + "  ")
    if blocks is None:
        return [line for row in rows for line in _record(headings, row, screen, indent)]
    lines = _flat([[indent + headings[0], *blocks[0]]], screen)
    for first, same in groupby(zip(rows, blocks[1:], strict=True), key=lambda pair: pair[0][0]):
        lines.append(indent + first)
        lines += [line for _, block in same for line in block]
    return lines


def _flat(blocks: Blocks, screen: Screen) -> list[str]:
    heads, *rows = blocks
    return [*map(screen.strong, heads), *(line for block in rows for line in block)]


def _record(headings: Sequence[str], row: Sequence[str], screen: Screen, indent: str) -> Iterator[str]:
    yield indent + row[0]
    for heading, cell in zip(headings[1:], row[1:], strict=True):
        yield from screen.prose(cell, f"{indent}  {heading}: ", f"{indent}      ")


def _fitted(table: Table, screen: Screen, indent: str) -> Blocks | None:
    """The table as it is, else with headings over several lines, else with its widest columns over several; None if all are too wide."""
    natural = _widths(table)
    if screen.width is None:
        return _blocks(table, natural, indent)
    room = screen.width - len(indent) - 2 * (len(natural) - 1)
    if sum(natural) <= room:
        return _blocks(table, natural, indent)
    headings = [max(map(len, _HEADING.findall(cell)), default=0) for cell in table[0]]
    widths = list(map(max, zip(_widths(table[1:]), headings, strict=True)))
    words = [
        max((len(word) for cell in column[1:] for word in cell.split()), default=0)
        for column in zip(*table, strict=True)
    ]
    least = [min(width, max(LEAST, word)) for width, word in zip(widths, words, strict=True)]
    while sum(widths) > room:
        shrinking = [column for column, width in enumerate(widths) if width > least[column]]
        if not shrinking:
            return None
        widths[max(shrinking, key=lambda column: widths[column])] -= 1
    return _blocks(table, widths, indent)


def _widths(table: Table) -> list[int]:
    return [max(map(len, column)) for column in zip(*table, strict=True)]


def _blocks(table: Table, widths: Sequence[int], indent: str) -> Blocks:
    numbers = [
        all(not cell or cell.replace(",", "").isdigit() for cell in column[1:]) for column in zip(*table, strict=True)
    ]
    blocks = []
    for row in table:
        cells = [_parts(cell, width, first=row is table[0]) for cell, width in zip(row, widths, strict=True)]
        height = max(map(len, cells))
        lines = []
        for number in range(height):
            parts = [cell[number] if number < len(cell) else "" for cell in cells]
            aligned = (
                part.rjust(width) if right else part.ljust(width)
                for part, width, right in zip(parts, widths, numbers, strict=True)
            )
            lines.append((indent + "  ".join(aligned)).rstrip())
        blocks.append(lines)
    return blocks


def _parts(cell: str, width: int, *, first: bool) -> list[str]:
    """The lines of one cell; a heading may be parted at its hyphens too."""
    if len(cell) <= width:
        return [cell]
    return textwrap.wrap(cell, width, break_long_words=False, break_on_hyphens=first) or [""]


def markdown(text: str, screen: Screen) -> str:
    """A Markdown document for a screen: paragraphs and items wrapped, wide tables laid out anew, code as it is. Still Markdown but for tables."""
    if screen.width is None:
        return text
    return (
        "\n".join(line for block in _markdown_blocks(text.splitlines()) for line in _markdown_block(block, screen))
        + "\n"
    )


def _markdown_blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """Lines that belong together: a paragraph, an item of a list, a table, code, or one line of another kind."""
    block: list[str] = []
    for line in lines:
        fenced = bool(block) and block[0].startswith("```")
        if fenced:
            block.append(line)
            if line.startswith("```"):
                yield block
                block = []
            continue
        if block and _continues(block[0], line):
            block.append(line)
            continue
        if block:
            yield block
        block = [line]
    if block:
        yield block


def _continues(first: str, line: str) -> bool:
    if first.startswith("|") or line.startswith("|"):
        return first.startswith("|") and line.startswith("|")
    return (
        bool(line.strip())
        and not first.startswith(("#", "    ", "<!--"))
        and bool(first.strip())
        and not _STARTS.match(line)
    )


def _markdown_block(block: Sequence[str], screen: Screen) -> list[str]:
    first = block[0]
    if first.startswith("|"):
        rows = [[cell.strip().replace("\\|", "|") for cell in _CELL.split(line.strip()[1:-1])] for line in block]
        return grid(rows[0], rows[2:], screen)
    if first.startswith("<!--"):
        return []
    if first.startswith("```eql"):
        return [first, *screen.eql("\n".join(block[1:-1])), block[-1]]
    if first.startswith(("```", "    ")) or not first.strip():
        return list(block)
    if first.startswith("#"):
        marks = first.partition(" ")[0]
        return screen.heading(first[len(marks) + 1 :], f"{marks} ", "  ")
    mark = "- " if first.startswith("- ") else ""
    return screen.prose(" ".join(block)[len(mark) :], mark, "  " if mark else "")
