"""Each rule of the package compiles, is described as Elastic's schema wants it, and gives its cases the verdicts that they state.

Runs one of each kind of a rule's own small cases on the slow reference evaluator, and all of them on the core. The shared samples are
too long for the evaluator, and cases that turn on an exception or on enrichment need more than a query: those run on the core alone.
"""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import contraband
from contraband.cli.test_command import command
from contraband.eql import compile_query
from contraband.eql.reference import evaluate
from contraband.eql.syntax import ast, parse
from contraband.eql.walk import nodes

ROOT = Path(__file__).resolve().parents[3]
CONTENT = Path(contraband.__file__).parent / "content"
PACKAGE = CONTENT / "T1546.016"
FOLDERS = [PACKAGE / "published", *sorted(path.parent for path in PACKAGE.glob("rules/*/rule.toml"))]
# Sources that name no parent: the core adds it from a process table before it evaluates.
NEEDS_A_PROCESS_TABLE = ("auditd-manager", "auditd")
RISK = {"low": 21, "medium": 47, "high": 73, "critical": 99}


def _table(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _events(case: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    for item in case["telemetry"]:
        path = CONTENT / "samples" / item.removeprefix("samples:") if item.startswith("samples:") else folder / item
        events += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return events


def _silenced(folder: Path) -> set[str]:
    path = folder / "exceptions.toml"
    lists = _table(path)["exceptions"] if path.exists() else []
    return {item["meta"]["silences"] for entry in lists for item in entry["items"]}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_cases_get_the_verdicts_that_they_state(folder: Path) -> None:
    checked = compile_query(_table(folder / "rule.toml")["rule"]["query"])
    cases = _table(folder / "cases.toml")["case"]
    silenced = _silenced(folder)
    own = [
        case
        for case in cases
        if not case["telemetry"][0].startswith("samples:")
        and case["source"] not in NEEDS_A_PROCESS_TABLE
        and case["name"] not in silenced
    ]
    one_each = list({(case["source"], case["truth"], case["expect"]): case for case in own}.values())
    for case in one_each or [case for case in cases if case["expect"] == "alert"][:1]:
        result = evaluate(checked, _events(case, folder))
        found = bool(result.events or result.sequences)
        assert found == (case["expect"] == "alert"), f"{folder.name}: {case['name']}"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_rule_has_an_attack_and_two_ordinary_installations(folder: Path) -> None:
    cases = _table(folder / "cases.toml")["case"]
    assert any(case["truth"] == "attack" and case["expect"] == "alert" for case in cases)
    assert sum(case["truth"] == "benign" for case in cases) >= 2


@pytest.mark.parametrize("folder", FOLDERS[1:], ids=lambda folder: folder.name)
def test_every_source_that_a_rule_names_has_them(folder: Path) -> None:
    cases = _table(folder / "cases.toml")["case"]
    for source in _table(folder / "sidecar.toml")["sources"]:
        truths = [case["truth"] for case in cases if case["source"] == source]
        assert truths.count("attack") >= 1, source
        assert truths.count("benign") >= 2, source


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_metadata_is_whole(folder: Path) -> None:
    rule = _table(folder / "rule.toml")["rule"]
    assert rule["risk_score"] == RISK[rule["severity"]]
    assert [threat["technique"][0]["subtechnique"][0]["id"] for threat in rule["threat"][:2]] == [
        "T1546.016",
        "T1546.016",
    ]
    assert rule["query"].lstrip().startswith("sequence") == ("timestamp_override" not in rule)
    sidecar = _table(folder / "sidecar.toml")
    assert all(sidecar[key] for key in ("why", "blind_spots", "confidence_basis"))


SECOND_STEPS = {
    "windows-second-step-code-in-command": ("windows-installer-cradle", "windows-installer-encoded-powershell"),
    "windows-second-step-fetches": ("windows-installer-downloader", "windows-installer-decodes"),
    "windows-second-step-proxy-execution": ("windows-installer-proxy-execution",),
    "windows-second-step-odd-tool": ("windows-installer-odd-tool",),
    "windows-second-step-defense-impairment": ("windows-installer-defense-impairment",),
    "windows-second-step-task": ("windows-engine-task",),
}


@pytest.mark.parametrize("tool", ["second_steps.py", "shared_parts.py"])
def test_what_is_made_of_other_rules_is_up_to_date(tool: str) -> None:
    command = [sys.executable, str(ROOT / "tools" / tool), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_copy_that_was_changed_is_found_and_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "tools")
    parts = importlib.import_module("shared_parts")
    for name in {name for part in parts.PARTS for name in (part.written_in, *part.copied_to)}:
        (tmp_path / name).mkdir()
        shutil.copy(parts.RULES / name / "rule.toml", tmp_path / name)
    assert parts.stale(tmp_path) == {}
    for part in parts.PARTS:
        for name in part.copied_to:
            path = tmp_path / name / "rule.toml"
            whole = path.read_text(encoding="utf-8")
            behind = whole.index(")", whole.index(part.opening) + len(part.opening) + 40)
            path.write_text(f"{whole[:behind]} or true{whole[behind:]}", encoding="utf-8")
            assert parts.stale(tmp_path) == {path: whole}, (name, part.opening)
            path.write_text(whole, encoding="utf-8")


MODELS = pytest.mark.parametrize(
    ("name", "model"), [(name, model) for name, models in SECOND_STEPS.items() for model in models]
)


def _conditions(name: str, model: str) -> tuple[tuple[ast.Expr, ...], tuple[ast.Expr, ...]]:
    """What a model asks of an installer's child, and what a rule made of it asks of the grandchild: the parts joined by AND."""
    first, second = (
        parse(_table(PACKAGE / "rules" / rule / "rule.toml")["rule"]["query"]).query for rule in (model, name)
    )
    assert isinstance(first, ast.EventQuery)
    assert isinstance(second, ast.Sequence)
    child, grandchild = first.filter.condition, second.stages[1].filter.condition
    assert isinstance(child, ast.And)
    assert isinstance(grandchild, ast.And)
    return child.operands, grandchild.operands


@MODELS
def test_a_second_step_is_asked_for_all_that_the_first_step_is(name: str, model: str) -> None:
    first, second = _conditions(name, model)
    # host.os.type, event.type and the installers come first, then what the command does
    content = first[3:]
    asked = second[2:-1]
    acts = asked[0].operands if isinstance(asked[0], ast.Or) else ()
    whole = [asked, *(act.operands for act in acts if isinstance(act, ast.And))]
    match content:
        case (ast.Or(operands=operands),):
            assert all(operand in acts for operand in operands)
        case _:
            assert any(all(operand in operands for operand in content) for operands in whole)


@MODELS
def test_what_a_second_step_leaves_to_the_first_is_an_installer_there(name: str, model: str) -> None:
    """The shorter list may hold nothing that the whole one does not: a command below it would raise no alert at all."""
    first, second = _conditions(name, model)
    installers, itself = (
        {(match.subject, pattern) for match in nodes(condition, ast.Match) for pattern in match.patterns}
        for condition in (first[2], second[-1])
    )
    assert len(itself) > 10
    assert itself <= installers


def test_no_rule_id_is_used_twice() -> None:
    ids = [_table(folder / "rule.toml")["rule"]["rule_id"] for folder in FOLDERS]
    assert len(set(ids)) == len(ids)


def test_samples_stay_small() -> None:
    assert sum(path.stat().st_size for path in (CONTENT / "samples").iterdir()) <= 2 * 1024 * 1024


def test_all_cases_get_their_verdicts_on_the_core() -> None:
    result = CliRunner().invoke(command, [])
    assert result.exit_code == 0, result.output[-2000:]
    assert " 0 false alarms" in result.output
