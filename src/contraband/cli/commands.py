"""The commands, as click reads them. One module a command."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import click

from contraband.cli.messages import Failure, drop_output

# Name to module: commands are imported when they are used, so that `--help` stays instant.
COMMANDS = {
    "scan": "scan",
    "query": "query",
    "test": "test",
    "lint": "lint",
    "explain": "explain",
    "show": "show",
    "hunt": "hunt",
    "emulate": "emulate",
    "convert": "convert",
    "export": "export",
    "coverage": "coverage",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        loaded = importlib.import_module(f"contraband.cli.{module}_command")
        command: click.Command = loaded.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        # Further out click would end the program with 1, which says that a check failed.
        try:
            status = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            drop_output()
            return 0
        except Failure as error:
            raise click.ClickException(str(error)) from None
        return status


def _version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from contraband.cli.version import versions

        click.echo("\n".join(versions()))
        context.exit()


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version and exit."
)
def cli() -> None:
    """Finds what installer packages smuggle in: ATT&CK T1546.016, and Elastic's EQL over log files.

    \b
    Example:
      contraband scan evidence/
    """


def run(arguments: Sequence[str]) -> int:
    """Run a command line; the exit status."""
    try:
        status = cli.main(args=list(arguments), standalone_mode=False)
    except click.exceptions.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        return 2
    except click.exceptions.Exit as error:
        return error.exit_code
    return status if isinstance(status, int) else 0
