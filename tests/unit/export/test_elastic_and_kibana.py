"""What is exported to Elastic loads again, finds the same, and is what Kibana's import accepts."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import jsonschema
import pytest

from contraband.detection.attack import AttackVersion, UnknownTechnique, mapped, threat
from contraband.detection.cases import cases_of
from contraband.detection.packages import load_package, load_published, rule_folders
from contraband.detection.rules import load
from contraband.detection.scan import alerts, prepare
from contraband.export import export_elastic, export_kibana, export_navigator, prepared
from contraband.export.toml_writer import write
from shared import shared_path

SCHEMA = json.loads(Path(__file__).with_name("kibana_import.schema.json").read_text())

EXCEPTIONS = """
[[exceptions]]
[exceptions.container]
list_id = "t1546-016-test"
name = "Test"
description = "A list"
type = "rule_default"
namespace_type = "single"

[[exceptions.items]]
item_id = "vendor"
name = "Vendor"
type = "simple"
namespace_type = "single"
expire_time = "2099-01-01T00:00:00Z"
meta = { reason = "r", scope = "s" }
entries = [{ field = "process.name", type = "match", operator = "included", value = "curl" }]
"""


@pytest.fixture(scope="module")
def package():
    compiled, problems = prepared(load_package() + load_published())
    assert not problems
    return compiled


@pytest.fixture
def with_exception(tmp_path: Path):
    """A rule's folder of the package with an exception added, so that these tests do not depend on which rules have one."""
    source = next(folder for folder in rule_folders("T1546.016") if folder.name == "linux-script-downloader")
    folder = tmp_path / "linux-script-downloader"
    shutil.copytree(source, folder)
    (folder / "exceptions.toml").write_text(EXCEPTIONS)
    return prepared(load(folder))[0]


def _write(files, folder: Path) -> None:
    for file in files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")


def _telemetry(package) -> list[str]:
    return sorted({str(path) for entry in package for case in cases_of(entry.rule) for path in case.telemetry})


def _alerts(loaded, telemetry, items=()) -> list[str]:
    return sorted(alert["kibana.alert.uuid"] for alert in alerts(prepare(loaded, items=items), telemetry))


def test_rule_files_load_again_and_find_the_same(package, tmp_path: Path) -> None:
    _write(export_elastic(package, AttackVersion.V18), tmp_path)
    again = load(tmp_path / "rules")
    assert not again.problems
    assert {rule.id: rule.query for rule in again.rules} == {e.rule.id: e.rule.query for e in package}
    telemetry = _telemetry(package)
    # Without exceptions on either side: those lie in files of their own in this layout.
    expected = _alerts(load_package() + load_published(), telemetry, items=None)
    assert expected
    assert _alerts(again, telemetry, items=None) == expected


def test_rule_files_have_a_note_in_elastic_order_and_the_confidence(package, tmp_path: Path) -> None:
    for file in export_elastic(package, AttackVersion.V18):
        if not file.path.startswith("rules/"):
            continue
        rule = tomllib.loads(file.text)["rule"]
        headings = [
            "## Triage and analysis",
            "### Investigating ",
            "### Possible investigation steps",
            "### False positive",
            "### Response and",
        ]
        places = [rule["note"].index(heading) for heading in headings]
        assert places == sorted(places), file.path
        assert any(tag.startswith("Confidence: ") for tag in rule["tags"]), file.path


def test_exceptions_come_with_their_rule(with_exception, tmp_path: Path) -> None:
    _write(export_elastic(with_exception, AttackVersion.V18), tmp_path)
    document = tomllib.loads((tmp_path / "exceptions/linux_script_downloader.toml").read_text())
    assert document["metadata"]["rule_ids"] == [with_exception[0].rule.id]
    assert document["exceptions"] == tomllib.loads(EXCEPTIONS)["exceptions"]


def test_kibana_lines_are_what_the_import_accepts(package, with_exception) -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    for version in AttackVersion:
        for text in (export_kibana(package, version), export_kibana(with_exception, version)):
            for line in text.splitlines():
                errors = [error.message for error in validator.iter_errors(json.loads(line))]
                assert not errors, line[:200]


def test_the_schema_refuses_what_kibana_would(with_exception) -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    lines = [json.loads(line) for line in export_kibana(with_exception, AttackVersion.V18).splitlines()]
    rule, container, item, _ = lines
    broken = [
        {**rule, "severity": "urgent"},
        {key: value for key, value in rule.items() if key != "query"},
        {**rule, "exceptions_list": [{"list_id": "x"}]},
        {**container, "type": "unknown"},
        {**item, "entries": []},
        {**item, "entries": [{"field": "a", "type": "match", "operator": "is", "value": "b"}]},
    ]
    assert all(not validator.is_valid(line) for line in broken)


