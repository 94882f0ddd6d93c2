"""What several commands share: rules by name, samples as paths, output, and the summary of a scan."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

import click

from contraband.detection.packages import UnknownRules, load_named, samples_path
from contraband.detection.rules import InvalidException, Loaded, Problem, joined
from contraband.engine import CompiledRule, Engine, EngineError, EngineOptions, Scan, ScanOptions

if TYPE_CHECKING:
    from contraband.detection.exceptions import Item
    from contraband.diagnostics import CompileError
    from contraband.eql import CheckedQuery
    from contraband.output.terminal import Screen

DEFAULT_RULES = "T1546.016"

source_option = click.option(
    "--source",
    metavar="NAME",
    help="Read all input as this: auditd, eslogger, evtx, sysmon_linux, windows-xml, windows-json, winlogbeat, ndjson.",
)
"""For commands that read telemetry. The core knows the names; they stand here so that help need not load it."""


def fail(message: str) -> NoReturn:
    """Say why the job cannot be done, and end with status 2."""
    raise click.ClickException(message)


def say(message: str) -> None:
    """One line to stderr; as many as it needs on a terminal."""
    click.echo(for_stderr(message), err=True)


def for_stderr(message: str) -> str:
    """A message as stderr takes it: one line, on a terminal as many as it needs."""
    if not sys.stderr.isatty():
        return message
    from contraband.output.terminal import Screen

    start = message[: len(message) - len(message.lstrip())]
    return "\n".join(Screen(columns()).prose(message.lstrip(), start, f"{start}  ")) or message


def show(lines: Iterable[str]) -> None:
    """Lines to stdout."""
    for line in lines:
        click.echo(line)


def columns() -> int:
    """How wide the terminal is."""
    import shutil

    return shutil.get_terminal_size((120, 24)).columns


def colored(terminal: bool) -> bool:
    """Whether colour is wanted: on a terminal, or where the user asks for it; never where the user asks for none (no-color.org: empty is not set)."""
    return (terminal or "FORCE_COLOR" in os.environ) and not os.environ.get("NO_COLOR")


def screen() -> Screen:
    """What stdout is: a terminal, which lines are made for, or a pipe or file that gets them whole."""
    from contraband.output.terminal import WHOLE, Screen

    if not sys.stdout.isatty():
        return WHOLE
    return Screen(columns(), color=colored(True) and os.environ.get("TERM") != "dumb")


def load(names: Sequence[str], *, checking: bool = False) -> Loaded:
    """The rules that the user named, or the package. A file named by the user must be valid; in folders problems are listed.

    `checking` lists the problems of named files too: finding them is then the job.
    """
    parts = []
    for name in names or (DEFAULT_RULES,):
        try:
            loaded = load_named(name)
        except UnknownRules as error:
            fail(str(error))
        except OSError as error:
            fail(f"{name}: {error.strerror or error}")
        if loaded.problems and not checking and Path(name).is_file():
            fail("\n".join(str(problem) for problem in loaded.problems))
        parts.append(loaded)
    return joined(parts)


def load_exceptions(folders: Sequence[str]) -> tuple[Item, ...]:
    """The exceptions of the user's folders and files."""
    if not folders:
        return ()
    from contraband.detection.exceptions import load_items

    items: list[Item] = []
    for folder in folders:
        try:
            items.extend(load_items(Path(folder)))
        except InvalidException as error:
            fail(str(error))
        except OSError as error:
            fail(f"{error.filename or folder}: {error.strerror or error}")
    return tuple(items)


def paths(given: Sequence[str]) -> list[str]:
    """The paths to read; `samples` stands for the telemetry that ships with contraband, where no such path exists."""
    return [_shipped(path) for path in given]


def _shipped(path: str) -> str:
    first, _, rest = path.partition("/")
    return str(samples_path() / rest) if first == "samples" and not Path(path).exists() else path


def report_problems(problems: Iterable[Problem], *, most: int = 20) -> None:
    """Problems of rules, on stderr."""
    listed = list(problems)
    for problem in listed[:most]:
        say(f"warning: {problem}")
    if len(listed) > most:
        say(f"warning: {len(listed) - most} more rules with problems")


def compile_error(error: CompileError, name: str) -> NoReturn:
    """Show every finding in a query, underlined, and end."""
    click.echo(error.render(path=name), err=True)
    raise click.exceptions.Exit(2)


@contextmanager
def open_output(path: str | None) -> Iterator[BinaryIO]:
    """A binary stream: the file, or standard output, which stays open."""
    if path is None or path == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        stream = Path(path).open("wb")  # noqa: SIM115 (that it cannot be opened is another failure than one while it is written)
    except OSError as error:
        fail(f"{path}: {error.strerror or error}")
    with stream:
        yield stream


