"""The command line: the only place that prints, exits or reads the environment. One module a command."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from contraband import __version__

# Name to module: commands are imported when they are used, so that `--version` stays instant.
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
            _drop_output()
            return 0
        return status


def _drop_output() -> None:
    """The reader of our output has seen enough: what is still buffered must not be written to the closed pipe at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from contraband.schema import shipped_version

        click.echo(f"contraband, version {__version__}\nfields of {shipped_version()}")
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


def main(arguments: list[str] | None = None) -> Any:
    """The program. Exit status: 0 it ran, 1 a check failed, 2 it could not do the job, 130 stopped by Ctrl-C."""
    try:
        status = cli.main(args=arguments, standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except BrokenPipeError:
        _drop_output()
        sys.exit(0)
    sys.exit(status if isinstance(status, int) else 0)
