"""`string`: the text of any value."""

from __future__ import annotations

from contraband.eql.analysis.checked import Fold
from contraband.eql.functions._model import EVERYTHING, Example, Function, Parameter, Value
from contraband.eql.functions._text import text_of
from contraband.schema.types import TypeFamily


def _string(arguments: tuple[Value, ...], _fold: Fold) -> Value:
    return text_of(arguments[0])


FUNCTION = Function(
    name="string",
    summary="The text of a value.",
    parameters=(Parameter(name="value", accepts=EVERYTHING),),
    returns=TypeFamily.STRING,
    reference=_string,
    examples=(
        Example("string(42)", "42"),
        Example("string(42.5)", "42.5"),
        Example('string("regsvr32.exe")', "regsvr32.exe"),
        Example("string(true)", "true"),
        Example("string(10000000.0)", "1.0E7"),
        Example("string(null)", None),
    ),
)
