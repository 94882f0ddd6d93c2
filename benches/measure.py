"""Runs a program as a whole process: seconds by the clock, peak memory, output. Knows no program and judges no answer."""

from __future__ import annotations

import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = Path(__file__).parent / "launch.py"


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
    output, errors, report = folder / "stdout", folder / "stderr", folder / "report"
    launcher = (sys.executable, "-I", "-S", str(LAUNCHER), str(report), str(output), str(errors))
    subprocess.run([*launcher, *argv], env=environment, check=True)
    seconds, processor, peak, status = report.read_text().split()
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(float(seconds), float(processor), int(peak) * unit, int(status), output, errors)


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
