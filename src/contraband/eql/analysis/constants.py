"""Constants in the type of the field they are compared with: dates as spans of instants, addresses and versions as such."""

from __future__ import annotations

from contraband.diagnostics import Diagnostic
from contraband.eql import errors
from contraband.eql.analysis.checked import DateValue, FieldRef, Literal
from contraband.eql.functions._address import parse_block
from contraband.schema.types import FieldType, TypeFamily

_SECOND = 1_000_000_000
_MILLISECOND = 1_000_000


def fit(constant: Literal, field: FieldRef) -> Literal | Diagnostic:
    """The constant as the field's type reads it, or why it cannot be read."""
    if constant.value is None or isinstance(constant.value, DateValue):
        return constant
    match field.type.family:
        case TypeFamily.DATE:
            return _date(constant, field)
        case TypeFamily.IP:
            return _address(constant)
        case TypeFamily.VERSION if isinstance(constant.value, str):
            return Literal(constant.value, FieldType.VERSION, constant.span)
        case _:
            return constant


def _date(constant: Literal, field: FieldRef) -> Literal | Diagnostic:
    from contraband.eql.reference.date_formats import read_date  # the evaluator imports the checked query
    from contraband.eql.reference.date_math import compute

    kind, text = field.type, _text(constant)
    text, separator, math = text.partition("||")
    found = None if isinstance(constant.value, bool) else read_date(text, field.formats)
    if found is None:
        return errors.unfit_constant(_text(constant), kind, _why_no_date(text), constant.span)
    first = found.nanoseconds - found.nanoseconds % _MILLISECOND
    last = None if separator else _end_of_unit(found.finest, first)
    if separator:
        start, end = compute(math, first, up=False), compute(math, first, up=True)
        if start is None or end is None:
            return errors.unfit_constant(_text(constant), kind, "not date math such as `||-1d/d`", constant.span)
        first, last = start, None if start == end else end + _MILLISECOND - 1
    if last is None:
        last = first + (_MILLISECOND - 1 if kind is FieldType.DATE_NANOS else 0)
    return Literal(DateValue(divmod(first, _SECOND), divmod(last, _SECOND)), kind, constant.span)


def _why_no_date(text: str) -> str:
    if text.startswith("now"):
        return "the clock decides nothing here: write the date, such as `2026-11-24||-1d/d`"
    return "not a date"


def _end_of_unit(unit: str, first: int) -> int | None:
    """The last nanosecond of the unit that a partial date names; None for a date with seconds or in milliseconds."""
    match unit:
        case "minute":
            return first + 60 * _SECOND - 1
        case "hour":
            return first + 3600 * _SECOND - 1
        case "day":
            return first + 86_400 * _SECOND - 1
        case "month" | "year":
            from contraband.eql.reference.dates import end_of_month

            return end_of_month(first, months=12 if unit == "year" else 1) - 1
        case _:
            return None


def _address(constant: Literal) -> Literal | Diagnostic:
    text = _text(constant)
    if parse_block(text) is None:
        return errors.unfit_constant(text, FieldType.IP, "not an IP address or network", constant.span)
    return Literal(text, FieldType.IP, constant.span)


def _text(constant: Literal) -> str:
    value = constant.value
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
