"""`contraband lint`: are rules right, before anything is run?"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import click

from contraband.cli.common import DEFAULT_RULES, fail, load, say, screen, show
from contraband.detection.compiled import compile_rules
from contraband.detection.exception_checks import faults, overdue
from contraband.detection.lint import errors_of, warnings_of
from contraband.detection.material import COMPANIONS
from contraband.detection.rules import Loaded, joined, load_file


@click.command("lint")
@click.argument("names", metavar="RULE...", nargs=-1)
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
    if not names:
        fail(f"name the rules to check: a file, a folder, or a package, as in\n{_proposals()}")
    loaded = joined(map(_changed, dict.fromkeys(map(_rule_of, names)))) if pass_over else load(names, checking=True)
    compiled, problems = compile_rules(loaded.rules)
    errors = [*loaded.problems, *problems, *(problem for entry in compiled for problem in errors_of(entry))]
    errors += faults(entry.rule for entry in compiled)
    doubts = [doubt for entry in compiled for doubt in warnings_of(entry)]
    doubts += overdue((entry.rule for entry in compiled), datetime.now(UTC).date())
    from contraband.output.findings import findings

    found = [*(("error", problem) for problem in errors), *(("warning", doubt) for doubt in doubts if not quiet)]
    show(findings(found, screen(), base=Path.cwd()))
    for language, count in sorted(loaded.passed_over.items()):
        say(f"{count} rules in {language} passed over")
    say(f"{len(compiled)} EQL rules compile, {len(errors)} errors, {len(doubts)} warnings")
    if not compiled and not errors and not pass_over:
        say("error: no rule was found: silence is not success")
        return 2
    return 1 if errors else 0


def _proposals() -> str:
    """What could be linted where the user is: the folder, if rules lie in it, and the package that ships."""
    here = next(chain(Path().glob("*.toml"), Path().glob("*/*.toml"), Path().glob("rules/*/rule.toml")), None)
    return "\n".join(f"  contraband lint {name}" for name in ((".",) if here else ()) + (DEFAULT_RULES,))


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
