"""The program as a person runs it: real processes, exit statuses, what goes to stdout and what to stderr."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from contraband.cli import COMMANDS, cli
from shared import contraband as program

EVENT = {
    "@timestamp": "2026-01-01T00:00:00Z",
    "event.category": "process",
    "event.type": "start",
    "host.os.type": "linux",
    "host.name": "web-1",
    "process.name": "curl",
    "process.args": ["curl", "http://198.51.100.7/x"],
    "process.command_line": "curl http://198.51.100.7/x",
    "process.parent.name": "dash",
    "process.parent.args": ["/bin/sh", "/var/lib/dpkg/info/x.postinst", "configure"],
}


def contraband(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return program(*arguments, stdin=stdin, timeout=120, CI="true")


@pytest.fixture
def telemetry(tmp_path: Path) -> Path:
    path = tmp_path / "events.ndjson"
    path.write_text(json.dumps(EVENT) + "\n", encoding="utf-8")
    return path


def test_version() -> None:
    ran = contraband("--version")
    assert ran.returncode == 0
    assert ran.stdout.startswith(b"contraband")


def test_scan_in_a_pipe_writes_one_alert_a_line(telemetry: Path) -> None:
    ran = contraband("scan", telemetry)
    assert ran.returncode == 0, ran.stderr
    alerts = [json.loads(line) for line in ran.stdout.splitlines()]
    assert alerts
    for alert in alerts:
        assert alert["kibana.alert.original_time"] == EVENT["@timestamp"]
        assert alert["contraband.origin.record"] == 1
    assert {"medium", "high"} & {alert["kibana.alert.severity"] for alert in alerts}
    assert b"events" in ran.stderr


def test_alerts_are_the_same_in_another_folder_and_with_any_number_of_threads(telemetry: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "copy.ndjson").write_bytes(telemetry.read_bytes())
    runs = [contraband("scan", telemetry), contraband("scan", other), contraband("scan", telemetry, "--threads", "2")]
    uuids = [[json.loads(line)["kibana.alert.uuid"] for line in ran.stdout.splitlines()] for ran in runs]
    assert uuids[0] == uuids[1] == uuids[2] != []
    assert runs[0].stdout == runs[2].stdout


@pytest.mark.parametrize("form", ["table", "csv", "sarif", "timesketch"])
def test_every_format_names_the_alert(telemetry: Path, form: str) -> None:
    ran = contraband("scan", telemetry, "--format", form)
    assert ran.returncode == 0, ran.stderr
    assert b"Download or Network Tool Started by a Package Script" in ran.stdout


def test_sarif_points_at_the_file_and_line(telemetry: Path) -> None:
    document = json.loads(contraband("scan", telemetry, "--format", "sarif").stdout)
    assert document["version"] == "2.1.0"
    location = document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"].endswith("events.ndjson")
    assert location["region"]["startLine"] == 1


def test_csv_holds_no_formula(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text(json.dumps({**EVENT, "process.command_line": "=cmd|' /C calc'!A0 curl"}) + "\n", encoding="utf-8")
    ran = contraband("scan", path, "--format", "csv")
    assert b"=cmd" in ran.stdout
    assert not re.search(rb'(^|,)"?=cmd', ran.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--fail-on", "medium"], 1),
        (["--fail-on", "critical"], 0),
        (["--from", "2027-01-01T00:00:00Z"], 0),
        (["--rules", "no-such-rule"], 2),
        (["--no-such-option"], 2),
    ],
)
def test_exit_status_of_scan(telemetry: Path, arguments: list[str], status: int) -> None:
    assert contraband("scan", telemetry, *arguments).returncode == status


def test_limits_leave_events_out(telemetry: Path) -> None:
    assert contraband("scan", telemetry, "--from", "2027-01-01T00:00:00Z").stdout == b""
    assert contraband("scan", telemetry, "--host", "other").stdout == b""
    assert contraband("scan", telemetry, "--host", "web-1").stdout != b""


def test_silence_is_not_success(tmp_path: Path) -> None:
    empty = tmp_path / "empty.ndjson"
    empty.touch()
    assert contraband("scan", empty).returncode == 2
    assert contraband("scan", empty, "--allow-empty").returncode == 0
    assert contraband("scan", tmp_path / "missing").returncode == 2


def test_bad_lines_are_named_and_the_rest_is_scanned(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text("{broken}\n" + json.dumps(EVENT) + "\n", encoding="utf-8")
    ran = contraband("scan", path, "--strict")
    assert ran.returncode == 1
    assert ran.stdout != b""
    assert b"events.ndjson" in ran.stderr
    assert b"Traceback" not in ran.stderr


def test_standard_input() -> None:
    ran = contraband("scan", "-", stdin=json.dumps(EVENT).encode())
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout != b""


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text((json.dumps(EVENT) + "\n") * 5000, encoding="utf-8")
    program = shlex.join([sys.executable, "-c", "from contraband.cli import main; main()"])
    script = f"set -o pipefail; {program} scan {shlex.quote(str(path))} | head -1"
    ran = subprocess.run(["bash", "-c", script], capture_output=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    assert len(ran.stdout.splitlines()) == 1
    assert b"Traceback" not in ran.stderr


def test_query_prints_events(telemetry: Path) -> None:
    ran = contraband("query", 'process where process.name == "curl"', telemetry)
    assert [json.loads(line)["process.name"] for line in ran.stdout.splitlines()] == ["curl"]


def test_query_shows_where_the_error_is(telemetry: Path) -> None:
    ran = contraband("query", "process where process.name === 1", telemetry)
    assert ran.returncode == 2
    assert b"^" in ran.stderr
    assert b"Traceback" not in ran.stderr


def test_one_rule_against_its_cases(tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    ran = contraband("test", "linux-script-downloader", "--junit", report)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert b"linux-script-downloader" in ran.stdout
    suites = ET.parse(report).getroot()
    assert [suite.get("name") for suite in suites] == ["Download or Network Tool Started by a Package Script"]
    assert suites[0].get("failures") == "0"


def test_a_case_that_is_not_met_fails(tmp_path: Path) -> None:
    folder = tmp_path / "quiet-rule"
    folder.mkdir()
    (folder / "rule.toml").write_text(
        '[rule]\nname = "Q"\nrule_id = "q"\nlanguage = "eql"\ntype = "eql"\nseverity = "high"\nrisk_score = 73\nquery = "any where false"\n',
        encoding="utf-8",
    )
    (folder / "t.ndjson").write_text(json.dumps(EVENT) + "\n", encoding="utf-8")
    (folder / "cases.toml").write_text(
        '[[case]]\nname = "c"\ntelemetry = ["t.ndjson"]\nsource = "endpoint-linux"\ntruth = "attack"\nbasis = "modelled"\n',
        encoding="utf-8",
    )
    ran = contraband("test", folder)
    assert ran.returncode == 1
    assert b"quiet-rule: c: expected an alert, found 0" in ran.stdout


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_has_an_example(name: str) -> None:
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert "Example" in result.output


def test_exceptions_in_the_rules_own_folder_apply_in_scan(telemetry: Path, tmp_path: Path) -> None:
    folder = tmp_path / "loud-rule"
    folder.mkdir()
    (folder / "rule.toml").write_text(
        '[rule]\nname = "L"\nrule_id = "l"\nlanguage = "eql"\ntype = "eql"\nseverity = "high"\nrisk_score = 73\nquery = "process where true"\n',
        encoding="utf-8",
    )
    (folder / "exceptions.toml").write_text(
        '[[exceptions]]\ncontainer = { list_id = "x" }\n[[exceptions.items]]\nitem_id = "web"\nname = "web"\n'
        'entries = [{ field = "host.name", type = "wildcard", operator = "included", value = "web-?" }]\n',
        encoding="utf-8",
    )
    assert contraband("scan", telemetry, "--rules", folder).stdout == b""
    assert contraband("scan", telemetry, "--rules", folder, "--no-exceptions").stdout != b""
    (folder / "exceptions.toml").write_text(
        '[[exceptions]]\n[[exceptions.items]]\nname = "n"\nentries = [{ field = "a", type = "list" }]\n',
        encoding="utf-8",
    )
    ran = contraband("scan", telemetry, "--rules", folder)
    assert ran.returncode == 2
    assert b"value list" in ran.stderr


def test_lint_names_the_place_of_an_unknown_field(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text(
        '[rule]\nname = "R"\nrule_id = "r"\nlanguage = "eql"\ntype = "eql"\nseverity = "high"\nrisk_score = 7\n'
        "query = '''\nprocess where\n  process.nmae == \"x\"\n'''\n",
        encoding="utf-8",
    )
    ran = contraband("lint", path)
    assert ran.returncode == 0
    assert b"r.toml:10:3: unknown field `process.nmae`" in ran.stdout
    assert b"r.toml:7:1: risk score 7 does not go with severity high" in ran.stdout


def test_lint_refuses_an_exception_without_a_reason(tmp_path: Path) -> None:
    (tmp_path / "rule.toml").write_text(
        '[rule]\nname = "R"\nrule_id = "r"\nlanguage = "eql"\ntype = "eql"\nseverity = "low"\nrisk_score = 21\nquery = "any where true"\n',
        encoding="utf-8",
    )
    (tmp_path / "exceptions.toml").write_text(
        '[[exceptions]]\n[[exceptions.items]]\nname = "n"\nentries = [{ field = "a", type = "exists" }]\n',
        encoding="utf-8",
    )
    ran = contraband("lint", tmp_path)
    assert ran.returncode == 1
    assert b"`n` has no reason" in ran.stdout
    assert b"nor a review date" in ran.stdout


def test_profile_says_what_each_rule_took(telemetry: Path) -> None:
    plain = contraband("scan", telemetry, "--quiet")
    profiled = contraband("scan", telemetry, "--quiet", "--profile-json", "--no-routing")
    assert profiled.stdout == plain.stdout
    assert not plain.stderr
    profile = json.loads(profiled.stderr)["profile"]
    assert profile["events"] == 1
    assert sum(rule["alerts"] for rule in profile["rules"]) == len(plain.stdout.splitlines()) > 0
    for rule in profile["rules"]:
        assert rule["evaluations"] >= rule["candidates"] >= rule["alerts"]
        assert rule["time_ns"] > 0
    table = contraband("scan", telemetry, "--profile").stderr.decode()
    assert "1 events evaluated" in table
    assert "evaluations  candidates" in table
