"""Bad input: a clear fault with file and place, the rest still read, nothing lost in silence."""

from __future__ import annotations

import gzip
import json
import os
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest

from contraband.engine import CompiledRule, Engine, EngineOptions, ScanOptions
from contraband.eql import compile_query
from contraband.plan import lower

EVENT = {"@timestamp": "2026-01-01T00:00:00Z", "event": {"category": ["process"]}, "process": {"name": "curl"}}
LINE = json.dumps(EVENT).encode()
QUERY = 'process where process.name == "curl"'


def scan(
    *inputs: str | bytes, options: EngineOptions | None = None, strict: bool = False
) -> tuple[int, dict[str, Any]]:
    """How many events match, and the summary."""
    engine = Engine([CompiledRule("q", lower(compile_query(QUERY)))], options or EngineOptions(routing=False))
    running = engine.scan(list(inputs), ScanOptions(output="matches", strict=strict))
    found = len(list(running.documents()))
    return found, running.summary()


def faults(summary: dict[str, Any]) -> dict[str, list[Any]]:
    return {kind: found["first"] for kinds in summary["faults"].values() for kind, found in kinds.items()}


def test_broken_lines_are_named_and_the_rest_is_read() -> None:
    found, summary = scan(LINE + b"\n" + b'{"process": curl}\n' + LINE + b"\n" + LINE[:-1] + b"\n" + LINE)
    assert found == 3
    told = [place for kind in faults(summary).values() for place in kind]
    assert sorted(place[0] for place in told) == [2, 4]
    assert sorted(place[1] for place in told) == [len(LINE) + 1, 2 * len(LINE) + 20]


def test_invalid_utf8_and_lone_surrogates() -> None:
    surrogate = LINE.replace(b"curl", b"cu\\ud800rl")
    found, summary = scan(b'{"process": "\xff\xfe curl"}\n' + surrogate + b"\n" + LINE)
    assert found == 1
    assert list(faults(summary)) == ["invalid UTF-8"]


def test_deep_nesting_is_a_fault() -> None:
    deep = b'{"a":' * 100_000 + b'"curl"' + b"}" * 100_000
    found, summary = scan(deep + b"\n" + LINE)
    assert found == 1
    assert list(faults(summary)) == ["nested too deep"]


def test_duplicate_keys_are_a_fault_and_the_last_value_counts() -> None:
    found, summary = scan(b'{"event":{"category":"process"},"process":{"name":"x","name":"curl"}}')
    assert found == 1
    assert list(faults(summary)) == ["duplicate key"]


def test_lines_beyond_the_limit_are_passed_over() -> None:
    options = EngineOptions(routing=False, max_line=1000, read_size=64, chunk_size=128)
    long = b'{"process": "' + b"x" * 5000 + b'"}'
    found, summary = scan(LINE + b"\n" + long + b"\n" + LINE, options=options)
    assert found == 2
    assert list(faults(summary)) == ["line too long"]


def test_cut_gzip_gives_what_came_before_the_cut(tmp_path: Path) -> None:
    lines = b"\n".join(json.dumps({**EVENT, "n": random.random()}).encode() for _ in range(5000))
    packed = gzip.compress(lines)
    path = tmp_path / "cut.ndjson.gz"
    path.write_bytes(packed[: len(packed) // 2])
    found, summary = scan(str(path))
    assert 1000 < found < 5000
    assert summary["files"][0]["error"]


def test_archives_are_read_member_by_member(tmp_path: Path) -> None:
    path = tmp_path / "evidence.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b.ndjson", LINE)
        archive.writestr("a/c.ndjson.gz", gzip.compress(LINE))
    found, summary = scan(str(path))
    assert found == 2
    assert [file["path"] for file in summary["files"]] == [f"{path}!a/c.ndjson.gz", f"{path}!b.ndjson"]


def test_utf16_arrays_and_search_responses() -> None:
    response = {"took": 1, "hits": {"total": {"value": 1}, "hits": [{"_index": "x", "_id": "1", "_source": EVENT}]}}
    array = json.dumps([EVENT, EVENT], indent=2)
    for text, expected in ((json.dumps(EVENT), 1), (array, 2), (json.dumps(response), 1)):
        for encoding in ("utf-8", "utf-8-sig", "utf-16"):
            assert scan(text.encode(encoding))[0] == expected, (text[:30], encoding)


def test_paths_that_are_no_telemetry(tmp_path: Path) -> None:
    (tmp_path / "empty.ndjson").write_bytes(b"")
    (tmp_path / "x.ndjson").mkdir()
    (tmp_path / "x.ndjson" / "inside").write_bytes(LINE)
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 300)
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "fifo")
    found, summary = scan(str(tmp_path), str(tmp_path / "missing"))
    assert found == 1
    errors = {Path(file["path"]).name: file["error"] for file in summary["files"] if file["error"]}
    assert set(errors) == {"binary", "dangling", "fifo", "missing"}
    assert {Path(file["path"]).name for file in summary["files"]} == {*errors, "empty.ndjson", "inside"}


@pytest.mark.parametrize("seed", range(30))
def test_mutated_input_never_ends_a_scan_and_options_change_nothing(seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(b"\n".join([LINE] * 50))
    for _ in range(chance.randrange(1, 30)):
        at = chance.randrange(len(data))
        choice = chance.randrange(3)
        if choice == 0:
            data[at] = chance.randrange(256)
        elif choice == 1:
            del data[at : at + chance.randrange(1, 40)]
        else:
            data[at:at] = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 20)))
    expected, summary = scan(bytes(data), strict=True)
    for options in (
        EngineOptions(routing=False, threads=1, chunk_size=64, read_size=7),
        EngineOptions(routing=False, threads=2, chunk_size=1000, read_size=1000),
        EngineOptions(routing=False, filter=False),
    ):
        found, other = scan(bytes(data), options=options, strict=True)
        assert found == expected
        assert other["faults"] == summary["faults"]
