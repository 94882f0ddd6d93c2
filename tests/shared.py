"""Where the recordings that lie outside the project are, for the tests that use them when they are there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def shared_path(relative: str) -> Path:
    """The path below the shared folder, or skip the test: the project stands alone without it."""
    root = Path(os.environ.get("CONTRABAND_SHARED", Path(__file__).parent.parent.parent / "shared"))
    path = root / relative
    if not path.exists():
        pytest.skip(f"{relative} is not here: it lies outside the project")
    return path
