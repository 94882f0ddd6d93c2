"""Which fields exist and of what type: Elasticsearch's mapping, for files that bring none. Knows no query."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contraband.schema.catalogue import shipped_fields
    from contraband.schema.schema import Field, Schema
    from contraband.schema.types import FieldType, TypeFamily
    from contraband.schema.version import shipped_version

__all__ = ["Field", "FieldType", "Schema", "TypeFamily", "shipped_fields", "shipped_version"]

_MODULES = {
    "Field": "schema",
    "FieldType": "types",
    "Schema": "schema",
    "TypeFamily": "types",
    "shipped_fields": "catalogue",
    "shipped_version": "version",
}


def __getattr__(name: str) -> object:
    """Each is loaded when it is first used: `contraband --version` needs one line of one file."""
    if name not in _MODULES:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
