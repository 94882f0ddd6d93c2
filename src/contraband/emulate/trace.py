"""From a strace of a run to ECS events, shaped as Elastic Defend shapes them on Linux since August 2025. Knows nothing of emulations.

strace sees every exec, fork and file that the run makes, so that nobody has to guess a parent. What it does not see is left out:
signatures, hashes and the session. Source of the form: strace(1), with `-f -ttt -v -y -xx`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

SYSTEM_CALLS = (
    "execve,execveat,clone,clone3,fork,vfork,openat,creat,rename,renameat,renameat2,symlink,symlinkat,chdir,"
    "setuid,setreuid,setresuid"
)
OPTIONS = ("-f", "-qq", "-ttt", "-v", "-y", "-xx", "-s", "1048576", "-e", f"trace={SYSTEM_CALLS}", "-e", "signal=none")

_LINE = re.compile(r"^(\d+) +(\d+\.\d+) (.*)$")
_RESUMED = re.compile(r"^<\.\.\. \w+ resumed>(.*)$")
_UNFINISHED = " <unfinished ...>"
_CALL = re.compile(r"^(\w+)\((.*)\) += (-?\d+)(?:<([^>]*)>)?")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_FOLDER_OF_CALL = re.compile(r"(?:AT_FDCWD|\d+)<([^>]*)>")
_BYTE = re.compile(r"\\x([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class _Call:
    pid: int
    time: float  # seconds since 1970
    name: str
    arguments: str
    result: int
    result_path: str  # of a file descriptor that it gives, else empty


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    parent: int
    started: float
    executable: str
    args: tuple[str, ...]
    user: str
    folder: str

    @property
    def entity_id(self) -> str:
        return hashlib.sha256(f"{self.pid} {self.started:.6f}".encode()).hexdigest()[:16]

    def document(self) -> dict[str, Any]:
        return {
            "pid": self.pid,
            "entity_id": self.entity_id,
            "name": PurePosixPath(self.executable).name,
            "executable": self.executable,
            "args": list(self.args),
            "args_count": len(self.args),
            "command_line": " ".join(self.args),
        }


def events_of_trace(
    lines: Iterable[str],
    *,
    host: str,
    user: str,
    folder: str,
    resolve: Callable[[str], tuple[str, tuple[str, ...]]],
) -> list[dict[str, Any]]:
    """The ECS documents of a trace, in order: `exec`, `creation` and `rename` events.

    `resolve` gives, for a path that was executed, the program that really runs and what the kernel puts before the arguments (for
    a script, its interpreter's; see `resolve_program`). `user` and `folder` are those of the first process.
    """
    recorder = _Recorder(host, user, folder, resolve)
    # In order of when calls began: a child may run a program before its parent's call comes back.
    calls = sorted(_calls(lines), key=lambda call: call.time)
    return [event for call in calls for event in recorder.take(call)]


def resolve_program(path: str) -> tuple[str, tuple[str, ...]]:
    """(program, what comes before the path in its arguments): for a script by its first line, as execve(2) does."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - one read, and no more than a first line
            first = file.read(256)
        real = os.path.realpath(path)
    except OSError:
        return path, ()
    if not first.startswith(b"#!"):
        return real, ()
    words = first[2:].split(b"\n", 1)[0].decode("utf-8", "replace").strip().split(None, 1)
    if not words:
        return real, ()
    program, _ = resolve_program(words[0])
    return program, (*words, path)


def _calls(lines: Iterable[str]) -> Iterator[_Call]:
    """Whole calls, an interrupted one joined to its end; what failed or is no call is passed over."""
    begun: dict[int, tuple[float, str]] = {}
    for line in lines:
        found = _LINE.match(line.rstrip("\n"))
        if found is None:
            continue
        pid, time, text = int(found.group(1)), float(found.group(2)), found.group(3)
        if text.endswith(_UNFINISHED):
            begun[pid] = (time, text.removesuffix(_UNFINISHED))
            continue
        if resumed := _RESUMED.match(text):
            time, start = begun.pop(pid, (time, ""))
            text = start + resumed.group(1)
        call = _CALL.match(text)
        if call is not None and int(call.group(3)) >= 0:
            yield _Call(pid, time, call.group(1), call.group(2), int(call.group(3)), _text(call.group(4) or ""))


def _text(escaped: str) -> str:
    return bytes(int(byte, 16) for byte in _BYTE.findall(escaped)).decode("utf-8", "replace")


class _Recorder:
    """Keeps the processes of a trace, and says what an event of it is."""

    def __init__(
        self, host: str, user: str, folder: str, resolve: Callable[[str], tuple[str, tuple[str, ...]]]
    ) -> None:
        self._host = host
        self._first = _Process(0, 0, 0.0, "", (), user, folder)
        self._resolve = resolve
        self._processes: dict[int, _Process] = {}
        self._parents: dict[int, _Process] = {}

    def take(self, call: _Call) -> Iterator[dict[str, Any]]:
        process = self._processes.setdefault(call.pid, replace(self._first, pid=call.pid, started=call.time))
        match call.name:
            case "execve" | "execveat":
                yield self._execute(process, call)
            case "clone" | "clone3" | "fork" | "vfork":
                self._fork(process, call)
            case "chdir":
                self._processes[call.pid] = replace(process, folder=self._path(process, call, 0))
            case "setuid" | "setreuid" | "setresuid":
                self._processes[call.pid] = replace(process, user=_effective_user(call, process.user))
            case "openat" | "creat" if call.name == "creat" or "O_CREAT" in call.arguments:
                yield self._file(process, call, "creation", call.result_path)
            case "rename" | "renameat" | "renameat2":
                event = self._file(process, call, "rename", self._path(process, call, 1))
                event["file"]["Ext"] = {"original": {"path": self._path(process, call, 0)}}
                yield event
            case "symlink" | "symlinkat":
                yield self._file(process, call, "creation", self._path(process, call, 1))
            case _:  # a file that was opened and not made
                return

    def _execute(self, process: _Process, call: _Call) -> dict[str, Any]:
        path = self._path(process, call, 0)
        strings = [_text(string) for string in _STRING.findall(_argument_list(call.arguments))]
        executable, before = self._resolve(path)
        args = (*before, *strings[1:]) if before else tuple(strings)
        # A second exec of the same process keeps its parent and is an entity of its own.
        now = replace(process, started=call.time, executable=executable, args=args)
        self._processes[call.pid] = now
        parent = self._parents.get(call.pid)
        document = now.document() | {"working_directory": now.folder}
        if parent is not None and parent.executable:
            document["parent"] = parent.document()
        return self._event(now, call, {"category": ["process"], "type": ["start"], "action": "exec"}, document)

    def _fork(self, process: _Process, call: _Call) -> None:
        if "CLONE_THREAD" in call.arguments:
            self._processes[call.result] = process
            return
        self._parents[call.result] = process
        # The child may have been seen before its parent's call came back: what it did since then stands.
        seen = self._processes.get(call.result)
        if seen is None or not seen.executable:
            self._processes[call.result] = replace(
                process, pid=call.result, parent=process.pid, started=call.time, folder=process.folder
            )

    def _file(self, process: _Process, call: _Call, action: str, path: str) -> dict[str, Any]:
        kind = {"creation": "creation", "rename": "change"}[action]
        event = self._event(
            process,
            call,
            {"category": ["file"], "type": [kind], "action": action},
            {key: process.document()[key] for key in ("pid", "entity_id", "name", "executable")},
        )
        name = PurePosixPath(path)
        event["file"] = {"path": path, "name": name.name, "extension": name.suffix.removeprefix(".")}
        return event

    def _event(self, process: _Process, call: _Call, event: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
        stamp = datetime.fromtimestamp(call.time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "@timestamp": stamp,
            "host": {"id": self._host, "name": self._host, "os": {"type": "linux"}},
            "user": {"id": process.user},
            "event": event,
            "process": document,
        }

    def _path(self, process: _Process, call: _Call, number: int) -> str:
        """The call's string argument of that number as an absolute path, in the folder that the call or the process is in."""
        head = call.arguments.split("[", 1)[0] if call.name.startswith("exec") else call.arguments
        strings = _STRING.findall(head)
        if number >= len(strings):
            return ""
        path = _text(strings[number])
        folders = _FOLDER_OF_CALL.findall(head)
        folder = _text(folders[min(number, len(folders) - 1)]) if folders else process.folder
        return str(PurePosixPath(folder) / path)


def _argument_list(arguments: str) -> str:
    """The text between the brackets of argv: strings are escaped whole, so that the first `]` ends it."""
    return arguments.partition("[")[2].partition("]")[0]


def _effective_user(call: _Call, now: str) -> str:
    values = call.arguments.split(", ")
    chosen = values[0] if call.name == "setuid" else values[1]
    return now if chosen == "-1" else chosen
