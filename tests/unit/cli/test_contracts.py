"""Promises of the command line and of the Python functions that hold for every command: what is said, counted and refused."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import contraband
from contraband.cli import main
from contraband.detection.packages import samples_path
from contraband.detection.scan import prepare, start
from contraband.engine import EngineError, Scan
from shared import contraband as run

SAMPLE = str(samples_path() / "linux-lab.deb-sh-install.defend_new.ndjson")
EVENTS = [json.loads(line) for line in Path(SAMPLE).read_text(encoding="utf-8").splitlines()]
ANY = "any where true"


def ids(alerts: list[dict[str, Any]]) -> list[str]:
    """The installations of alerts."""
    return [alert["contraband.installation.id"] for alert in alerts]


def test_alerts_carry_their_lineage_and_installation() -> None:
    alerts = list(contraband.scan(SAMPLE))
    assert alerts
    for alert in alerts:
        assert alert["kibana.alert.depth"] == 1
        (ancestor,) = alert["kibana.alert.ancestors"]
        assert (ancestor["type"], ancestor["depth"]) == ("event", 0)
        assert len(ancestor["id"]) == 40  # no `_id` and no `event.id`: the hash of the record
        assert uuid.UUID(alert["contraband.installation.id"]).version == 5
    assert [json.loads(line) for line in run("scan", SAMPLE).stdout.splitlines()] == alerts


def test_the_alerts_of_a_sequence_share_their_installation(tmp_path: Path) -> None:
    rule = tmp_path / "two.toml"
    rule.write_text(
        '[metadata]\nmaturity = "production"\n[rule]\nname = "Two"\nrisk_score = 21\nseverity = "low"\ntype = "eql"\n'
        'rule_id = "f3a2cdd6-3f19-4be9-9b39-0d7b1b8e1f8b"\nlanguage = "eql"\ndescription = "Two."\nindex = ["*"]\n'
        'building_block_type = "default"\n'
        'query = \'sequence by host.id [process where process.name == "dpkg"] [process where process.name == "wget"]\'\n'
    )
    alerts = list(contraband.scan([SAMPLE], contraband.load_rules(rule)))
    shell, *blocks = alerts[:3]
    assert len(set(ids([shell, *blocks]))) == 1
    assert [alert["kibana.alert.depth"] for alert in (shell, *blocks)] == [2, 1, 1]
    kinds = [(ancestor["type"], ancestor["depth"]) for ancestor in shell["kibana.alert.ancestors"]]
    assert kinds == [("event", 0), ("signal", 1)] * 2
    signals = [ancestor["id"] for ancestor in shell["kibana.alert.ancestors"] if ancestor["type"] == "signal"]
    assert signals == [block["kibana.alert.uuid"] for block in blocks] == shell["contraband.building_blocks"]
    text = run("scan", SAMPLE, "--rules", str(rule)).stdout.splitlines()[1]
    assert text.count(b'"kibana.alert.building_block_type"') == 1


def everything(tmp_path: Path) -> contraband.Loaded:
    """A rule that any event fits."""
    rule = tmp_path / "any.toml"
    rule.write_text(
        '[metadata]\nmaturity = "production"\n[rule]\nname = "Any"\nrisk_score = 21\nseverity = "low"\ntype = "eql"\n'
        'rule_id = "0c2f4b0e-6b43-4c40-8c0c-2a4a8f1d9a11"\nlanguage = "eql"\ndescription = "Any."\nindex = ["*"]\n'
        "query = 'any where true'\n"
    )
    return contraband.load_rules(rule)


def test_installations_by_host_and_package_or_parent(tmp_path: Path) -> None:
    rules = everything(tmp_path)

    def one(**fields: Any) -> str:
        names = {name.replace("__", "."): value for name, value in fields.items()}
        (alert,) = contraband.scan(json.dumps(names).encode(), rules)
        return str(alert["contraband.installation.id"])

    first = one(host__id="a", process__args=["/var/lib/dpkg/info/x.postinst"])
    assert first == one(host__id="a", process__parent__args=["sh", "/var/lib/dpkg/info/x.preinst"])
    # The same name as in every release: UUID version 5 of host and package.
    assert first == str(uuid.uuid5(uuid.UUID("0f2bd4c7-8a45-4c86-9a8e-f1a4d5b31546"), "a\0x"))
    assert first != one(host__id="b", process__args=["/var/lib/dpkg/info/x.postinst"])
    assert first != one(host__id="a", host__boot__id="2", process__args=["/var/lib/dpkg/info/x.postinst"])
    assert one(host__id="a", process__parent__entity_id="1") != one(host__id="a", process__parent__entity_id="2")


@pytest.mark.parametrize(
    "line",
    [
        b'{"host.name":"\\ud800"}',
        b'{"process.pid":' + b"9" * 5000 + b"}",
        b'{"a":' + b"[" * 999 + b"]" * 999 + b"}",
        b'{"process.command_line":"' + b"A" * 3_000_000 + b'"}',
        b'{"process.command_line":"' + b"PKInstallSandbox." * 100_000 + b'"}',
    ],
)
def test_hostile_values_stay_as_they_are(tmp_path: Path, line: bytes) -> None:
    scan = start(prepare(everything(tmp_path)), line)
    (alert,) = b"".join(scan).splitlines()
    assert alert.startswith(line[:-1])
    assert b'"contraband.installation.id":"' in alert


def test_an_alert_that_is_read_again_keeps_its_installation(tmp_path: Path) -> None:
    (alert,) = contraband.scan(b'{"contraband.installation.id":"kept"}', everything(tmp_path))
    assert alert["contraband.installation.id"] == "kept"


def test_alerts_of_one_run_of_an_installer_share_their_installation(tmp_path: Path) -> None:
    def event(second: int, pid: int, parent: int, *args: str) -> dict[str, Any]:
        return {
            "@timestamp": f"2026-11-24T03:00:{second:02}.000Z",
            "host.id": "a",
            "event": {"category": ["process"], "type": ["start"], "module": "auditd"},
            "process": {"pid": pid, "name": args[0], "args": args, "parent": {"pid": parent}},
        }

    def scan(*events: dict[str, Any]) -> list[dict[str, Any]]:
        lines = "".join(json.dumps(event) + "\n" for event in events)
        return list(contraband.scan(lines.encode(), everything(tmp_path)))

    run_of_apt = [
        event(1, 10, 1, "bash"),
        event(2, 11, 10, "apt-get", "install", "x", "y"),
        event(3, 12, 11, "dpkg", "--configure", "-a"),
        event(4, 13, 12, "sh", "/var/lib/dpkg/info/x.postinst"),
        event(5, 14, 13, "curl", "http://x"),
        event(6, 15, 12, "sh", "/var/lib/dpkg/info/y.postinst"),
        event(7, 16, 10, "apt-get", "install", "x"),
    ]
    shell, *first, second = scan(*run_of_apt)
    assert len(set(ids(first))) == 1
    assert len({*ids([shell]), *ids(first), *ids([second])}) == 3
    assert {alert["contraband.installation.process"] for alert in first} == {first[0]["process.entity_id"]}
    assert [alert.get("contraband.installation.package") for alert in first] == [None, None, "x", "x", "y"]

    engine = [event(0, 20, 1, "packagekitd"), event(1, 21, 20, "sh", "a"), event(50, 22, 20, "sh", "b")]
    late = event(0, 23, 20, "sh", "c")
    late["@timestamp"] = "2026-11-24T03:02:00.000Z"
    *one, other = ids(scan(*engine, late))
    assert len(set(one)) == 1
    assert other not in one


def test_python_does_not_pass_over_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="No such file"):
        assert list(contraband.scan([tmp_path / "none"])) == []
    broken = tmp_path / "broken.ndjson"
    broken.write_text("{no json\n" + Path(SAMPLE).read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.warns(UserWarning, match="1 faults"):
        assert list(contraband.scan(broken))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no rule was loaded"):
        contraband.scan([SAMPLE], contraband.load_rules(tmp_path / "empty"))
    with pytest.raises(contraband.EngineError, match="--from"):
        contraband.scan([SAMPLE], since="soon")
    with pytest.raises(OSError, match="No such file"):
        contraband.search(ANY, [str(tmp_path / "none")])


@pytest.mark.parametrize("wrong", [{"size": -1}, {"max_samples_per_key": 0}, {"result_position": "middle"}])
def test_search_refuses_what_means_nothing(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        contraband.search(ANY, EVENTS, **wrong)


def test_search_refuses_events_that_json_cannot_say() -> None:
    with pytest.raises(ValueError, match="JSON"):
        contraband.search(ANY, [{"@timestamp": 1, "value": math.nan}])


def test_hunts_read_standard_input_once_and_report_faults() -> None:
    data = Path(SAMPLE).read_bytes()
    piped, read = run("hunt", "T1546.016", "-", stdin=data), run("hunt", "T1546.016", SAMPLE)
    assert piped.stdout == read.stdout != b""
    partly = run("hunt", "T1546.016", "none.ndjson", SAMPLE)
    assert partly.returncode == 0
    assert partly.stderr.count(b"none.ndjson") == 1


def test_queries_and_conversions_say_what_is_wrong() -> None:
    for command in (("query", ANY), ("convert",)):
        empty = run(*command, os.devnull)
        assert empty.returncode == 2
        assert b"no event was read" in empty.stderr
        full = run(*command, SAMPLE)
        assert full.returncode == 0
        assert f"{len(EVENTS)} results".encode() in full.stderr
    foreign = subprocess.run(
        [sys.executable, "-m", "contraband", "query", b'any where a == "\xff"', SAMPLE],
        capture_output=True,
        check=False,
    )
    assert (foreign.returncode, foreign.stdout) == (2, b"")
    assert b"Traceback" not in foreign.stderr


@pytest.mark.skipif(os.name == "nt", reason="SIGINT cannot be sent to one process there")
@pytest.mark.parametrize("command", [("scan",), ("query", ANY), ("convert",)])
def test_what_was_found_is_written_when_stopped(command: tuple[str, ...]) -> None:
    program = "from contraband.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", program, *command, "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(Path(SAMPLE).read_bytes() * 200)
        process.stdin.flush()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(6)
        process.send_signal(signal.SIGINT)
        time.sleep(1)  # it may wait for input, and ends with the next
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert b"Traceback" not in errors
    assert output


@pytest.mark.parametrize("content", ["[rule]\n", "no toml", '[rule]\ntype = "eql"\nquery = "process where ("\n'])
def test_lint_finds_what_a_scan_refuses(tmp_path: Path, content: str) -> None:
    rule = tmp_path / "bad.toml"
    rule.write_text(content)
    checked = run("lint", str(rule))
    assert checked.returncode == 1
    assert checked.stdout.startswith(b"error: ")
    assert run("scan", SAMPLE, "--rules", str(rule)).returncode == 2


@pytest.mark.parametrize(("value", "colored"), [("1", False), ("", True)])
def test_no_color(monkeypatch: pytest.MonkeyPatch, value: str, colored: bool) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", value)
    assert (b"\x1b[" in run("scan", SAMPLE, "--format", "table").stdout) is colored


def test_missing_files_are_named_plainly() -> None:
    for arguments in (("scan", SAMPLE, "--exceptions", "none"), ("query", ANY, SAMPLE, "--mapping", "none")):
        refused = run(*arguments)
        assert refused.returncode == 2
        assert refused.stderr == b"Error: none: No such file or directory\n"


def of_hosts(path: Path, hosts: dict[str, int]) -> None:
    """A file with so many processes of each host, none of which a rule of the package can match: its lines are passed over unread."""
    with path.open("w", encoding="utf-8") as file:
        for name, count in hosts.items():
            event = {"@timestamp": "2026-01-02T03:04:05Z", "host": {"name": name, "id": f"id-{name}"}, "x": "y" * 4000}
            file.writelines(json.dumps(event) + "\n" for _ in range(count))


def test_a_host_without_events_does_not_look_clean(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    # Beyond the first 64 KiB lines are passed over, but for one in a while.
    of_hosts(path, {"web1": 40, "db\x1b[2J": 20, "web2": 1, "web1.": 20})
    wrong = run("scan", path, "--host", "web9")
    assert (wrong.returncode, wrong.stdout) == (2, b"")
    (passed_over,) = re.findall(rb"81 events \((\d+) passed over unread\)", wrong.stderr)
    assert int(passed_over) > 40
    last = wrong.stderr.decode().splitlines()[-1]
    assert last == (
        "error: no event is of host `web9`; there are events of `web1`, `db␛[2J`, `web2`, `web1.` (--allow-empty says that this is meant)"
    )
    for name in ("web2", "WEB2", "id-web2", "web1"):
        right = run("scan", path, "--host", name)
        assert right.returncode == 0
        assert b"no event is of host" not in right.stderr, name
    one = run("scan", path, "--host", "web9", "--host", "web2")
    assert one.returncode == 0
    assert "warning: no event is of host `web9`; there are events of `web1`, `db␛[2J`" in one.stderr.decode()
    meant = run("scan", path, "--host", "web9", "--allow-empty")
    assert meant.returncode == 0
    assert b"warning: no event is of host `web9`" in meant.stderr
    empty = run("scan", "-", "--host", "web9")
    assert empty.returncode == 2
    assert b"no event was read" in empty.stderr
    assert b"of host" not in empty.stderr
    with pytest.warns(UserWarning, match=r"no event is of host `web9`; there are events of `web1`"):
        assert list(contraband.scan(path, hosts=["web9"])) == []


def test_hosts_are_looked_for_in_every_source_and_by_any_number_of_threads(tmp_path: Path) -> None:
    of_hosts(tmp_path / "a.ndjson", {f"h{number}": 30 for number in range(9)})
    said = set()
    for threads in (1, 2):
        done = run("scan", tmp_path, "--host", "h8", "--host", "none", "--threads", str(threads), "--quiet")
        assert done.returncode == 0
        said.add(done.stderr)
    assert said == {
        "warning: no event is of host `none`; there are events of `h0`, `h1`, `h2`, `h3`, `h4`, …\n".encode()
    }
    corpus = Path(__file__).parents[2] / "corpus"
    for name, host in {"windows_xml/without_root.xml": "WS01.example.com", "auditd": "lab1"}.items():
        wrong = run("scan", corpus / name, "--host-name", "lab1", "--host", "none", "--quiet")
        assert wrong.returncode == 2
        assert f"; there are events of `{host}`" in wrong.stderr.decode()
        right = run("scan", corpus / name, "--host-name", "lab1", "--host", host.upper(), "--quiet")
        assert (right.returncode, b"of host" in right.stderr) == (0, False)


@pytest.mark.parametrize(
    "command", [["scan", SAMPLE], ["query", ANY, SAMPLE], ["convert", SAMPLE], ["convert", SAMPLE, "--to", "parquet"]]
)
def test_results_that_are_not_whole_end_with_a_message(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path, command: list[str]
) -> None:
    def broken(scan: Scan) -> Iterator[bytes]:
        raise EngineError("a temporary file in /x: no space left")
        yield b""

    monkeypatch.setattr(Scan, "__iter__", broken)
    with pytest.raises(SystemExit) as ended:
        main([*command, "--quiet", "-o", str(tmp_path / "out")])
    assert ended.value.code == 2
    assert capfd.readouterr().err == "Error: a temporary file in /x: no space left\n"


def test_parquet_may_go_into_a_pipe(tmp_path: Path) -> None:
    piped = run("convert", SAMPLE, "--to", "parquet", "--quiet")
    assert (piped.returncode, piped.stderr) == (0, b"")
    assert run("convert", SAMPLE, "--to", "parquet", "--quiet", "-o", tmp_path / "out").returncode == 0
    assert piped.stdout == (tmp_path / "out").read_bytes()
