"""What `lint` found: a whole line a finding, which editors and CI read, or on a screen the findings of each file below its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from contraband.detection.rules import Problem
from contraband.output.terminal import Screen


def findings(found: Iterable[tuple[str, Problem]], screen: Screen, *, base: Path) -> Iterator[str]:
    """`found` are pairs of `error` or `warning` and what it is about; `base` is the folder that names of files are shown from."""
    if screen.width is None:
        yield from (f"{kind}: {problem}" for kind, problem in found)
        return
    files: dict[str, list[tuple[str, Problem]]] = {}
    for kind, problem in found:
        files.setdefault(_where(problem, base), []).append((kind, problem))
    for number, (file, entries) in enumerate(files.items()):
        if number:
            yield ""
        yield screen.strong(file)
        places = ["" if entry.line is None else f"{entry.line}:{entry.column}" for _, entry in entries]
        width = max(map(len, places))
        for (kind, problem), place in zip(entries, places, strict=True):
            lines = screen.prose(problem.message, f"  {place:{width}}  {kind:7}  ", " " * (13 if width else 11))
            yield lines[0].replace(kind, screen.colored(kind, kind), 1)
            yield from lines[1:]


def _where(problem: Problem, base: Path) -> str:
    if problem.path is None:
        return problem.rule or "rule"
    path = problem.path
    return str(path.relative_to(base)) if path.is_relative_to(base) else str(path)
