"""The command line: the only place that prints, exits or reads the environment. One module a command."""

from __future__ import annotations

import errno
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from contraband.cli.commands import COMMANDS, cli

__all__ = ["COMMANDS", "cli", "main"]

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What a full or broken disk answers to a write."""


def __getattr__(name: str) -> object:
    """Click is loaded where it is needed: many command lines can be read without it (`quick`)."""
    if name in ("COMMANDS", "cli"):
        from contraband.cli import commands

        return getattr(commands, name)
    raise AttributeError(f"module `{__name__}` has no attribute `{name}`")


def main(arguments: list[str] | None = None) -> NoReturn:
    """The program. Exit status: 0 it ran, 1 a check failed, 2 it could not do the job, 130 stopped by Ctrl-C."""
    from contraband.cli import quick
    from contraband.cli.messages import Failure, drop_output

    given = sys.argv[1:] if arguments is None else arguments
    try:
        status = quick.run(given)
        at_once = arguments is None and status is not None
        if status is None:
            from contraband.cli.commands import run

            status = run(given)
        sys.stdout.flush()
    except Failure as error:
        _say(f"Error: {error}")
        sys.exit(2)
    except KeyboardInterrupt:
        _say("")
        sys.exit(130)
    except BrokenPipeError:
        drop_output()
        sys.exit(0)
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        drop_output()
        _say(f"Error: the output could not be written: {error.strerror}")
        sys.exit(2)
    if at_once:
        _leave(status)
    sys.exit(status)


def _say(line: str) -> None:
    if sys.stderr is not None:
        print(line, file=sys.stderr, flush=True)


def _leave(status: int) -> None:
    """End a program that has done its work, without taking apart what the system takes back at once: loaded rules and modules.

    Everything is written by now. Not while something watches the program that has to write what it saw.
    """
    if sys.gettrace() is None and sys.getprofile() is None:
        if sys.stderr is not None:
            sys.stderr.flush()
        os._exit(status)
