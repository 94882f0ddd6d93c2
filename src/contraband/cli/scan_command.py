"""`contraband scan`: rules over telemetry."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from contraband.cli.cache import cache_folder
from contraband.cli.common import (
    DEFAULT_RULES,
    colored,
    columns,
    fail,
    load,
    load_exceptions,
    open_output,
    paths,
    report_problems,
    report_summary,
    say,
    source_option,
    stoppable,
)
from contraband.cli.progress import show_progress
from contraband.detection.rules import InvalidException, Severity
from contraband.detection.scan import Prepared, missing_hosts, prepare_named, start
from contraband.engine import EngineError, EngineOptions, Scan, ScanOptions

SEVERITIES = [str(severity) for severity in Severity]


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
def command(
    given: tuple[str, ...],
    names: tuple[str, ...],
    form: str | None,
    output: str | None,
    since: str | None,
    until: str | None,
    hosts: tuple[str, ...],
    min_severity: str | None,
    exception_folders: tuple[str, ...],
    no_exceptions: bool,
    no_routing: bool,
    no_enrich: bool,
    strict: bool,
    fail_on: str | None,
    allow_empty: bool,
    deprecated: bool,
    is_sorted: bool,
    source: str | None,
    host_name: str | None,
    threads: int,
    profile: bool,
    profile_json: bool,
    no_cache: bool,
    quiet: bool,
) -> int:
    """Find the malicious installs in telemetry: files, folders, archives, `-` for standard input.

    \b
    Example (the shipped samples):
      contraband scan samples
    """
    began = time.monotonic()
    items = None if no_exceptions else load_exceptions(exception_folders)
    options = EngineOptions(enrich=not no_enrich, routing=not no_routing, threads=threads)
    try:
        prepared = prepare_named(
            names or (DEFAULT_RULES,),
            load,
            cache=None if no_cache else cache_folder(),
            items=items,
            min_severity=Severity(min_severity) if min_severity else None,
            deprecated=deprecated,
            options=options,
        )
        _refuse_named(prepared, names)
        report_problems(prepared.problems)
        if not prepared.rules and not allow_empty:
            fail("no rule was loaded: a scan without rules finds nothing (--allow-empty says that this is meant)")
        limits = ScanOptions(
            since=since,
            until=until,
            hosts=hosts,
            strict=strict,
            source=source,
            host_name=host_name,
            sorted=is_sorted,
            profile=profile or profile_json,
        )
        scan = start(prepared, paths(given), limits)
    except (EngineError, InvalidException) as error:
        fail(str(error))
    try:
        worst, stopped = _write(scan, prepared, form, output, ranked=fail_on is not None, quiet=quiet)
    except EngineError as error:
        fail(str(error))
    summary = scan.summary()
    report_summary(summary, time.monotonic() - began, rules=len(prepared.rules), quiet=quiet)
    if profile or profile_json:
        from contraband.cli.profile import report_profile

        report_profile(summary, prepared.rules, as_json=profile_json)
    if stopped:
        return 130
    return _status(summary, worst, hosts=len(hosts), allow_empty=allow_empty, strict=strict, fail_on=fail_on)


def _refuse_named(prepared: Prepared, names: Sequence[str]) -> None:
    """A rule file that the user named must compile; in folders and exports, which hold many, the rest runs."""
    files = {Path(name) for name in names if Path(name).is_file() and Path(name).suffix != ".ndjson"}
    wrong = [str(problem) for problem in prepared.problems if problem.path in files]
    if wrong:
        fail("\n".join(wrong))


def _status(
    summary: dict[str, Any], worst: int, *, hosts: int, allow_empty: bool, strict: bool, fail_on: str | None
) -> int:
    files = summary["files"]
    if not allow_empty and files and all(file["error"] and not file["records"] for file in files):
        say("error: nothing could be read")
        return 2
    if not allow_empty and not sum(file["parsed"] + file["skipped"] for file in files):
        say("error: no event was read: silence is not success (--allow-empty says that this is meant)")
        return 2
    if missing := missing_hosts(summary):
        # A host that was mistyped must not look like one on which nothing happened.
        nothing = not allow_empty and len(summary["hosts"]["missing"]) == hosts
        say(f"error: {missing} (--allow-empty says that this is meant)" if nothing else f"warning: {missing}")
        if nothing:
            return 2
    if strict and (any(file["faults"] or file["error"] for file in files)):
        return 1
    return 1 if fail_on and worst >= Severity(fail_on).rank else 0


def _write(
    scan: Scan, prepared: Prepared, form: str | None, output: str | None, *, ranked: bool, quiet: bool
) -> tuple[int, bool]:
    """Write the alerts; the rank of the worst (where `ranked` asks for it), and whether Ctrl-C ended it."""
    terminal = output in (None, "-") and sys.stdout.isatty()
    form = form or ("table" if terminal else "ndjson")
    worst = -1
    stopped = False
    with open_output(output) as stream:
        # Alerts that go to the terminal line by line would be mixed up with it.
        finish = show_progress(scan, quiet=quiet or (terminal and form == "ndjson"))
        try:
            if form == "ndjson":
                for block in stoppable(scan):
                    stream.write(block)
                    if terminal:
                        stream.flush()
                    if ranked:
                        worst = max(worst, *(_rank(line) for line in block.splitlines()))
            else:
                from contraband.output import write_alerts

                alerts = [alert for block in stoppable(scan) for alert in _read(block)]
                worst = max((Severity(alert["kibana.alert.severity"]).rank for alert in alerts), default=-1)
                finish()
                write_alerts(
                    form,
                    alerts,
                    stream,
                    rules=prepared.rules,
                    width=columns() if terminal else 160,
                    color=colored(terminal),
                )
            stream.flush()
        except KeyboardInterrupt:
            stopped = True
        finally:
            finish()
    return worst, stopped or scan.summary()["stopped"]


def _read(block: bytes) -> Iterator[dict[str, Any]]:
    import json

    return (json.loads(line) for line in block.splitlines())


def _rank(line: bytes) -> int:
    for severity in reversed(Severity):
        if (
            f'"kibana.alert.severity":"{severity}"'.encode() in line
            or f'"kibana.alert.severity": "{severity}"'.encode() in line
        ):
            return severity.rank
    return -1
