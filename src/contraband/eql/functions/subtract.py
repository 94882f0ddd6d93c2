"""`subtract`: the operator `-` under another name."""

from __future__ import annotations

from contraband.eql.analysis.checked import ArithmeticOp
from contraband.eql.functions._arithmetic import reference
from contraband.eql.functions._model import NUMBER, Example, Function, Parameter
from contraband.schema.types import TypeFamily

FUNCTION = Function(
    name="subtract",
    summary="`left - right`.",
    parameters=(Parameter(name="left", accepts=NUMBER), Parameter(name="right", accepts=NUMBER)),
    returns=TypeFamily.INTEGER,
    arithmetic=ArithmeticOp.SUBTRACT,
    reference=reference(ArithmeticOp.SUBTRACT),
    examples=(
        Example("subtract(5, 7)", -2),
        Example("subtract(0.5, 1)", -0.5),
        Example("subtract(null, 1)", None),
    ),
    details="A difference of whole numbers that does not fit 64 bits fails the search.",
)
