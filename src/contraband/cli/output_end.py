"""Standard output when its reader has gone, or nothing more fits where it goes."""

from __future__ import annotations

import os
import sys


def drop_output() -> None:
    """The reader of our output has seen enough, or cannot take more: what is still buffered must not be written at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
