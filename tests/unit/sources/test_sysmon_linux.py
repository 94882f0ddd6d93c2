"""Sysmon for Linux from syslog and from JSON, against its documents and against damage."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from contraband import _core
from contraband.cli import main
from shared import shared_path

CORPUS = Path(__file__).parents[2] / "corpus" / "sysmon_linux"
SAMPLE = CORPUS / "deb-sh-install.syslog"


def decode(data: bytes) -> tuple[list[dict[str, Any]], list[tuple[Any, ...]]]:
    documents, faults = _core.decode("sysmon_linux", data, None)
    return [json.loads(document[0]) for document in documents], list(faults)


def event(command_line: str) -> str:
    return (
        '<Event><System><Provider Name="Linux-Sysmon" Guid="{x}"/><EventID>1</EventID><Computer>web-1</Computer></System>'
        f'<EventData><Data Name="Image">/usr/bin/dash</Data><Data Name="CommandLine">{command_line}</Data>'
        '<Data Name="User">root</Data></EventData></Event>'
    )


def test_the_corpus_gives_its_expected_documents():
    expected = [json.loads(line) for line in (CORPUS / "deb-sh-install.expected.ndjson").read_text().splitlines()]
    documents, faults = decode(SAMPLE.read_bytes())
    assert documents == expected
    assert [fault[0] for fault in faults] == ["unclaimed line"]


def test_the_verdict_is_that_of_the_same_execs_as_documents(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["scan", str(SAMPLE), "--format", "ndjson"])
    alerts = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = {(alert["kibana.alert.severity"], alert.get("process.name")) for alert in alerts}
    assert {("medium", "curl"), ("medium", "wget")} <= found


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("sh -c a &amp;&amp; b", "sh -c a && b"),
        ("sh -c a && b <c >d", "sh -c a && b <c >d"),
        ("echo </Data> x", "echo </Data> x"),
        ("printf 'a#011b#012c'", "printf 'a\tb\nc'"),
        ("curl http://x/#099", "curl http://x/#099"),
    ],
)
def test_values_are_read_as_they_were(written: str, read: str):
    documents, faults = decode(f"Nov 24 03:34:24 web-1 sysmon: {event(written)}\n".encode())
    assert faults == []
    assert documents[0]["process"]["command_line"] == read
    assert documents[0]["process"]["name"] == "dash"
    assert documents[0]["user"]["name"] == "root"
    assert documents[0]["host"]["os"]["type"] == "linux"


def test_journald_carries_it_as_text_or_as_bytes():
    text = event("id")
    lines = [json.dumps({"MESSAGE": text, "_HOSTNAME": "web-1"}), json.dumps({"MESSAGE": list(text.encode())})]
    documents, faults = decode("\n".join(lines).encode())
    assert faults == []
    assert [document["process"]["command_line"] for document in documents] == ["id", "id"]


def test_a_cut_event_gives_what_is_there_and_says_so():
    cut = event("curl -o /tmp/x http://example.net/" + "a" * 50)[:-80]
    documents, faults = decode(f"{cut}\n{event('id')}\n".encode())
    assert [fault[:1] + fault[2:] for fault in faults] == [("truncated event", 1, 0)]
    assert documents[0]["process"]["executable"] == "/usr/bin/dash"
    assert documents[1]["process"]["command_line"] == "id"


def test_a_public_recording_is_read_to_its_end():
    archive = shared_path("telemetry/public/otrf_linux/syslog_sysmon_log4shell_cve2021_44228_jndi_reference.zip")
    with zipfile.ZipFile(io.BytesIO(archive.read_bytes())) as members:
        data = members.read(members.namelist()[0])
    documents, faults = decode(data)
    assert len(documents) == data.count(b"\n")
    assert [fault[0] for fault in faults] == ["truncated event"]


def test_documents_of_the_integration_are_read_as_they_are_though_they_keep_the_event(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    mapped = {
        "@timestamp": "2026-11-24T03:34:24.724Z",
        "event": {"module": "sysmon_linux", "category": ["process"], "original": event("sh -c a")},
        "process": {"name": "dash", "command_line": "sh -c b"},
    }
    (tmp_path / "export.ndjson").write_text(f"{json.dumps(mapped)}\n" * 2)
    with pytest.raises(SystemExit):
        main(["convert", "--no-enrich", str(tmp_path), "--quiet"])
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["process"] for one in found] == [mapped["process"]] * 2
    documents, faults = decode(f"{json.dumps(mapped)}\n".encode())
    assert documents == [mapped]
    assert faults == []


@pytest.mark.parametrize(
    "wrapped", [{"event": {"original": event("sh -c a")}}, {"_source": {"message": event("sh -c a")}}]
)
def test_forwarders_keep_the_event_deeper(wrapped: dict[str, Any]):
    documents, faults = decode(f"{json.dumps(wrapped)}\n".encode())
    assert faults == []
    assert documents[0]["process"]["command_line"] == "sh -c a"
