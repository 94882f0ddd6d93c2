"""Finds nodes of one kind in a form made of frozen dataclasses and tuples: a tree, a checked query, a part of either."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

Node = TypeVar("Node")


def nodes(form: object, kind: type[Node]) -> Iterator[Node]:
    """Every node of a kind at or below `form`, in order; what lies inside a found node is not looked at."""
    if isinstance(form, kind):
        yield form
    elif isinstance(form, tuple):
        for item in form:
            yield from nodes(item, kind)
    elif hasattr(form, "__dataclass_fields__"):
        for name in form.__dataclass_fields__:
            yield from nodes(getattr(form, name), kind)
