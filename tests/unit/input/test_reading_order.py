"""Files that threads read at any place, and lines among them that must be read in order: the answer is that of reading in order."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from contraband.engine import CompiledRule, Engine, EngineOptions, ScanOptions
from contraband.eql import compile_query
from contraband.plan import lower

RULES = {
    "sh": 'process where process.name : "sh*"',
    "parent": 'process where process.parent.name == "dpkg"',
    "two": 'sequence by host.id [process where process.name == "dpkg"] [process where process.name : "sh*"]',
}
# A short file is read in order, whatever may come of it: this is the yardstick.
IN_ORDER = EngineOptions(threads=1)
CUTS = [
    EngineOptions(threads=threads, chunk_size=chunk_size, read_size=read_size)
    for threads, chunk_size, read_size in [(1, 300, 64), (2, 64, 4096), (3, 1000, 7), (2, 5000, 1 << 20)]
]


def line(number: int, *, audit: bool = False) -> bytes:
    """One process start; one of auditd lacks what the process table adds."""
    args = random.choice([["sh", "-c", "x"], ["dpkg", "-i"], ["curl"], ["sh"]])
    document: dict[str, Any] = {
        "@timestamp": f"2026-11-24T03:{number // 60 % 60:02}:{number % 60:02}.000Z",
        "host": {"id": f"h{number % 2}"},
        "event": {"category": ["process"], "type": ["start"], "module": "auditd" if audit else "endpoint"},
        "process": {"pid": random.randrange(10, 20), "name": args[0], "args": args, "parent": {"pid": random.randrange(10, 20)}},
    }  # fmt: skip
    return json.dumps(document).encode() + b"\n"


def scan(paths: list[Path], options: EngineOptions) -> tuple[bytes, dict[str, Any]]:
    """All alerts and what was counted."""
    rules = [CompiledRule(id=name, plan=lower(compile_query(query))) for name, query in RULES.items()]
    running = Engine(rules, options).scan([str(path) for path in paths], ScanOptions())
    out = b"".join(running)
    summary = running.summary()
    for file in summary["files"]:
        # Which records the filter passes over is a matter of what it saw.
        file["read"] = file.pop("parsed") + file.pop("skipped")
    return out, summary


@pytest.mark.parametrize(
    "audited",
    [[], [0], [150], [299], [150, 151, 200], list(range(40, 300, 3))],
    ids=lambda value: f"{len(value)}-{value[:1]}",
)
def test_lines_that_need_the_process_table_are_read_in_order_from_the_first_on(
    tmp_path: Path, audited: list[int]
) -> None:
    random.seed(f"{audited}")
    folder = tmp_path / "evidence"
    folder.mkdir()
    lines = [line(number, audit=number in audited) for number in range(300)]
    lines[20] = b"\n"
    lines[21] = b"{broken\n"
    lines[100] = b'{"padding":"' + b"x" * 3000 + b'"}\n'
    (folder / "a.ndjson").write_bytes(b"".join(lines))
    (folder / "b.ndjson").write_bytes(b"".join(line(number, audit=True) for number in range(300, 320)))
    (folder / "c.ndjson").write_bytes(b"".join(line(number) for number in range(320, 400)))
    expected, told = scan([folder], IN_ORDER)
    assert expected
    for options in CUTS:
        out, summary = scan([folder], options)
        assert out == expected
        assert summary == told


def test_lines_that_must_be_read_in_order_may_be_long_or_the_last(tmp_path: Path) -> None:
    random.seed(1)
    path = tmp_path / "a.ndjson"
    text = b"".join(line(number) for number in range(100))
    path.write_bytes(text + line(100, audit=True)[:-2] + b',"x":"' + b"y" * 20_000 + b'"}')
    expected, told = scan([path], IN_ORDER)
    for options in CUTS:
        assert scan([path], options) == (expected, told)


@pytest.mark.parametrize("audited", [[], [0], [50]], ids=str)
def test_a_blank_line_is_no_record_but_is_counted_in_the_numbers_of_those_after_it(
    tmp_path: Path, audited: list[int]
) -> None:
    path = tmp_path / "a.ndjson"
    blank = {3: b"\n", 4: b" \t\r\n", 49: b"\n", 51: b"\n", 90: b"\n"}
    path.write_bytes(b"".join(blank.get(number) or line(number, audit=number in audited) for number in range(100)))
    with path.open("ab") as file:
        file.write(b"{broken\n")
    for options in [IN_ORDER, *CUTS]:
        _, summary = scan([path], options)
        assert summary["files"][0]["records"] == 100 - len(blank) + 1
        assert summary["faults"][str(path)]["broken JSON"]["first"][0][0] == 101


def test_a_scan_that_is_stopped_before_the_end_ends(tmp_path: Path) -> None:
    random.seed(2)
    path = tmp_path / "a.ndjson"
    path.write_bytes(b"".join(line(number, audit=number == 15_000) for number in range(20_000)))
    engine = Engine(
        [CompiledRule(id="any", plan=lower(compile_query("any where true")))], EngineOptions(threads=2, chunk_size=512)
    )
    running = engine.scan([str(path)])
    first = next(iter(running))
    assert first
    running.stop()
    assert len(list(running)) < 20_000
