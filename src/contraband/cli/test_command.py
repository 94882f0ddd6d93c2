"""`contraband test`: rules against their cases."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from contraband.cli.common import fail, load_exceptions, report_problems, say, screen, show
from contraband.cli.common import load as load_rules
from contraband.detection.cases import Case, InvalidCases, load_sigma_cases
from contraband.detection.faults import InvalidException
from contraband.detection.packages import DEFAULT_PACKAGE, load_published, package_ids
from contraband.detection.rules import Loaded
from contraband.detection.testing import Report, run
from contraband.output.case_table import case_table, failures, totals


@click.command("test")
@click.argument("names", metavar="[PATH]...", nargs=-1)
@click.option(
    "--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write JUnit XML as well."
)
@click.option(
    "--sigma",
    "infos",
    multiple=True,
    metavar="FILE",
    help="Cases of a SigmaHQ info.yml, for rules of the same id; repeatable.",
)
@click.option("--exceptions", "folders", multiple=True, metavar="DIR", help="Exceptions of your own; repeatable.")
def command(names: tuple[str, ...], junit: Path | None, infos: tuple[str, ...], folders: tuple[str, ...]) -> int:
    """Run rules against the cases beside them: caught, missed and false alarms, per rule and source.

    Without PATH the shipped package, the published rule in the first row. The exit status is 1 if a rule, or the rules together, do something
    else than a case says.

    \b
    Example:
      contraband test linux-script-downloader
    """
    chosen = names or (DEFAULT_PACKAGE,)
    whole = any(name in package_ids() for name in chosen) or any(Path(name).is_dir() for name in chosen)
    loaded = load_rules(chosen)
    published = load_published() if DEFAULT_PACKAGE in chosen else Loaded()
    report_problems([*loaded.problems, *published.problems])
    try:
        cases = _sigma_cases(infos)
        report = run(loaded, beside=published, items=load_exceptions(folders), cases=cases, as_package=whole)
    except (InvalidCases, InvalidException) as error:
        fail(str(error))
    if not report.outcomes:
        fail(f"no case to run: {len(loaded.rules)} rules, none with a cases.toml beside it")
    _print(report, first={rule.id for rule in published.rules})
    if junit is not None:
        from contraband.output.junit import document

        junit.write_bytes(document(report))
    return 0 if report.passed and not loaded.problems else 1


def _sigma_cases(infos: Iterable[str]) -> dict[str, tuple[Case, ...]]:
    cases: dict[str, tuple[Case, ...]] = {}
    for info in infos:
        for rule, found in load_sigma_cases(Path(info)).items():
            cases[rule] = (*cases.get(rule, ()), *found)
    return cases


def _print(report: Report, *, first: set[str]) -> None:
    to = screen()
    show([*case_table(report, first, to), "", *failures(report, to)])
    for rule in report.without_cases:
        say(f"warning: {rule.slug} has no case")
    show(totals(report, to))
