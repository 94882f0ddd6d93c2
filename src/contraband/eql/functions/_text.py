"""Texts as functions see them: Java's rendering of values, UTF-16 positions and the three ways to treat case.

Knows no function and no field.
"""

from __future__ import annotations

import math
import string

from contraband.eql.analysis.checked import Fold
from contraband.eql.functions._model import Value

_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def text_of(value: Value) -> str | None:
    """The text that a string function, `concat` or `:` sees; None for null."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case float():
            return double_text(value)
        case int() | str():
            return str(value)


def number_of(value: Value) -> int | float | None:
    """The number that arithmetic sees; None for null and for what is no number (possible in fields of type `any`)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value


def double_text(value: float) -> str:
    """Java's `Double.toString`: plain from 0.001 up to ten million, else with an exponent; always with a point."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    if value == 0:
        return f"{sign}0.0"
    digits, exponent = _shortest_digits(abs(value))
    if -3 <= exponent < 7:
        return sign + _plain(digits, exponent)
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{exponent}"


def _shortest_digits(value: float) -> tuple[str, int]:
    """The shortest digits that read back as the value, and the power of ten of the first one."""
    mantissa, _, exponent = f"{value!r}e0".partition("e")
    whole, _, fraction = mantissa.partition(".")
    power = int(exponent.removesuffix("e0")) + len(whole) - 1
    digits = whole + fraction
    stripped = digits.lstrip("0")
    return stripped.rstrip("0") or "0", power - (len(digits) - len(stripped))


def _plain(digits: str, exponent: int) -> str:
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    return f"{whole}.{digits[exponent + 1 :] or '0'}"


def folded(text: str, fold: Fold) -> str:
    """The text with case taken out, as functions compare: ASCII letters only, or Java's `toLowerCase(Locale.ROOT)`."""
    match fold:
        case Fold.NONE:
            return text
        case Fold.ASCII:
            return text.translate(_ASCII_LOWER)
        case Fold.UNICODE | Fold.JAVA:
            return text.lower()


def utf16(text: str) -> list[int]:
    """The UTF-16 units of a text, in which Java counts positions and lengths."""
    raw = text.encode("utf-16-le", "surrogatepass")
    return [int.from_bytes(raw[i : i + 2], "little") for i in range(0, len(raw), 2)]


def from_utf16(units: list[int]) -> str:
    """The text of UTF-16 units; half of a surrogate pair becomes U+FFFD, as where Lucene encodes a term."""
    raw = b"".join(unit.to_bytes(2, "little") for unit in units)
    return raw.decode("utf-16-le", "replace")


def find(units: list[int], part: list[int], start: int) -> int:
    """Java's `indexOf`: the first place at or after `start`, or -1."""
    for place in range(max(start, 0), len(units) - len(part) + 1):
        if units[place : place + len(part)] == part:
            return place
    return -1


def find_last(units: list[int], part: list[int]) -> int:
    """Java's `lastIndexOf`: the last place, or -1."""
    for place in range(len(units) - len(part), -1, -1):
        if units[place : place + len(part)] == part:
            return place
    return -1
