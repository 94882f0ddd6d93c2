"""`number`: the number that a text spells."""

from __future__ import annotations

import re

from contraband.eql.analysis.checked import Fold
from contraband.eql.functions._arithmetic import LONG_MAX, LONG_MIN
from contraband.eql.functions._model import INTEGER, TEXT, EvaluationError, Example, Function, Parameter, Value
from contraband.eql.functions._text import text_of
from contraband.schema.types import TypeFamily

_WHOLE = re.compile(r"[+-]?[0-9]+")
# Java's Double.valueOf without hexadecimal floats: blanks around and a type letter at the end are allowed.
_DECIMAL = re.compile(r"([+-]?(?:NaN|Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?=[fFdD]?$)))[fFdD]?")
_BLANKS = "".join(map(chr, range(0x21)))  # what Java's String.trim removes
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def _number(arguments: tuple[Value, ...], _fold: Fold) -> Value:
    text = text_of(arguments[0])
    if text is None:
        return None
    base = arguments[1] if len(arguments) > 1 else None
    prefixed = text.startswith("0x")
    if base is None:
        base = 16 if prefixed else 10
    if not isinstance(base, int) or isinstance(base, bool):
        raise EvaluationError(f"an integer base is required, found [{base}]")
    if base == 10:
        return _decimal(text)
    return _in_base(text[2:] if prefixed and base == 16 else text, base)


def _decimal(text: str) -> int | float:
    if _WHOLE.fullmatch(text) and len(text) < 40 and LONG_MIN <= int(text) <= LONG_MAX:
        return int(text)
    found = _DECIMAL.fullmatch(text.strip(_BLANKS))
    if found is None:
        raise EvaluationError(f"cannot read [{text}] as a number of base [10]")
    return float(found[1])


def _in_base(text: str, base: int) -> int:
    digits = text[1:] if text[:1] in {"+", "-"} else text
    values = [_DIGITS.find(digit) for digit in digits.lower()] if digits.isascii() else [-1]
    if not 2 <= base <= 36 or not values or not all(0 <= value < base for value in values):
        raise EvaluationError(f"cannot read [{text}] as a number of base [{base}]")
    result = 0
    for value in values:
        result = result * base + value
    result = -result if text.startswith("-") else result
    if not LONG_MIN <= result <= LONG_MAX:
        raise EvaluationError(f"cannot read [{text}] as a number of base [{base}]")
    return result


FUNCTION = Function(
    name="number",
    summary="The number that a text spells, in base 10, in base 16 after `0x`, or in the base given.",
    parameters=(Parameter(name="source", accepts=TEXT), Parameter(name="base", accepts=INTEGER, optional=True)),
    returns=TypeFamily.DECIMAL,
    reference=_number,
    examples=(
        Example('number("1337")', 1337),
        Example('number("42.5")', 42.5),
        Example('number("deadbeef", 16)', 3735928559),
        Example('number("0xdeadbeef")', 3735928559),
        Example('number("0xdeadbeef", null)', 3735928559),
        Example('number("1010", 2)', 10),
        Example("number(null)", None),
    ),
    details="A text that spells no number fails the whole search.",
)
