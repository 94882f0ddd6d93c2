"""`concat`: values joined to one text."""

from __future__ import annotations

from contraband.eql.analysis.checked import Fold
from contraband.eql.functions._model import EVERYTHING, Example, Function, Parameter, Value
from contraband.eql.functions._text import text_of
from contraband.schema.types import TypeFamily


def _concat(arguments: tuple[Value, ...], _fold: Fold) -> Value:
    texts = [text for argument in arguments if (text := text_of(argument)) is not None]
    return None if len(texts) < len(arguments) else "".join(texts)


FUNCTION = Function(
    name="concat",
    summary="The texts of all values, one after another; null if any is null.",
    parameters=(Parameter(name="value", accepts=EVERYTHING, repeated=True),),
    returns=TypeFamily.STRING,
    reference=_concat,
    examples=(
        Example('concat("process is ", "regsvr32.exe")', "process is regsvr32.exe"),
        Example('concat("pid ", 5, " ", true, " ", 1.0)', "pid 5 true 1.0"),
        Example('concat("a", null)', None),
    ),
)
