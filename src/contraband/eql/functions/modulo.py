"""`modulo`: the operator `%` under another name."""

from __future__ import annotations

from contraband.eql.analysis.checked import ArithmeticOp
from contraband.eql.functions._arithmetic import reference
from contraband.eql.functions._model import NUMBER, Example, Function, Parameter
from contraband.schema.types import TypeFamily

FUNCTION = Function(
    name="modulo",
    summary="The remainder of `left / right`, with the sign of `left`.",
    parameters=(Parameter(name="left", accepts=NUMBER), Parameter(name="right", accepts=NUMBER)),
    returns=TypeFamily.INTEGER,
    arithmetic=ArithmeticOp.MODULO,
    reference=reference(ArithmeticOp.MODULO),
    examples=(
        Example("modulo(10, 6)", 4),
        Example("modulo(-10, 6)", -4),
        Example("modulo(5.5, 2)", 1.5),
        Example("modulo(10, null)", None),
    ),
    details="The remainder by the whole number zero fails the search.",
)
