"""Elastic exceptions as conditions, so that they become filters of the Sigma rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contraband.detection.compiled import type_of
from contraband.detection.exceptions import Item
from contraband.diagnostics import Span
from contraband.eql.analysis import checked
from contraband.eql.analysis.checked import Fold, MatchKind
from contraband.export.sigma.detection import Inexpressible
from contraband.schema.types import FieldType, TypeFamily

_NOWHERE = Span(0, 0)


def excepted(item: Item, approximations: set[str]) -> checked.Condition:
    """The events that an exception leaves out. Raises `Inexpressible`; what a filter cannot carry is added to the approximations."""
    if item.expire_time:
        approximations.add(f"the exception {item.id} expires at {item.expire_time}, the filter made of it does not")
    operands = [_entry(entry, "", item) for entry in item.entries]
    return operands[0] if len(operands) == 1 else checked.And(tuple(operands), _NOWHERE)


def _entry(entry: Mapping[str, Any], prefix: str, item: Item) -> checked.Condition:
    path = prefix + str(entry["field"])
    if entry["type"] == "nested":
        inner = [_entry(part, f"{path}.", item) for part in entry["entries"]]
        return inner[0] if len(inner) == 1 else checked.And(tuple(inner), _NOWHERE)
    leaf = checked.Leaf(_test(entry, path, item), _NOWHERE)
    present = entry["type"] == "exists"
    return checked.Not(leaf, _NOWHERE) if (entry.get("operator", "included") == "excluded") != present else leaf


def _test(entry: Mapping[str, Any], path: str, item: Item) -> checked.Scalar:
    field = checked.FieldRef(path, FieldType.KEYWORD, _NOWHERE)
    match entry["type"]:
        case "exists":
            return checked.NullTest(field, _NOWHERE)
        case "match" | "match_any":
            values = entry["value"] if isinstance(entry["value"], list) else [entry["value"]]
            constants = tuple(map(str, values))
            if (typed := _typed(path, constants)) is not None:
                return checked.Membership(field, typed, _NOWHERE)
            return checked.Match(field, MatchKind.EQUALS, constants, Fold.NONE, _NOWHERE)
        case "wildcard":
            return checked.Match(field, MatchKind.WILDCARD, (str(entry["value"]),), Fold.NONE, _NOWHERE)
        case kind:
            raise Inexpressible(f"the exception {item.id} has an entry of type `{kind}`")


def _typed(path: str, constants: tuple[str, ...]) -> tuple[checked.Literal, ...] | None:
    """An exception writes every value as text: the constants of a field that holds booleans or whole numbers; None for text."""
    match type_of(path).family:
        case TypeFamily.BOOLEAN:
            return tuple(checked.Literal(text.lower() == "true", FieldType.BOOLEAN, _NOWHERE) for text in constants)
        case TypeFamily.INTEGER:
            return tuple(checked.Literal(int(text), FieldType.LONG, _NOWHERE) for text in constants)
        case _:
            return None
