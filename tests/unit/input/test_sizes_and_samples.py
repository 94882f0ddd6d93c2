"""What must not depend on how a file is cut into pieces, and what the summary says of records that the filter passes over."""

from __future__ import annotations

import json
import random

import pytest

from contraband.engine import CompiledRule, Engine, EngineOptions
from contraband.eql import compile_query
from contraband.plan import lower


def event(name: str, **more: object) -> bytes:
    document = {"@timestamp": "2026-01-01T00:00:00Z", "event": {"category": ["process"]}, "process": {"name": name}}
    return json.dumps({**document, "data_stream": {"dataset": "endpoint.events.process"}, **more}).encode() + b"\n"


def scan(data: bytes, index: tuple[str, ...] = (), **options: object) -> tuple[bytes, dict[str, object]]:
    plan = lower(compile_query('process where process.name : "msiexec.exe"'))
    engine = Engine([CompiledRule(id="r", plan=plan, index=index)], EngineOptions(**options))
    running = engine.scan([data])
    return b"".join(running), running.summary()


CUTS = [
    {"threads": 1},
    {"threads": 2, "chunk_size": 64, "read_size": 7},
    {"threads": 2, "chunk_size": 4096, "read_size": 64},
]


@pytest.mark.parametrize("cut", [*CUTS, {"threads": 2, "chunk_size": 4 << 20}])
def test_records_after_a_line_that_is_too_long_keep_their_numbers(cut):
    data = event("a.exe") + b'{"x":"' + b"y" * 5000 + b'"}\n' + event("msiexec.exe")
    out, summary = scan(data, max_line=1000, **cut)
    alert = json.loads(out)
    assert (alert["contraband.origin.record"], alert["contraband.origin.offset"]) == (3, data.rindex(b"\n", 0, -1) + 1)
    [(record, offset, _)] = summary["faults"]["<memory>"]["line too long"]["first"]
    assert (record, offset) == (2, len(event("a.exe")))


def test_a_rule_whose_events_are_there_is_not_said_to_see_nothing():
    data = event("a.exe", padding="x" * 1000) * 400
    _, summary = scan(data, index=("logs-endpoint.events.process-*",))
    assert summary["unseen"] == []
    assert summary["files"][0]["skipped"] > 200
    _, summary = scan(data, index=("winlogbeat-*",))
    assert summary["unseen"] == ["r"]


def test_damaged_lines_never_stop_a_scan_and_cuts_and_filter_change_nothing():
    random.seed(20261124)
    base = b"".join(event(random.choice(["a.exe", "MSIEXEC.EXE", "x"]), n=n) for n in range(40))
    for _ in range(60):
        damaged = bytearray(base)
        for _ in range(random.randrange(6)):
            at = random.randrange(len(damaged))
            damaged[at : at + random.randrange(30)] = random.randbytes(random.randrange(4))
        expected, told = scan(bytes(damaged))
        for cut in CUTS:
            out, summary = scan(bytes(damaged), **cut)
            assert (out, summary["faults"]) == (expected, told["faults"])
        assert scan(bytes(damaged), filter=False)[0] == expected
