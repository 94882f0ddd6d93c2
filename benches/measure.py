"""Runs a program as a whole process: seconds by the clock, peak memory, output. Knows no program and judges no answer."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One finished process. `peak` is its largest resident set in bytes; `output` lies in a file until the next run."""

    seconds: float
    processor: float
    peak: int
    status: int
    output: Path
    errors: Path


def run(argv: list[str], folder: Path, environment: dict[str, str]) -> Run:
    """Start `argv`, its output and errors going to files of `folder`, and wait for it."""
    output, errors = folder / "stdout", folder / "stderr"
    with output.open("wb") as out, errors.open("wb") as err:
        began = time.perf_counter()
        process = subprocess.Popen(argv, stdout=out, stderr=err, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Run(seconds, usage.ru_utime + usage.ru_stime, peak, process.returncode, output, errors)


@dataclass(frozen=True)
class Times:
    """The runs of one case, in seconds; `processor` is the least that one took of all processors together, its start included but for `inner` cases."""

    seconds: tuple[float, ...]
    processor: float
    peak: int

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def least(self) -> float:
        return min(self.seconds)

    @property
    def most(self) -> float:
        return max(self.seconds)
