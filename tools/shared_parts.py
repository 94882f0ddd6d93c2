"""Keeps parts of queries that several rules share the same in all of them: each is written by hand in one rule, and copied to the others.

    python tools/shared_parts.py           writes the copies anew, after a part was changed in the rule that it is written in
    python tools/shared_parts.py --check   fails where a copy is not what it would be

A part is a comment, which it is found by, and the condition in parentheses behind it.
"""

from __future__ import annotations

import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from contraband.eql.syntax import tokenise

RULES = Path(__file__).resolve().parent.parent / "src/contraband/content/T1546.016/rules"


@dataclass(frozen=True)
class Part:
    """A condition by the beginning of its comment, the rule that it is written in, and those that have copies of it."""

    opening: str
    written_in: str
    copied_to: tuple[str, ...]


PARTS = (
    Part(
        "/* an archive or a library of prebuilt parts:",
        "linux-build-step",
        ("linux-build-step-fetches-deeper", "linux-build-step-grandchild"),
    ),
    Part(
        "/* macOS documents name no arguments of the parent */",
        "linux-build-step-grandchild",
        ("linux-build-step-descendant",),
    ),
    Part("/* fetches data:", "linux-script-downloader", ("linux-descendant-downloads",)),
    Part("/* asks a service of this host,", "linux-script-downloader", ("linux-descendant-downloads",)),
    Part("/* tells a named host which version", "linux-script-downloader", ("linux-descendant-downloads",)),
    Part(
        "/* the maker's own installer, signed by the maker,",
        "windows-installer-proxy-execution",
        ("windows-installer-grandchild",),
    ),
)


def stale(folder: Path = RULES) -> dict[Path, str]:
    """The rule files with a copy that is not as the part is written, and what they would be."""
    found = {}
    for part in PARTS:
        text = _part(folder / part.written_in / "rule.toml", part.opening)[1]
        for name in part.copied_to:
            path = folder / name / "rule.toml"
            copy, _ = _part(path, part.opening)
            before = found.get(path) or path.read_text(encoding="utf-8")
            indent = _indent(before, before.index(copy))
            after = before.replace(copy, text.replace("\n", f"\n{indent}"))
            if after != before:
                found[path] = after
    return found


def _part(path: Path, opening: str) -> tuple[str, str]:
    """A part as it stands in a rule, and without the indentation that it has there."""
    query = str(tomllib.loads(path.read_text(encoding="utf-8"))["rule"]["query"])
    assert query.count(opening) == 1, f"{path.parent.name}: `{opening}` stands there {query.count(opening)} times"
    start = query.index(opening)
    behind = query.index("*/", start) + 2
    depth = 0
    for token in tokenise(query)[0]:
        word = query[token.start : token.end] if token.start >= behind else ""
        depth += (word == "(") - (word == ")")
        if word == ")" and depth == 0:
            part = query[start : token.end]
            return part, part.replace(f"\n{_indent(query, start)}", "\n")
    raise AssertionError(f"{path.parent.name}: no condition in parentheses behind `{opening}`")


def _indent(text: str, at: int) -> str:
    """The blanks at the beginning of the line of a place."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip())]


def main() -> None:
    """Write the copies, or check them."""
    checks = "--check" in sys.argv[1:]
    found = stale()
    for path, text in found.items():
        print(path.parent.name)
        if not checks:
            path.write_text(text, encoding="utf-8")
    if found and checks:
        sys.exit("parts of these rules are not as they are written elsewhere: run python tools/shared_parts.py")


if __name__ == "__main__":
    main()
