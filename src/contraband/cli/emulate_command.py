"""`contraband emulate`: harmless runs of the technique."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from contraband.cli.common import fail, for_stderr, open_output, paths, say, screen
from contraband.cli.common import show as show_lines
from contraband.emulate import (
    Emulation,
    EmulationError,
    check_recording,
    load_emulations,
    plan_commands,
    run_emulation,
    run_in_scratch,
)
from contraband.output.package_text import checked_text, emulation_list, emulation_text

PACKAGE = "T1546.016"


@click.group("emulate")
def command() -> None:
    """List, show and run harmless emulations of T1546.016.

    \b
    Example:
      contraband emulate show T13
    """


@command.command("list")
def list_() -> None:
    """One line an emulation."""
    show_lines(emulation_list(load_emulations(PACKAGE), screen()))


@command.command("show")
@click.argument("name")
def show(name: str) -> None:
    """What an emulation does, command by command, and what must be seen of it."""
    test = _find(name)
    show_lines(emulation_text(test, plan_commands(test, {}), screen()))


@command.command("run")
@click.argument("name")
@click.option(
    "--scratch", is_flag=True, help="Run where it leaves nothing behind (Linux, root): overlays and no network."
)
@click.option("--record", metavar="FILE", help="Record its processes and files with strace, as ECS documents.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def run(name: str, scratch: bool, record: str | None, yes: bool) -> int:
    """Run an emulation on this machine, in a lab, and clean up after it.

    \b
    Example:
      contraband emulate run T13 --scratch --record t13.ndjson
    """
    test = _find(name)
    if not (yes or scratch):
        click.confirm(for_stderr(f"Run {test.id} ({test.name}) on this machine?"), abort=True, err=True)
    try:
        runner = run_in_scratch if scratch else run_emulation
        done = runner(test, record=record is not None)
    except EmulationError as error:
        fail(str(error))
    for result in done.results:
        say(f"{result.purpose}: status {result.status}")
        if result.output.strip():
            # As the command wrote it: its lines are no sentences.
            click.echo(result.output.strip(), err=True)
    if record is not None:
        _write_recording(done.events, record)
    click.echo(f"{done.started.isoformat()} {done.ended.isoformat()}")
    if not done.cleaned:
        say("warning: the clean-up did not end well; `contraband emulate show` prints its commands")
        return 1
    return 0


def _write_recording(events: Sequence[dict[str, Any]], path: str) -> None:
    with open_output(path) as file:
        file.writelines(json.dumps(event, ensure_ascii=False).encode() + b"\n" for event in events)


@command.command("check")
@click.argument("name")
@click.argument("recording", nargs=-1, required=True)
def check(name: str, recording: tuple[str, ...]) -> int:
    """Hold a recording of an emulation's run against the signals that it must leave, and the package against its verdict.

    \b
    Example:
      contraband emulate check T13 t13.ndjson
    """
    test = _find(name)
    result = check_recording(test, paths(recording))
    show_lines(checked_text(result, screen()))
    return 0 if result.good else 1


def _find(name: str) -> Emulation:
    tests = load_emulations(PACKAGE)
    for test in tests:
        if name.lower() in (test.id.lower(), test.guid, test.name.lower()):
            return test
    fail(f"there is no emulation `{name}`; there are {', '.join(test.id for test in tests)}")
