"""A pytest plug-in: every case of a rule is a test, `rules/foo/cases.toml::name of the case`.

Collects `cases.toml` beside a `rule.toml`, and `RULE.cases.toml` beside `RULE.toml` (the layout is in CONTRIBUTING.md). Installed with the
package; `-p no:contraband` switches it off. Knows pytest and the cases; how a rule is run is known by `detection.testing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from contraband.detection.cases import Case
    from contraband.detection.testing import Report


class CaseFailed(Exception):
    """A rule did something else than the case says it must; the message is all there is to show."""


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> CasesFile | None:
    """The cases of a rule; other files are not ours."""
    rule = _rule_beside(file_path)
    if rule is None or not rule.is_file():
        return None
    collected: CasesFile = CasesFile.from_parent(parent, path=file_path)
    return collected


def _rule_beside(path: Path) -> Path | None:
    if path.name == "cases.toml":
        return path.with_name("rule.toml")
    if path.name.endswith(".cases.toml"):
        return path.with_name(path.name.removesuffix(".cases.toml") + ".toml")
    return None


class CasesFile(pytest.File):
    """A file of cases. All of them run when the first is asked for: a rule is compiled once."""

    _report: Report | None = None

    def collect(self) -> Iterator[CaseItem]:
        """One test for each case."""
        from contraband.detection.cases import InvalidCases, load_cases

        try:
            cases = load_cases(self.path)
        except InvalidCases as error:
            raise self.CollectError(str(error)) from None
        for case in cases:
            yield CaseItem.from_parent(self, name=case.name, case=case)

    def report(self) -> Report:
        """What the rule made of its cases. Raises `CaseFailed` if it is no rule."""
        if self._report is None:
            from contraband.detection.faults import InvalidException
            from contraband.detection.rules import load_file
            from contraband.detection.testing import run

            rule = _rule_beside(self.path)
            loaded = load_file(rule) if rule is not None else None
            if loaded is None or loaded.problems or not loaded.rules:
                problems = "\n".join(map(str, loaded.problems)) if loaded is not None else ""
                raise CaseFailed(problems or f"{rule} holds no EQL rule")
            try:
                self._report = run(loaded, as_package=False)
            except InvalidException as error:
                raise CaseFailed(str(error)) from None
        return self._report


class CaseItem(pytest.Item):
    """One case."""

    def __init__(self, *, case: Case, **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]
        self._case = case

    def runtest(self) -> None:
        """Fail if the rule does something else than the case says, or if its telemetry cannot be read."""
        assert isinstance(self.parent, CasesFile)
        report = self.parent.report()
        for path in map(str, self._case.telemetry):
            if path in report.unread:
                raise CaseFailed(f"{path}: {report.unread[path]}")
        found = [outcome for outcome in report.outcomes if outcome.case.name == self._case.name]
        if not found:
            raise CaseFailed("the rule does not compile: `contraband lint` says why")
        for outcome in found:
            if not outcome.as_expected:
                wanted = "an alert" if self._case.expect_alert else "no alert"
                raise CaseFailed(
                    f"{outcome.rule.name}: expected {wanted}, found {outcome.alerts}. {self._case.why}".strip()
                )

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """The message alone: a traceback through this module tells nothing about the rule."""
        if isinstance(excinfo.value, CaseFailed):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the case stands."""
        lines = self.path.read_text(encoding="utf-8").splitlines()
        line = next((number for number, text in enumerate(lines) if f'"{self.name}"' in text), 0)
        return self.path, line, f"case: {self.name}"
