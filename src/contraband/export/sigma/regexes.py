"""Regular expressions between Lucene, which matches whole values, and Perl, which Sigma writes and which searches.

Both read an expression piece by piece: a class, an escaped character, or one character. What a piece says in one language it is made to say
in the other; nothing is replaced in the text as a whole, where a backslash may belong to what stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

QUOTE = "\ue002"
"""A quotation mark in what `lucene` gives, until the text around it is written: backends differ in whether they escape it."""

_PIECES = re.compile(r"\[\^?(?:\\.|.)(?:\\.|[^\]\\])*\]|\\.|.", re.DOTALL)
_LUCENE_ONLY = frozenset("#&<>~@")
_LITERAL_IN_LUCENE = frozenset("^$")
_NO_LETTERS_OF_PERL = frozenset("dDsSwW")
_REPEATS = frozenset("?*+{}")

# How a name or an argument is set off within a longer text, and the same for Lucene.
NAME = (r"(^|[/\\])", "$")
ARGUMENT = (r"""(^|[\s"'])""", r"""($|[\s"'])""")
WHOLE = ("^", "$")
_STARTS = {"^": "", NAME[0]: r"(.*[/\\])?", ARGUMENT[0]: r"""(.*[ "'])?""", ".*": ".*"}
_ENDS = {ARGUMENT[1]: r"""([ "'].*)?""", "$": "", ".*": ".*"}


class LuceneOnly(Exception):
    """An operator of Lucene's that Perl has no form for; the argument names it."""


def perl(pattern: str, *, ends: tuple[str, str] = WHOLE) -> str:
    """An expression of Lucene's, which matches whole values, as one that is searched for between these ends. Raises `LuceneOnly`."""
    pieces = list(_in_perl(pattern))
    plain = "".join(pieces)
    if _has_alternatives(pieces):
        plain = f"({plain})"  # an end belongs to all of them
    before = "" if plain.startswith(".*") else ends[0]
    after = "" if pieces[-2:] == [".", "*"] and plain.endswith(".*") else ends[1]
    return f"{before}{plain}{after}"


def lucene(pattern: str) -> str:
    """The inverse of `perl`, with `QUOTE` for every quotation mark."""
    start = next((mark for mark in _STARTS if pattern.startswith(mark)), "")
    pattern = pattern.removeprefix(start)
    end = next((mark for mark in _ENDS if pattern.endswith(mark)), "")
    pattern = pattern.removesuffix(end)
    return "".join(_in_lucene(f"{_STARTS.get(start, '.*')}{pattern}{_ENDS.get(end, '.*')}"))


def _in_perl(pattern: str) -> Iterator[str]:
    before = ""
    for piece in _PIECES.findall(pattern):
        lazy = before + piece in ("*?", "??")
        if piece in _REPEATS and before in _REPEATS and not lazy:
            raise LuceneOnly(before + piece)  # a repetition of a repetition is something else in Perl
        if len(piece) == 1:
            yield from _character(piece)
        elif piece[0] == "[":
            yield "".join(_within_class(piece))
        else:
            yield _escape(piece[1])
        before = "+" if lazy else piece


def _character(piece: str) -> Iterator[str]:
    if piece == "@":
        yield from (".", "*")
    elif piece == '"' or piece in _LUCENE_ONLY:
        raise LuceneOnly(piece)
    else:
        yield f"\\{piece}" if piece in _LITERAL_IN_LUCENE else piece


def _within_class(piece: str) -> Iterator[str]:
    """What is literal in a class of Lucene's is so in Perl's, but for a bracket and escapes of letters."""
    head = "[^" if piece.startswith("[^") else "["
    yield head
    for inner in re.findall(r"\\.|.", piece[len(head) : -1], re.DOTALL):
        if len(inner) == 2:
            yield _escape(inner[1], literal="-^]\\[")
        else:
            yield f"\\{inner}" if inner in "[]" else inner
    yield "]"


def _escape(character: str, literal: str = ".?+*|{}[]()\\^$") -> str:
    """An escaped character: Lucene takes any but the letters of classes as it stands."""
    if character in _NO_LETTERS_OF_PERL or character in literal:
        return f"\\{character}"
    return character


def _has_alternatives(pieces: list[str]) -> bool:
    """Whether there is an alternative outside all groups."""
    depth = 0
    for piece in pieces:
        depth += (piece == "(") - (piece == ")")
        if piece == "|" and depth == 0:
            return True
    return False


def _in_lucene(pattern: str) -> Iterator[str]:
    for piece in _PIECES.findall(pattern):
        if piece == '"':
            yield f"\\{QUOTE}"
        elif piece in _LUCENE_ONLY:
            yield f"\\{piece}"
        else:
            yield piece.replace('"', QUOTE)
