"""Cases: labelled telemetry beside a rule, and what running the rules over it must give.

Reads `cases.toml` (the layout is in CONTRIBUTING.md) and SigmaHQ's `info.yml`; judges what the engine found. How telemetry is
read and rules are run is not known here: a runner is passed in.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from contraband.detection.packages import samples_path
from contraband.detection.rules import Rule, Severity


class Truth(StrEnum):
    """What the telemetry of a case is."""

    ATTACK = "attack"
    BENIGN = "benign"


class Basis(StrEnum):
    """Where the telemetry of a case comes from."""

    CAPTURED = "captured"
    REPORTED = "reported"
    MODELLED = "modelled"


class Verdict(StrEnum):
    """What a rule made of a case."""

    CAUGHT = "caught"
    MISSED = "missed"
    FALSE_ALARM = "false alarm"
    QUIET = "quiet"


class Together(StrEnum):
    """What all rules of a package together make of a case."""

    CAUGHT = "caught"
    """An alert of medium severity or above that is no building block."""
    LOW = "low"
    """Only alerts below, or building blocks."""
    QUIET = "quiet"


class InvalidCases(Exception):
    """A file of cases that cannot be used: where, and why."""


@dataclass(frozen=True, slots=True)
class Case:
    """Labelled telemetry and the verdict that a rule must give."""

    name: str
    telemetry: tuple[Path, ...]
    source: str
    truth: Truth
    expect_alert: bool
    package: Together
    basis: Basis
    reference: str = ""
    why: str = ""
    path: Path | None = None
    match_count: int | None = None
    """How many alerts are expected, where the case says (SigmaHQ's `match_count`)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One rule on one case."""

    rule: Rule
    case: Case
    alerts: int

    @property
    def verdict(self) -> Verdict:
        """Judged by what the telemetry is, not by what was expected."""
        if self.case.truth is Truth.ATTACK:
            return Verdict.CAUGHT if self.alerts else Verdict.MISSED
        return Verdict.FALSE_ALARM if self.alerts else Verdict.QUIET

    @property
    def as_expected(self) -> bool:
        """Whether the rule did what the case says it must."""
        if self.case.match_count is not None:
            return self.alerts == self.case.match_count
        return bool(self.alerts) == self.case.expect_alert


@dataclass(frozen=True, slots=True)
class PackageOutcome:
    """All rules of a package on one case."""

    case: Case
    result: Together

    @property
    def as_expected(self) -> bool:
        """Whether the package did what the case says it must; more than asked is fine on an attack."""
        if self.case.truth is Truth.ATTACK and self.case.package is Together.LOW:
            return self.result is not Together.QUIET
        if self.case.truth is Truth.BENIGN:
            return self.result is self.case.package or (
                self.case.package is Together.QUIET and self.result is Together.LOW
            )
        return self.result is self.case.package


_KEYS = {"name", "telemetry", "source", "truth", "expect", "package", "basis", "reference", "why"}


def cases_path(rule: Rule) -> Path | None:
    """The file of a rule's cases, if it has one: `cases.toml` in its folder, or `RULE.cases.toml` beside the file."""
    if rule.path is None:
        return None
    name = "cases.toml" if rule.path.name == "rule.toml" else f"{rule.path.stem}.cases.toml"
    path = rule.path.with_name(name)
    return path if path.exists() else None


def cases_of(rule: Rule) -> tuple[Case, ...]:
    """The cases beside a rule. `InvalidCases` says what is wrong with the file."""
    path = cases_path(rule)
    return load_cases(path) if path else ()


def load_cases(path: Path) -> tuple[Case, ...]:
    """The cases of one file."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidCases(f"{path}: {error}") from None
    cases = tuple(_case(entry, path) for entry in document.get("case", ()))
    names = [case.name for case in cases]
    for name in names:
        if names.count(name) > 1:
            raise InvalidCases(f"{path}: two cases are called `{name}`")
    return cases


def _case(entry: Mapping[str, Any], path: Path) -> Case:
    name = str(entry.get("name", "unnamed"))
    try:
        if unknown := set(entry) - _KEYS:
            raise ValueError(f"unknown key `{min(unknown)}`; expected one of {', '.join(sorted(_KEYS))}")
        truth = Truth(entry["truth"])
        attack = truth is Truth.ATTACK
        basis = Basis(entry["basis"])
        if basis is Basis.REPORTED and not entry.get("reference"):
            raise ValueError("a reported case needs its `reference`")
        return Case(
            name=name,
            telemetry=tuple(_telemetry(str(item), path) for item in entry["telemetry"]),
            source=str(entry["source"]),
            truth=truth,
            expect_alert=_expect(entry.get("expect", "alert" if attack else "quiet")),
            package=Together(entry.get("package", "caught" if attack else "quiet")),
            basis=basis,
            reference=str(entry.get("reference", "")),
            why=str(entry.get("why", "")),
            path=path,
        )
    except KeyError as error:
        raise InvalidCases(f"{path}: case `{name}` lacks {error}") from None
    except ValueError as error:
        raise InvalidCases(f"{path}: case `{name}`: {error}") from None


def _expect(value: str) -> bool:
    if value not in ("alert", "quiet"):
        raise ValueError(f"`expect` is `{value}`; expected alert or quiet")
    return value == "alert"


def _telemetry(item: str, path: Path) -> Path:
    found = samples_path() / item.removeprefix("samples:") if item.startswith("samples:") else path.parent / item
    if not found.exists():
        raise ValueError(f"there is no telemetry `{item}`")
    return found


def together(alerts: Iterable[Mapping[str, Any]]) -> Together:
    """What the alerts of a package over one case amount to."""
    result = Together.QUIET
    for alert in alerts:
        severity = Severity(alert["kibana.alert.severity"])
        # A sequence's shell alert carries the group without being a building block; its building blocks do not count.
        if severity.rank >= Severity.MEDIUM.rank and "kibana.alert.building_block_type" not in alert:
            return Together.CAUGHT
        result = Together.LOW
    return result


def count_by_rule(alerts: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Alerts by rule id; of a sequence's alerts only the one that stands for the whole counts."""
    counts: dict[str, int] = {}
    for alert in alerts:
        if "kibana.alert.group.index" in alert:
            continue
        rule = str(alert["kibana.alert.rule.rule_id"])
        counts[rule] = counts.get(rule, 0) + 1
    return counts


def load_sigma_cases(path: Path) -> dict[str, tuple[Case, ...]]:
    """The cases of a SigmaHQ `info.yml`, by the id of the Sigma rule that they are for. Paths are relative to the repository."""
    import yaml  # the reader of another project's format; nothing else needs it

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        rules = [str(entry["id"]) for entry in document["rule_metadata"]]
        cases = tuple(_sigma_case(entry, path) for entry in document["regression_tests_info"])
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise InvalidCases(f"{path}: {error}") from None
    return dict.fromkeys(rules, cases)


def _sigma_case(entry: Mapping[str, Any], info: Path) -> Case:
    relative = Path(str(entry["path"]))
    candidates = [info.parent / relative.name, *(parent / relative for parent in info.parents)]
    telemetry = next((candidate for candidate in candidates if candidate.exists()), None)
    if telemetry is None:
        raise InvalidCases(f"{info}: there is no telemetry `{relative}`")
    count = entry.get("match_count")
    return Case(
        name=str(entry.get("name", relative.stem)),
        telemetry=(telemetry,),
        source=str(entry.get("provider", entry.get("type", ""))),
        truth=Truth.ATTACK if count != 0 else Truth.BENIGN,
        expect_alert=count != 0,
        package=Together.CAUGHT if count != 0 else Together.QUIET,
        basis=Basis.CAPTURED,
        path=info,
        match_count=None if count is None else int(count),
    )
