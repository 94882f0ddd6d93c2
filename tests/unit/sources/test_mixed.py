"""Folders and files that hold several kinds of telemetry, and logs in several files."""

from __future__ import annotations

import gzip
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from contraband.cli import main

CORPUS = Path(__file__).parents[2] / "corpus"
SAMPLES = Path(__file__).parents[3] / "src" / "contraband" / "content" / "samples"
AUDIT = CORPUS / "auditd" / "deb-sh-install.audit.log"


def documents(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    with pytest.raises(SystemExit) as stopped:
        main(["convert", *arguments, "--quiet"])
    assert stopped.value.code == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def alerts(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    with pytest.raises(SystemExit):
        main(["scan", *arguments, "--format", "ndjson"])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def without_places(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in one.items() if "origin" not in name} for one in found]


def audit_lines() -> list[str]:
    """The records. ENRICHED ones hold a separator at which `splitlines` would cut."""
    return [f"{line}\n" for line in AUDIT.read_text().split("\n") if line]


def number(document: dict[str, Any]) -> int:
    sequence = document["event"]["sequence"]
    assert isinstance(sequence, int)
    return sequence


def rotated(folder: Path, lines: list[str], cuts: list[int]) -> Path:
    """The lines as `audit.log.2.gz`, `audit.log.1`, `audit.log`, cut before the lines of these numbers."""
    folder.mkdir()
    first, second = cuts
    (folder / "audit.log.2.gz").write_bytes(gzip.compress("".join(lines[:first]).encode()))
    (folder / "audit.log.1").write_text("".join(lines[first:second]))
    (folder / "audit.log").write_text("".join(lines[second:]))
    return folder


@pytest.mark.parametrize("cuts", [[20, 40], [21, 41], [22, 43], [1, 59], [0, 30]])
def test_a_rotated_log_is_one_stream_whatever_it_was_cut_at(
    cuts: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    lines = audit_lines()
    whole = documents(capsys, "--host-name", "web-1", str(AUDIT))
    assert len(whole) == 13
    pieces = documents(capsys, "--host-name", "web-1", str(rotated(tmp_path / "web-1", lines, cuts)))
    # Events of one millisecond are told apart by where they lie: one that was cut lies in the file that ends it.
    assert sorted(pieces, key=number) == sorted(whole, key=number)


def test_an_event_that_the_next_file_does_not_end_is_not_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    lines = audit_lines()
    start = next(number for number, line in enumerate(lines) if line.startswith("type=EXECVE"))
    folder = tmp_path / "web-1"
    folder.mkdir()
    (folder / "audit.log.1").write_text("".join(lines[:start]))
    (folder / "audit.log").write_text("")
    assert documents(capsys, str(folder))


def test_hosts_are_told_apart_by_their_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for name in ("web-1", "web-2"):
        (tmp_path / name).mkdir()
        shutil.copy(AUDIT, tmp_path / name / "audit.log")
    found = documents(capsys, str(tmp_path))
    names = {one["host.name"] for one in found}
    assert names == {"web-1", "web-2"}
    processes = [{one.get("process.entity_id") for one in found if one["host.name"] == name} - {None} for name in names]
    assert processes[0].isdisjoint(processes[1])
    assert {one["host.name"] for one in documents(capsys, "--host-name", "db-1", str(tmp_path))} == {"db-1"}


@pytest.mark.parametrize("below", ["var/log/audit", "log/audit", "audit", "var/log"])
def test_a_systems_own_log_folder_names_no_host(below: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for name in ("web-1", "web-2"):
        (tmp_path / name / below).mkdir(parents=True)
        shutil.copy(AUDIT, tmp_path / name / below / "audit.log")
    assert {one["host.name"] for one in documents(capsys, str(tmp_path))} == {"web-1", "web-2"}


def test_two_folders_of_one_name_are_two_hosts(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for name in ("web-1", "web-2"):
        (tmp_path / name / "logs").mkdir(parents=True)
        shutil.copy(AUDIT, tmp_path / name / "logs" / "audit.log")
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            archive.write(AUDIT, "logs/audit.log")
    (tmp_path / "zips").mkdir()
    for archive_path in tmp_path.glob("*.zip"):
        archive_path.rename(tmp_path / "zips" / archive_path.name)
    for folder in (tmp_path / "web-1", tmp_path / "web-2", tmp_path):
        found = documents(capsys, str(folder))
        hosts = {one["host.name"] for one in found}
        assert len(hosts) == (4 if folder == tmp_path else 1)
        for name in hosts:
            others = {one.get("process.entity_id") for one in found if one["host.name"] != name} - {None}
            assert others.isdisjoint({one.get("process.entity_id") for one in found if one["host.name"] == name})


def test_forks_and_ends_that_auditd_records_as_calls_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def call(serial: int, number: int, given: str, pid: int, name: str) -> str:
        return (
            f"type=SYSCALL msg=audit(1764000000.{serial:03d}:{serial}): arch=c000003e syscall={number} {given} a0=0 a1=0 a2=0 a3=0 items=0 "
            f'ppid=1 pid={pid} auid=0 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=1 comm="{name}" '
            f'exe="/usr/bin/{name}" key=(null)\n'
        )

    def run(serial: int, pid: int, parent: int, name: str) -> str:
        called = call(serial, 59, "success=yes exit=0", pid, name).replace("ppid=1 ", f"ppid={parent} ")
        return called + f'type=EXECVE msg=audit(1764000000.{serial:03d}:{serial}): argc=1 a0="{name}"\n'

    folder = tmp_path / "web-1"
    folder.mkdir()
    fork, end = call(2, 56, "success=yes exit=12", 10, "dpkg"), call(4, 231, "", 10, "dpkg")
    lines = [run(1, 10, 1, "dpkg"), fork, run(3, 13, 12, "curl"), end, run(5, 14, 10, "wget")]
    (folder / "audit.log").write_text("".join(lines))
    found = documents(capsys, str(folder))
    parents = {one["process"]["name"]: one.get("process.parent.name") for one in found if "args" in one["process"]}
    assert parents == {"dpkg": None, "curl": "dpkg", "wget": None}


def auditd_manager(pid: int, parent: int, name: str) -> str:
    document = {
        "@timestamp": f"2026-11-24T03:00:00.{pid:03d}Z",
        "event": {"module": "auditd_manager", "category": ["process"], "type": ["start"], "action": "executed"},
        "host": {"id": "h", "name": "web-1"},
        "process": {"pid": pid, "name": name, "args": [name], "parent": {"pid": parent}},
    }
    return json.dumps(document)


def test_records_of_auditd_get_their_parents_wherever_in_a_file_they_begin(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    other = json.dumps({"@timestamp": "2026-11-24T02:00:00Z", "event": {"category": ["file"]}, "message": "x" * 200})
    lines = [other] * 600 + [auditd_manager(10, 1, "dpkg"), other, auditd_manager(11, 10, "sh")] + [other] * 5
    assert len(other) * 600 > 64 * 1024
    path = tmp_path / "export.ndjson"
    path.write_text("\n".join(lines) + "\n")
    found = documents(capsys, str(path))
    assert len(found) == len(lines)
    child = next(one for one in found if one.get("process", {}).get("pid") == 11)
    assert child["process.parent.name"] == "dpkg"
    assert [one for one in found if one.get("message")] == [json.loads(other)] * 606


def test_a_folder_of_every_kind_is_scanned_in_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    malicious = {
        "linux/audit.log": AUDIT,
        "linux-sysmon/syslog": CORPUS / "sysmon_linux" / "deb-sh-install.syslog",
        "mac/capture.json": CORPUS / "eslogger" / "malicious_package.ndjson",
        "linux-endpoint/export.ndjson": SAMPLES / "linux-lab.deb-sh-install.defend_new.ndjson",
    }
    quiet = {
        "mac-2/capture.json": CORPUS / "eslogger" / "benign_package.ndjson",
        "windows/security.xml": CORPUS / "windows_xml" / "security_system_application.xml",
        "windows/events.jsonl": CORPUS / "windows_json" / "evtx_dump.jsonl",
        "windows/winevent.json": CORPUS / "windows_json" / "get_winevent.ndjson",
        "windows/winlogbeat.ndjson": SAMPLES / "winlogbeat-sysmon.benign-vendors-1.ndjson",
        "windows/endpoint.ndjson": SAMPLES / "endpoint-windows.benign-vendors-1.ndjson",
    }
    for name, source in (malicious | quiet).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(source, tmp_path / name)
    together = alerts(capsys, str(tmp_path))
    serious = {
        str(Path(alert["contraband.origin.path"]).relative_to(tmp_path))
        for alert in together
        if alert["kibana.alert.severity"] != "low"
    }
    # The corpus holds only the first sixty records of the audit log, before the download.
    assert serious == set(malicious) - {"linux/audit.log"}
    for name in malicious:
        alone = [alert["kibana.alert.rule.name"] for alert in alerts(capsys, str(tmp_path / name))]
        mixed = [alert for alert in together if alert["contraband.origin.path"] == str(tmp_path / name)]
        assert sorted(alert["kibana.alert.rule.name"] for alert in mixed) == sorted(alone)


def test_events_that_no_source_claims_are_counted_and_told_with_their_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    lines = ['{"message":"no field of ECS"}', '{"@timestamp":"2026-11-24T03:34:24Z","event":{"module":"nobodys"}}']
    (tmp_path / "odd.ndjson").write_text("\n".join([*lines, *[lines[0]] * 10]) + "\n")
    with pytest.raises(SystemExit):
        main(["scan", str(tmp_path), "--format", "ndjson"])
    told = capsys.readouterr().err
    assert "12 events of unknown source" in told
    assert "odd.ndjson: record 1, byte 0: none of _index, data_stream.type" in told
    assert f'odd.ndjson: record 2, byte {len(lines[0]) + 1}: no source has event.module: "nobodys"' in told
    assert "record 5, " in told
    assert "record 6, " not in told
