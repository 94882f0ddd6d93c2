"""Elastic exception lists: known-good alerts to leave out, as conditions of the plan.

Entries inside an item are joined by AND, items by OR. Value lists (`type: list`) are refused, as Elastic does not apply them to EQL
rules. An entry `nested` asks for its inner entries on the fields below its own; an event holds its values flat, so that with several objects
under one field the inner entries may be met by different ones. An item that expires counts for events before its `expire_time`: what is
found must not depend on the day of the search.

Source: https://www.elastic.co/docs/solutions/security/detect-and-alert/add-manage-exceptions and Kibana's list schemas.
"""

from __future__ import annotations

import ipaddress
import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from contraband.detection.faults import InvalidException
from contraband.schema.types import FieldType, TypeFamily

Condition: TypeAlias = dict[str, Any]

_OPERATORS = ("included", "excluded")
_SYSTEMS = ("linux", "macos", "windows")


@dataclass(frozen=True, slots=True)
class Item:
    """One exception: an alert is left out if an event of it meets all entries."""

    id: str
    name: str
    entries: tuple[Mapping[str, Any], ...]
    list_id: str = ""
    expire_time: str = ""
    os_types: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    """The ids or names of the rules that it is for; empty for all."""
    meta: Mapping[str, Any] | None = None
    """What contraband asks beyond Elastic's schema: reason, scope, review, silences, must_alert."""
    path: Path | None = None

    def applies_to(self, rule_id: str, slug: str, name: str, list_ids: frozenset[str]) -> bool:
        """Whether a rule is among those the item is for, by itself or through a list that the rule refers to."""
        if self.list_id and self.list_id in list_ids:
            return True
        return not self.rules or bool({rule_id, slug, name} & set(self.rules))


@dataclass(slots=True)
class Fields:
    """The fields of a plan, which exceptions may add to."""

    entries: list[dict[str, Any]]
    type_of: Callable[[str], FieldType]

    def number(self, path: str) -> int:
        """The number of a field in the plan."""
        for number, entry in enumerate(self.entries):
            if entry["path"] == path:
                return number
        self.entries.append({"path": path, "type": str(self.type_of(path))})
        return len(self.entries) - 1

    def type(self, number: int) -> FieldType:
        """The type of a field by its number."""
        return FieldType(self.entries[number]["type"])


def load_items(path: Path) -> tuple[Item, ...]:
    """The items of a file (TOML as detection-rules keeps exceptions, or Kibana's NDJSON) or of a folder of such files."""
    if path.is_dir():
        files = sorted(
            (file for file in path.rglob("*") if file.suffix in (".toml", ".ndjson")),
            key=lambda file: str(file).encode(),
        )
        return tuple(item for file in files for item in load_items(file))
    try:
        text = path.read_text(encoding="utf-8")
        return tuple(_from_toml(tomllib.loads(text), path) if path.suffix == ".toml" else _from_export(text, path))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidException(f"{path}: {error}") from None


def items_of_export(entries: Iterable[Mapping[str, Any]]) -> tuple[Item, ...]:
    """The items that came with a Kibana export of rules, each bound to its list."""
    return tuple(_item(entry, str(entry.get("list_id", "")), ("",), None) for entry in entries)


def _from_toml(document: Mapping[str, Any], path: Path) -> Iterable[Item]:
    metadata = document.get("metadata", {})
    rules = tuple(map(str, (*metadata.get("rule_ids", ()), *metadata.get("rule_names", ()))))
    for entry in document.get("exceptions", ()):
        list_id = str(entry.get("container", {}).get("list_id", ""))
        for item in entry.get("items", ()):
            yield _item(item, list_id, rules, path)


def _from_export(text: str, path: Path) -> Iterable[Item]:
    for line in text.splitlines():
        entry = json.loads(line) if line.strip() else {}
        if "entries" in entry:
            yield _item(entry, str(entry.get("list_id", "")), (), path)


def _item(entry: Mapping[str, Any], list_id: str, rules: tuple[str, ...], path: Path | None) -> Item:
    return Item(
        id=str(entry.get("item_id") or entry["name"]),
        name=str(entry.get("name", "")),
        entries=tuple(entry["entries"]),
        list_id=list_id,
        expire_time=str(entry.get("expire_time") or ""),
        os_types=tuple(entry.get("os_types", ())),
        rules=rules,
        meta=entry.get("meta"),
        path=path,
    )


