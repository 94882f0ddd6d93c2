"""Date formats of a mapping: Elasticsearch's named ones and java.time patterns, taken apart. Reads no dates; both evaluators do that.

https://www.elastic.co/docs/reference/elasticsearch/mapping-reference/mapping-date-format
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

DEFAULT = "strict_date_optional_time||epoch_millis"
"""The format of a date field whose mapping names none; evaluators read it without the parts below."""


@dataclass(frozen=True, slots=True)
class Text:
    """Characters that stand there as they are."""

    text: str


@dataclass(frozen=True, slots=True)
class Digits:
    """`least` to `most` digits. `unit` is year, short_year (of 2000 to 2099), month, day, day_of_year, hour, half_hour, minute, second or fraction."""

    unit: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Name:
    """An English name: of a `month`, a `weekday`, or of the `half` of the day (AM, PM). Letter case counts."""

    unit: str
    full: bool


@dataclass(frozen=True, slots=True)
class Zone:
    """`Z`, `UTC`, `GMT` or an offset such as `+01`, `+0100`, `+01:00`."""


@dataclass(frozen=True, slots=True)
class Maybe:
    """What may be left out as a whole."""

    parts: tuple[Part, ...]


Part: TypeAlias = Text | Digits | Name | Zone | Maybe


@dataclass(frozen=True, slots=True)
class Named:
    """A format that is no pattern: `iso` (dates with as much of a time as there is), `epoch_millis` or `epoch_second`."""

    name: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """Parts, one after the other."""

    parts: tuple[Part, ...]


DateFormat: TypeAlias = Named | Pattern


class DateFormatError(ValueError):
    """A format that Elasticsearch knows and this package does not, or that nobody knows."""


_NAMED = {
    "strict_date_optional_time": "iso",
    "date_optional_time": "iso",
    "strict_date_optional_time_nanos": "iso",
    "iso8601": "iso",
    "epoch_millis": "epoch_millis",
    "epoch_second": "epoch_second",
}
_CLOCKS = {
    "_hour": "HH",
    "_hour_minute": "HH:mm",
    "_hour_minute_second": "HH:mm:ss",
    "_hour_minute_second_fraction": "HH:mm:ss.SSS",
    "_hour_minute_second_millis": "HH:mm:ss.SSS",
    "_time": "HH:mm:ss.SSSXXX",
    "_time_no_millis": "HH:mm:ssXXX",
}
_PATTERNS = {
    "basic_date": "yyyyMMdd",
    "basic_date_time": "yyyyMMdd'T'HHmmss.SSSX",
    "basic_date_time_no_millis": "yyyyMMdd'T'HHmmssX",
    "basic_ordinal_date": "yyyyDDD",
    "date": "yyyy-MM-dd",
    "ordinal_date": "yyyy-DDD",
    "year": "yyyy",
    "year_month": "yyyy-MM",
    "year_month_day": "yyyy-MM-dd",
    **{f"date{name}": f"yyyy-MM-dd'T'{clock}" for name, clock in _CLOCKS.items()},
}
_UNITS = {"M": "month", "L": "month", "d": "day", "H": "hour", "h": "half_hour", "m": "minute", "s": "second"}


def read_formats(text: str) -> tuple[DateFormat, ...]:
    """The alternatives of a mapping's `format`, in order; none for the default. Raises `DateFormatError`."""
    return () if text == DEFAULT else tuple(_read(alternative) for alternative in text.split("||"))


def _read(text: str) -> DateFormat:
    if text in _NAMED:
        return Named(_NAMED[text])
    pattern = _PATTERNS.get(text.removeprefix("strict_"), text)
    reader = _Reader(pattern)
    parts = reader.parts()
    if reader.at < len(pattern) or not parts:
        raise DateFormatError(f"`{text}` is no date format")
    return Pattern(parts)


class _Reader:
    """Reads one pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def parts(self) -> tuple[Part, ...]:
        """Everything up to the end, or to the bracket that closes this section."""
        found: list[Part] = []
        while self.at < len(self.pattern) and self.pattern[self.at] != "]":
            found.append(self._part())
        return tuple(found)

    def _part(self) -> Part:
        letter = self.pattern[self.at]
        if letter == "[":
            self.at += 1
            inner = self.parts()
            if self.at == len(self.pattern):
                raise DateFormatError(f"`{self.pattern}` opens a bracket that nothing closes")
            self.at += 1
            return Maybe(inner)
        if letter == "'":
            return self._quoted()
        if not (letter.isascii() and letter.isalpha()):
            self.at += 1
            return Text(letter)
        count = len(self.pattern[self.at :]) - len(self.pattern[self.at :].lstrip(letter))
        self.at += count
        return self._letters(letter, count)

    def _quoted(self) -> Text:
        text = ""
        self.at += 1
        while self.at < len(self.pattern):
            if self.pattern[self.at] != "'":
                text += self.pattern[self.at]
            elif self.pattern[self.at + 1 : self.at + 2] == "'":
                text += "'"
                self.at += 1
            else:
                self.at += 1
                return Text(text or "'")
            self.at += 1
        raise DateFormatError(f"`{self.pattern}` opens a quote that nothing closes")

    def _letters(self, letter: str, count: int) -> Part:
        match letter:
            case "y" | "u":
                return Digits("short_year", 2, 2) if count == 2 else Digits("year", count, 4 if count > 1 else 9)
            case "M" | "L" if count in (3, 4):
                return Name("month", full=count == 4)
            case "E" if count <= 4:
                return Name("weekday", full=count == 4)
            case "a" if count == 1:
                return Name("half", full=True)
            case "D" if count in (1, 3):
                return Digits("day_of_year", count, 3)
            case "S" if count <= 9:
                return Digits("fraction", count, count)
            case "X" | "x" | "Z" | "z" | "V" | "O":
                return Zone()
            case _ if letter in _UNITS and count <= 2:
                return Digits(_UNITS[letter], count, 2)
        raise DateFormatError(f"`{letter * count}` in `{self.pattern}` is not understood")
