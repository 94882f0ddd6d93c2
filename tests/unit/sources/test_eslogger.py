"""eslogger captures against their documents, against the record that Jamf's forwarder keeps, and against the package's rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contraband import _core
from contraband.cli import main

CORPUS = Path(__file__).parents[2] / "corpus" / "eslogger"


def decode(data: bytes) -> list[dict[str, Any]]:
    documents, faults = _core.decode("eslogger", data, None)
    assert list(faults) == []
    return [json.loads(document[0]) for document in documents]


def scan(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, Any]]:
    with pytest.raises(SystemExit):
        main(["scan", str(path), "--format", "ndjson", *options])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("name", ["malicious_package", "benign_package"])
def test_the_corpus_gives_its_expected_documents(name: str):
    expected = [json.loads(line) for line in (CORPUS / f"{name}.expected.ndjson").read_text().splitlines()]
    assert decode((CORPUS / f"{name}.ndjson").read_bytes()) == expected


def test_a_malicious_package_alerts_and_a_benign_one_does_not(capsys: pytest.CaptureFixture[str]):
    alerts = scan(CORPUS / "malicious_package.ndjson", capsys)
    found = {(alert["kibana.alert.severity"], alert.get("process.name")) for alert in alerts}
    assert {("medium", "curl"), ("medium", ".agent")} <= found
    curl = next(alert for alert in alerts if alert.get("process.name") == "curl")
    assert curl["process.parent.name"] == "bash"
    assert "process.parent.name" in curl["contraband.added"]
    assert curl["process.Ext.effective_parent.name"] == "package_script_service"
    assert scan(CORPUS / "benign_package.ndjson", capsys) == []


def test_with_nothing_added_the_parent_stays_a_number(capsys: pytest.CaptureFixture[str]):
    alerts = scan(CORPUS / "malicious_package.ndjson", capsys, "--no-enrich")
    assert not any("contraband.added" in alert for alert in alerts)


def test_what_the_table_does_not_name_keeps_apples_name():
    message = json.loads((CORPUS / "benign_package.ndjson").read_text().splitlines()[0])
    message["event"] = {"tcc_modify": {"service": "SystemPolicyAllFiles"}}
    document = decode(json.dumps(message).encode() + b"\n")[0]
    assert document["event"]["action"] == "tcc_modify"
    assert "category" not in document["event"]


@pytest.mark.parametrize("damage", [b"{", b'{"event_type":9,"event":{}}', b'{"event_type":9,"event":5,"process":{}}'])
def test_a_damaged_record_costs_only_itself(damage: bytes):
    lines = (CORPUS / "malicious_package.ndjson").read_bytes().splitlines()
    documents, faults = _core.decode("eslogger", b"\n".join([lines[0], damage, lines[1]]), None)
    assert len(documents) == 2
    assert len(faults) == 1
