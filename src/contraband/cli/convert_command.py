"""`contraband convert`: any source to ECS."""

from __future__ import annotations

import sys

import click

from contraband.cli.common import fail, open_output, say, source_option, write_events, write_lines
from contraband.detection.routing import unrouted
from contraband.engine import Scan, ScanOptions
from contraband.eql import compile_query


@click.command("convert")
@click.argument("given", metavar="PATH...", nargs=-1, required=True)
@click.option("--to", "form", type=click.Choice(["ndjson", "parquet"]), default="ndjson", show_default=True)
@click.option("-o", "--output", metavar="FILE", help="Write to a file instead of standard output.")
@source_option
@click.option("--host-name", metavar="NAME", help="The host of records that name none.")
@click.option("--no-enrich", is_flag=True, help="Add nothing to what was recorded.")
@click.option("--quiet", is_flag=True, help="No summary.")
def command(
    given: tuple[str, ...],
    form: str,
    output: str | None,
    source: str | None,
    host_name: str | None,
    no_enrich: bool,
    quiet: bool,
) -> int:
    """Write every event as an ECS document, in time order.

    \b
    Example (the shipped samples):
      contraband convert samples -o events.ndjson
      contraband convert samples --to parquet -o events.parquet

    Parquet has one column for each field that is asked for often, always the same ones, and the whole document as JSON.
    """
    options = unrouted(enrich=not no_enrich)
    limits = ScanOptions(output="events", source=source, host_name=host_name)
    query = compile_query("any where true")
    write = _write_parquet if form == "parquet" else write_lines
    if form == "parquet" and output is None and sys.stdout.isatty():
        fail("Parquet is no text: name a file with -o")
    summary = write_events(query, given, options, limits, lambda scan: write(scan, output), quiet=quiet)
    if summary["stopped"]:
        return 130
    if not any(file["parsed"] for file in summary["files"]):
        say("error: no event was read: silence is not success")
        return 2
    return 0


def _write_parquet(scan: Scan, output: str | None) -> None:
    from contraband.output.parquet import ParquetUnavailable, write_parquet

    try:
        with open_output(output) as stream:
            write_parquet(scan.documents(), stream)
    except ParquetUnavailable as error:
        fail(str(error))
