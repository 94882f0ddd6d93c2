"""Elasticsearch field types, and what the language does with each."""

from __future__ import annotations

from enum import StrEnum


class TypeFamily(StrEnum):
    """Types that the language treats alike."""

    STRING = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    IP = "ip"
    VERSION = "version"
    ANY = "any"
    UNSUPPORTED = "unsupported"


class FieldType(StrEnum):
    """The types of Elasticsearch's mappings, and `any`: a field that no schema describes, typed by each value."""

    KEYWORD = "keyword"
    WILDCARD = "wildcard"
    CONSTANT_KEYWORD = "constant_keyword"
    MATCH_ONLY_TEXT = "match_only_text"
    TEXT = "text"
    FLATTENED = "flattened"
    LONG = "long"
    INTEGER = "integer"
    SHORT = "short"
    BYTE = "byte"
    UNSIGNED_LONG = "unsigned_long"
    DOUBLE = "double"
    FLOAT = "float"
    HALF_FLOAT = "half_float"
    SCALED_FLOAT = "scaled_float"
    BOOLEAN = "boolean"
    DATE = "date"
    DATE_NANOS = "date_nanos"
    IP = "ip"
    VERSION = "version"
    OBJECT = "object"
    NESTED = "nested"
    GEO_POINT = "geo_point"
    BINARY = "binary"
    ANY = "any"

    @property
    def family(self) -> TypeFamily:
        """How the language treats the type."""
        return _FAMILIES[self]


_FAMILIES = {
    FieldType.KEYWORD: TypeFamily.STRING,
    FieldType.WILDCARD: TypeFamily.STRING,
    FieldType.CONSTANT_KEYWORD: TypeFamily.STRING,
    FieldType.MATCH_ONLY_TEXT: TypeFamily.STRING,
    FieldType.TEXT: TypeFamily.STRING,
    FieldType.FLATTENED: TypeFamily.STRING,
    FieldType.LONG: TypeFamily.INTEGER,
    FieldType.INTEGER: TypeFamily.INTEGER,
    FieldType.SHORT: TypeFamily.INTEGER,
    FieldType.BYTE: TypeFamily.INTEGER,
    FieldType.UNSIGNED_LONG: TypeFamily.INTEGER,
    FieldType.DOUBLE: TypeFamily.DECIMAL,
    FieldType.FLOAT: TypeFamily.DECIMAL,
    FieldType.HALF_FLOAT: TypeFamily.DECIMAL,
    FieldType.SCALED_FLOAT: TypeFamily.DECIMAL,
    FieldType.BOOLEAN: TypeFamily.BOOLEAN,
    FieldType.DATE: TypeFamily.DATE,
    FieldType.DATE_NANOS: TypeFamily.DATE,
    FieldType.IP: TypeFamily.IP,
    FieldType.VERSION: TypeFamily.VERSION,
    FieldType.OBJECT: TypeFamily.UNSUPPORTED,
    FieldType.NESTED: TypeFamily.UNSUPPORTED,
    FieldType.GEO_POINT: TypeFamily.UNSUPPORTED,
    FieldType.BINARY: TypeFamily.UNSUPPORTED,
    FieldType.ANY: TypeFamily.ANY,
}
