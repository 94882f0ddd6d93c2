"""What a log source of Sigma is in ECS, what its fields are called, and how a test of an ECS field becomes one of a Sigma field.

Sigma has no field for a process's name or for its arguments one by one: a name becomes the end of the image's path, an argument a part of
the command line. Fields that Sigma has no name for keep their ECS name and are counted, so that what they cost can be said.
Source: https://sigmahq.io/docs/basics/log-sources.html and the taxonomy appendix of the specification.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

PRODUCTS = ("windows", "linux", "macos")
# The category before `where`, and the log source that it is in Sigma.
CATEGORIES = {
    "process": "process_creation",
    "file": "file_event",
    "registry": "registry_set",
    "network": "network_connection",
    "library": "image_load",
}
# Tests that say only what the log source says, by the field that they look at.
IMPLIED_FIELDS = frozenset({"event.category", "event.type", "event.action", "host.os.type"})

_PROCESS = {
    "process.executable": "Image",
    "process.entity_id": "ProcessGuid",
    "process.pid": "ProcessId",
    "user.name": "User",
    "host.id": "Computer",
    "event.code": "EventID",
}
_CREATION = {
    "process.command_line": "CommandLine",
    "process.parent.executable": "ParentImage",
    "process.parent.command_line": "ParentCommandLine",
    "process.parent.entity_id": "ParentProcessGuid",
    "process.parent.pid": "ParentProcessId",
    "process.working_directory": "CurrentDirectory",
    "process.pe.original_file_name": "OriginalFileName",
    "process.pe.company": "Company",
    "process.pe.description": "Description",
    "process.pe.product": "Product",
}
FIELDS: dict[str, dict[str, str]] = {
    "process_creation": {**_PROCESS, **_CREATION},
    "file_event": {**_PROCESS, "file.path": "TargetFilename"},
    "registry_set": {**_PROCESS, "registry.path": "TargetObject", "registry.data.strings": "Details"},
    "network_connection": {
        **_PROCESS,
        "destination.ip": "DestinationIp",
        "destination.port": "DestinationPort",
        "source.ip": "SourceIp",
        "source.port": "SourcePort",
    },
    "image_load": {**_PROCESS, "dll.path": "ImageLoaded", "dll.code_signature.exists": "Signed"},
}
# Fields that are keywords in ECS, and whose values Sigma writes as numbers where they are digits.
NUMBERS_OF_KEYWORDS = frozenset({"EventID", "Details"})
# Derived fields: what they are the end of, or a part of.
NAMES = {
    "process.name": "process.executable",
    "process.parent.name": "process.parent.executable",
    "file.name": "file.path",
}
ARGUMENTS = {"process.args": "process.command_line", "process.parent.args": "process.parent.command_line"}
MULTI_VALUED = frozenset({"process.args", "process.parent.args", "process.Ext.ancestry"})


@dataclass(slots=True)
class Translation:
    """The fields of one Sigma rule as they are translated, and what was not the same."""

    category: str
    product: str | None
    ecs_only: set[str] = field(default_factory=set)
    """Fields that kept their ECS name, because Sigma has none."""
    approximations: set[str] = field(default_factory=set)

    def name(self, path: str) -> str:
        """Sigma's name of an ECS field, or the ECS name."""
        own = FIELDS[self.category].get(path)
        if own is None and path in _CREATION:
            self.approximations.add(f"{_CREATION[path]} is not a field of {self.category} everywhere")
            own = _CREATION[path]
        if own is None:
            self.ecs_only.add(path)
            return path
        return own

    def patterns(self, path: str, patterns: Sequence[str]) -> tuple[str, tuple[str, ...]]:
        """Wildcard patterns on an ECS field as a Sigma field and wildcard patterns on it. `*` and `?` are wildcards, all else is literal."""
        if path in NAMES:
            inner = any("*" in pattern.removesuffix(".exe") for pattern in patterns)
            if inner:
                self.approximations.add(f"a wildcard in {path} may also match folders of the path")
            return self.name(NAMES[path]), tuple(self._end_of_path(patterns))
        if path in ARGUMENTS:
            self.approximations.add(f"{path} is looked for anywhere in the command line, across quotes and arguments")
            return self.name(ARGUMENTS[path]), _unique(
                part for one in patterns for part in _in_command_line(one, windows=self.product == "windows")
            )
        if path == "file.extension" and "file.path" in FIELDS[self.category]:
            return self.name("file.path"), tuple(f"*.{pattern}" for pattern in patterns)
        return self.name(path), tuple(patterns)

    def _end_of_path(self, patterns: Sequence[str]) -> list[str]:
        separators = {"windows": "\\", None: "\\/"}.get(self.product, "/")
        return [
            f"*{separator}{pattern}"
            for pattern in patterns
            for separator in (separators[0] if len(separators) > 1 and pattern.endswith(".exe") else separators)
        ]


def _unique(values: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))  # type: ignore[call-overload]


_PATH = re.compile(r"[/~%]|\./|[A-Za-z?]:\\|\\\\")
_WINDOWS_OPTION = re.compile(r"/[^/]*")


def _in_command_line(pattern: str, *, windows: bool) -> list[str]:
    """One argument as patterns of a whole command line: at its end, or followed by a blank; a path may stand within quotes."""
    bodies = [start + pattern for start in _starts(pattern, windows=windows)]
    if pattern.endswith("*"):
        return bodies
    closed = [bodies[0] + '"*'] if _PATH.match(pattern) and "\\" in pattern else []
    return [*(body + end for body in bodies for end in ("", " *")), *closed]


def _starts(pattern: str, *, windows: bool) -> list[str]:
    """What may stand before an argument. A word may be the program itself, with which a command line begins; an option or a number may not."""
    if pattern.startswith("*"):
        return [""]
    if pattern.startswith("-") or pattern.isdigit() or (windows and _WINDOWS_OPTION.fullmatch(pattern)):
        return ["* "]
    return ["*"] if _PATH.match(pattern) else ["", "* "]
