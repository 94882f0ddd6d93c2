"""A schema: names to fields. Closed ones have exactly the fields of a mapping; the open one counts every field as mapped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from contraband.schema.catalogue import shipped_fields, shipped_type
from contraband.schema.date_formats import DEFAULT, DateFormat, DateFormatError, read_formats
from contraband.schema.types import FieldType, TypeFamily


@dataclass(frozen=True, slots=True)
class Field:
    """One field: the name that queries use, and the path where its values lie (the target of an alias).

    `formats` are those of a date field that names its own. `inexact` says why no whole value of the field can be compared: a
    text is only there as its words, unless a keyword sub-field keeps it whole. `ambiguous` names the incompatible types that several
    indices give the field, as Elasticsearch words it.
    """

    name: str
    path: str
    type: FieldType
    formats: tuple[DateFormat, ...] = ()
    inexact: str = ""
    ambiguous: str = ""


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
        return Schema({name: _plain(name, name, _type(name, kind)) for name, kind in types.items()}, is_open=False)

    @staticmethod
    def from_mapping(mapping: Mapping[str, Any]) -> Schema:
        """Exactly the fields of an Elasticsearch mapping, as `GET index/_mapping` or an index template has it."""
        indices = _indices(mapping)
        merged: Mapping[str, Any] = {}
        for properties in indices.values():
            merged = _merged(merged, properties)
        found = dict(_walk(merged, ""))
        fields = {name: _resolved(name, path, definition, found) for name, (path, definition) in found.items()}
        for name, why in _ambiguities(indices).items():
            fields[name] = replace(fields[name], ambiguous=why)
        return Schema(fields, is_open=False)

    @staticmethod
    def open() -> Schema:
        """The default for files: every field counts as mapped, with the shipped schema's type or `any`."""
        return _OPEN

    def lookup(self, name: str) -> Field | None:
        """The field of this name, or None where no mapping has it (never with the open schema)."""
        if not self.is_open:
            return self._fields.get(name)
        kind = shipped_type(name)
        return _plain(name, name, FieldType.ANY if kind in (None, FieldType.OBJECT) else kind)

    def known(self, name: str) -> bool:
        """Whether the schema describes the field; the open one looks it up in what is shipped."""
        return shipped_type(name) is not None if self.is_open else name in self._fields

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


