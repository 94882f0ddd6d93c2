"""The progress of a long scan on a terminal: how far it is, how fast, and how long it still takes."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from contraband.engine import Scan

PATIENCE = 1.0
"""Seconds after which a scan counts as long."""
INTERVAL = 0.2


def show_progress(scan: Scan, *, quiet: bool) -> Callable[[], None]:
    """Show it from a thread, if stderr is a terminal; gives what ends it and clears the line."""
    if quiet or not sys.stderr.isatty() or "CI" in os.environ or os.environ.get("TERM") == "dumb":
        return lambda: None
    import threading

    from contraband.cli.messages import columns

    over = threading.Event()
    began = time.monotonic()

    def show() -> None:
        if over.wait(PATIENCE):
            return
        while True:
            read, total = scan.progress()
            line = progress_line(read, total, time.monotonic() - began, columns(80))
            print(f"\r{line}\x1b[K", file=sys.stderr, end="", flush=True)
            if over.wait(INTERVAL):
                break
        print("\r\x1b[K", file=sys.stderr, end="", flush=True)

    thread = threading.Thread(target=show, daemon=True)
    thread.start()

    def finish() -> None:
        over.set()
        thread.join()

    return finish


def progress_line(read: int, total: int, seconds: float, width: int) -> str:
    """` 42% of 750 MB, 310 MB/s, 2 s left`, no wider than the terminal; without a share where the size is not known."""
    rate = read / seconds if seconds > 0 else 0.0
    # What is read may be more than was known: input that grows, archives of which the packed size was known.
    parts = [f"{read / total:4.0%} of {total / 1e6:,.0f} MB" if total >= read > 0 else f"{read / 1e6:,.0f} MB"]
    parts.append(f"{rate / 1e6:,.0f} MB/s")
    if total > read and rate:
        parts.append(f"{_time((total - read) / rate)} left")
    return ", ".join(parts)[: max(width - 1, 0)]


def _time(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} m {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} m"
