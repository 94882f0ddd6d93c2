"""Which fields exist and of what type: Elasticsearch's mapping, for files that bring none. Knows no query."""

from contraband.schema.catalogue import shipped_fields, shipped_version
from contraband.schema.schema import Field, Schema
from contraband.schema.types import FieldType, TypeFamily

__all__ = ["Field", "FieldType", "Schema", "TypeFamily", "shipped_fields", "shipped_version"]
