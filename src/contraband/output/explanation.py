"""What `explain` says, for people: compiled forms, and why events match or not. Values are hostile input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from contraband.detection.nearest import Near
from contraband.diagnostics import visible
from contraband.eql.reference.explain import Told
from contraband.eql.reference.explain_search import SearchTold
from contraband.output.terminal import Screen

Lines = Iterator[str]


def form_text(form: str, screen: Screen) -> Lines:
    """A compiled form; its wide lines are broken between tokens, as a query is."""
    if screen.width is None:
        yield form
    else:
        yield from screen.eql(form)


def condition_text(told: Told, screen: Screen, depth: int = 0) -> Lines:
    """A condition, one node below the other: whether it held, and of a term the values that it met."""
    yield from _node(told, screen, f"{told.mark} {'  ' * depth}")
    for operand in told.operands:
        yield from condition_text(operand, screen, depth + 1)


def _node(told: Told, screen: Screen, first: str) -> Lines:
    line = first + visible(told.line())
    if told.kind != "term" or screen.fit(line) == line:
        yield line
        return
    indent = " " * len(first)
    term, *more = screen.eql(visible(told.text), indent)
    yield first + term[len(first) :]
    yield from more
    yield from _met(told.met, screen, indent)


def _met(values: str, screen: Screen, indent: str) -> Lines:
    """The values that a term met, below it."""
    yield from screen.wide(visible(values), f"{indent}    <- ")


def search_text(told: SearchTold, screen: Screen) -> Lines:
    """What a sequence or sample makes of events."""
    for line in map(visible, told.lines()):
        start = line[: len(line) - len(line.lstrip())]
        yield from screen.wide(line[len(start) :], start, f"{start}    ")


def nearest_text(near: Sequence[Near], most: int, screen: Screen) -> Lines:
    """The rules that an event meets, then those that it nearly meets with the terms that it missed: about `most`."""
    met = [entry for entry in near if not entry.missed]
    missed = [entry for entry in near if entry.missed]
    yield f"meets {len(met)} of {len(near)} rules{':' if met else ''}"
    for entry in met:
        yield from screen.wide(f"{entry.rule.name}{_of_stage(entry)}", "  ", "    ")
    for entry in missed[: max(most - len(met), 1)]:
        count = len(entry.missed)
        what = "the one term" if count == 1 else f"{count} terms"
        yield from screen.wide(f"{entry.rule.name}{_of_stage(entry)}: misses {what} of {entry.terms}", "", "    ")
        for term in entry.missed:
            yield from _missed(term, screen)


def _missed(told: Told, screen: Screen, most: int = 240) -> Lines:
    """A term that came out the wrong way; one that held must not have. A long list of constants is cut in its middle."""
    mark = {"held": "must not hold: ", "failed": "cannot be computed: "}.get(told.outcome, "")
    term, met = told.text, told.met
    if len(term) > most:
        term = f"{term[: most - 40]} … {term[-36:]}"
    if len(met) > most:
        met = f"{met[:most]} …"
    line = visible(f"  - {mark}{term}    <- {met}")
    if screen.fit(line) == line:
        yield line
        return
    yield from screen.wide(visible(f"{mark}{term}"), "  - ")
    yield from _met(met, screen, "    ")


def _of_stage(entry: Near) -> str:
    return "" if entry.stage is None else f" (stage {entry.stage} of {entry.stages})"