def _indices(mapping: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The `properties` of a mapping, whatever it is wrapped in, by the name of their index."""
    document: Any = mapping
    for _ in range(4):
        if not isinstance(document, Mapping):
            break
        if isinstance(document.get("properties"), Mapping) and "type" not in document["properties"].get("type", {}):
            return {"": document["properties"]}
        wrapped = {
            name: value for name, value in document.items() if isinstance(value, Mapping) and "mappings" in value
        }
        if len(wrapped) > 1:
            return {name: inner for name, value in wrapped.items() for inner in _indices(value).values()}
        inner = document.get("mappings", document.get("template"))
        document = inner if inner is not None else next(iter(document.values()), None)
    raise SchemaError("expected a mapping with `properties`, as `GET index/_mapping` prints it")


def _merged(one: Mapping[str, Any], two: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of both. What both have is as the first has it, but dates of different formats are read by either's."""
    result = {**two, **one}
    for name in one.keys() & two.keys():
        left, right = one[name], two[name]
        if not isinstance(left, Mapping) or not isinstance(right, Mapping):
            continue
        if "properties" in left and "properties" in right:
            result[name] = {**left, "properties": _merged(left["properties"], right["properties"])}
        elif left.get("type") in ("date", "date_nanos") and left.get("format") != right.get("format"):
            formats = dict.fromkeys([left.get("format", DEFAULT), right.get("format", DEFAULT)])
            result[name] = {**left, "format": "||".join(formats)}
    return result


def _ambiguities(indices: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The fields that indices give incompatible types, each with the reason that Elasticsearch gives."""
    seen: dict[str, dict[str, list[str]]] = {}
    for index, properties in indices.items():
        for name, (_, definition) in _walk(properties, ""):
            kind = str(definition.get("type", "object"))
            seen.setdefault(name, {}).setdefault(_COMPATIBLE.get(kind, kind), []).append(index)
    found = {}
    for name, kinds in seen.items():
        # What an alias points at is known only where all is merged.
        if len(kinds) > 1 and "alias" not in kinds:
            lists = ", ".join(f"[{kind}] in [{', '.join(sorted(kinds[kind]))}]" for kind in sorted(kinds))
            found[name] = f"mapped as [{len(kinds)}] incompatible types: {lists}"
    return found


# Types that differ in how values are kept, not in what a query sees (the family types of Elasticsearch's field capabilities).
_COMPATIBLE = {"constant_keyword": "keyword", "wildcard": "keyword", "match_only_text": "text"}

_Definition = Mapping[str, Any]


def _walk(
    properties: _Definition, prefix: str, *, nested: bool = False
) -> Iterator[tuple[str, tuple[str, _Definition]]]:
    """(name, (path, definition)) of each field; an alias has its target as path. What lies in a nested field is nested."""
    for key, value in properties.items():
        name = prefix + key
        if not isinstance(value, Mapping):
            raise SchemaError(f"`{name}`: expected an object with `type` or `properties`")
        kind = value.get("type", "object")
        inside = nested or kind == "nested"
        if kind == "alias":
            yield name, (str(value.get("path", "")), value)
        elif "properties" in value:
            yield name, (name, {"type": "nested" if inside else "object"})
            yield from _walk(value["properties"], f"{name}.", nested=inside)
        else:
            yield name, (name, {"type": "nested"} if nested else value)
            for sub, multi in value.get("fields", {}).items():
                yield f"{name}.{sub}", (name, {"type": "nested"} if nested else multi)


def _resolved(name: str, path: str, definition: _Definition, found: Mapping[str, tuple[str, _Definition]]) -> Field:
    if definition.get("type") == "alias":
        if path not in found or found[path][1].get("type") == "alias":
            raise SchemaError(f"`{name}`: the alias points at `{path}`, which is no field of the mapping")
        path, definition = found[path]
    kind = _type(name, str(definition.get("type", "object")))
    match kind.family:
        case TypeFamily.STRING:
            return _text(name, path, kind, definition)
        case TypeFamily.DATE:
            return Field(name, path, kind, _formats(name, definition))
        case _:
            return Field(name, path, kind)


def _formats(name: str, definition: _Definition) -> tuple[DateFormat, ...]:
    try:
        return read_formats(str(definition["format"])) if "format" in definition else ()
    except DateFormatError as error:
        raise SchemaError(f"`{name}`: {error}") from None


def _text(name: str, path: str, kind: FieldType, definition: _Definition) -> Field:
    """A field of texts: one that is analysed is compared by its keyword sub-field, which holds the same values."""
    if kind not in _ANALYSED:
        reason = "Normalized keyword field cannot be used for exact match operations"
        return Field(name, path, kind, inexact=reason if definition.get("normalizer") else "")
    exact = [
        sub
        for sub in definition.get("fields", {}).values()
        if sub.get("type", "keyword") in ("keyword", "wildcard", "constant_keyword") and not sub.get("normalizer")
    ]
    if len(exact) == 1:
        return Field(name, path, _type(name, str(exact[0].get("type", "keyword"))))
    if exact:
        return Field(
            name,
            path,
            kind,
            inexact=f"Multiple exact keyword candidates available for [{name}]; specify which one to use",
        )
    return _plain(name, path, kind)


_ANALYSED = (FieldType.TEXT, FieldType.MATCH_ONLY_TEXT)


def _plain(name: str, path: str, kind: FieldType) -> Field:
    """A field of which nothing but the type is known."""
    if kind not in _ANALYSED:
        return Field(name, path, kind)
    reason = f"No keyword/multi-field defined exact matches for [{name}]; define one or use MATCH/QUERY instead"
    return Field(name, path, kind, inexact=reason)
