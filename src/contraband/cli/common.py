"""What several commands share: rules by name, samples as paths, output, and the summary of a scan."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from contraband.cli.messages import colored, columns, fail, for_stderr, say
from contraband.cli.report import report_faults, report_problems, report_summary
from contraband.cli.streams import open_output, paths, stoppable, write_lines
from contraband.detection.faults import InvalidException
from contraband.detection.packages import UnknownRules, load_named
from contraband.detection.rules import Loaded, joined
from contraband.engine import CompiledRule, Engine, EngineError, EngineOptions, Scan, ScanOptions

if TYPE_CHECKING:
    from contraband.detection.exceptions import Item
    from contraband.diagnostics import CompileError
    from contraband.eql import CheckedQuery
    from contraband.output.terminal import Screen

__all__ = [
    "DEFAULT_RULES",
    "colored",
    "columns",
    "compile_error",
    "fail",
    "for_stderr",
    "load",
    "load_exceptions",
    "open_output",
    "paths",
    "report_faults",
    "report_problems",
    "report_summary",
    "say",
    "screen",
    "show",
    "source_option",
    "stoppable",
    "write_events",
    "write_lines",
]

DEFAULT_RULES = "T1546.016"

source_option = click.option(
    "--source",
    metavar="NAME",
    help="Read all input as this: auditd, eslogger, evtx, sysmon_linux, windows-xml, windows-json, winlogbeat, ndjson.",
)
"""For commands that read telemetry. The core knows the names; they stand here so that help need not load it."""


def show(lines: Iterable[str]) -> None:
    """Lines to stdout."""
    for line in lines:
        click.echo(line)


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


def compile_error(error: CompileError, name: str) -> NoReturn:
    """Show every finding in a query, underlined, and end."""
    click.echo(error.render(path=name), err=True)
    raise click.exceptions.Exit(2)


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
