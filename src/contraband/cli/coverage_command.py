"""`contraband coverage`: what each rule can do on each source."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from contraband.cli.common import fail, load, paths, report_problems, say, screen, show, source_option
from contraband.coverage import (
    Cell,
    Observed,
    Source,
    Verdict,
    by_platform,
    coverage,
    declared_sources,
    observed_sources,
)
from contraband.detection.compiled import Compiled, compile_rules
from contraband.engine import EngineError
from contraband.output.coverage_table import coverage_table, filled_table
from contraband.output.navigator import coverage_layer

_PACKAGE = ("T1546.016/published", "T1546.016")


@click.command("coverage")
@click.argument("rules", nargs=-1)
@click.option(
    "--telemetry",
    "given",
    metavar="PATH",
    multiple=True,
    help="Hold the rules against what this telemetry really fills.",
)
@source_option
@click.option("--host-name", metavar="NAME", help="The host of records that name none.")
@click.option(
    "--format", "form", type=click.Choice(["table", "ndjson", "navigator"]), default="table", show_default=True
)
def command(
    rules: tuple[str, ...], given: tuple[str, ...], source: str | None, host_name: str | None, form: str
) -> int:
    """Which rules work on which sources, which only partly or never, and the field that decides it.

    Without RULES: the published rule of T1546.016, then the package's own.

    \b
    Examples:
      contraband coverage T1546.016/published
      contraband coverage linux-script-downloader --telemetry samples
    """
    compiled, problems = compile_rules(load(rules or _PACKAGE).rules)
    report_problems(problems)
    observed = _observed(given, source, host_name)
    columns = tuple(entry.source for entry in observed) if given else declared_sources()
    cells = coverage(compiled, columns)
    match form:
        case "ndjson":
            for cell in cells:
                click.echo(json.dumps(cell.as_data(), ensure_ascii=False))
        case "navigator":
            click.echo(
                json.dumps(coverage_layer([entry.rule for entry in compiled], cells), indent=2, ensure_ascii=False)
            )
        case _:
            _print_tables(compiled, cells, columns, observed)
    return 0


def _observed(given: Sequence[str], source: str | None, host_name: str | None) -> tuple[Observed, ...]:
    if not given:
        return ()
    try:
        found = observed_sources(paths(given), source=source, host_name=host_name)
    except EngineError as error:
        fail(str(error))
    if not found:
        fail("the telemetry holds no event")
    return found


def _print_tables(
    compiled: Sequence[Compiled], cells: Sequence[Cell], columns: Sequence[Source], observed: Sequence[Observed]
) -> None:
    to = screen()
    for platform, sources in by_platform(columns):
        names = {source.name for source in sources}
        shown = [cell for cell in cells if cell.source in names]
        if any(cell.verdict is not Verdict.ELSEWHERE for cell in shown):
            show(coverage_table(platform, sources, shown, to))
    if observed:
        show(filled_table(observed, [entry.query for entry in compiled], to))
    unread = sum(cell.verdict is Verdict.NEVER and cell.claimed for cell in cells)
    if unread:
        say(f"{unread} times a rule names a source on which it can never fire")
