"""The progress bar, on a real terminal and on none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from contraband.cli.progress import progress_line
from contraband.detection.packages import samples_path

pty = pytest.importorskip("pty", reason="pseudo-terminals are a thing of POSIX")

PROGRAM = (
    "from contraband.cli import progress, main; progress.PATIENCE = 0.0; progress.INTERVAL = 0.01; main()"  # no waiting
)


@pytest.mark.parametrize(
    ("read", "total", "seconds", "expected"),
    [
        (250_000_000, 1_000_000_000, 1.0, " 25% of 1,000 MB, 250 MB/s, 3 s left"),
        (10_000_000, 10_000_000_000, 1.0, "  0% of 10,000 MB, 10 MB/s, 16 m 39 s left"),
        (1_000_000, 100_000_000_000, 1.0, "  0% of 100,000 MB, 1 MB/s, 27 h 46 m left"),
        (5_000_000, 0, 1.0, "5 MB, 5 MB/s"),
        (5_000_000, 4_000_000, 1.0, "5 MB, 5 MB/s"),
        (0, 4_000_000, 0.0, "0 MB, 0 MB/s"),
    ],
)
def test_a_line(read: int, total: int, seconds: float, expected: str) -> None:
    assert progress_line(read, total, seconds, 80) == expected
    assert len(progress_line(read, total, seconds, 20)) < 20


def on_terminal(*arguments: str) -> str:
    """What a scan writes to a terminal."""
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | {"TERM": "xterm"}
    process, terminal = pty.fork()
    if process == 0:
        os.execve(sys.executable, [sys.executable, "-c", PROGRAM, *arguments], environment)
    written = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the terminal is closed when the program ends
            break
        if not part:
            break
        written += part
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0, written.decode()
    return written.decode()


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that takes a while."""
    path = tmp_path_factory.mktemp("big") / "big.ndjson"
    content = b"".join(sample.read_bytes() for sample in sorted(samples_path().glob("*.ndjson")))
    path.write_bytes(content * 10)
    return path


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_terminal_sees_how_far_the_scan_is_and_the_line_is_cleared(big: Path, tmp_path: Path) -> None:
    written = on_terminal("scan", str(big), "-o", str(tmp_path / "out"))
    assert "Traceback" not in written
    assert "MB/s" in written
    assert "% of " in written
    *_, bar, rest = written.split("\r\x1b[K")
    assert "MB/s" not in rest  # nothing of the bar is left before the summary
    assert "events" in rest
    assert bar


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("more", [["--quiet"], ["--format", "ndjson"]])
def test_no_bar_where_it_is_unwanted_or_would_mix_with_the_alerts(big: Path, more: list[str]) -> None:
    assert "MB/s" not in on_terminal("scan", str(big), *more)


def test_no_bar_without_a_terminal(big: Path, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, "scan", str(big), "-o", str(tmp_path / "out")], capture_output=True, check=True
    )
    assert b"MB/s" not in ran.stderr
    assert b"\x1b" not in ran.stderr
