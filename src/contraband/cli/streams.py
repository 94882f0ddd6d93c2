"""What goes in and out: paths, the stream of results, and Ctrl-C between."""

from __future__ import annotations

import os
import sys

from contraband.cli.messages import fail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType
    from typing import BinaryIO

    from contraband.engine import Scan


def paths(given: Sequence[str]) -> list[str]:
    """The paths to read; `samples` stands for the telemetry that ships with contraband, where no such path exists."""
    return [_shipped(path) for path in given]


def _shipped(path: str) -> str:
    first, _, rest = path.partition("/")
    if first != "samples" or os.path.exists(path):
        return path
    from contraband.detection.material import CONTENT

    return os.path.join(CONTENT, "samples", *filter(None, [rest]))


class open_output:  # noqa: N801 (used as a function is)
    """A binary stream, as a context: the file, or standard output, which stays open."""

    def __init__(self, path: str | None) -> None:
        self._path = path if path != "-" else None
        self._stream: BinaryIO

    def __enter__(self) -> BinaryIO:
        if self._path is None:
            self._stream = sys.stdout.buffer
            return self._stream
        try:
            self._stream = open(self._path, "wb")
        except OSError as error:
            fail(f"{self._path}: {error.strerror or error}")
        return self._stream

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if self._path is not None:
            self._stream.close()
        elif kind is None:
            self._stream.flush()


def stoppable(scan: Scan) -> Iterator[bytes]:
    """The output; Ctrl-C asks the scan to end, and what was found so far still comes. The summary says whether it was stopped."""
    blocks = iter(scan)
    while True:
        try:
            block = next(blocks, None)
        except KeyboardInterrupt:
            scan.stop()
            blocks = iter(scan)  # the interrupted iteration is over
            continue
        if block is None:
            return
        yield block


def write_lines(scan: Scan, output: str | None) -> None:
    """The output as it comes, a line of JSON each."""
    with open_output(output) as stream:
        for block in stoppable(scan):
            stream.write(block)
