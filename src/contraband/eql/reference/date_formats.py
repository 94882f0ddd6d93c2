"""Reads dates by the formats of a mapping, the first that fits. A pattern's text must fit from end to end."""

from __future__ import annotations

import re
from collections.abc import Sequence

from contraband.eql.reference.dates import SECOND, Found, day_number, days_in_month, parse_date, parse_iso, parse_millis
from contraband.schema.date_formats import DateFormat, Digits, Maybe, Name, Named, Part, Pattern, Text, Zone

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_NAMES = {"month": _MONTHS, "weekday": _WEEKDAYS, "half": ["AM", "PM"]}
_OFFSET = re.compile(r"([+-])([0-9]{2})(?::?([0-9]{2}))?")
_ZONE_NAMES = ("Z", "UTC", "GMT")

_Fields = dict[str, int]


def read_date(text: str, formats: Sequence[DateFormat]) -> Found | None:
    """The date that the text is in the first of the formats that fits; without formats, as date fields read by default."""
    if not formats:
        return parse_date(text)
    return next((found for form in formats if (found := _read(text, form)) is not None), None)


def _read(text: str, form: DateFormat) -> Found | None:
    match form:
        case Named(name="epoch_millis"):
            return parse_millis(text)
        case Named(name="epoch_second"):
            return parse_millis(text, unit=SECOND)
        case Named():
            return parse_iso(text)
        case Pattern(parts=parts):
            fields: _Fields = {}
            return _date(fields) if _fit(text, 0, parts, fields) == len(text) else None


def _fit(text: str, at: int, parts: Sequence[Part], fields: _Fields) -> int | None:
    """Where the parts end in the text, or None if they do not fit; what they say goes into `fields`."""
    for part in parts:
        end = _end(text, at, part, fields)
        if end is None:
            return None
        at = end
    return at


def _end(text: str, at: int, part: Part, fields: _Fields) -> int | None:
    match part:
        case Text(text=expected):
            return at + len(expected) if text.startswith(expected, at) else None
        case Digits(unit=unit, least=least, most=most):
            digits = re.compile(f"[0-9]{{{least},{most}}}").match(text, at)
            if digits is None:
                return None
            fields[unit] = int(digits[0]) * (10 ** (9 - most) if unit == "fraction" else 1)
            return digits.end()
        case Name(unit=unit, full=full):
            return _named(text, at, unit, fields, full=full)
        case Zone():
            return _zone(text, at, fields)
        case Maybe(parts=inner):
            found: _Fields = {}
            end = _fit(text, at, inner, found)
            fields |= {} if end is None else found
            return at if end is None else end


def _named(text: str, at: int, unit: str, fields: _Fields, *, full: bool) -> int | None:
    for number, name in enumerate(_NAMES[unit], 1):
        shown = name if full else name[:3]
        if text.startswith(shown, at):
            fields[unit] = number
            return at + len(shown)
    return None


def _zone(text: str, at: int, fields: _Fields) -> int | None:
    for name in _ZONE_NAMES:
        if text.startswith(name, at):
            return at + len(name)
    offset = _OFFSET.match(text, at)
    if offset is None or int(offset[2]) > 18 or int(offset[3] or 0) > 59:
        return None
    fields["offset"] = (int(offset[2]) * 3600 + int(offset[3] or 0) * 60) * (-1 if offset[1] == "-" else 1)
    return offset.end()


def _date(fields: _Fields) -> Found | None:
    """The instant of these parts; a missing one is the first of its kind, a missing year 1970."""
    year = fields.get("year", 2000 + fields["short_year"] if "short_year" in fields else 1970)
    month, day = fields.get("month", 1), fields.get("day", 1)
    hour = fields.get("hour", fields.get("half_hour", 0) % 12 + (12 if fields.get("half") == 2 else 0))
    minute, second = fields.get("minute", 0), fields.get("second", 0)
    if not 1 <= month <= 12 or not 1 <= day <= days_in_month(year, month) or hour > 23 or minute > 59 or second > 59:
        return None
    if not 1 <= fields.get("half_hour", 1) <= 12:
        return None
    days = day_number(year, month, day)
    if "day_of_year" in fields:
        days = day_number(year, 1, 1) + fields["day_of_year"] - 1
        if not day_number(year, 1, 1) <= days < day_number(year + 1, 1, 1):
            return None
    seconds = days * 86_400 + hour * 3600 + minute * 60 + second - fields.get("offset", 0)
    return Found(seconds * SECOND + fields.get("fraction", 0), _finest(fields))


def _finest(fields: _Fields) -> str:
    for units, finest in (
        (("fraction", "second"), "second"),
        (("minute",), "minute"),
        (("hour", "half_hour"), "hour"),
        (("day", "day_of_year"), "day"),
        (("month",), "month"),
    ):
        if any(unit in fields for unit in units):
            return finest
    return "year"
