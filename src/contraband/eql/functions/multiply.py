"""`multiply`: the operator `*` under another name."""

from __future__ import annotations

from contraband.eql.analysis.checked import ArithmeticOp
from contraband.eql.functions._arithmetic import reference
from contraband.eql.functions._model import NUMBER, Example, Function, Parameter
from contraband.schema.types import TypeFamily

FUNCTION = Function(
    name="multiply",
    summary="`left * right`.",
    parameters=(Parameter(name="left", accepts=NUMBER), Parameter(name="right", accepts=NUMBER)),
    returns=TypeFamily.INTEGER,
    arithmetic=ArithmeticOp.MULTIPLY,
    reference=reference(ArithmeticOp.MULTIPLY),
    examples=(
        Example("multiply(6, 7)", 42),
        Example("multiply(2, 0.25)", 0.5),
        Example("multiply(null, 0)", None),
    ),
    details="A product of whole numbers that does not fit 64 bits fails the search.",
)
