"""Where compiled rules are kept: the user's cache folder, as each system has it."""

from __future__ import annotations

import os
import sys


def cache_folder() -> str | None:
    """The folder for compiled rules; None where the system tells of no place for such things.

    `$XDG_CACHE_HOME` (https://specifications.freedesktop.org/basedir/), `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on Windows.
    """
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return os.path.join(local, "contraband", "Cache", "rules") if local else None
    given = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(given):  # the specification has relative paths ignored
        return os.path.join(given, "contraband", "rules")
    home = os.path.expanduser("~")
    if not os.path.isabs(home):
        return None
    return os.path.join(home, "Library/Caches" if sys.platform == "darwin" else ".cache", "contraband", "rules")
