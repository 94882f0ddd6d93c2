"""Hostile and endless input: memory stays within its bound, a scan ends when it is asked to, nothing is lost in silence.

Memory is the peak of a process of its own (`VmHWM`), which only Linux tells.
"""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from contraband.engine import CompiledRule, Engine, EngineOptions, ScanOptions
from contraband.eql import compile_query
from contraband.plan import lower

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peak memory and FIFOs as Linux has them")
EVENT = {"@timestamp": "2026-01-01T00:00:00Z", "event": {"category": ["process"]}, "process": {"name": "curl"}}
LINE = json.dumps(EVENT).encode() + b"\n"
OTHER = LINE.replace(b"curl", b"other")
MEBIBYTE = 1 << 20
MOST_MEMORY = 300  # MiB, over any input

MEASURED = """
import json, re, sys
from pathlib import Path
from contraband.engine import CompiledRule, Engine, EngineOptions, ScanOptions
from contraband.eql import compile_query
from contraband.plan import lower
query, options, limits, *inputs = json.loads(sys.argv[1])
plan = lower(compile_query(query))
scan = Engine([CompiledRule("q", plan)], EngineOptions(routing=False, **options)).scan(inputs, ScanOptions(**limits))
found = sum(block.count(b"\\n") for block in scan)
summary = scan.summary()
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024
print(json.dumps({"found": found, "peak": peak, "summary": summary}))
"""
QUERY = 'process where process.name == "curl"'


def measured(*inputs: Path, query: str = QUERY, **options: Any) -> tuple[int, int, dict[str, Any]]:
    """How many lines came out, peak memory in MiB, and the summary."""
    limits = options.pop("limits", {"output": "matches"})
    given = json.dumps([query, options, limits, *map(str, inputs)])
    done = subprocess.run([sys.executable, "-c", MEASURED, given], capture_output=True, check=True, timeout=300)
    told = json.loads(done.stdout)
    return told["found"], told["peak"], told["summary"]


