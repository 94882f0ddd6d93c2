"""Rules run against the cases beside them: each rule on its own cases, and the package as a whole on every case.

One scan a case with all rules at once; the published rule is judged beside the package and never as part of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contraband.detection.cases import Case, Outcome, PackageOutcome, cases_of, count_by_rule, together
from contraband.detection.exceptions import Item
from contraband.detection.rules import Loaded, Rule
from contraband.detection.scan import Prepared, prepare, start


@dataclass(frozen=True, slots=True)
class Report:
    """What every rule made of its cases, and what all of them together made of each case."""

    outcomes: tuple[Outcome, ...]
    package: tuple[PackageOutcome, ...]
    without_cases: tuple[Rule, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    """Telemetry that could not be read whole, by path: a case on it proves nothing."""

    @property
    def unexpected(self) -> tuple[Outcome, ...]:
        """Rules that did something else than the case says they must."""
        return tuple(outcome for outcome in self.outcomes if not outcome.as_expected)

    @property
    def unexpected_package(self) -> tuple[PackageOutcome, ...]:
        """Cases of which the rules together made something else than they must."""
        return tuple(outcome for outcome in self.package if not outcome.as_expected)

    @property
    def passed(self) -> bool:
        """Whether everything is as the cases say."""
        return not (self.unexpected or self.unexpected_package or self.unread)


def run(
    loaded: Loaded,
    *,
    beside: Loaded | None = None,
    items: Sequence[Item] | None = (),
    cases: Mapping[str, Sequence[Case]] | None = None,
    as_package: bool = True,
) -> Report:
    """Run rules against their cases.

    `items` are exceptions beyond the rules' own; None applies none at all.
    `beside` are rules that are tested but belong to no package (the published one). `cases` gives further cases by rule id.
    `as_package` judges the rules together as well; leave it out where only some of a package's rules are loaded.
    """
    extra = beside or Loaded()
    prepared = prepare(loaded + extra, items=items, deprecated=True)
    outside = {rule.id for rule in extra.rules}
    by_rule = {
        rule_id: (rule, (*cases_of(rule), *(cases or {}).get(rule_id, ()))) for rule_id, rule in prepared.rules.items()
    }
    found: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    unread: dict[str, str] = {}
    outcomes: list[Outcome] = []
    package: list[PackageOutcome] = []
    judged: set[tuple[str, ...]] = set()
    for rule, case in _pairs(by_rule):
        key = tuple(map(str, case.telemetry))
        if key not in found:
            found[key] = _alerts(prepared, key, unread)
        outcomes.append(Outcome(rule, case, count_by_rule(found[key]).get(rule.id, 0)))
        if as_package and key not in judged:
            judged.add(key)
            own = [alert for alert in found[key] if alert["kibana.alert.rule.rule_id"] not in outside]
            package.append(PackageOutcome(case, together(own)))
    without = tuple(rule for rule, own in by_rule.values() if not own)
    return Report(tuple(outcomes), tuple(package), without, unread)


def _pairs(by_rule: Mapping[str, tuple[Rule, Sequence[Case]]]) -> Iterator[tuple[Rule, Case]]:
    for rule, cases in by_rule.values():
        for case in cases:
            yield rule, case


def _alerts(prepared: Prepared, paths: Sequence[str], unread: dict[str, str]) -> list[dict[str, Any]]:
    scan = start(prepared, paths)
    alerts = list(scan.documents())
    summary = scan.summary()
    for file in summary["files"]:
        if file["error"] or not file["records"]:
            unread[file["path"]] = file["error"] or "no event in it"
    return alerts
