"""Typed values: how a field type reads a raw value of a document, and the text of the result.

`docs/values.md` is the page that this module and the core both follow.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from contraband.eql.analysis.checked import DateValue, FieldRef, Literal
from contraband.eql.functions import Value as Plain
from contraband.eql.functions._address import address_text, parse_address, parse_block
from contraband.eql.functions._text import double_text
from contraband.eql.reference.date_formats import read_date
from contraband.eql.reference.dates import MILLISECOND, SECOND, date_text
from contraband.eql.reference.documents import Raw
from contraband.schema.date_formats import DateFormat
from contraband.schema.types import FieldType, TypeFamily


@dataclass(frozen=True, slots=True, order=True)
class Instant:
    """A point in time, in nanoseconds since 1970."""

    nanoseconds: int

    @property
    def milliseconds(self) -> int:
        """Whole milliseconds since 1970, cut toward the past."""
        return self.nanoseconds // MILLISECOND


@dataclass(frozen=True, slots=True)
class Span:
    """A date constant: all instants from `first` to `last`, both included."""

    first: Instant
    last: Instant


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """An IP address as its 16 bytes."""

    number: int


@dataclass(frozen=True, slots=True)
class Block:
    """An IP constant: all addresses from `low` to `high`, both included; a lone address is a block of one."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Version:
    """A version as it is written."""

    text: str


Value: TypeAlias = bool | int | float | str | Instant | Address | Version | None
"""What a field or a scalar holds."""

Constant: TypeAlias = Value | Span | Block
"""What stands on the other side of a comparison."""

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?")
_RANGES = {
    FieldType.LONG: (-(2**63), 2**63 - 1),
    FieldType.INTEGER: (-(2**31), 2**31 - 1),
    FieldType.SHORT: (-(2**15), 2**15 - 1),
    FieldType.BYTE: (-(2**7), 2**7 - 1),
    FieldType.UNSIGNED_LONG: (0, 2**64 - 1),
}
_BOOLEANS = {"true": True, "false": False, "": False}


def read(raw: Raw, type_: FieldType, formats: tuple[DateFormat, ...] = ()) -> Value:
    """The value that a field of this type makes of a raw value; None if it cannot be read as that."""
    match type_.family:
        case TypeFamily.STRING | TypeFamily.UNSUPPORTED:
            return raw_text(raw)
        case TypeFamily.INTEGER:
            return None if isinstance(raw, bool) else _whole(raw_text(raw), *_RANGES[type_])
        case TypeFamily.DECIMAL:
            return None if isinstance(raw, bool) else decimal(raw_text(raw))
        case TypeFamily.BOOLEAN:
            return raw if isinstance(raw, bool) else _BOOLEANS.get(raw) if isinstance(raw, str) else None
        case TypeFamily.DATE:
            return _instant(raw, type_, formats)
        case TypeFamily.IP:
            return as_address(raw if isinstance(raw, str) else None)
        case TypeFamily.VERSION:
            return Version(raw_text(raw))
        case TypeFamily.ANY:
            return _own_type(raw)


def raw_text(raw: Raw) -> str:
    """A text as it is; a number or boolean as it stands in JSON."""
    return raw if isinstance(raw, str) else json.dumps(raw)


def decimal(text: str) -> float | None:
    """The finite 64-bit float that a decimal text spells."""
    if not _DECIMAL.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def _whole(text: str, lowest: int, highest: int) -> int | None:
    """The whole number that a decimal text spells, cut toward zero, if it lies in the range."""
    if not _DECIMAL.fullmatch(text):
        return None
    exact = Decimal(text)
    if exact == 0 or exact.adjusted() < 0:
        return 0
    if exact.adjusted() > 20:
        return None
    number = int(exact)
    return number if lowest <= number <= highest else None


def _instant(raw: Raw, type_: FieldType, formats: tuple[DateFormat, ...]) -> Instant | None:
    found = None if isinstance(raw, bool) else read_date(raw_text(raw), formats)
    if found is None:
        return None
    nanoseconds = found.nanoseconds
    return Instant(nanoseconds if type_ is FieldType.DATE_NANOS else nanoseconds // MILLISECOND * MILLISECOND)


def _own_type(raw: Raw) -> Value:
    if isinstance(raw, int) and not isinstance(raw, bool) and not -(2**63) <= raw < 2**64:
        return decimal(str(raw))
    return raw


def as_address(value: Value) -> Address | None:
    """The address that a text spells."""
    number = parse_address(value) if isinstance(value, str) else None
    return None if number is None else Address(number)


def as_instant(value: Value) -> Instant | None:
    """A value as an instant, where a date constant asks for one."""
    match value:
        case Instant():
            return value
        case None | bool() | Address() | Version():
            return None
        case int() | float() | str():
            return _instant(value, FieldType.DATE_NANOS, ())


def plain(value: Constant) -> Plain:
    """The value as functions see it: dates, addresses and versions are their text."""
    match value:
        case Instant():
            return date_text(value.nanoseconds)
        case Address():
            return address_text(value.number)
        case Version():
            return value.text
        case Span():
            return date_text(value.first.nanoseconds)
        case Block():
            return address_text(value.low)
        case _:
            return value


def text_of(value: Constant) -> str | None:
    """The text of a value: what `:`, `regex` and string functions look at."""
    match seen := plain(value):
        case bool():
            return "true" if seen else "false"
        case float():
            return double_text(seen)
        case None:
            return None
        case _:
            return str(seen)


def constant_of(literal: Literal) -> Constant:
    """A literal as what it is compared as: dates cover a span, addresses a block."""
    match literal.value, literal.type:
        case DateValue(first=first, last=last), _:
            return Span(_from_pair(first), _from_pair(last))
        case str() as text, FieldType.IP:
            block = parse_block(text)
            return text if block is None else Block(*block)
        case str() as text, FieldType.VERSION:
            return Version(text)
        case bool() | int() | float() | str() | None as value, _:
            return value


def _from_pair(pair: tuple[int, int]) -> Instant:
    return Instant(pair[0] * SECOND + pair[1])


def is_any(field: FieldRef) -> bool:
    """Whether each document's own value decides the type."""
    return field.type.family is TypeFamily.ANY