def condition(item: Item, fields: Fields, *, timestamp_field: str = "@timestamp") -> Condition:
    """The item as a condition of a plan. `InvalidException` names the entry that cannot be applied."""
    try:
        parts = [_entry(entry, fields, "") for entry in item.entries]
        if not parts:
            raise InvalidException("it has no entries")
        if item.os_types:
            parts.append(_systems(item.os_types, fields))
        if item.expire_time:
            parts.append(_before(item.expire_time, fields.number(timestamp_field)))
    except (InvalidException, ValueError, KeyError, TypeError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise InvalidException(f"exception `{item.id or item.name}`: {reason}") from None
    return {"and": parts} if len(parts) > 1 else parts[0]


def _entry(entry: Mapping[str, Any], fields: Fields, prefix: str) -> Condition:
    path = prefix + str(entry["field"])
    kind = entry["type"]
    if kind == "nested":
        inner = [_entry(part, fields, f"{path}.") for part in entry["entries"]]
        return {"and": inner} if len(inner) > 1 else inner[0]
    operator = entry.get("operator", "included")
    if operator not in _OPERATORS:
        raise InvalidException(f"operator `{operator}` of `{path}`; expected {' or '.join(_OPERATORS)}")
    test = _test(kind, entry, path, fields)
    return test if operator == "included" else {"not": test}


def _test(kind: str, entry: Mapping[str, Any], path: str, fields: Fields) -> Condition:
    match kind:
        case "exists":
            return {"not": {"missing": {"field": fields.number(path)}}}
        case "match":
            return _equals(fields.number(path), [entry["value"]], fields)
        case "match_any":
            return _equals(fields.number(path), list(entry["value"]), fields)
        case "wildcard":
            return {
                "text": {
                    "field": fields.number(path),
                    "kind": "wildcard",
                    "fold": "none",
                    "constants": [str(entry["value"])],
                }
            }
        case "list":
            raise InvalidException(f"`{path}` is compared with a value list, which Elastic does not apply to EQL rules")
        case _:
            raise InvalidException(f"entry of type `{kind}`; expected match, match_any, wildcard, exists or nested")


def _equals(field: int, values: list[Any], fields: Fields) -> Condition:
    match fields.type(field).family:
        case TypeFamily.STRING:
            return _text(field, values)
        case TypeFamily.INTEGER:
            return {"in": {"field": field, "constants": [{"long": int(value)} for value in values]}}
        case TypeFamily.DECIMAL:
            return {"in": {"field": field, "constants": [{"double": float(value)} for value in values]}}
        case TypeFamily.BOOLEAN:
            return {"in": {"field": field, "constants": [{"bool": _boolean(value)} for value in values]}}
        case TypeFamily.IP:
            return {
                "cidr": {
                    "field": field,
                    "blocks": [str(ipaddress.ip_network(str(value), strict=False)) for value in values],
                }
            }
        case TypeFamily.VERSION:
            return {"in": {"field": field, "constants": [{"version": str(value)} for value in values]}}
        case TypeFamily.ANY:
            return _any(field, values)
        case TypeFamily.DATE | TypeFamily.UNSUPPORTED:
            raise InvalidException(
                f"`{fields.entries[field]['path']}` is of type {fields.type(field)}, whose values cannot be listed"
            )


def _text(field: int, values: list[Any]) -> Condition:
    return {"text": {"field": field, "kind": "equals", "fold": "none", "constants": [str(value) for value in values]}}


def _any(field: int, values: list[Any]) -> Condition:
    """A field that no schema describes: its values may be text, or the numbers and booleans that a list can only write as text."""
    parts = [_text(field, values)]
    if all(str(value).lstrip("-").isdigit() for value in values):
        parts.append({"in": {"field": field, "constants": [{"long": int(value)} for value in values]}})
    if all(str(value).lower() in ("true", "false") for value in values):
        parts.append({"in": {"field": field, "constants": [{"bool": _boolean(value)} for value in values]}})
    return {"or": parts} if len(parts) > 1 else parts[0]


def _boolean(value: object) -> bool:
    match str(value).lower():
        case "true":
            return True
        case "false":
            return False
        case other:
            raise ValueError(f"`{other}` is no boolean")


def _systems(systems: tuple[str, ...], fields: Fields) -> Condition:
    if unknown := set(systems) - set(_SYSTEMS):
        raise InvalidException(f"unknown os_types {', '.join(sorted(unknown))}; expected {', '.join(_SYSTEMS)}")
    return _text(fields.number("host.os.type"), list(systems))


def _before(moment: str, field: int) -> Condition:
    parsed = datetime.fromisoformat(moment)
    instant = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    whole = int((instant - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() // 1)
    stamp = [whole, instant.microsecond * 1000]
    return {"compare": {"field": field, "op": "<", "constant": {"date": {"first": stamp, "last": stamp}}}}
