"""`contraband scan`: rules over telemetry."""

from __future__ import annotations

from typing import Any

import click

from contraband.cli.common import source_option
from contraband.cli.scanning import scan
from contraband.detection.severities import SEVERITIES


@click.command("scan")
@click.argument("given", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "--rules",
    "names",
    multiple=True,
    metavar="NAME",
    help="Package, rule, file or folder instead of T1546.016; repeatable.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "ndjson", "csv", "sarif", "timesketch"]),
    help="Default: a table on a terminal, else NDJSON.",
)
@click.option("-o", "--output", metavar="FILE", help="Write results to a file instead of standard output.")
@click.option("--from", "since", metavar="TIME", help="Leave out events before this time (ISO 8601).")
@click.option("--to", "until", metavar="TIME", help="Leave out events from this time on.")
@click.option("--host", "hosts", multiple=True, metavar="NAME", help="Only events of this host; repeatable.")
@click.option("--min-severity", type=click.Choice(SEVERITIES), help="Only rules of at least this severity.")
@click.option(
    "--exceptions", "exception_folders", multiple=True, metavar="DIR", help="Exceptions of your own; repeatable."
)
@click.option("--no-exceptions", is_flag=True, help="Apply no exceptions at all.")
@click.option("--no-routing", is_flag=True, help="Offer every event to every rule, whatever the index patterns.")
@click.option("--no-enrich", is_flag=True, help="Add nothing to what was recorded.")
@click.option("--strict", is_flag=True, help="Read every line; any fault makes the exit status 1.")
@click.option(
    "--fail-on", type=click.Choice(SEVERITIES), help="Exit status 1 if there is an alert of at least this severity."
)
@click.option("--allow-empty", is_flag=True, help="No event, none of a host or no rule is no error.")
@click.option("--deprecated", is_flag=True, help="Run deprecated rules too.")
@click.option(
    "--sorted", "is_sorted", is_flag=True, help="The input is in time order: alerts of sequences come out at once."
)
@source_option
@click.option("--host-name", metavar="NAME", help="The host of records that name none.")
@click.option("--threads", type=click.IntRange(0), default=0, help="Threads that read lines; 0: one a processor.")
@click.option("--profile", is_flag=True, help="Say on stderr what each rule took.")
@click.option("--profile-json", is_flag=True, help="The same, of all rules, as one line of JSON.")
@click.option("--no-cache", is_flag=True, help="Compile all rules anew, and keep nothing of it.")
@click.option("--quiet", is_flag=True, help="No progress and no summary.")
def command(**given: Any) -> int:
    """Find the malicious installs in telemetry: files, folders, archives, `-` for standard input.

    \b
    Example (the shipped samples):
      contraband scan samples
    """
    return scan(**given)
