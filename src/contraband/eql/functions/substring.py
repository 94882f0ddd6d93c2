"""`substring`: a piece of a text by its positions."""

from __future__ import annotations

import math

from contraband.eql.analysis.checked import Fold
from contraband.eql.functions._model import NUMBER, TEXT, Example, Function, Parameter, Value
from contraband.eql.functions._text import from_utf16, number_of, text_of, utf16
from contraband.schema.types import TypeFamily


def _substring(arguments: tuple[Value, ...], _fold: Fold) -> Value:
    text = text_of(arguments[0])
    start = number_of(arguments[1])
    if text is None or start is None:
        return text
    units = utf16(text)
    end = number_of(arguments[2]) if len(arguments) > 2 else None
    first = _position(start, len(units))
    last = len(units) if end is None else _position(end, len(units))
    return from_utf16(units[first:last]) if first < last else ""


def _position(place: float, length: int) -> int:
    """Python's slice semantics: a negative place counts from the end, and every place is clamped to the text."""
    whole = 0 if math.isnan(place) else int(min(max(place, -(2**31)), 2**31 - 1))
    return min(max(whole + length if whole < 0 else whole, 0), length)


FUNCTION = Function(
    name="substring",
    summary="The piece of `source` from `start`, counted from 0, up to but not including `end`.",
    parameters=(
        Parameter(name="source", accepts=TEXT),
        Parameter(name="start", accepts=NUMBER),
        Parameter(name="end", accepts=NUMBER, optional=True),
    ),
    returns=TypeFamily.STRING,
    reference=_substring,
    examples=(
        Example('substring("start regsvr32.exe", 6)', "regsvr32.exe"),
        Example('substring("start regsvr32.exe", 0, 5)', "start"),
        Example('substring("start regsvr32.exe", -4)', ".exe"),
        Example('substring("start regsvr32.exe", -12, -4)', "regsvr32"),
        Example('substring("abc", 2, 1)', ""),
        Example('substring("abc", null, 2)', "abc"),
        Example('substring("abc", 1, null)', "bc"),
        Example("substring(null, 1)", None),
    ),
    details="Negative positions count from the end; positions outside are clamped. Positions count UTF-16 units.",
)
