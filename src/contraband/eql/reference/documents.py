"""Which raw values a document holds under a field path. Knows no field types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from contraband.eql.functions._text import from_utf16, utf16

Raw: TypeAlias = bool | int | float | str
"""One value as the document has it; nulls are dropped on the way."""


def raw_values(document: Mapping[str, object], path: str) -> list[Raw]:
    """The values under a path, in document order.

    Dots and nesting are the same thing, in any mixture. Arrays are flattened, arrays of objects for each path of
    their own; nulls and objects are no values.
    """
    return list(_walk(document, path.split(".")))


def _walk(node: object, parts: Sequence[str]) -> Iterator[Raw]:
    match node:
        case list() | tuple():
            for element in node:
                yield from _walk(element, parts)
        case Mapping():
            for key, child in node.items():
                steps = key.split(".")
                if parts and parts[: len(steps)] == steps:
                    yield from _walk(child, parts[len(steps) :])
        case str() if not parts:
            yield from_utf16(utf16(node))  # a lone surrogate is no character
        case bool() | int() | float() if not parts:
            yield node
