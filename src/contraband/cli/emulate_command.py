"""`contraband emulate`: harmless runs of the technique."""

from __future__ import annotations

import click

from contraband.cli.common import fail, say
from contraband.emulate import Emulation, EmulationError, load_emulations, plan_commands, run_emulation

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
    for test in load_emulations(PACKAGE):
        click.echo(f"{test.id:5} {test.platform:8} {test.executor.name:10} {test.name}")


@command.command("show")
@click.argument("name")
def show(name: str) -> None:
    """What an emulation does, command by command, and what must be seen of it."""
    test = _find(name)
    click.echo(
        f"{test.id}: {test.name}\n{test.description}\nplatform {test.platform}, {'administrator' if test.executor.elevation_required else 'any user'}\n"
    )
    for purpose, text in plan_commands(test, {}):
        click.echo(f"{purpose}:")
        click.echo("\n".join(f"    {line}" for line in text.rstrip().splitlines()))
    click.echo(f"\nthe package must alert: {test.verdict}")
    for signal in test.signals:
        click.echo(f"  {signal.what}: {signal.eql}")


@command.command("run")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def run(name: str, yes: bool) -> int:
    """Run an emulation on this machine, in a lab, and clean up after it."""
    test = _find(name)
    if not yes:
        click.confirm(f"Run {test.id} ({test.name}) on this machine?", abort=True, err=True)
    try:
        done = run_emulation(test)
    except EmulationError as error:
        fail(str(error))
    for result in done.results:
        say(f"{result.purpose}: status {result.status}")
        if result.output.strip():
            say(result.output.strip())
    click.echo(f"{done.started.isoformat()} {done.ended.isoformat()}")
    if not done.cleaned:
        say("warning: the clean-up did not end well; `contraband emulate show` prints its commands")
        return 1
    return 0


def _find(name: str) -> Emulation:
    tests = load_emulations(PACKAGE)
    for test in tests:
        if name.lower() in (test.id.lower(), test.guid, test.name.lower()):
            return test
    fail(f"there is no emulation `{name}`; there are {', '.join(test.id for test in tests)}")
