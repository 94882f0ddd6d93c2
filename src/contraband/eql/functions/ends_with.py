"""`endsWith`: does a text end with another?"""

from __future__ import annotations

from contraband.eql.analysis.checked import Fold
from contraband.eql.functions._model import TEXT, Example, Function, Parameter, Value
from contraband.eql.functions._text import folded, text_of
from contraband.schema.types import TypeFamily


def _ends_with(arguments: tuple[Value, ...], fold: Fold) -> Value:
    source, suffix = (text_of(argument) for argument in arguments)
    if source is None or suffix is None:
        return None
    return folded(source, fold).endswith(folded(suffix, fold))


FUNCTION = Function(
    name="endsWith",
    summary="True if `source` ends with `suffix`.",
    parameters=(Parameter(name="source", accepts=TEXT), Parameter(name="suffix", accepts=TEXT)),
    returns=TypeFamily.BOOLEAN,
    case_insensitive_allowed=True,
    reference=_ends_with,
    examples=(
        Example('endsWith("regsvr32.exe", ".exe")', True),
        Example('endsWith("regsvr32.exe", ".EXE")', False),
        Example('endsWith~("regsvr32.exe", ".EXE")', True),
        Example('endsWith("regsvr32.exe", "")', True),
        Example('endsWith("regsvr32.exe", null)', None),
    ),
)
