"""What a command says on stderr, and how it gives up. Loads nothing: the shortest runs say something too."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NoReturn


class Failure(Exception):
    """The job cannot be done; the program ends with status 2."""


def fail(message: str) -> NoReturn:
    """Say why the job cannot be done, and end with status 2."""
    raise Failure(message)


def say(message: str) -> None:
    """One line to stderr; as many as it needs on a terminal."""
    if sys.stderr is not None:
        print(for_stderr(message), file=sys.stderr, flush=True)


def for_stderr(message: str) -> str:
    """A message as stderr takes it: one line, on a terminal as many as it needs."""
    if not sys.stderr.isatty() or (message.isascii() and message.isprintable() and len(message) <= min(columns(), 80)):
        return message
    from contraband.output.screen import Screen

    start = message[: len(message) - len(message.lstrip())]
    return "\n".join(Screen(columns()).prose(message.lstrip(), start, f"{start}  ")) or message


def show(lines: Iterable[str]) -> None:
    """Lines to stdout."""
    for line in lines:
        print(line)


def drop_output() -> None:
    """The reader of our output has seen enough, or cannot take more: what is still buffered must not be written at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def columns(otherwise: int = 120) -> int:
    """How wide the terminal is: as `shutil.get_terminal_size` has it, which loads all that packs files."""
    try:
        given = int(os.environ["COLUMNS"])
    except (KeyError, ValueError):
        given = 0
    if given > 0:
        return given
    try:
        return (os.get_terminal_size(sys.__stdout__.fileno()).columns if sys.__stdout__ else 0) or otherwise
    except (AttributeError, ValueError, OSError):
        return otherwise


def colored(terminal: bool) -> bool:
    """Whether colour is wanted: on a terminal, or where the user asks for it; never where the user asks for none (no-color.org: empty is not set)."""
    return (terminal or "FORCE_COLOR" in os.environ) and not os.environ.get("NO_COLOR")
