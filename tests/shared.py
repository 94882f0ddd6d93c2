"""What tests of several folders need: the recordings that lie outside the project, when they are there, and the program itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def shared_path(relative: str) -> Path:
    """The path below the shared folder, or skip the test: the project stands alone without it."""
    root = Path(os.environ.get("CONTRABAND_SHARED", Path(__file__).parent.parent.parent / "shared"))
    path = root / relative
    if not path.exists():
        pytest.skip(f"{relative} is not here: it lies outside the project")
    return path


def contraband(
    *arguments: str | Path,
    stdin: bytes = b"",
    folder: Path | None = None,
    timeout: float | None = None,
    **environment: str,
) -> subprocess.CompletedProcess[bytes]:
    """The program in a process of its own, its output in pipes."""
    program = "from contraband.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        timeout=timeout,
        cwd=folder,
        env={**os.environ, **environment},
        check=False,
    )
