"""`contraband lint`: are rules right, before anything is run?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from contraband.cli.common import load, say
from contraband.detection.compiled import compile_rules
from contraband.detection.exception_checks import faults, overdue
from contraband.detection.lint import errors_of, warnings_of
from contraband.detection.rules import COMPANIONS, Loaded, joined, load_file


@click.command("lint")
@click.argument("names", metavar="RULE...", nargs=-1, required=True)
@click.option("--quiet", is_flag=True, help="Errors only.")
@click.option(
    "--pass-over",
    is_flag=True,
    help="Pass over named files that hold no rule; of a rule's companions lint the rule beside them. For hooks that name changed files.",
)
def command(names: tuple[str, ...], quiet: bool, pass_over: bool) -> int:
    """Check rules: syntax, types, metadata as errors; fields that no schema knows as warnings. A file, a folder or a package.

    Exceptions beside a rule are run on its cases: one that silences an attack, or does not do what it says, is an error.

    \b
    Example:
      contraband lint T1546.016
    """
    loaded = joined(map(_changed, dict.fromkeys(map(_rule_of, names)))) if pass_over else load(names, checking=True)
    compiled, problems = compile_rules(loaded.rules)
    errors = [*loaded.problems, *problems, *(problem for entry in compiled for problem in errors_of(entry))]
    errors += faults(entry.rule for entry in compiled)
    for problem in errors:
        click.echo(f"error: {problem}")
    doubts = [doubt for entry in compiled for doubt in warnings_of(entry)]
    doubts += overdue((entry.rule for entry in compiled), datetime.now(UTC).date())
    for doubt in () if quiet else doubts:
        click.echo(f"warning: {doubt}")
    for language, count in sorted(loaded.passed_over.items()):
        say(f"{count} rules in {language} passed over")
    say(f"{len(compiled)} EQL rules compile, {len(errors)} errors, {len(doubts)} warnings")
    if not compiled and not errors and not pass_over:
        say("error: no rule was found: silence is not success")
        return 2
    return 1 if errors else 0


def _rule_of(name: str) -> str:
    """The file to lint for a changed file."""
    path = Path(name)
    beside = path.with_name("rule.toml")
    return str(beside) if path.name in COMPANIONS and beside.is_file() else name


def _changed(name: str) -> Loaded:
    path = Path(name)
    if not path.is_file() or path.name in COMPANIONS:
        return Loaded()
    return load_file(path, in_folder=True)