def stoppable(scan: Scan) -> Iterator[bytes]:
    """The output; Ctrl-C asks the scan to end, and what was found so far still comes. The summary says whether it was stopped."""
    blocks = iter(scan)
    while True:
        try:
            block = next(blocks, None)
        except KeyboardInterrupt:
            scan.stop()
            blocks = iter(scan)  # the interrupted iteration is over
            continue
        if block is None:
            return
        yield block


def write_events(
    query: CheckedQuery,
    given: Sequence[str],
    options: EngineOptions,
    limits: ScanOptions,
    write: Callable[[Scan], None],
    *,
    quiet: bool,
) -> dict[str, Any]:
    """Have what one query matches written, report on stderr, and give what was counted."""
    from contraband.plan import lower

    began = time.monotonic()
    try:
        scan = Engine([CompiledRule("query", lower(query))], options).scan(paths(given), limits)
        write(scan)
    except EngineError as error:
        fail(str(error))
    summary = scan.summary()
    report_summary(summary, time.monotonic() - began, quiet=quiet)
    return summary


def write_lines(scan: Scan, output: str | None) -> None:
    """The output as it comes, a line of JSON each."""
    with open_output(output) as stream:
        for block in stoppable(scan):
            stream.write(block)


def report_faults(summary: Mapping[str, Any]) -> None:
    """What could not be read, on stderr: the first few faults of a kind, then how many more."""
    _report_errors(summary["files"])
    for path, kinds in summary["faults"].items():
        for kind, found in kinds.items():
            for record, offset, message in found["first"]:
                say(f"warning: {path}: record {record}, byte {offset}: {kind}: {message}")
            if found["count"] > len(found["first"]):
                say(f"warning: {path}: {found['count'] - len(found['first'])} more of kind: {kind}")


def report_summary(
    summary: Mapping[str, Any], seconds: float, *, rules: int | None = None, quiet: bool = False
) -> None:
    """What a scan read and found, on stderr; without a number of rules it was one query, which finds results and not alerts."""
    report_faults(summary)
    if quiet:
        return
    files = summary["files"]
    _report_files(files)
    records = sum(file["records"] for file in files)
    skipped = sum(file["skipped"] for file in files)
    size = sum(file["bytes"] for file in files)
    faults = sum(file["faults"] for file in files)
    alerts = sum(summary["alerts"].values())
    for rule, count in summary["failed"].items():
        say(f"warning: rule {rule} could not be computed for {count} events")
    if summary["excepted"]:
        say(f"{sum(summary['excepted'].values())} alerts left out by exceptions")
    if summary["without_time"]:
        say(f"{summary['without_time']} events without a timestamp can be part of no sequence")
    if summary["unseen"] and records and rules is not None:
        say(f"{len(summary['unseen'])} of {rules} rules could see nothing: no event of their indices, host and time")
    if (plain := summary["sources"].get("ecs")) and rules is not None:
        say(f"{plain:,} events of ECS from no sensor that is known; those without an index were offered to all rules")
    unknown = summary["sources"].get("unknown")
    if unknown and rules is not None:
        say(f"{unknown:,} events of unknown source; those without an index were offered to all rules")
        for event in summary["unclaimed"]:
            say(f"  {event['path']}: record {event['record']}, byte {event['offset']}: {event['reason']}")
    found = f"{alerts:,} results" if rules is None else f"{alerts:,} alerts of {rules} rules"
    say(
        f"{len(files)} files, {records:,} events ({skipped:,} passed over unread), {size / 1e6:,.1f} MB, {faults} faults, "
        f"{found} in {seconds:.2f} s"
    )


MOST_ERRORS = 5
"""So many files with the same error are named; more are counted."""

MOST_FILES = 12
"""So many files are listed one by one; of more, those that were recognised as the same are counted."""


def _report_errors(files: list[dict[str, Any]]) -> None:
    failed = [file for file in files if file["error"]]
    for error in dict.fromkeys(file["error"] for file in failed):
        same = [file["path"] for file in failed if file["error"] == error]
        for path in same[:MOST_ERRORS]:
            say(f"error: {path}: {error}")
        if len(same) > MOST_ERRORS:
            say(f"error: {len(same) - MOST_ERRORS} more files: {error}")


def _report_files(files: list[dict[str, Any]]) -> None:
    read = [file for file in files if not file["error"] or file["records"]]
    if len(read) <= MOST_FILES:
        for file in read:
            say(f"  {file['path']}: {file['recognised']}, {file['records']:,} records")
        return
    for kind in sorted({file["recognised"] for file in read}):
        same = [file for file in read if file["recognised"] == kind]
        say(f"  {len(same)} files recognised as {kind}: {sum(file['records'] for file in same):,} records")
