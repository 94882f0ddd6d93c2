"""`divide`: the operator `/` under another name."""

from __future__ import annotations

from contraband.eql.analysis.checked import ArithmeticOp
from contraband.eql.functions._arithmetic import reference
from contraband.eql.functions._model import NUMBER, Example, Function, Parameter
from contraband.schema.types import TypeFamily

FUNCTION = Function(
    name="divide",
    summary="`left / right`; between whole numbers the quotient is cut toward zero.",
    parameters=(Parameter(name="left", accepts=NUMBER), Parameter(name="right", accepts=NUMBER)),
    returns=TypeFamily.INTEGER,
    arithmetic=ArithmeticOp.DIVIDE,
    reference=reference(ArithmeticOp.DIVIDE),
    examples=(
        Example("divide(83, 2)", 41),
        Example("divide(-83, 2)", -41),
        Example("divide(83, 2.0)", 41.5),
        Example("divide(4, null)", None),
    ),
    details="Dividing a whole number by the whole number zero fails the search; a float gives an infinity or NaN.",
)
