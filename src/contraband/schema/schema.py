"""A schema: names to fields. Closed ones have exactly the fields of a mapping; the open one counts every field as mapped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contraband.schema.catalogue import shipped_fields
from contraband.schema.types import FieldType


@dataclass(frozen=True, slots=True)
class Field:
    """One field: the name that queries use, and the path where its values lie (the target of an alias)."""

    name: str
    path: str
    type: FieldType


class SchemaError(ValueError):
    """A mapping that cannot be read: where, and what would be right."""


class Schema:
    """Looks fields up by name. Made by `from_types`, `from_mapping` or `open`."""

    def __init__(self, fields: Mapping[str, Field], *, is_open: bool) -> None:
        self._fields = fields
        self.is_open = is_open

    @staticmethod
    def from_types(types: Mapping[str, str]) -> Schema:
        """Exactly these fields: `{"process.name": "keyword"}`. Raises `SchemaError` for a type that does not exist."""
        return Schema({name: Field(name, name, _type(name, kind)) for name, kind in types.items()}, is_open=False)

    @staticmethod
    def from_mapping(mapping: Mapping[str, Any]) -> Schema:
        """Exactly the fields of an Elasticsearch mapping, as `GET index/_mapping` or an index template has it."""
        properties = _properties(mapping)
        found = dict(_walk(properties, ""))
        resolved = {name: Field(name, *_target(name, path, kind, found)) for name, (path, kind) in found.items()}
        return Schema(resolved, is_open=False)

    @staticmethod
    def open() -> Schema:
        """The default for files: every field counts as mapped, with the shipped schema's type or `any`."""
        return _OPEN

    def lookup(self, name: str) -> Field | None:
        """The field of this name, or None where no mapping has it (never with the open schema)."""
        if not self.is_open:
            return self._fields.get(name)
        kind = shipped_fields().get(name)
        if kind is None or kind in (FieldType.OBJECT, FieldType.NESTED):
            kind = FieldType.ANY
        return Field(name, name, kind)

    def known(self, name: str) -> bool:
        """Whether the schema describes the field; the open one looks it up in what is shipped."""
        return name in (shipped_fields() if self.is_open else self._fields)

    def close_names(self, name: str) -> list[str]:
        """Up to three names that `name` may be a misspelling of, nearest first."""
        from difflib import get_close_matches  # only a mistaken name needs it

        names = shipped_fields() if self.is_open else self._fields
        return get_close_matches(name, list(names), n=3, cutoff=0.8)


_OPEN = Schema({}, is_open=True)


def _type(name: str, kind: str) -> FieldType:
    try:
        return FieldType(kind)
    except ValueError:
        raise SchemaError(
            f"`{name}`: there is no field type [{kind}]; expected one of {', '.join(FieldType)}"
        ) from None


def _properties(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    """The `properties` of a mapping, whatever it is wrapped in."""
    document: Any = mapping
    for _ in range(4):
        if not isinstance(document, Mapping):
            break
        if isinstance(document.get("properties"), Mapping) and "type" not in document["properties"].get("type", {}):
            return document["properties"]  # type: ignore[no-any-return]
        inner = document.get("mappings", document.get("template"))
        document = inner if inner is not None else next(iter(document.values()), None)
    raise SchemaError("expected a mapping with `properties`, as `GET index/_mapping` prints it")


def _walk(properties: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """(name, (path, type)) of each field; an alias has its target as path and no type."""
    for key, value in properties.items():
        name = prefix + key
        if not isinstance(value, Mapping):
            raise SchemaError(f"`{name}`: expected an object with `type` or `properties`")
        kind = value.get("type", "object")
        if kind == "alias":
            yield name, (str(value.get("path", "")), "alias")
        elif "properties" in value:
            yield name, (name, "nested" if kind == "nested" else "object")
            yield from _walk(value["properties"], f"{name}.")
        else:
            yield name, (name, kind)
            for sub, multi in value.get("fields", {}).items():
                yield f"{name}.{sub}", (name, multi.get("type", "keyword"))


def _target(name: str, path: str, kind: str, found: Mapping[str, tuple[str, str]]) -> tuple[str, FieldType]:
    if kind != "alias":
        return path, _type(name, kind)
    if path not in found or found[path][1] == "alias":
        raise SchemaError(f"`{name}`: the alias points at `{path}`, which is no field of the mapping")
    return found[path][0], _type(path, found[path][1])
