"""What the package says of Elastic's own rules, held against those rules where their files are there."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

import contraband
from shared import shared_path

PACKAGE = Path(contraband.__file__).parent / "content" / "T1546.016"
RELATED = tomllib.loads((PACKAGE / "related.toml").read_text(encoding="utf-8"))
CASES = [
    (entry["name"], case, label == "catches")
    for entry in RELATED["elastic_rule"]
    for label in ("catches", "misses")
    for case in entry.get(label, ())
]


def rule_file(name: str) -> Path:
    (found,) = shared_path("elastic-rules/rules").glob(f"*/{name}.toml")
    return found


def test_every_entry_has_its_reason_and_is_there_once():
    for kind, parts in [("technique", ("id", "name", "why")), ("elastic_rule", ("name", "sees", "falls_short"))]:
        entries: list[dict[str, Any]] = RELATED[kind]
        assert all(entry[part].strip() for entry in entries for part in parts)
        names = [entry[parts[0]] for entry in entries]
        assert len(set(names)) == len(names)
    assert {label for _, _, label in CASES} == {True, False}


@pytest.mark.parametrize("name", [entry["name"] for entry in RELATED["elastic_rule"]])
def test_the_rule_is_one_of_elastics(name: str):
    assert rule_file(name).is_file()


@pytest.mark.parametrize(("name", "case", "caught"), CASES)
def test_the_rule_does_what_is_said_of_it(name: str, case: str, caught: bool):
    rule, telemetry = case.split("/")
    path = PACKAGE / "rules" / rule / "telemetry" / f"{telemetry}.ndjson"
    assert path.is_file()
    rules = contraband.load_rules(str(rule_file(name)))
    assert rules
    assert any(contraband.scan([str(path)], rules)) is caught
