"""`contraband query`: one EQL query over telemetry."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from contraband.cli.common import compile_error, fail, say, source_option, write_events, write_lines
from contraband.detection.routing import unrouted
from contraband.diagnostics import CompileError
from contraband.engine import ScanOptions
from contraband.eql import compile_query
from contraband.schema import Schema
from contraband.schema.schema import SchemaError


@click.command("query")
@click.argument("text", metavar="EQL")
@click.argument("given", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "--size", type=click.IntRange(0), help="At most so many results (Elasticsearch's own default is 10; ours is all)."
)
@click.option("--head", is_flag=True, help="With --size: the first results, not the most recent ones.")
@click.option("--mapping", metavar="FILE", help="An Elasticsearch mapping: exactly its fields exist.")
@click.option("--timestamp-field", default="@timestamp", show_default=True)
@click.option("--tiebreaker-field", metavar="NAME")
@click.option("--event-category-field", default="event.category", show_default=True)
@click.option("--max-samples-per-key", type=click.IntRange(1), default=1, show_default=True)
@click.option("--no-enrich", is_flag=True, help="Add nothing to what was recorded.")
@source_option
@click.option("--host-name", metavar="NAME", help="The host of records that name none.")
@click.option("-o", "--output", metavar="FILE", help="Write results to a file instead of standard output.")
@click.option("--allow-empty", is_flag=True, help="No event is no error.")
@click.option("--quiet", is_flag=True, help="No summary.")
def command(
    text: str,
    given: tuple[str, ...],
    size: int | None,
    head: bool,
    mapping: str | None,
    timestamp_field: str,
    tiebreaker_field: str | None,
    event_category_field: str,
    max_samples_per_key: int,
    no_enrich: bool,
    source: str | None,
    host_name: str | None,
    output: str | None,
    allow_empty: bool,
    quiet: bool,
) -> int:
    """Print the events that a query matches, one line of JSON each; a sequence or sample is one line.

    \b
    Example (the shipped samples):
      contraband query 'process where process.name == "curl"' samples
    """
    if not text.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in text):
        fail("the query is no valid UTF-8")
    try:
        checked = compile_query(
            text,
            _schema(mapping),
            timestamp_field=timestamp_field,
            tiebreaker_field=tiebreaker_field,
            event_category_field=event_category_field,
        )
    except CompileError as error:
        compile_error(error, "query")
    options = unrouted(enrich=not no_enrich)
    limits = ScanOptions(
        output="events",
        size=size,
        result_position="head" if head else "tail",
        max_samples_per_key=max_samples_per_key,
        source=source,
        host_name=host_name,
    )
    summary = write_events(checked, given, options, limits, lambda scan: write_lines(scan, output), quiet=quiet)
    if summary["stopped"]:
        return 130
    if summary["failed"]:
        say("error: the condition cannot be computed for some events; Elasticsearch would fail this search")
        return 2
    if not allow_empty and not sum(file["parsed"] + file["skipped"] for file in summary["files"]):
        say("error: no event was read: silence is not success (--allow-empty says that this is meant)")
        return 2
    sys.stdout.flush()
    return 0


def _schema(mapping: str | None) -> Schema | None:
    if mapping is None:
        return None
    try:
        return Schema.from_mapping(json.loads(Path(mapping).read_text(encoding="utf-8")))
    except OSError as error:
        fail(f"{mapping}: {error.strerror or error}")
    except (ValueError, SchemaError) as error:
        fail(f"{mapping}: {error}")
