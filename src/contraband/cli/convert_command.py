"""`contraband convert`: any source to ECS."""

from __future__ import annotations

import time

import click

from contraband.cli.common import fail, open_output, paths, report_summary
from contraband.engine import CompiledRule, Engine, EngineError, EngineOptions, ScanOptions
from contraband.eql import compile_query
from contraband.plan import lower


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
    began = time.monotonic()
    plan = lower(compile_query("any where true"))
    try:
        scan = Engine([CompiledRule("all", plan)], EngineOptions(routing=False, enrich=not no_enrich)).scan(
            paths(given), ScanOptions(output="events", source=source, host_name=host_name)
        )
    except EngineError as error:
        fail(str(error))
    stream = open_output(output)
    for block in scan:
        stream.write(block)
    stream.flush()
    summary = scan.summary()
    report_summary(summary, time.monotonic() - began, rules=1, quiet=quiet)
    return 0 if any(file["parsed"] for file in summary["files"]) else 2
