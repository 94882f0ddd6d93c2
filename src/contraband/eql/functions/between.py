"""`between`: the text between two other texts."""

from __future__ import annotations

from contraband.eql.analysis.checked import Fold
from contraband.eql.functions._model import BOOLEAN, TEXT, Example, Function, Parameter, Value
from contraband.eql.functions._text import find, find_last, folded, from_utf16, text_of, utf16
from contraband.schema.types import TypeFamily


def _between(arguments: tuple[Value, ...], fold: Fold) -> Value:
    source, left, right = (text_of(argument) for argument in arguments[:3])
    greedy = len(arguments) > 3 and arguments[3] is True
    if not source or not left or not right:
        return source
    haystack = utf16(folded(source, fold))
    opening, closing = utf16(folded(left, fold)), utf16(folded(right, fold))
    found = find(haystack, opening, 0)
    if found < 0:
        return ""
    start = found + len(opening)
    end = find_last(haystack, closing) if greedy else find(haystack, closing, start)
    return from_utf16(utf16(source)[start:end]) if end >= start else ""


FUNCTION = Function(
    name="between",
    summary="The text after the first `left` up to the next `right`, or with `greedy` up to the last `right`.",
    parameters=(
        Parameter(name="source", accepts=TEXT),
        Parameter(name="left", accepts=TEXT),
        Parameter(name="right", accepts=TEXT),
        Parameter(name="greedy", accepts=BOOLEAN, optional=True),
    ),
    returns=TypeFamily.STRING,
    case_insensitive_allowed=True,
    reference=_between,
    examples=(
        Example('between("welcome to event query language", " ", " ")', "to"),
        Example('between("welcome to event query language", " ", " ", true)', "to event query"),
        Example('between~("Start-MIDDLE-End", "start-", "-end")', "MIDDLE"),
        Example('between("abc", "x", "c")', ""),
        Example('between("abc", "", "c")', "abc"),
        Example('between("abc", null, "c")', "abc"),
        Example('between(null, "a", "c")', None),
    ),
    details=(
        "What is not found gives the empty text, not null. An empty or null bound gives `source` unchanged. "
        "If with `greedy` the last `right` begins before the end of `left`, the result is empty."
    ),
)
