"""Folders and files that hold several kinds of telemetry, and logs in several files."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import re
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


def boot(serial: int, seconds: int, kind: str) -> str:
    return (
        f"type={kind} msg=audit({1764000000 + seconds}.000:{serial}): pid=700 uid=0 auid=4294967295 ses=4294967295 "
        'msg=\' comm="systemd-update-utmp" exe="/usr/lib/systemd/systemd-update-utmp" hostname=? addr=? terminal=? res=success\'\n'
    )


@pytest.mark.parametrize(
    ("between", "known"),
    [
        ("", True),
        (boot(1, 600, "SYSTEM_BOOT"), False),
        (boot(9, 60, "SYSTEM_SHUTDOWN"), False),
        # Processes of the boot that come before its own record.
        (boot(9, 60, "SYSTEM_BOOT"), True),
    ],
)
def test_no_process_outlives_its_boot(between: str, known: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def run(serial: int, seconds: int, pid: int, parent: int, name: str) -> str:
        head = f"msg=audit({1764000000 + seconds}.000:{serial}):"
        return (
            f"type=SYSCALL {head} arch=c000003e syscall=59 success=yes exit=0 items=0 ppid={parent} pid={pid} auid=0 uid=0 gid=0 "
            f'euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=1 comm="{name}" exe="/usr/bin/{name}" key=(null)\n'
            f'type=EXECVE {head} argc=1 a0="{name}"\n'
        )

    folder = tmp_path / "web-1"
    folder.mkdir()
    (folder / "audit.log").write_text(run(8, 0, 10, 1, "dpkg") + between + run(20, 700, 11, 10, "curl"))
    child = next(one for one in documents(capsys, str(folder)) if one["process"].get("name") == "curl")
    assert child.get("process.parent.name") == ("dpkg" if known else None)


def test_records_of_one_event_may_come_in_any_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    whole = documents(capsys, "--host-name", "web-1", str(AUDIT))
    lines = audit_lines()
    random.Random(7).shuffle(lines)
    (tmp_path / "audit.log").write_text("".join(lines))
    shuffled = documents(capsys, "--host-name", "web-1", str(tmp_path))
    assert [one["event"] for one in sorted(shuffled, key=number)] == [one["event"] for one in sorted(whole, key=number)]


def test_the_numbers_that_evtx_dump_puts_before_events_are_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    events = (CORPUS / "windows_json" / "evtx_dump.jsonl").read_text().splitlines()
    plain = documents(capsys, str(CORPUS / "windows_json" / "evtx_dump.jsonl"))
    for name, indent in [("compact", None), ("indented", 2)]:
        texts = [json.dumps(json.loads(event), indent=indent) for event in events]
        numbered = "".join(f"Record {number}\n{text}\n" for number, text in enumerate(texts, 1))
        (tmp_path / f"{name}.json").write_text(numbered)
        assert documents(capsys, str(tmp_path / f"{name}.json")) == plain
    corpus = CORPUS / "windows_xml" / "without_root.xml"
    xml = re.findall(r"<Event .*?</Event>", corpus.read_text(), re.DOTALL)
    head = '<?xml version="1.0" encoding="utf-8"?>'
    (tmp_path / "dump.xml").write_text("".join(f"Record {at}\n{head}\n{one}\n" for at, one in enumerate(xml, 1)))
    assert documents(capsys, str(tmp_path / "dump.xml")) == documents(capsys, str(corpus))


@pytest.mark.parametrize("raw", ["winlogbeat_wrapped.ndjson", "evtx_dump.jsonl"])
def test_raw_events_are_found_in_a_search_response(raw: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = CORPUS / "windows_json" / raw
    sources = [json.loads(line) for line in path.read_text().splitlines()]
    hits = [{"_index": "i", "_id": str(at), "_source": source} for at, source in enumerate(sources)]
    for indent in (None, 2):
        response = {"took": 1, "hits": {"total": {"value": len(hits)}, "hits": hits}}
        (tmp_path / "response.json").write_text(json.dumps(response, indent=indent))
        assert documents(capsys, str(tmp_path / "response.json")) == documents(capsys, str(path))


def flat(document: dict[str, Any], above: str = "") -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for key, value in document.items():
        fields |= flat(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}": value}
    return fields


def shown(value: Any) -> str:
    """A value as Kibana shows it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@pytest.mark.parametrize("sample", ["linux-lab.deb-sh-install.defend_new", "winlogbeat-sysmon.benign-vendors-1"])
def test_a_table_from_kibana_gives_the_alerts_of_its_documents(
    sample: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = SAMPLES / f"{sample}.ndjson"
    rows = [flat(json.loads(line)) for line in path.read_text().splitlines()]
    names = ["@timestamp", *sorted({name for row in rows for name in row} - {"@timestamp"})]
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(names)
    for row in rows:
        year, month, day = row["@timestamp"][:10].split("-")
        months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        clock = row["@timestamp"][11:].rstrip("Z")
        time = f"{months[int(month) - 1]} {int(day)}, {year} @ {clock}"
        table.writerow([time, *(shown(row.get(name)) for name in names[1:])])
    (tmp_path / "report.csv").write_text("\ufeff" + out.getvalue())

    (tmp_path / "array.json").write_text(json.dumps([json.loads(line) for line in path.read_text().splitlines()]))

    def kinds(found: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
        return sorted((one["kibana.alert.rule.name"], one["@timestamp"], str(one.get("process.args"))) for one in found)

    assert kinds(alerts(capsys, str(tmp_path / "report.csv"))) == kinds(alerts(capsys, str(tmp_path / "array.json")))


def test_the_corpus_of_a_table_gives_its_documents(capsys: pytest.CaptureFixture[str]):
    path = CORPUS / "kibana_csv" / "discover.csv"
    expected = [json.loads(line) for line in Path(f"{path}.expected.ndjson").read_text().splitlines()]
    found = documents(capsys, "--no-enrich", str(path))
    assert found == expected
    sample = SAMPLES / "linux-lab.deb-sh-install.defend_new.ndjson"
    recorded = [flat(json.loads(line)) for line in sample.read_text().splitlines()]
    # An empty argument cannot be told from none, and a blank behind a comma not from the next argument.
    plain = [one for one in recorded[:20] if not any(", " in argument for argument in one.get("process.args", ()))]
    same = {json.dumps(one, sort_keys=True) for one in map(flat, found)}
    assert sum(json.dumps(one, sort_keys=True) in same for one in plain) >= len(plain) - 1


def test_what_convert_wrote_is_read_again_without_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for name in ("auditd/deb-sh-install.audit.log", "eslogger/malicious_package.ndjson"):
        with pytest.raises(SystemExit):
            main(["convert", "--host-name", "h", str(CORPUS / name), "--quiet"])
        (tmp_path / "events.ndjson").write_text(capsys.readouterr().out)
        with pytest.raises(SystemExit):
            main(["convert", str(tmp_path / "events.ndjson")])
        again = capsys.readouterr()
        assert again.out == (tmp_path / "events.ndjson").read_text()
        assert ", 0 faults," in again.err
