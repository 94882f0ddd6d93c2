"""`add`: the operator `+` under another name."""

from __future__ import annotations

from contraband.eql.analysis.checked import ArithmeticOp
from contraband.eql.functions._arithmetic import reference
from contraband.eql.functions._model import NUMBER, Example, Function, Parameter
from contraband.schema.types import TypeFamily

FUNCTION = Function(
    name="add",
    summary="`left + right`.",
    parameters=(Parameter(name="left", accepts=NUMBER), Parameter(name="right", accepts=NUMBER)),
    returns=TypeFamily.INTEGER,
    arithmetic=ArithmeticOp.ADD,
    reference=reference(ArithmeticOp.ADD),
    examples=(
        Example("add(1, 2)", 3),
        Example("add(1, 0.5)", 1.5),
        Example("add(1, null)", None),
    ),
    details="A sum of whole numbers that does not fit 64 bits fails the search.",
)
