"""What `contraband --version` says."""

from __future__ import annotations

from contraband import __version__


def versions() -> list[str]:
    """The program's, and what it knows of fields."""
    from contraband.schema.version import shipped_version

    return [f"contraband, version {__version__}", f"fields of {shipped_version()}"]