def test_kibana_summary_counts_and_lists_are_bound(with_exception) -> None:
    rule, container, item, summary = (
        json.loads(line) for line in export_kibana(with_exception, AttackVersion.V18).splitlines()
    )
    assert rule["exceptions_list"][0]["id"] == container["id"]
    assert rule["exceptions_list"][0]["list_id"] == container["list_id"] == item["list_id"]
    assert (summary["exported_count"], summary["exported_rules_count"]) == (3, 1)
    assert (summary["exported_exception_list_count"], summary["exported_exception_list_item_count"]) == (1, 1)


def test_kibana_export_loads_again_and_finds_the_same(package, with_exception, tmp_path: Path) -> None:
    everything = tmp_path / "rules_export.ndjson"
    everything.write_text(export_kibana(package, AttackVersion.V18))
    telemetry = _telemetry(package)
    expected = _alerts(load_package() + load_published(), telemetry)
    assert expected
    assert _alerts(load(everything), telemetry) == expected

    excepted = tmp_path / "rules_excepted.ndjson"
    excepted.write_text(export_kibana(with_exception, AttackVersion.V18))
    own = _telemetry(with_exception)
    before = list(alerts(prepare(load(excepted), items=None), own))
    after = list(alerts(prepare(load(excepted)), own))
    assert any(alert["process.name"] == "curl" for alert in before)
    assert after == [alert for alert in before if alert["process.name"] != "curl"]


def test_every_rule_has_a_place_in_both_versions(package) -> None:
    names = set()
    for entry in package:
        v18 = list(mapped(entry.rule.document["threat"]))
        v19 = list(mapped(entry.rule.document["threat"], AttackVersion.V19))
        assert v18
        assert v19
        names |= {part.tactic_name for part in v19}
    assert {"Stealth", "Defense Impairment"} <= names
    assert "Defense Evasion" not in names


def test_defense_evasion_is_split() -> None:
    def entry(technique: str, sub: str = "") -> dict:
        inner = {"subtechnique": [{"id": sub, "name": "s", "reference": "r"}]} if sub else {}
        return {
            "framework": "MITRE ATT&CK",
            "technique": [{"id": technique, "name": "t", "reference": "r", **inner}],
            "tactic": {"id": "TA0005", "name": "Defense Evasion", "reference": "r"},
        }

    found = [
        (part.technique, part.tactic)
        for part in mapped(
            [entry("T1562", "T1562.001"), entry("T1553", "T1553.001"), entry("T1218", "T1218.007")], AttackVersion.V19
        )
    ]
    assert found == [("T1685", "TA0112"), ("T1553.001", "TA0112"), ("T1218.007", "TA0005")]
    with pytest.raises(UnknownTechnique, match="T9999"):
        threat([entry("T9999")], AttackVersion.V19)


@pytest.mark.parametrize(
    ("version", "tactic"), [(AttackVersion.V18, "defense-evasion"), (AttackVersion.V19, "stealth")]
)
def test_navigator_layer(package, version, tactic) -> None:
    layer = json.loads(export_navigator(package, version, name="T1546.016"))
    assert layer["versions"]["layer"] == "4.5"
    assert layer["versions"]["attack"] == str(version)
    assert layer["domain"] == "enterprise-attack"
    entries = {(entry["techniqueID"], entry["tactic"]): entry for entry in layer["techniques"]}
    assert len(entries) == len(layer["techniques"])
    assert entries["T1546.016", "persistence"]["score"] == len(package)
    assert entries["T1218.007", tactic]["score"] >= 1
    assert layer["gradient"]["maxValue"] >= max(entry["score"] for entry in layer["techniques"])


@pytest.mark.parametrize(
    "document",
    [
        {"a": 1, "b": True, "c": 1.5, "d": 'x"y\\z\t', "e": [], "f": ["1", "2"]},
        {"query": "line\n'''quoted'''\n\\back \"q\"\n"},
        {"t": {"k": "v", "deep": {"x": [{"y": 1}, {"y": 2, "z": {"w": "\x01\r\n"}}]}}},
        {"long": ["x" * 60, "y" * 60], "odd key": {"a.b": 1}},
        {"text": "ends with a quote\n'"},
    ],
)
def test_toml_reads_back(document) -> None:
    assert tomllib.loads(write(document)) == document


def test_elastics_own_rules_are_what_the_import_accepts() -> None:
    compiled, problems = prepared(load(shared_path("elastic-rules/rules/windows")))
    assert not problems
    validator = jsonschema.Draft202012Validator(SCHEMA)
    lines = [json.loads(line) for line in export_kibana(compiled, AttackVersion.V18).splitlines()]
    assert len(lines) == len(compiled) + 1
    assert not [line["name"] for line in lines if not validator.is_valid(line)]
