"""`contraband convert`: any source to ECS."""

from __future__ import annotations

import click

from contraband.cli.common import write_events
from contraband.engine import EngineOptions, ScanOptions
from contraband.eql import compile_query


@click.command("convert")
@click.argument("given", metavar="PATH...", nargs=-1, required=True)
@click.option("--to", "form", type=click.Choice(["ndjson"]), default="ndjson", show_default=True)
@click.option("-o", "--output", metavar="FILE", help="Write to a file instead of standard output.")
@click.option("--source", metavar="NAME", help="Read all input as this raw format.")
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
    """
    options = EngineOptions(routing=False, enrich=not no_enrich)
    limits = ScanOptions(output="events", source=source, host_name=host_name)
    summary = write_events(compile_query("any where true"), given, options, limits, output, quiet=quiet)
    return 0 if any(file["parsed"] for file in summary["files"]) else 2
