"""`startsWith`: does a text begin with another?"""

from __future__ import annotations

from contraband.eql.analysis.checked import Fold
from contraband.eql.functions._model import TEXT, Example, Function, Parameter, Value
from contraband.eql.functions._text import folded, text_of
from contraband.schema.types import TypeFamily


def _starts_with(arguments: tuple[Value, ...], fold: Fold) -> Value:
    source, prefix = (text_of(argument) for argument in arguments)
    if source is None or prefix is None:
        return None
    return folded(source, fold).startswith(folded(prefix, fold))


FUNCTION = Function(
    name="startsWith",
    summary="True if `source` begins with `prefix`.",
    parameters=(Parameter(name="source", accepts=TEXT), Parameter(name="prefix", accepts=TEXT)),
    returns=TypeFamily.BOOLEAN,
    case_insensitive_allowed=True,
    reference=_starts_with,
    examples=(
        Example('startsWith("regsvr32.exe", "reg")', True),
        Example('startsWith("regsvr32.exe", "REG")', False),
        Example('startsWith~("regsvr32.exe", "REG")', True),
        Example('startsWith("regsvr32.exe", "")', True),
        Example('startsWith(null, "reg")', None),
    ),
)
