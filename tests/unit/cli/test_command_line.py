"""The program as a person runs it: exit status, streams, formats."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from contraband.cli import COMMANDS, cli
from contraband.detection.packages import package_path, samples_path
from contraband.engine import source_names
from shared import contraband as run

SAMPLE = str(samples_path() / "linux-lab.deb-sh-install.defend_new.ndjson")


def test_version_and_help() -> None:
    assert run("--version").stdout.startswith(b"contraband, version ")
    for name in COMMANDS:
        shown = run(name, "--help")
        assert shown.returncode == 0, name
        assert b"Example" in shown.stdout, name


def test_scan_writes_ndjson_into_a_pipe_and_a_summary_to_stderr() -> None:
    done = run("scan", SAMPLE)
    alerts = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert {alert["event.kind"] for alert in alerts} == {"signal"}
    assert any(alert["kibana.alert.severity"] == "medium" and alert["process.name"] == "curl" for alert in alerts)
    assert all(
        {"kibana.alert.uuid", "kibana.alert.reason", "contraband.origin.record"} <= set(alert) for alert in alerts
    )
    assert b"28 records" in done.stderr
    assert run("scan", SAMPLE).stdout == done.stdout


@pytest.mark.parametrize("threads", ["1", "2"])
def test_output_does_not_depend_on_threads(threads: str) -> None:
    assert run("scan", "samples", "--threads", threads).stdout == run("scan", "samples").stdout


def test_exit_status() -> None:
    assert run("scan", SAMPLE, "--fail-on", "medium").returncode == 1
    assert run("scan", SAMPLE, "--fail-on", "high").returncode == 0
    assert run("scan", "/nothing/here").returncode == 2
    assert run("scan", "-", stdin=b"").returncode == 2
    assert run("scan", "-", "--allow-empty", stdin=b"").returncode == 0
    assert run("scan", "-", "--strict", stdin=b'{"a":1}\n{broken}\n').returncode == 1
    assert run("query", "process where", SAMPLE).returncode == 2
    assert run("query", "process where 1 / 0 == 1", SAMPLE).returncode == 2
    assert run("scan", "--no-such-option").returncode == 2
    unknown = run("scan", SAMPLE, "--source", "audit")
    assert unknown.returncode == 2
    assert b"expected one of evtx, " in unknown.stderr


def test_help_names_every_raw_format() -> None:
    # Help is wrapped, also behind a hyphen.
    text = " ".join(run("scan", "--help").stdout.decode().split()).replace("- ", "-")
    (names,) = re.findall(r"Read all input as this: ([a-z_, -]+)\.", text)
    assert set(names.split(", ")) == {*source_names(), "ndjson"}
    assert run("scan", SAMPLE, "--rules", "no-such-rule").returncode == 2


def test_no_traceback_ever(tmp_path: Path) -> None:
    (tmp_path / "rule.toml").write_text("[rule]\nname = ", encoding="utf-8")
    for arguments in (
        ("lint", str(tmp_path / "rule.toml")),
        ("scan", SAMPLE, "--from", "yesterday"),
        ("explain", "nothing"),
        ("show", "T9999"),
    ):
        done = run(*arguments)
        assert done.returncode in (1, 2), arguments
        assert b"Traceback" not in done.stderr, done.stderr.decode()


def test_a_closed_pipe_is_no_error() -> None:
    program = "from contraband.cli import main; main()"
    command = f"{sys.executable} -c '{program}' query 'any where true' samples | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert len(done.stdout.splitlines()) == 1


def test_formats() -> None:
    rows = list(csv.DictReader(io.StringIO(run("scan", SAMPLE, "--format", "csv").stdout.decode())))
    assert {row["process.name"] for row in rows} >= {"curl", "wget"}
    sarif = json.loads(run("scan", SAMPLE, "--format", "sarif").stdout)
    place = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"].endswith("defend_new.ndjson")
    assert place["region"]["startLine"] >= 1
    assert run("scan", SAMPLE, "--format", "timesketch").stdout.startswith(b"message,datetime,timestamp_desc")
    table = run("scan", SAMPLE, "--format", "table").stdout.decode()
    assert "installation of t1546-sh" in table


def test_spreadsheets_get_no_formula() -> None:
    event = {
        "@timestamp": "2026-01-01T00:00:00Z",
        "host": {"os": {"type": "linux"}, "name": "=cmd()"},
        "event": {"category": "process", "type": "start", "action": "exec"},
        "process": {
            "name": "curl",
            "args": ["curl", "http://x"],
            "parent": {"name": "dpkg", "args": ["/bin/sh", "/var/lib/dpkg/info/x.postinst"]},
        },
    }
    done = run("scan", "-", "--rules", "T1546.016", "--format", "csv", stdin=json.dumps(event).encode())
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert rows
    assert {row["host.name"] for row in rows} == {"'=cmd()"}


def test_query_prints_sequences_as_one_line() -> None:
    text = 'sequence by process.pid [process where process.name == "dpkg"] [process where true]'
    done = run("query", text, str(samples_path() / "linux-lab.deb-sh-install.sysmon_linux.ndjson"))
    assert done.returncode == 0
    for line in done.stdout.splitlines():
        sequence = json.loads(line)["sequence"]
        assert len(sequence["events"]) == 2
        assert sequence["join_keys"]


def test_lint_and_explain() -> None:
    assert run("lint", "T1546.016").returncode == 0
    assert b"event.type" in run("explain", "T1546.016/published").stdout
    first = Path(SAMPLE).read_text(encoding="utf-8").splitlines()[0]
    held = run("explain", 'process where process.name == "env"', "-", stdin=first.encode()).stdout.decode()
    assert "+   process.name" in held
    assert "process.name = env" in held


def test_show_fills_the_playbook_in(tmp_path: Path) -> None:
    alert = run("scan", SAMPLE).stdout.splitlines()[0]
    path = tmp_path / "alert.json"
    path.write_bytes(alert)
    shown = run("show", "T1546.016", "playbook", "--alert", str(path)).stdout.decode()
    assert "Do not just uninstall" in shown
    assert json.loads(alert)["host.name"] in shown
    for part in ("rule", "investigation", "hunts", "emulations"):
        assert run("show", "T1546.016", part).returncode == 0


def test_a_sequences_alert_is_filled_in_from_its_last_event(tmp_path: Path) -> None:
    case = (
        package_path("T1546.016")
        / "rules"
        / "windows-installer-grandchild"
        / "telemetry"
        / "batloader.winlogbeat-sysmon.ndjson"
    )
    alerts = [
        json.loads(line)
        for line in run("scan", "--rules", "windows-installer-grandchild", str(case)).stdout.splitlines()
    ]
    whole = next(alert for alert in alerts if "kibana.alert.group.index" not in alert)
    events = [
        alert
        for alert in alerts
        if alert.get("kibana.alert.group.id") == whole["kibana.alert.group.id"] and alert is not whole
    ]
    path = tmp_path / "alerts.json"
    path.write_text("".join(json.dumps(alert) + "\n" for alert in (whole, *events)))
    shown = run("show", "T1546.016", "investigation", "--alert", str(path)).stdout.decode()
    assert f"ProcessId: {events[-1]['process.pid']}" in shown
    path.write_text(json.dumps(events[-1], indent=2))
    assert (
        f"ProcessId: {events[-1]['process.pid']}"
        in run("show", "T1546.016", "investigation", "--alert", str(path)).stdout.decode()
    )


def test_hunts_find_rare_things_first() -> None:
    done = run("hunt", "T1546.016", "samples", "--only", "H1")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows
    assert [len(row["hosts"]) for row in rows] == sorted(len(row["hosts"]) for row in rows)


def test_every_command_has_a_module() -> None:
    assert [name for name in COMMANDS if cli.get_command(None, name) is None] == []  # type: ignore[arg-type]


SEQUENCE = 'sequence by host.id with maxspan=5s [any where process.name == "a"] [any where process.name == "b"]'
A, B, LATE = (
    {"@timestamp": f"2026-01-01T00:00:{second:02}Z", "event.category": "process", "process.name": name, "host.id": "h"}
    for second, name in ((0, "a"), (5, "b"), (7, "b"))
)


def explained(query: str, *events: dict[str, object], more: tuple[str, ...] = ()) -> str:
    stdin = "\n".join(map(json.dumps, events)).encode()
    ran = run("explain", query, "-", *more, stdin=stdin)
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout.decode()


def test_explain_tells_why_events_complete_no_sequence() -> None:
    assert "1 sequence found" in explained(SEQUENCE, A, B)
    late = explained(SEQUENCE, A, LATE)
    assert "too late for stage 2: 7 s after event 0, 2 s more than maxspan=5 s" in late
    told = json.loads(explained(SEQUENCE, A, LATE, more=("--json",)))
    assert [reason["what"] for reason in told["because"]] == ["maxspan"]
    assert told["because"][0]["over_ns"] == 2_000_000_000


def test_explain_tells_of_one_event_each_stage_and_its_key() -> None:
    shown = explained(SEQUENCE, A)
    assert '+ process.name == "a"    <- process.name = a' in shown
    assert 'meets stage 1, key (host.id = "h")' in shown
    assert "stage 2 is met by no event" in shown


def test_explain_reads_arrays_lines_and_picks_one() -> None:
    ran = run("explain", SEQUENCE, "-", stdin=json.dumps([A, B]).encode())
    assert b"1 sequence found" in ran.stdout
    ran = run("explain", SEQUENCE, "-", "--line", "2", stdin="\n".join(map(json.dumps, (A, B))).encode())
    assert b"meets stage 2" in ran.stdout
    assert b"event 1" not in ran.stdout


@pytest.mark.parametrize("content", [b"", b"nonsense", b"[1]", b"\xff", b'{"a":1}\n{"b":', b"[" * 100_000])
def test_explain_refuses_what_is_no_event(content: bytes) -> None:
    ran = run("explain", SEQUENCE, "-", stdin=content)
    assert ran.returncode == 2
    assert b"Traceback" not in ran.stderr


def test_explain_names_the_nearest_rules() -> None:
    event = {"event.category": "process", "event.type": "start", "host.os.type": "linux", "process.name": "curl"}
    ran = run("explain", "--rules", "T1546.016", "-", "--json", "--most", "5", stdin=json.dumps(event).encode())
    rules = json.loads(ran.stdout)["rules"]
    missed = [len(rule["missed"]) for rule in rules]
    assert len(rules) == 5
    assert missed == sorted(missed)
    assert all(term["values"] for rule in rules for term in rule["missed"])


def test_explain_shows_what_rules_share() -> None:
    ran = run("explain", "--rules", "T1546.016", "--json")
    plan = json.loads(ran.stdout)
    assert max(term["rules"] for term in plan["terms"]) > 10
    assert all(rule["estimated_shared_cost"] <= rule["estimated_cost"] for rule in plan["rules"])
    assert b"distinct terms" in run("explain", "--rules", "T1546.016").stdout
