"""Coverage as text: one table a platform, the published claim marked, and the field that decides each shortfall below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from contraband.coverage import Cell, Observed, Source, Verdict
from contraband.coverage.possible import fields_of_query
from contraband.eql import CheckedQuery

_LEGEND = (
    "  works: every field that the rule asks for is there; what it catches is for `contraband test` to say",
    "  * named by the rule as a source of it   + with the parents that contraband adds; not on a cluster",
)


def coverage_table(platform: str, sources: Sequence[Source], cells: Sequence[Cell]) -> str:
    """Rules × the sources of a platform. `*` marks what the rule claims; rules of other platforms are left out."""
    rows = [name for name in dict.fromkeys(cell.rule for cell in cells) if _of(cells, name)]
    verdicts = {(cell.rule, cell.source): cell for cell in cells}
    width = max([len(row) for row in rows] + [len("rule")])
    heads = [max(len(source.name), 8) for source in sources]
    lines = [
        f"{platform}",
        f"  {'rule':{width}}  "
        + "  ".join(f"{source.name:{size}}" for source, size in zip(sources, heads, strict=True)),
    ]
    for row in rows:
        words = [verdicts[row, source.name].word for source in sources]
        lines.append(
            f"  {row:{width}}  " + "  ".join(f"{word:{size}}" for word, size in zip(words, heads, strict=True)).rstrip()
        )
    return "\n".join([*lines, *_why(cells, rows), ""])


def _of(cells: Iterable[Cell], rule: str) -> bool:
    return any(cell.rule == rule and cell.verdict is not Verdict.ELSEWHERE for cell in cells)


def _why(cells: Iterable[Cell], rows: Sequence[str]) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for cell in cells:
        if cell.rule in rows and cell.verdict in (Verdict.NEVER, Verdict.PARTLY):
            reasons.setdefault(f"{cell.verdict.value} on {cell.source}: {cell.reason}", []).append(cell.rule)
    lines = [f"    {reason}  ({_short(rules)})" for reason, rules in sorted(reasons.items())]
    return [
        "",
        "  * named by the rule as a source of it   + with the parents that contraband adds; not on a cluster",
        *lines,
    ]


def _short(rules: Sequence[str]) -> str:
    return ", ".join(rules) if len(rules) <= 3 else f"{', '.join(rules[:2])} and {len(rules) - 2} more"


def filled_table(observed: Sequence[Observed], queries: Iterable[CheckedQuery]) -> str:
    """For each source in telemetry, how many of its events fill each field that the rules mention."""
    wanted = sorted({name for query in queries for name in fields_of_query(query)})
    lines = ["fields filled"]
    for entry in observed:
        lines.append(f"  {entry.source.name}: {entry.events:,} events")
        named = [(name, entry.filled.get(name, 0)) for name in wanted]
        lines += [f"    {count / entry.events:7.1%}  {name}" for name, count in named if count]
        if never := [name for name, count in named if not count]:
            lines.append(f"    never: {', '.join(never)}")
    return "\n".join(lines)
