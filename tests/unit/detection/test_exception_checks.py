"""An exception that lacks a part, rests on a name, lets an attack through or does not do what it says is refused."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contraband.detection.exception_checks import faults, overdue
from contraband.detection.rules import load

RULE = """
[metadata]
maturity = "production"
[rule]
author = ["us"]
description = "A download below a script."
index = ["logs-endpoint.events.process-*"]
language = "eql"
name = "Download"
query = 'process where process.name == "curl"'
risk_score = 47
rule_id = "5a2f0c1e-6f6e-4c57-8a55-0d6a3d2e7f10"
severity = "medium"
type = "eql"
"""
CASE = """
[[case]]
name = "{name}"
telemetry = ["{name}.ndjson"]
source = "endpoint-linux"
truth = "{truth}"
expect = "{expect}"
basis = "modelled"
why = "It decides."
"""
META: dict[str, Any] = {
    "reason": "The vendor's own data.",
    "scope": "One address.",
    "review": "2027-01-31",
    "silences": "ordinary",
    "must_alert": "hidden",
}
VENDOR = {"field": "process.args", "type": "wildcard", "operator": "included", "value": "https://vendor.example/*"}


def _rules(folder: Path, *, meta: dict[str, Any], entries: list[dict[str, str]]) -> Any:
    def document(address: str) -> str:
        process = {"name": "curl", "args": ["curl", address], "pid": 2}
        event = {"category": ["process"], "type": ["start"], "module": "endpoint"}
        stream = {"type": "logs", "dataset": "endpoint.events.process", "namespace": "default"}
        return json.dumps(
            {"@timestamp": "2026-01-01T00:00:00Z", "event": event, "process": process, "data_stream": stream}
        )

    (folder / "rule.toml").write_text(RULE, encoding="utf-8")
    for name, address in (("ordinary", "https://vendor.example/x"), ("hidden", "https://vendor.example.net/x")):
        (folder / f"{name}.ndjson").write_text(document(address) + "\n", encoding="utf-8")
    cases = CASE.format(name="ordinary", truth="benign", expect="quiet")
    cases += CASE.format(name="hidden", truth="attack", expect="alert")
    (folder / "cases.toml").write_text(cases, encoding="utf-8")
    lines = ['[[exceptions]]\n[exceptions.container]\nlist_id = "x"\n[[exceptions.items]]\nitem_id = "vendor"']
    tables = ", ".join(
        "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in e.items()) + " }" for e in entries
    )
    lines.append(f"entries = [{tables}]\n[exceptions.items.meta]")
    lines += [f"{key} = {json.dumps(value)}" for key, value in meta.items()]
    (folder / "exceptions.toml").write_text("\n".join(lines), encoding="utf-8")
    return load(folder).rules


def _messages(folder: Path, *, meta: dict[str, Any], entries: list[dict[str, str]]) -> list[str]:
    return [problem.message for problem in faults(_rules(folder, meta=meta, entries=entries))]


def test_a_narrow_exception_that_keeps_its_promises_is_fine(tmp_path: Path) -> None:
    assert _messages(tmp_path, meta=META, entries=[VENDOR]) == []


@pytest.mark.parametrize("part", ["reason", "scope", "silences", "must_alert"])
def test_each_part_is_asked_for(tmp_path: Path, part: str) -> None:
    meta = {key: value for key, value in META.items() if key != part}
    assert _messages(tmp_path, meta=meta, entries=[VENDOR]) == [f"exception `vendor` has no {part} (`meta.{part}`)"]


def test_a_date_is_asked_for_and_must_be_one(tmp_path: Path) -> None:
    without = {key: value for key, value in META.items() if key != "review"}
    assert "neither" in _messages(tmp_path, meta=without, entries=[VENDOR])[0]
    assert "no date" in _messages(tmp_path, meta={**META, "review": "next year"}, entries=[VENDOR])[0]


def test_a_name_alone_is_refused(tmp_path: Path) -> None:
    name = {"field": "process.name", "type": "match", "operator": "included", "value": "curl"}
    assert "names alone" in _messages(tmp_path, meta=META, entries=[name])[0]


def test_an_exception_that_silences_an_attack_is_refused(tmp_path: Path) -> None:
    wide = {**VENDOR, "value": "https://vendor.example*"}
    messages = _messages(tmp_path, meta=META, entries=[wide])
    assert "the exceptions silence the attack case `hidden`" in messages
    assert "exception `vendor`: `hidden` must alert in spite of it, and does not" in messages


def test_an_exception_that_silences_nothing_is_refused(tmp_path: Path) -> None:
    other = {**VENDOR, "value": "https://elsewhere.example/*"}
    assert _messages(tmp_path, meta=META, entries=[other]) == ["exception `vendor`: it does not silence `ordinary`"]


def test_cases_must_exist_and_be_what_they_are_named_for(tmp_path: Path) -> None:
    messages = _messages(tmp_path, meta={**META, "silences": "hidden", "must_alert": "nowhere"}, entries=[VENDOR])
    assert "exception `vendor`: the case `hidden` is expected to be benign" in messages
    assert "exception `vendor`: `nowhere` is no case of the rule" in messages


def test_a_date_that_has_passed_is_a_warning(tmp_path: Path) -> None:
    rules = _rules(tmp_path, meta=META, entries=[VENDOR])
    assert list(overdue(rules, date(2027, 1, 31))) == []
    assert [problem.message for problem in overdue(rules, date(2027, 2, 1))] == [
        "exception `vendor` was to be looked at on 2027-01-31"
    ]
