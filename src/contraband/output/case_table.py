"""What rules made of their cases, as `contraband test` shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from contraband.detection.cases import Outcome, Together, Truth, Verdict
from contraband.detection.testing import Report
from contraband.output.terminal import Screen, below, grid

HEADINGS = ("rule", "source", "caught", "missed", "false alarms", "quiet", "basis")


def case_table(report: Report, first: set[str], screen: Screen) -> list[str]:
    """Counts for each rule and source, the rules with an id in `first` before the others; each rule's name once on a screen, in a pipe on every line."""
    rows = list(_rows(report, first))
    whole = screen.width is None or len({row[0] for row in rows}) == len(rows)
    return (grid if whole else below)(HEADINGS, rows, screen)


def failures(report: Report, screen: Screen) -> Iterator[str]:
    """Each verdict that is not as its case says."""
    for outcome in report.unexpected:
        wanted = "an alert" if outcome.case.expect_alert else "no alert"
        text = f"{outcome.rule.slug}: {outcome.case.name}: expected {wanted}, found {outcome.alerts}"
        yield from screen.prose(text, "failed: ", "  ")
    for together in report.unexpected_package:
        text = f"all rules: {together.case.name}: expected {together.case.package}, found {together.result}"
        yield from screen.prose(text, "failed: ", "  ")
    for path, why in report.unread.items():
        yield from screen.prose(f"{path}: {why}", "failed: ", "  ")


def totals(report: Report, screen: Screen) -> Iterator[str]:
    """What the rules made of the cases together, and how many verdicts are as expected."""
    if report.package:
        attacks = Counter(outcome.result for outcome in report.package if outcome.case.truth is Truth.ATTACK)
        benign = Counter(outcome.result for outcome in report.package if outcome.case.truth is Truth.BENIGN)
        caught, alarms = attacks[Together.CAUGHT], benign[Together.CAUGHT]
        yield from screen.prose(
            f"{caught} of {attacks.total()} attacks caught ({attacks[Together.LOW]} low alerts only), "
            f"{alarms} false alarms on {benign.total()} ordinary installations ({benign[Together.LOW]} low alerts only)",
            "all rules together: ",
            "  ",
        )
    failed = len(report.unexpected) + len(report.unexpected_package) + len(report.unread)
    total = len(report.outcomes) + len(report.package)
    yield f"{total - failed} of {total} verdicts as expected"


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
