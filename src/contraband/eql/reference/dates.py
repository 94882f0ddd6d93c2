"""Dates: Elasticsearch's `strict_date_optional_time||epoch_millis` and their ISO text. In nanoseconds since 1970."""

from __future__ import annotations

import re
from dataclasses import dataclass

SECOND = 1_000_000_000
MILLISECOND = 1_000_000

_DAYS_BEFORE_1970 = 719_468  # from 0000-03-01, where the calendar computation starts
_EPOCH_MILLIS = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?")
_ISO = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:T(?P<hour>[0-9]{2})(?::(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?)?"
    r"(?:Z|(?P<sign>[+-])(?P<offset_hours>[0-9]{2})(?::?(?P<offset_minutes>[0-9]{2}))?)?)?)?)?"
)
_LARGEST = 2**63  # milliseconds


@dataclass(frozen=True, slots=True)
class Found:
    """A date that was read: nanoseconds since 1970, and the finest unit that its text names (`millisecond` for whole instants)."""

    nanoseconds: int
    finest: str


def parse_date(text: str) -> Found | None:
    """What a date field without a format of its own reads, or None. Four digits are a year, other digits milliseconds."""
    return parse_iso(text) if re.fullmatch("[0-9]{4}", text) else parse_millis(text) or parse_iso(text)


def parse_millis(text: str, *, unit: int = MILLISECOND) -> Found | None:
    """Milliseconds since 1970, or of another unit."""
    millis = _EPOCH_MILLIS.fullmatch(text)
    nanoseconds = None if millis is None else _from_epoch(millis[1], millis[2], millis[3], unit)
    return None if nanoseconds is None else Found(nanoseconds, "millisecond")


def parse_iso(text: str) -> Found | None:
    """A date with as much of a time as there is."""
    iso = _ISO.fullmatch(text)
    if iso is None:
        return None
    parts = iso.groupdict()
    nanoseconds = _from_iso(parts)
    finest = next(unit for unit in ("second", "minute", "hour", "day", "month", "year") if parts[unit] is not None)
    return None if nanoseconds is None else Found(nanoseconds, finest)


def _from_epoch(sign: str, whole: str, fraction: str | None, unit: int) -> int | None:
    if len(whole) > 20 or int(whole) >= _LARGEST:
        return None
    digits = len(str(unit)) - 1
    nanoseconds = int(whole) * unit + int((fraction or "")[:digits].ljust(digits, "0"))
    return -nanoseconds if sign == "-" else nanoseconds


def _from_iso(parts: dict[str, str | None]) -> int | None:
    year, month, day = int(parts["year"] or 0), int(parts["month"] or 1), int(parts["day"] or 1)
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    offset_hours, offset_minutes = int(parts["offset_hours"] or 0), int(parts["offset_minutes"] or 0)
    if not 1 <= month <= 12 or not 1 <= day <= days_in_month(year, month):
        return None
    if hour > 23 or minute > 59 or second > 59 or offset_hours > 18 or offset_minutes > 59:
        return None
    offset = (offset_hours * 60 + offset_minutes) * (-60 if parts["sign"] == "-" else 60)
    seconds = day_number(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
    return seconds * SECOND + int((parts["fraction"] or "").ljust(9, "0"))


def date_text(nanoseconds: int) -> str:
    """ISO text in UTC with milliseconds, and up to nanoseconds where there are any."""
    seconds, fraction = divmod(nanoseconds, SECOND)
    days, second_of_day = divmod(seconds, 86_400)
    year, month, day = calendar_day(days)
    written = f"{year:04}" if 0 <= year <= 9999 else f"{'-' if year < 0 else '+'}{abs(year):04}"
    digits = f"{fraction:09}"
    digits = digits[:3] + digits[3:].rstrip("0")
    hour, rest = divmod(second_of_day, 3600)
    return f"{written}-{month:02}-{day:02}T{hour:02}:{rest // 60:02}:{rest % 60:02}.{digits}Z"


def days_in_month(year: int, month: int) -> int:
    """How many days the month has."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in {4, 6, 9, 11} else 31


def day_number(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the Gregorian calendar, for years that Python's `datetime` does not have as well."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - _DAYS_BEFORE_1970


def end_of_month(nanoseconds: int, *, months: int) -> int:
    """The first nanosecond after so many months, counted from the month that the instant lies in."""
    year, month, _ = calendar_day(nanoseconds // SECOND // 86_400)
    years, rest = divmod(month - 1 + months, 12)
    return day_number(year + years, rest + 1, 1) * 86_400 * SECOND


def calendar_day(days: int) -> tuple[int, int, int]:
    """Year, month and day of a day number: the inverse of `day_number`."""
    era, day_of_era = divmod(days + _DAYS_BEFORE_1970, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1
