"""`indexOf`: where a text first occurs in another."""

from __future__ import annotations

import math

from contraband.eql.analysis.checked import Fold
from contraband.eql.functions._model import NUMBER, TEXT, Example, Function, Parameter, Value
from contraband.eql.functions._text import find, folded, number_of, text_of, utf16
from contraband.schema.types import TypeFamily


def _index_of(arguments: tuple[Value, ...], fold: Fold) -> Value:
    source, part = (text_of(argument) for argument in arguments[:2])
    if source is None or part is None:
        return None
    start = number_of(arguments[2]) if len(arguments) > 2 else None
    haystack, needle = utf16(folded(source, fold)), utf16(folded(part, fold))
    # Java gives the length of the text for an empty needle that is looked for beyond the end.
    place = find(haystack, needle, min(_whole(start), len(haystack)))
    return place if place >= 0 else None


def _whole(start: float | None) -> int:
    if start is None or math.isnan(start):  # NaN counts as zero, as in Java's conversion
        return 0
    return int(min(max(start, 0), 2**31 - 1))


FUNCTION = Function(
    name="indexOf",
    summary="The position, from 0, of the first `substring` at or after `start`; null if there is none.",
    parameters=(
        Parameter(name="source", accepts=TEXT),
        Parameter(name="substring", accepts=TEXT),
        Parameter(name="start", accepts=NUMBER, optional=True),
    ),
    returns=TypeFamily.INTEGER,
    case_insensitive_allowed=True,
    reference=_index_of,
    examples=(
        Example('indexOf("user.domain.com", ".")', 4),
        Example('indexOf("user.domain.com", ".", 5)', 11),
        Example('indexOf("user.domain.com", "X")', None),
        Example('indexOf~("user.domain.com", "DOMAIN")', 5),
        Example('indexOf("user.domain.com", "u", -3)', 0),
        Example('indexOf("user.domain.com", ".", null)', 4),
    ),
    details="A `start` that is null or negative is 0. Positions count UTF-16 units.",
)
