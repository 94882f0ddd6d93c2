"""Coverage as text: one table a platform, the published claim marked, and the field that decides each shortfall below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from contraband.coverage import Cell, Observed, Source, Verdict
from contraband.coverage.possible import fields_of_query
from contraband.eql import CheckedQuery
from contraband.output.terminal import Screen, grid

_LEGEND = (
    "works: every field that the rule asks for is there; what it catches is for `contraband test` to say",
    "* named by the rule as a source of it",
    "+ with the parents that contraband adds; not on a cluster",
)


def coverage_table(platform: str, sources: Sequence[Source], cells: Sequence[Cell], screen: Screen) -> list[str]:
    """Rules × the sources of a platform. `*` marks what the rule claims; rules of other platforms are left out."""
    names = [name for name in dict.fromkeys(cell.rule for cell in cells) if _of(cells, name)]
    verdicts = {(cell.rule, cell.source): cell for cell in cells}
    # Every word of a verdict has room, so that the tables of all platforms look alike.
    headings = ("rule", *(f"{source.name:8}" for source in sources))
    rows = [(name, *(verdicts[name, source.name].word for source in sources)) for name in names]
    table = grid(headings, rows, screen, indent="  ")
    return [screen.strong(platform), *table, "", *_why(cells, names, screen), ""]


def _of(cells: Iterable[Cell], rule: str) -> bool:
    return any(cell.rule == rule and cell.verdict is not Verdict.ELSEWHERE for cell in cells)


def _why(cells: Iterable[Cell], rows: Sequence[str], screen: Screen) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for cell in cells:
        if cell.rule in rows and cell.verdict in (Verdict.NEVER, Verdict.PARTLY):
            reasons.setdefault(f"{cell.verdict.value} on {cell.source}: {cell.reason}", []).append(cell.rule)
    for line in _LEGEND:
        yield from screen.prose(line, "  ", "    ")
    for reason, rules in sorted(reasons.items()):
        yield from screen.prose(f"{reason}  ({_short(rules)})", "    ", "      ")


def _short(rules: Sequence[str]) -> str:
    return ", ".join(rules) if len(rules) <= 3 else f"{', '.join(rules[:2])} and {len(rules) - 2} more"


def filled_table(observed: Sequence[Observed], queries: Iterable[CheckedQuery], screen: Screen) -> Iterator[str]:
    """For each source in telemetry, how many of its events fill each field that the rules mention."""
    wanted = sorted({name for query in queries for name in fields_of_query(query)})
    yield "fields filled"
    for entry in observed:
        yield f"  {entry.source.name}: {entry.events:,} events"
        named = [(name, entry.filled.get(name, 0)) for name in wanted]
        yield from (f"    {count / entry.events:7.1%}  {name}" for name, count in named if count)
        if never := [name for name, count in named if not count]:
            yield from screen.listed(never, "    never: ", "      ")
