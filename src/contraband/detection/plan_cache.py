"""Compiled rule sets kept in a folder, so that a second run need not read, check and lower a thousand queries again.

An entry is found by the content of everything that decided it, and holds data only: nothing of it is executed. A damaged entry is as
good as none, and the whole folder can be deleted at any time. Knows neither where the folder is nor what a rule means.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from hashlib import blake2b
from pathlib import Path
from typing import Any

from contraband import __version__
from contraband.detection.rules import Problem, Rule, Severity, Sidecar

FORMAT = 1
"""The layout of an entry: a line with the digest of the rest, a line of JSON, then the bytes that it gives the lengths of."""

MOST_ENTRIES = 24
MOST_BYTES = 256 << 20
_ABANDONED = 3600.0
"""Seconds after which an unfinished file is taken to be left over from a run that was killed."""

_CODE = ("eql", "plan", "schema", "detection", "engine")


@dataclass(frozen=True, slots=True)
class Entry:
    """What loading a set of rules came to. `rules` reads each rule when it is asked for."""

    rule_set: bytes
    """As the core reads it (docs/plan-format.md)."""
    rules: Mapping[str, Rule]
    problems: tuple[Problem, ...]
    declarations: Sequence[Mapping[str, Any]]


def key_of(files: Iterable[Path], options: Iterable[object]) -> str:
    """The name of the entry for rules in these files: their names and content, the options, and this version of contraband.

    OSError if a file cannot be read.
    """
    digest = blake2b(digest_size=20)
    for part in (FORMAT, __version__, _code_state(), *options):
        digest.update(repr(part).encode("utf-8", "surrogatepass") + b"\0")
    for file in (*_data_files(), *files):
        content = file.read_bytes()
        digest.update(os.fsencode(file) + b"\0%d\0" % len(content))
        digest.update(content)
    return digest.hexdigest()


def read(folder: Path, key: str) -> Entry | None:
    """The entry of this key, or None if there is none or it is damaged."""
    path = _path(folder, key)
    try:
        first, _, rest = path.read_bytes().partition(b"\n")
        if first.decode("ascii") != _digest(rest):
            return None
        line, _, body = rest.partition(b"\n")
        header = json.loads(line)
        if header["format"] != FORMAT or header["key"] != key:
            return None
        entry = _entry(header, body)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    with suppress(OSError):
        os.utime(path)  # what was used last is kept longest
    return entry


def write(folder: Path, key: str, entry: Entry) -> None:
    """Keep an entry. Where that is not possible nothing is kept, and nothing is lost.

    The file gets its name when it is whole, so that runs beside this one see all of it or nothing.
    """
    import tempfile

    try:
        content = _content(key, entry)
    except (TypeError, ValueError):
        return  # a rule document with values that JSON does not have, such as TOML's dates
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="unfinished-", delete=False) as file:
            try:
                file.write(content)
                file.close()
                Path(file.name).replace(_path(folder, key))
            except OSError:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError:
        return
    prune(folder)


def prune(folder: Path, *, most_entries: int = MOST_ENTRIES, most_bytes: int = MOST_BYTES) -> None:
    """Delete the entries that were used longest ago, until the bounds hold, and what killed runs left behind."""
    entries: list[tuple[float, int, str]] = []
    with suppress(OSError), os.scandir(folder) as found:
        for file in found:
            with suppress(OSError):
                state = file.stat()
                if file.name.endswith(".plan"):
                    entries.append((state.st_mtime, state.st_size, file.path))
                elif file.name.startswith("unfinished-") and time.time() - state.st_mtime > _ABANDONED:
                    os.unlink(file.path)  # noqa: PTH108
    kept = 0
    for number, (_, size, path) in enumerate(sorted(entries, reverse=True)):
        kept += size
        if number and (number >= most_entries or kept > most_bytes):
            with suppress(OSError):
                Path(path).unlink()


class StoredRules(Mapping[str, Rule]):
    """The rules of an entry by id, each read when it is asked for: a scan with a thousand rules shows the few that found something."""

    def __init__(self, lines: Mapping[str, bytes]) -> None:
        self._lines = lines

    def __getitem__(self, rule_id: str) -> Rule:
        return _rule(json.loads(self._lines[rule_id]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


# ------------------------------------------------------------------------------------------------------------- the format


def _content(key: str, entry: Entry) -> bytes:
    lines = {rule_id: json.dumps(_document(rule)).encode() for rule_id, rule in entry.rules.items()}
    header = {
        "format": FORMAT,
        "key": key,
        "rules": [[rule_id, len(line)] for rule_id, line in lines.items()],
        "problems": [_problem_document(problem) for problem in entry.problems],
        "declarations": [dict(route) for route in entry.declarations],
    }
    rest = b"".join((json.dumps(header).encode(), b"\n", *lines.values(), entry.rule_set))
    return _digest(rest).encode() + b"\n" + rest


def _entry(header: Mapping[str, Any], body: bytes) -> Entry:
    lines: dict[str, bytes] = {}
    place = 0
    for rule_id, length in header["rules"]:
        lines[rule_id] = body[place : place + length]
        place += length
    problems = tuple(
        Problem(**{**problem, "path": None if problem["path"] is None else Path(problem["path"])})
        for problem in header["problems"]
    )
    return Entry(body[place:], StoredRules(lines), problems, header["declarations"])


_IN_DOCUMENT = ("query", "note", "name")


def _document(rule: Rule) -> dict[str, Any]:
    document = {field.name: getattr(rule, field.name) for field in fields(rule)}
    for name in _IN_DOCUMENT:  # texts that most rules have in their document as well
        if document[name] == rule.document.get(name):
            del document[name]
    sidecar = {field.name: getattr(rule.sidecar, field.name) for field in fields(rule.sidecar)}
    return {**document, "path": None if rule.path is None else str(rule.path), "sidecar": sidecar}


def _rule(stored: dict[str, Any]) -> Rule:
    document = {name: stored["document"][name] for name in _IN_DOCUMENT if name not in stored} | stored
    sidecar: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in document.pop("sidecar").items()
    }
    path, severity, index = document.pop("path"), document.pop("severity"), document.pop("index")
    return Rule(
        **document,
        path=None if path is None else Path(path),
        severity=Severity(severity),
        index=tuple(index),
        sidecar=Sidecar(**sidecar),
    )


def _problem_document(problem: Problem) -> dict[str, Any]:
    """Without its diagnostics: the message says what they say."""
    return {
        "path": None if problem.path is None else str(problem.path),
        "message": problem.message,
        "line": problem.line,
        "column": problem.column,
        "rule": problem.rule,
    }


def _path(folder: Path, key: str) -> Path:
    return folder / f"{key}.plan"


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=20).hexdigest()


# ---------------------------------------------------------------------------------------------------------------- the key


def _data_files() -> tuple[Path, ...]:
    content = Path(__file__).parent.parent / "content"
    return (content / "schemas" / "fields.csv", content / "sources" / "routing.toml")


def _code_state() -> list[tuple[str, int, int]]:
    """Name, size and time of the modules that make plans: a version under development changes without a new number."""
    package = Path(__file__).parent.parent
    found: list[tuple[str, int, int]] = []
    for name in _CODE:
        for folder, _, names in os.walk(package / name):
            for file in names:
                if file.endswith(".py"):
                    state = os.stat(os.path.join(folder, file))  # noqa: PTH116, PTH118
                    found.append((f"{os.path.relpath(folder, package)}/{file}", state.st_size, state.st_mtime_ns))
    return sorted(found)
