"""`contraband hunt`: questions asked of telemetry, answers by rarity."""

from __future__ import annotations

import csv
import json
import sys

import click

from contraband.cli.common import fail, paths, report_faults, say, screen, show
from contraband.detection.packages import UnknownRules, package_path
from contraband.engine import EngineError
from contraband.hunt import load_hunts, run_hunt
from contraband.output.csv_format import safe
from contraband.output.hunt_table import hunt_table


@click.command("hunt")
@click.argument("package")
@click.argument("given", metavar="PATH...", nargs=-1, required=True)
@click.option("--only", multiple=True, metavar="ID", help="Only these hunts (H1); repeatable.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "ndjson", "csv"]),
    help="Default: a table on a terminal, else NDJSON.",
)
@click.option(
    "--most", type=click.IntRange(1), default=20, show_default=True, help="Groups shown for each hunt in the table."
)
def command(package: str, given: tuple[str, ...], only: tuple[str, ...], form: str | None, most: int) -> int:
    """Run the package's hunts; what they find is grouped by what varies, the rarest first.

    \b
    Example (the shipped samples):
      contraband hunt T1546.016 samples
    """
    try:
        hunts = load_hunts(package_path(package))
    except UnknownRules as error:
        fail(str(error))
    unknown = set(only) - {hunt.id for hunt in hunts}
    if unknown:
        fail(f"there is no hunt {', '.join(sorted(unknown))}; there are {', '.join(hunt.id for hunt in hunts)}")
    form = form or ("table" if sys.stdout.isatty() else "ndjson")
    # Every hunt reads anew, which standard input does not allow.
    inputs: list[str | bytes] = [sys.stdin.buffer.read() if path == "-" else path for path in paths(given)]
    to = screen()
    events: int | None = None
    writer = csv.writer(sys.stdout)
    if form == "csv":
        writer.writerow(["hunt", "name", "group", "count", "hosts", "first", "last", "example"])
    for hunt in hunts:
        if only and hunt.id not in only:
            continue
        try:
            found = run_hunt(hunt, inputs)
        except EngineError as error:
            fail(str(error))
        if events is None:
            report_faults(found.summary)
        events = found.events
        if form == "table":
            show(hunt_table(found, most, to))
            continue
        for group in found.groups:
            row = group.document()
            if form == "ndjson":
                click.echo(json.dumps({"hunt": hunt.id, "name": hunt.name, **row}, ensure_ascii=False))
            else:
                cells = [hunt.id, hunt.name, " | ".join(f"{key}={value}" for key, value in group.key)]
                cells += [str(group.count), str(len(group.hosts)), group.first, group.last, group.example]
                writer.writerow([safe(cell) for cell in cells])
    if not events:
        say("error: no event was read: silence is not success")
        return 2
    return 0
