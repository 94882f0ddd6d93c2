"""From a folded boolean expression to the two-valued condition that Elasticsearch's bool query is.

`and`, `or` and `not` above the leaves are decided on whole events; everything below is a leaf.
"""

from __future__ import annotations

from contraband.eql.analysis.checked import (
    Always,
    And,
    Condition,
    Leaf,
    Literal,
    Never,
    Not,
    Or,
    Scalar,
    ScalarAnd,
    ScalarNot,
    ScalarOr,
)
from contraband.eql.analysis.scripts import scripted


def condition_of(scalar: Scalar) -> Condition:
    """The condition; a constant null is *never*, as the whole query then has no result."""
    match scalar:
        case Literal(value=value, span=span):
            return Always(span) if value is True else Never(span)
        case ScalarAnd(operands=operands, span=span):
            return And(tuple(map(condition_of, operands)), span)
        case ScalarOr(operands=operands, span=span):
            return Or(tuple(map(condition_of, operands)), span)
        case ScalarNot(operand=operand, span=span):
            return Not(condition_of(operand), span)
        case _:
            return Leaf(scripted(scalar), scalar.span)
