"""What the shipped schema was made from. Alone, because a start that tells versions should load nothing else."""

from __future__ import annotations

import os

FIELDS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "content", "schemas", "fields.csv")


def shipped_version() -> str:
    """In one line."""
    with open(FIELDS, encoding="utf-8") as file:
        return file.readline().strip("# ;\n")
