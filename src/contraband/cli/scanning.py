"""The job of `contraband scan`, whoever read the command line. Loads what this run needs and no more."""

from __future__ import annotations

import os
import sys
import time

from contraband.cli.cache import cache_folder
from contraband.cli.messages import colored, columns, fail, say
from contraband.cli.report import report_problems, report_summary
from contraband.cli.streams import open_output, paths, stoppable
from contraband.detection.faults import InvalidException
from contraband.detection.scan import missing_hosts, prepare_named, start
from contraband.detection.severities import SEVERITIES
from contraband.engine import EngineError, EngineOptions, ScanOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from contraband.detection.exceptions import Item
    from contraband.detection.rules import Loaded
    from contraband.detection.scan import Prepared
    from contraband.engine import Scan

DEFAULT_RULES = "T1546.016"

_held: list[Prepared] = []
"""The rules of this run: the program ends with them, and taking them apart before would be for nothing."""


def scan(
    *,
    given: tuple[str, ...],
    names: tuple[str, ...] = (),
    form: str | None = None,
    output: str | None = None,
    since: str | None = None,
    until: str | None = None,
    hosts: tuple[str, ...] = (),
    min_severity: str | None = None,
    exception_folders: tuple[str, ...] = (),
    no_exceptions: bool = False,
    no_routing: bool = False,
    no_enrich: bool = False,
    strict: bool = False,
    fail_on: str | None = None,
    allow_empty: bool = False,
    deprecated: bool = False,
    is_sorted: bool = False,
    source: str | None = None,
    host_name: str | None = None,
    threads: int = 0,
    profile: bool = False,
    profile_json: bool = False,
    no_cache: bool = False,
    quiet: bool = False,
) -> int:
    """Scan, write and report; the exit status. The names are those of the options (`scan_command`)."""
    began = time.monotonic()
    items = None if no_exceptions else _exceptions(exception_folders)
    options = EngineOptions(enrich=not no_enrich, routing=not no_routing, threads=threads)
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
    try:
        prepared = prepare_named(
            names or (DEFAULT_RULES,),
            _load,
            cache=None if no_cache else cache_folder(),
            items=items,
            min_severity=min_severity,
            deprecated=deprecated,
            options=options,
        )
        _held[:] = [prepared]
        if prepared.problems:
            _refuse_named(prepared, names)
            report_problems(prepared.problems)
        if not prepared.rules and not allow_empty:
            fail("no rule was loaded: a scan without rules finds nothing (--allow-empty says that this is meant)")
        running = start(prepared, paths(given), limits)
    except (EngineError, InvalidException) as error:
        fail(str(error))
    try:
        worst, stopped = _write(running, prepared, form, output, ranked=fail_on is not None, quiet=quiet)
    except EngineError as error:
        fail(str(error))
    summary = running.summary()
    report_summary(summary, time.monotonic() - began, rules=len(prepared.rules), quiet=quiet)
    if profile or profile_json:
        from contraband.cli.profile import report_profile

        report_profile(summary, prepared.rules, as_json=profile_json)
    if stopped:
        return 130
    return _status(summary, worst, hosts=len(hosts), allow_empty=allow_empty, strict=strict, fail_on=fail_on)


def _exceptions(folders: Sequence[str]) -> tuple[Item, ...]:
    if not folders:
        return ()
    from contraband.cli.common import load_exceptions

    return load_exceptions(folders)


def _load(names: Sequence[str]) -> Loaded:
    from contraband.cli.common import load

    return load(names)


def _refuse_named(prepared: Prepared, names: Sequence[str]) -> None:
    """A rule file that the user named must compile; in folders and exports, which hold many, the rest runs."""
    files = {os.path.normpath(name) for name in names if os.path.isfile(name) and not name.endswith(".ndjson")}
    wrong = [str(problem) for problem in prepared.problems if problem.path and os.path.normpath(problem.path) in files]
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
    return 1 if fail_on and worst >= SEVERITIES.index(fail_on) else 0


def _write(
    running: Scan, prepared: Prepared, form: str | None, output: str | None, *, ranked: bool, quiet: bool
) -> tuple[int, bool]:
    """Write the alerts; the rank of the worst (where `ranked` asks for it), and whether Ctrl-C ended it."""
    from contraband.cli.progress import show_progress

    terminal = output in (None, "-") and sys.stdout.isatty()
    form = form or ("table" if terminal else "ndjson")
    worst = -1
    stopped = False
    with open_output(output) as stream:
        # Alerts that go to the terminal line by line would be mixed up with it.
        finish = show_progress(running, quiet=quiet or (terminal and form == "ndjson"))
        try:
            if form == "ndjson":
                for block in stoppable(running):
                    stream.write(block)
                    if terminal:
                        stream.flush()
                    if ranked:
                        worst = max(worst, *(_rank(line) for line in block.splitlines()))
            else:
                from contraband.output import write_alerts

                alerts = [alert for block in stoppable(running) for alert in _read(block)]
                worst = max((SEVERITIES.index(alert["kibana.alert.severity"]) for alert in alerts), default=-1)
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
    return worst, stopped or running.summary()["stopped"]


def _read(block: bytes) -> Iterator[dict[str, Any]]:
    import json

    return (json.loads(line) for line in block.splitlines())


def _rank(line: bytes) -> int:
    for rank, severity in reversed(tuple(enumerate(SEVERITIES))):
        if (
            f'"kibana.alert.severity":"{severity}"'.encode() in line
            or f'"kibana.alert.severity": "{severity}"'.encode() in line
        ):
            return rank
    return -1
