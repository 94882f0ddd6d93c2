"""`stringContains`: does a text contain another?"""

from __future__ import annotations

from contraband.eql.analysis.checked import Fold
from contraband.eql.functions._model import TEXT, Example, Function, Parameter, Value
from contraband.eql.functions._text import folded, text_of
from contraband.schema.types import TypeFamily


def _string_contains(arguments: tuple[Value, ...], fold: Fold) -> Value:
    source, part = (text_of(argument) for argument in arguments)
    if source is None or part is None:
        return None
    if not source or not part:
        return False
    return folded(part, fold) in folded(source, fold)


FUNCTION = Function(
    name="stringContains",
    summary="True if `source` contains `substring`.",
    parameters=(Parameter(name="source", accepts=TEXT), Parameter(name="substring", accepts=TEXT)),
    returns=TypeFamily.BOOLEAN,
    case_insensitive_allowed=True,
    reference=_string_contains,
    examples=(
        Example('stringContains("process is regsvr32.exe", "regsvr32")', True),
        Example('stringContains("aXXb", "a*b")', False),
        Example('stringContains~("Start", "TART")', True),
        Example('stringContains("start", "")', False),
        Example('stringContains(null, "a")', None),
    ),
    details="An empty text contains nothing, and nothing contains an empty text. `*` and `?` are ordinary characters.",
)
