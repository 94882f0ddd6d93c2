"""Join keys: which keys an event has for a stage, and how they are reported."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from contraband.eql.analysis.checked import JoinKey
from contraband.eql.reference.conditions import field_values
from contraband.eql.reference.values import Instant, Value, plain, text_of

Reported: TypeAlias = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class KeyPart:
    """One value of a key. The type counts: the number 1, the text "1" and `true` are three different keys.

    So does the sign of zero, as in Java's `Double.equals`.
    """

    type: type
    value: Value
    negative: bool

    @property
    def text(self) -> str:
        """What results with the same last event are sorted by."""
        return "null" if self.value is None else str(text_of(self.value))


Key: TypeAlias = tuple[KeyPart, ...]


def keys_of(event: Mapping[str, object], join_keys: Sequence[JoinKey]) -> list[Key]:
    """Every key that the event has: all combinations of values, each once; none if a mandatory field has none."""
    parts = []
    for join_key in join_keys:
        values: list[Value] = [] if join_key.field is None else field_values(event, join_key.field)
        if not values and join_key.optional:
            values = [None]
        parts.append(list(dict.fromkeys(_part(value) for value in values)))
    return list(product(*parts))


def _part(value: Value) -> KeyPart:
    return KeyPart(type(value), value, isinstance(value, float) and math.copysign(1.0, value) < 0)


def reported(key: Key) -> tuple[Reported, ...]:
    """A key as results show it: numbers and booleans as they are, dates as ISO text."""
    return tuple(plain(part.value) for part in key)


def reported_in_sample(key: Key) -> tuple[Reported, ...]:
    """A key of a sample: as `reported`, but dates are text of their milliseconds since 1970."""
    return tuple(str(part.value.milliseconds) if isinstance(part.value, Instant) else plain(part.value) for part in key)
