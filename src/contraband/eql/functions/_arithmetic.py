"""The five arithmetic operators, as Java computes them: 64-bit whole numbers that fail on overflow, and floats.

The operators `+ - * / %` and the functions `add` .. `modulo` are both this.
"""

from __future__ import annotations

import math

from contraband.eql.analysis.checked import ArithmeticOp, Fold
from contraband.eql.functions._model import EvaluationError, Reference, Value
from contraband.eql.functions._text import number_of

LONG_MIN = -(2**63)
LONG_MAX = 2**63 - 1
UNSIGNED_LONG_MAX = 2**64 - 1


def compute(op: ArithmeticOp, left: Value, right: Value) -> int | float | None:
    """`left OP right`; null if either is null or no number.

    Raises `EvaluationError` on division of whole numbers by zero and on overflow: both fail the search.
    """
    a, b = number_of(left), number_of(right)
    if a is None or b is None:
        return None
    if isinstance(a, int) and isinstance(b, int):
        return _whole(op, a, b)
    return _decimal(op, float(a), float(b))


def negate(operand: Value) -> int | float | None:
    """`-operand`; the smallest long has no negative."""
    number = number_of(operand)
    if number is None or isinstance(number, float):
        return None if number is None else -number
    return _checked(-number, unsigned=number > LONG_MAX)


def reference(op: ArithmeticOp) -> Reference:
    """The meaning of the function that is another name for an operator."""

    def evaluate(arguments: tuple[Value, ...], _fold: Fold) -> Value:
        left, right = arguments
        return compute(op, left, right)

    return evaluate


def _whole(op: ArithmeticOp, a: int, b: int) -> int:
    unsigned = a > LONG_MAX or b > LONG_MAX
    match op:
        case ArithmeticOp.ADD:
            return _checked(a + b, unsigned=unsigned)
        case ArithmeticOp.SUBTRACT:
            return _checked(a - b, unsigned=unsigned)
        case ArithmeticOp.MULTIPLY:
            return _checked(a * b, unsigned=unsigned)
        case ArithmeticOp.DIVIDE | ArithmeticOp.MODULO:
            if b == 0:
                raise EvaluationError("division by zero")
            quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
            if op is ArithmeticOp.MODULO:
                return a - b * quotient
            # Java's long division wraps in its one overflowing case instead of failing.
            return LONG_MIN if (a, b) == (LONG_MIN, -1) else _checked(quotient, unsigned=unsigned)


def _checked(result: int, *, unsigned: bool) -> int:
    if LONG_MIN <= result <= LONG_MAX or (unsigned and 0 <= result <= UNSIGNED_LONG_MAX):
        return result
    raise EvaluationError("long overflow")


def _decimal(op: ArithmeticOp, a: float, b: float) -> float:
    match op:
        case ArithmeticOp.ADD:
            return a + b
        case ArithmeticOp.SUBTRACT:
            return a - b
        case ArithmeticOp.MULTIPLY:
            return a * b
        case ArithmeticOp.DIVIDE:
            return a / b if b != 0 else _divided_by_zero(a, b)
        case ArithmeticOp.MODULO:
            # Where Python's fmod raises, Java gives NaN.
            return math.nan if math.isinf(a) or b == 0 else math.fmod(a, b)


def _divided_by_zero(a: float, b: float) -> float:
    if a == 0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, math.copysign(1.0, a) * math.copysign(1.0, b))
