"""Running an emulation on this machine: prerequisites, the test, and its clean-up, which runs whatever happened before.

The run says when it started and ended, so that a sensor's recording can be cut to it; it can also record itself, with strace.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contraband.emulate.atomic import Emulation, EmulationError
from contraband.emulate.trace import OPTIONS, events_of_trace, resolve_program

_INTERPRETERS = {
    "sh": ("sh", "-c"),
    "bash": ("bash", "-c"),
    "powershell": ("powershell", "-NoProfile", "-NonInteractive", "-Command"),
    "command_prompt": ("cmd", "/c"),
}
_PLATFORMS = {"linux": "linux", "win32": "windows", "darwin": "macos"}


@dataclass(frozen=True, slots=True)
class CommandResult:
    """One command that ran: for what, its exit status and what it printed (the last 64 KiB)."""

    purpose: str  # "check", "get", "test" or "cleanup"
    command: str
    status: int
    output: str


@dataclass(frozen=True, slots=True)
class Run:
    """What a run did. `started` and `ended` enclose the test itself, without prerequisites and clean-up."""

    emulation: Emulation
    started: datetime
    ended: datetime
    results: tuple[CommandResult, ...]
    events: tuple[dict[str, Any], ...] = ()
    """What the run recorded of itself, as ECS documents; empty where it did not record."""

    @property
    def cleaned(self) -> bool:
        """Whether the clean-up ran and said that it worked (true where there is none to run)."""
        return all(result.status == 0 for result in self.results if result.purpose == "cleanup")


def plan_commands(emulation: Emulation, values: dict[str, str]) -> Iterator[tuple[str, str]]:
    """(purpose, command) of everything that a run would do, in order, filled in: what `--dry-run` shows."""
    for dependency in emulation.dependencies:
        yield "check", emulation.fill(dependency.check, values)
        yield "get", emulation.fill(dependency.get, values)
    yield "test", emulation.fill(emulation.executor.command, values)
    if emulation.executor.cleanup:
        yield "cleanup", emulation.fill(emulation.executor.cleanup, values)


def run_emulation(
    emulation: Emulation,
    *,
    values: dict[str, str] | None = None,
    get_prerequisites: bool = True,
    record: bool = False,
    timeout: float = 300,
) -> Run:
    """Run one emulation. Raises `EmulationError` where this machine cannot; `timeout` is in seconds, for each command.

    With `record` the test's own command runs under strace, and its processes and files come back as ECS events.
    """
    filled = values or {}
    _refuse_elsewhere(emulation)
    if record and shutil.which("strace") is None:
        raise EmulationError("a recording needs `strace`. On Debian: apt-get install strace")
    events: list[dict[str, Any]] = []
    results: list[CommandResult] = []
    try:
        _prepare(emulation, filled, results, get_prerequisites=get_prerequisites, timeout=timeout)
        started = datetime.now(UTC)
        command = emulation.fill(emulation.executor.command, filled)
        if record:
            results.append(_record(emulation.executor.name, command, timeout, events))
        else:
            results.append(_execute("test", emulation.executor.name, command, timeout))
        ended = datetime.now(UTC)
    finally:
        if emulation.executor.cleanup:
            with suppress(EmulationError):
                cleanup = emulation.fill(emulation.executor.cleanup, filled)
                results.append(_execute("cleanup", emulation.executor.name, cleanup, timeout))
    return Run(emulation, started, ended, tuple(results), tuple(events))


def data_of_run(run: Run) -> dict[str, Any]:
    """A run as JSON can carry it, without the emulation."""
    return {
        "started": run.started.isoformat(),
        "ended": run.ended.isoformat(),
        "results": [[entry.purpose, entry.command, entry.status, entry.output] for entry in run.results],
        "events": list(run.events),
    }


def run_of_data(emulation: Emulation, data: dict[str, Any]) -> Run:
    """The run that `data_of_run` was given."""
    return Run(
        emulation,
        datetime.fromisoformat(data["started"]),
        datetime.fromisoformat(data["ended"]),
        tuple(CommandResult(*entry) for entry in data["results"]),
        tuple(data["events"]),
    )


def _refuse_elsewhere(emulation: Emulation) -> None:
    here = _PLATFORMS.get(sys.platform, sys.platform)
    if emulation.platform != here:
        raise EmulationError(f"{emulation.id} runs on {emulation.platform}; this machine is {here}")
    if emulation.executor.name == "manual":
        raise EmulationError(
            f"{emulation.id} is done by hand: `contraband emulate show {emulation.id}` prints its steps"
        )
    if emulation.executor.elevation_required and not _is_elevated():
        raise EmulationError(f"{emulation.id} needs administrator's rights: run it as root, in a lab")
    program = _INTERPRETERS[emulation.executor.name][0]
    if shutil.which(program) is None:
        raise EmulationError(f"{emulation.id} needs `{program}`, which is not on this machine")


def _is_elevated() -> bool:
    if sys.platform == "win32":
        import ctypes  # exists in this form on Windows only

        return bool(ctypes.windll.shell32.IsUserAnAdmin())
    return os.geteuid() == 0


def _prepare(
    emulation: Emulation,
    values: dict[str, str],
    results: list[CommandResult],
    *,
    get_prerequisites: bool,
    timeout: float,
) -> None:
    for dependency in emulation.dependencies:
        check = emulation.fill(dependency.check, values)
        first = _execute("check", emulation.dependency_executor, check, timeout)
        results.append(first)
        if first.status == 0:
            continue
        if get_prerequisites:
            get = emulation.fill(dependency.get, values)
            results.append(_execute("get", emulation.dependency_executor, get, timeout))
            again = _execute("check", emulation.dependency_executor, check, timeout)
            results.append(again)
            if again.status == 0:
                continue
        raise EmulationError(f"{emulation.id}: {dependency.description}. {results[-1].output.strip()}".strip())


def _record(executor: str, command: str, timeout: float, events: list[dict[str, Any]]) -> CommandResult:
    with tempfile.TemporaryDirectory(prefix="contraband-") as folder:
        # Read while it is written: a script is looked at as soon as it runs, for many are gone when the run ends.
        trace = Path(folder) / "trace"
        os.mkfifo(trace)
        with ThreadPoolExecutor(1) as reader:
            recorded = reader.submit(_read_trace, trace)
            result = _execute("test", executor, command, timeout, before=("strace", *OPTIONS, "-o", str(trace)))
            with suppress(OSError):  # nobody reads any more: strace wrote, and the reader came to the end
                os.close(os.open(trace, os.O_WRONLY | os.O_NONBLOCK))
            events.extend(recorded.result())
    return result


def _read_trace(trace: Path) -> list[dict[str, Any]]:
    with trace.open(encoding="utf-8", errors="replace") as lines:
        return events_of_trace(
            lines, host=socket.gethostname(), user=str(os.geteuid()), folder=str(Path.cwd()), resolve=resolve_program
        )


def _execute(
    purpose: str, executor: str, command: str, timeout: float, *, before: tuple[str, ...] = ()
) -> CommandResult:
    try:
        done = subprocess.run(  # running the test's own command is the point
            [*before, *_INTERPRETERS[executor], command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            check=False,
            text=True,
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        return CommandResult(purpose, command, 124, f"no end after {timeout:g} seconds")
    return CommandResult(purpose, command, done.returncode, done.stdout[-65536:])
