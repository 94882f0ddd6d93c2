"""Constants in the type of the field they are compared with: dates as spans of instants, addresses and versions as such."""

from __future__ import annotations

import ipaddress
import re

from contraband.diagnostics import Diagnostic
from contraband.eql import errors
from contraband.eql.analysis.checked import DateValue, FieldRef, Literal
from contraband.schema.types import FieldType, TypeFamily

_SECOND = 1_000_000_000
_MILLISECOND = 1_000_000
# The coarsest part that a partial date leaves out decides which unit it covers.
_PARTIAL = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2})(?:T(?P<hour>\d{2})(?::(?P<minute>\d{2}))?)?)?)?"
    r"(?P<offset>Z|[+-]\d{2}(?::?\d{2})?)?"
)


def fit(constant: Literal, field: FieldRef) -> Literal | Diagnostic:
    """The constant as the field's type reads it, or why it cannot be read."""
    if constant.value is None or isinstance(constant.value, DateValue):
        return constant
    match field.type.family:
        case TypeFamily.DATE:
            return _date(constant, field.type)
        case TypeFamily.IP:
            return _address(constant)
        case TypeFamily.VERSION if isinstance(constant.value, str):
            return Literal(constant.value, FieldType.VERSION, constant.span)
        case _:
            return constant


def _date(constant: Literal, kind: FieldType) -> Literal | Diagnostic:
    from contraband.eql.reference.dates import parse_date  # the evaluator imports the checked query

    text = _text(constant)
    first = None if isinstance(constant.value, bool) else parse_date(text)
    if first is None:
        return errors.unfit_constant(text, kind, "not a date", constant.span)
    first -= first % _MILLISECOND
    last = _end_of_unit(text, first)
    if last is None:
        last = first + (_MILLISECOND - 1 if kind is FieldType.DATE_NANOS else 0)
    return Literal(DateValue(divmod(first, _SECOND), divmod(last, _SECOND)), kind, constant.span)


def _end_of_unit(text: str, first: int) -> int | None:
    """The last nanosecond of the unit that a partial date names; None for a date with seconds or in milliseconds."""
    parts = _PARTIAL.fullmatch(text)
    if parts is None or (text.isdigit() and len(text) != 4):
        return None
    if parts["minute"] is not None:
        return first + 60 * _SECOND - 1
    if parts["hour"] is not None:
        return first + 3600 * _SECOND - 1
    if parts["day"] is not None:
        return first + 86_400 * _SECOND - 1
    return first + _days(int(parts["year"]), int(parts["month"]) if parts["month"] else None) * 86_400 * _SECOND - 1


def _days(year: int, month: int | None) -> int:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if month is None:
        return 366 if leap else 365
    return (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]


def _address(constant: Literal) -> Literal | Diagnostic:
    text = _text(constant)
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return errors.unfit_constant(text, FieldType.IP, "not an IP address or network", constant.span)
    return Literal(text, FieldType.IP, constant.span)


def _text(constant: Literal) -> str:
    value = constant.value
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
