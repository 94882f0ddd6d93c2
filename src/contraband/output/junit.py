"""The outcomes of cases as JUnit XML, as GitLab, Jenkins and Azure read it: a suite a rule, a test a case."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from contraband.detection.cases import Outcome, PackageOutcome
from contraband.detection.testing import Report

# What XML 1.0 cannot hold, escaped or not.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(report: Report) -> bytes:
    """The whole report."""
    root = ET.Element("testsuites", name="contraband")
    for rule in dict.fromkeys(outcome.rule.name for outcome in report.outcomes):
        own = [outcome for outcome in report.outcomes if outcome.rule.name == rule]
        _suite(root, rule, [_rule_case(outcome) for outcome in own])
    if report.package:
        _suite(root, "all rules together", [_package_case(outcome) for outcome in report.package])
    if report.unread:
        _suite(root, "telemetry", [_case(path, "telemetry", why, failed=True) for path, why in report.unread.items()])
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _suite(root: ET.Element, name: str, cases: Iterable[ET.Element]) -> None:
    tests = list(cases)
    failures = sum(case.find("failure") is not None for case in tests)
    suite = ET.SubElement(root, "testsuite", name=_text(name), tests=str(len(tests)), failures=str(failures))
    suite.extend(tests)


def _rule_case(outcome: Outcome) -> ET.Element:
    expected = "an alert" if outcome.case.expect_alert else "no alert"
    message = f"expected {expected}, found {outcome.alerts} ({outcome.verdict})"
    return _case(outcome.case.name, outcome.case.source, message, failed=not outcome.as_expected)


def _package_case(outcome: PackageOutcome) -> ET.Element:
    message = f"expected {outcome.case.package}, found {outcome.result}"
    return _case(outcome.case.name, outcome.case.source, message, failed=not outcome.as_expected)


def _case(name: str, source: str, message: str, *, failed: bool) -> ET.Element:
    case = ET.Element("testcase", name=_text(name), classname=_text(source))
    if failed:
        ET.SubElement(case, "failure", message=_text(message))
    return case


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
