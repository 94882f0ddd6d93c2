"""Which files decide what a name of rules stands for. Reads none of them, but for the first bytes of exports, and loads next to nothing:
a run from the cache needs no more than this.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Files of a rule's folder, or of a package, that are not rules themselves.
COMPANIONS = frozenset({"sidecar.toml", "cases.toml", "exceptions.toml"})

# Those of them that lie in a rule's own folder and become part of the rule.
BESIDE = ("sidecar.toml", "exceptions.toml", "note.md")

CONTENT = os.path.join(os.path.dirname(os.path.dirname(__file__)), "content")
"""The folder of shipped content. Content is installed unpacked: a wheel is, and zip imports are not supported by the core either."""

# The first line of an export is a rule, whose keys come in no fixed order; few rules are longer.
_EXPORT_START = 64 * 1024


def exists(path: str) -> bool:
    """Whether there is such a path. OSError where that cannot be told."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    return True


def package_ids() -> tuple[str, ...]:
    """The packages that ship, by ATT&CK id."""
    return tuple(sorted(name for name in os.listdir(CONTENT) if os.path.isdir(os.path.join(CONTENT, name, "rules"))))


def rule_folders(package: str) -> Iterator[str]:
    """The folders of a package's own rules, in byte order of their names. The published rule is not among them."""
    rules = os.path.join(CONTENT, package, "rules")
    for name in sorted(os.listdir(rules), key=os.fsencode):
        if os.path.exists(os.path.join(rules, name, "rule.toml")):
            yield os.path.join(rules, name)


def rule_files(folder: str) -> Iterator[str]:
    """The files below a folder that may hold rules, in byte order of the names."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: os.fsencode(entry.name))
    for entry in entries:
        name = entry.name
        if entry.is_dir():
            if not name.startswith(".") and name not in ("telemetry", "hunts", "emulations"):
                yield from rule_files(entry.path)
        elif (
            name.endswith(".toml") and name not in COMPANIONS and not name.endswith((".cases.toml", ".exceptions.toml"))
        ) or (name.endswith(".ndjson") and _is_export(entry.path)):
            yield entry.path


def _is_export(path: str) -> bool:
    """Whether an NDJSON file in a folder is an export of rules from Kibana, and not telemetry: told by its first bytes."""
    import re

    try:
        with open(path, "rb") as file:
            start = file.read(_EXPORT_START)
    except OSError:
        # Told to whoever named the folder, where the name says that rules were meant.
        return "rule" in os.path.basename(path)
    return re.search(rb'"rule_id"[ \t]*:', start) is not None and b'"@timestamp"' not in start


def material(path: str) -> Iterator[str]:
    """Every file whose content decides what loading a path gives: the rules, and what lies beside them."""
    for file in rule_files(path) if os.path.isdir(path) else (path,):
        yield file
        folder, name = os.path.split(file)
        if name == "rule.toml":
            yield from (beside for other in BESIDE if os.path.exists(beside := os.path.join(folder, other)))


def material_of(name: str) -> Iterator[str]:
    """Every file whose content decides what a name stands for; the rules of all packages where it is no path."""
    if exists(name):
        yield from material(name)
        return
    for package in package_ids():
        for folder in (*rule_folders(package), os.path.join(CONTENT, package, "published")):
            rule = os.path.join(folder, "rule.toml")
            if os.path.exists(rule):
                yield from material(rule)
