"""`contraband test`: rules against their cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from contraband.cli.common import fail, load_exceptions, report_problems, say
from contraband.cli.common import load as load_rules
from contraband.detection.cases import Case, InvalidCases, Outcome, Together, Truth, Verdict, load_sigma_cases
from contraband.detection.packages import DEFAULT_PACKAGE, load_published, package_ids
from contraband.detection.rules import InvalidException, Loaded
from contraband.detection.testing import Report, run

HEADINGS = ("rule", "source", "caught", "missed", "false alarms", "quiet", "basis")


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
    rows = [HEADINGS, *_rows(report, first)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    click.echo("")
    for outcome in report.unexpected:
        wanted = "an alert" if outcome.case.expect_alert else "no alert"
        click.echo(f"failed: {outcome.rule.slug}: {outcome.case.name}: expected {wanted}, found {outcome.alerts}")
    for together in report.unexpected_package:
        click.echo(
            f"failed: all rules: {together.case.name}: expected {together.case.package}, found {together.result}"
        )
    for path, why in report.unread.items():
        click.echo(f"failed: {path}: {why}")
    for rule in report.without_cases:
        say(f"warning: {rule.slug} has no case")
    failed = len(report.unexpected) + len(report.unexpected_package) + len(report.unread)
    total = len(report.outcomes) + len(report.package)
    click.echo(f"{_package_line(report)}{total - failed} of {total} verdicts as expected")


def _package_line(report: Report) -> str:
    if not report.package:
        return ""
    attacks = Counter(outcome.result for outcome in report.package if outcome.case.truth is Truth.ATTACK)
    benign = Counter(outcome.result for outcome in report.package if outcome.case.truth is Truth.BENIGN)
    caught, alarms = attacks[Together.CAUGHT], benign[Together.CAUGHT]
    return (
        f"all rules together: {caught} of {attacks.total()} attacks caught ({attacks[Together.LOW]} low alerts only), "
        f"{alarms} false alarms on {benign.total()} ordinary installations ({benign[Together.LOW]} low alerts only)\n"
    )


def _rows(report: Report, first: set[str]) -> Iterator[Sequence[str]]:
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in sorted(
        report.outcomes, key=lambda outcome: (outcome.rule.id not in first, outcome.rule.slug, outcome.case.source)
    ):
        groups.setdefault((outcome.rule.slug, outcome.case.source), []).append(outcome)
    for (rule, source), outcomes in groups.items():
        verdicts = Counter(outcome.verdict for outcome in outcomes)
        basis = Counter(str(outcome.case.basis) for outcome in outcomes)
        counts = (
            str(verdicts[verdict] or "")
            for verdict in (Verdict.CAUGHT, Verdict.MISSED, Verdict.FALSE_ALARM, Verdict.QUIET)
        )
        yield (rule, source, *counts, ", ".join(f"{count} {name}" for name, count in sorted(basis.items())))
