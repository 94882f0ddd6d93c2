"""Date math on a fixed date: `2017-08-30||-1d/d` (Elasticsearch reference, *Date math*). In nanoseconds since 1970, UTC.

`now` is not among it: what a scan finds must not depend on the clock.
"""

from __future__ import annotations

import re

from contraband.eql.reference.dates import MILLISECOND, SECOND, calendar_day, day_number, days_in_month

_STEP = re.compile(r"(?P<sign>[+\-/])(?P<count>[0-9]*)(?P<unit>[yMwdhHms])")
_SECONDS = {"w": 604_800, "d": 86_400, "h": 3600, "H": 3600, "m": 60, "s": 1}
_MONTHS = {"y": 12, "M": 1}
_MONDAY = 4 * 86_400  # 1970-01-05
_MOST = 10**6  # a larger count leaves the range of dates


def compute(math: str, instant: int, *, up: bool) -> int | None:
    """What the steps of `math` make of an instant; None if it is no date math. `up` rounds to the last millisecond of a unit."""
    at = 0
    while at < len(math):
        step = _STEP.match(math, at)
        if step is None:
            return None
        at, count = step.end(), int(step["count"] or 1)
        if step["sign"] == "/":
            if count != 1:
                return None
            start = _floor(instant, step["unit"])
            instant = _add(start, step["unit"], 1) - MILLISECOND if up else start
        elif count > _MOST:
            return None
        else:
            instant = _add(instant, step["unit"], -count if step["sign"] == "-" else count)
    return instant


def _floor(instant: int, unit: str) -> int:
    if unit in _MONTHS:
        year, month, _ = calendar_day(instant // SECOND // 86_400)
        return day_number(year, 1 if unit == "y" else month, 1) * 86_400 * SECOND
    length, first = _SECONDS[unit] * SECOND, _MONDAY * SECOND if unit == "w" else 0
    return instant - (instant - first) % length


def _add(instant: int, unit: str, count: int) -> int:
    """A month later is the same day of the month, or its last one."""
    if unit not in _MONTHS:
        return instant + count * _SECONDS[unit] * SECOND
    days, rest = divmod(instant, 86_400 * SECOND)
    year, month, day = calendar_day(days)
    years, month = divmod(month - 1 + count * _MONTHS[unit], 12)
    year, month = year + years, month + 1
    return day_number(year, month, min(day, days_in_month(year, month))) * 86_400 * SECOND + rest