def faults(summary: dict[str, Any]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for kinds in summary["faults"].values():
        counts.update({kind: found["count"] for kind, found in kinds.items()})
    return dict(counts)


def members(path: Path, begin: bytes, middle: bytes, times: int, end: bytes) -> Path:
    """A gzip file of many members, so that gigabytes are made in no time."""
    block = gzip.compress(middle, 1)
    path.write_bytes(gzip.compress(begin) + block * times + gzip.compress(end))
    return path


# --------------------------------------------------------------------------------------------------------------- bombs


@LINUX
def test_gzip_bomb_of_many_lines(tmp_path: Path) -> None:
    block = OTHER * (32 * MEBIBYTE // len(OTHER))
    bomb = members(tmp_path / "bomb.gz", LINE, block, 64, LINE)
    assert bomb.stat().st_size < 20 * MEBIBYTE
    found, peak, summary = measured(bomb)
    assert found == 2
    assert summary["files"][0]["bytes"] > 2_000 * MEBIBYTE
    assert peak < MOST_MEMORY


@LINUX
def test_gzip_bomb_of_one_line(tmp_path: Path) -> None:
    bomb = members(tmp_path / "bomb.gz", LINE + b'{"a":"', b"a" * (64 * MEBIBYTE), 40, b'"}\n' + LINE)
    found, peak, summary = measured(bomb)
    assert (found, faults(summary)) == (2, {"line too long": 1})
    assert peak < MOST_MEMORY


@LINUX
def test_gzip_in_gzip(tmp_path: Path) -> None:
    inner = members(tmp_path / "inner.gz", LINE, OTHER * (16 * MEBIBYTE // len(OTHER)), 64, LINE)
    bomb = tmp_path / "bomb.gz"
    bomb.write_bytes(gzip.compress(inner.read_bytes()))
    assert bomb.stat().st_size < MEBIBYTE
    found, peak, _ = measured(bomb)
    assert found == 2
    assert peak < MOST_MEMORY


@LINUX
@pytest.mark.parametrize("lines", [True, False])
def test_zip_bomb(tmp_path: Path, lines: bool) -> None:
    bomb = tmp_path / "bomb.zip"
    block = OTHER * (16 * MEBIBYTE // len(OTHER)) if lines else b"a" * (16 * MEBIBYTE)
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in ("one", "two"):
            with archive.open(f"{name}.ndjson", "w", force_zip64=True) as member:
                member.write(LINE if lines else LINE + b'{"a":"')
                for _ in range(20):
                    member.write(block)
                member.write(b"" if lines else b'"}\n' + LINE)
    found, peak, summary = measured(bomb)
    assert found == (2 if lines else 4)
    assert faults(summary) == ({} if lines else {"line too long": 2})
    assert peak < MOST_MEMORY


# ----------------------------------------------------------------------------------------------------------- long lines


@LINUX
def test_a_line_of_150_megabytes_is_a_fault_or_is_read(tmp_path: Path) -> None:
    long = b'{"event.category":"process","process.name":"curl","a":"' + b"a" * 150_000_000 + b'"}\n'
    (tmp_path / "long.ndjson").write_bytes(LINE + long + LINE)
    found, peak, summary = measured(tmp_path / "long.ndjson")
    assert (found, faults(summary)) == (2, {"line too long": 1})
    assert peak < MOST_MEMORY
    found, _, summary = measured(tmp_path / "long.ndjson", max_line=200 << 20)
    assert (found, faults(summary)) == (3, {})


@LINUX
def test_many_lines_near_the_limit(tmp_path: Path) -> None:
    long = b'{"process.name":"other","a":"' + b"a" * 90_000_000 + b'"}\n'
    (tmp_path / "long.ndjson.gz").write_bytes(gzip.compress(LINE) + gzip.compress(long, 1) * 8 + gzip.compress(LINE))
    found, peak, summary = measured(tmp_path / "long.ndjson.gz")
    assert (found, faults(summary)) == (2, {})
    assert peak < MOST_MEMORY


# ---------------------------------------------------------------------------------------------- files and streams alive


def test_a_file_that_grows_while_it_is_read_ends(tmp_path: Path) -> None:
    path = tmp_path / "growing.ndjson"
    path.write_bytes(LINE * 20_000)
    # Grows faster than it is read: by what is read of it, and more.
    grow = "import sys\nfile = open(sys.argv[1], 'ab', buffering=0)\nwhile file.tell() < 1 << 27: file.write(sys.argv[2].encode() * 1000)"
    writer = subprocess.Popen([sys.executable, "-c", grow, str(path), LINE.decode()])
    try:
        before = time.monotonic()
        script = MEASURED.replace("peak = ", "peak = 0 #")
        given = json.dumps([QUERY, {}, {"output": "matches"}, str(path)])
        done = subprocess.run([sys.executable, "-c", script, given], capture_output=True, check=True, timeout=60)
        assert time.monotonic() - before < 60
    finally:
        writer.kill()
        writer.wait()
    told = json.loads(done.stdout)
    assert told["found"] >= 20_000
    assert told["summary"]["files"][0]["error"] is None


def started(*arguments: str, stdin: int | None = None) -> subprocess.Popen[bytes]:
    program = "from contraband.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


ALERTING = json.dumps(
    {
        "@timestamp": "2026-01-01T00:00:00Z",
        "event": {"category": ["process"], "type": ["start"], "action": "exec"},
        "process": {"name": "curl"},
    }
).encode()
RULE = """
[metadata]
[rule]
name = "Curl"
rule_id = "5d8ab1e2-0000-4000-8000-000000000001"
risk_score = 21
severity = "low"
type = "eql"
language = "eql"
description = "d"
query = 'process where process.name == "curl"'
"""


@LINUX
@pytest.mark.parametrize("way", ["stdin", "fifo", "unopened"])
def test_ctrl_c_while_nothing_comes(tmp_path: Path, way: str) -> None:
    (tmp_path / "rule.toml").write_text(RULE)
    rules = ("--rules", str(tmp_path / "rule.toml"), "--no-routing", "--format", "ndjson")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    process = started("scan", "-" if way == "stdin" else str(fifo), *rules, stdin=subprocess.PIPE)
    assert process.stdin is not None
    with fifo.open("wb", buffering=0) if way == "fifo" else nullcontext(process.stdin) as end:
        if way != "unopened":
            end.write(ALERTING + b"\n")
            end.flush()
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        process.wait(timeout=20)
        assert time.monotonic() - began < 5
    out, error = process.communicate()
    assert process.returncode == 130, error
    assert b"Traceback" not in error
    assert out.count(b"\n") == (0 if way == "unopened" else 1), error


@LINUX
def test_the_reader_of_the_output_goes_away(tmp_path: Path) -> None:
    (tmp_path / "rule.toml").write_text(RULE)
    path = tmp_path / "many.ndjson"
    path.write_bytes((ALERTING + b"\n") * 200_000)
    process = started("scan", str(path), "--rules", str(tmp_path / "rule.toml"), "--no-routing", "--format", "ndjson")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["kibana.alert.severity"] == "low"
    process.stdout.close()
    _, error = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"Traceback" not in error


# ---------------------------------------------------------------------------------- what waits until all events are known


def numbered(path: Path, count: int, *, padding: int = 900) -> Path:
    """Events of which each is a candidate: pairs of one key, in no order of time."""
    with path.open("w") as file:
        for number in range(count):
            key, moment = (number * 7919) % (count // 2), 1767225600000 + (number * 104729) % count
            file.write(
                f'{{"@timestamp":{moment},"event.category":"process","k":{key},"n":{number // (count // 2)},"a":"{"a" * padding}"}}\n'
            )
    return path


@LINUX
@pytest.mark.parametrize(
    "query",
    [
        "sequence by k [process where n == 0] [process where true]",
        "sample by k [process where n == 0] [process where n == 1]",
        "process where n == 0",
        "process where true | tail 20",
    ],
)
def test_events_that_wait_go_to_disk_and_nothing_changes(tmp_path: Path, query: str) -> None:
    path = numbered(tmp_path / "pairs.ndjson", 80_000)
    limits = {"output": "matches"}
    found, peak, _ = measured(path, query=query, memory=4 << 20, limits=limits)
    everything, in_memory, _ = measured(path, query=query, memory=1 << 40, limits=limits)
    assert found == everything > 10
    assert peak < 110
    if "tail" not in query:
        assert in_memory > peak + 10  # the limit is what keeps memory small
    assert not list(Path(tempfile.gettempdir()).glob("contraband-*.tmp"))


def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    path = numbered(tmp_path / "pairs.ndjson", 1_000)
    given = json.dumps(["sequence by k [any where true] [any where true]", {"memory": 1000}, {}, str(path)])
    environment = {**os.environ, "TMPDIR": str(tmp_path / "missing")}
    done = subprocess.run([sys.executable, "-c", MEASURED, given], capture_output=True, check=False, env=environment)
    assert b"EngineError: a temporary file in " in done.stderr


def test_too_many_join_keys_are_a_fault() -> None:
    event = {"@timestamp": 1, "k": [str(number) for number in range(10_001)]}
    plan = lower(compile_query("sequence by k [any where true] [any where true]"))
    scan = Engine([CompiledRule("q", plan)], EngineOptions(routing=False)).scan(
        [json.dumps(event).encode() + b"\n" + json.dumps({**event, "k": event["k"][:10_000]}).encode()],  # type: ignore[index]
        ScanOptions(output="matches"),
    )
    assert len(list(scan.documents())) == 10_000
    assert faults(scan.summary()) == {"too many join keys": 2}  # one of each stage
