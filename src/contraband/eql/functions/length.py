"""`length`: how long a text is."""

from __future__ import annotations

from contraband.eql.analysis.checked import Fold
from contraband.eql.functions._model import TEXT, Example, Function, Parameter, Value
from contraband.eql.functions._text import text_of, utf16
from contraband.schema.types import TypeFamily


def _length(arguments: tuple[Value, ...], _fold: Fold) -> Value:
    text = text_of(arguments[0])
    return None if text is None else len(utf16(text))


FUNCTION = Function(
    name="length",
    summary="The number of characters (UTF-16 units) of a text.",
    parameters=(Parameter(name="source", accepts=TEXT),),
    returns=TypeFamily.INTEGER,
    reference=_length,
    examples=(
        Example('length("explorer.exe")', 12),
        Example('length("")', 0),
        Example('length("\\u{1f600}")', 2),
        Example("length(null)", None),
    ),
    details="Of a field with several values each is looked at on its own; the number of values cannot be asked.",
)
