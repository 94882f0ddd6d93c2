"""Where compiled rules are kept: the user's cache folder, as each system has it."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path | None:
    """The folder for compiled rules; None where the system tells of no place for such things.

    `$XDG_CACHE_HOME` (https://specifications.freedesktop.org/basedir/), `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on Windows.
    """
    name = Path("contraband", "rules")
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local) / "contraband" / "Cache" / "rules" if local else None
    given = os.environ.get("XDG_CACHE_HOME", "")
    if Path(given).is_absolute():  # the specification has relative paths ignored
        return Path(given) / name
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / name
