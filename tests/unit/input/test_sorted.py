"""`--sorted`: alerts of sequences come out while events come in, and are the same as without it; what is out of order is named."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest
from test_bounds import measured

from contraband.engine import CompiledRule, Engine, EngineOptions, ScanOptions
from contraband.eql import compile_query
from contraband.plan import lower
from contraband.schema import Schema

SCHEMA = Schema.from_types({"@timestamp": "date", "k": "keyword", "n": "long", "seq": "long"})
QUERIES = {
    "a event": 'any where k == "c" and n == 1',
    "pair": 'sequence by n [any where k == "a"] [any where k == "b"]',
    "window": 'sequence by n with maxspan=4ms [any where k == "a"] [any where k != "a"] until [any where k == "c"]',
    "runs": 'sequence with maxspan=10ms [any where k == "a"] with runs=3 [any where k == "b"]',
    "missing": 'sequence by ?n with maxspan=5ms [any where k == "a"] ![any where k == "c"] [any where k == "b"]',
    "ends": 'sequence with maxspan=5ms ![any where k == "c"] [any where k == "a"] [any where k == "b"] ![any where k == "d"]',
    "head": 'sequence by n [any where k == "a"] [any where k == "b"] | tail 2',
    "sample": 'sample by n [any where k == "a"] [any where k == "b"]',
}
OPTIONS = (
    EngineOptions(routing=False),
    EngineOptions(routing=False, chunk_size=1, read_size=11, threads=2),
    EngineOptions(routing=False, filter=False, chunk_size=400, threads=1),
)


def rules() -> list[CompiledRule]:
    """Every query, once with a tiebreaker and once without."""
    plans = {
        f"{name} {tiebreaker}": lower(compile_query(query, SCHEMA, tiebreaker_field=tiebreaker))
        for name, query in QUERIES.items()
        for tiebreaker in (None, "seq")
    }
    return [CompiledRule(name, plan) for name, plan in plans.items()]


def events(number: int, count: int = 120) -> bytes:
    dice, moment, lines = random.Random(number), 1767225600000, []
    for _ in range(count):
        moment += dice.choice((0, 0, 1, 1, 2, 7))
        event: dict[str, Any] = {"@timestamp": moment, "k": dice.choice("aabbcd"), "seq": dice.randrange(3)}
        if dice.random() < 0.8:
            event["n"] = dice.choice((1, 2, [1, 2]))
        lines.append(json.dumps(event))
    return "\n".join(lines).encode()


def scan(text: bytes, options: EngineOptions, *, in_order: bool) -> tuple[list[bytes], dict[str, Any]]:
    running = Engine(rules(), options).scan([text], ScanOptions(sorted=in_order))
    lines = [line for block in running for line in block.splitlines()]
    return lines, running.summary()


@pytest.mark.parametrize("number", range(12))
def test_the_alerts_are_the_same(number: int) -> None:
    text = events(number)
    expected, summary = scan(text, OPTIONS[0], in_order=False)
    first, streamed = scan(text, OPTIONS[0], in_order=True)
    assert sorted(first) == sorted(expected)
    assert len(first) > 100
    assert streamed["alerts"] == summary["alerts"]
    assert not streamed["faults"]
    for options in OPTIONS[1:]:
        assert scan(text, options, in_order=True)[0] == first


def test_an_event_out_of_order_is_named() -> None:
    lines = [
        {"@timestamp": moment, "k": letter, "n": 1}
        for moment, letter in ((1767225600005, "a"), (1767225600004, "b"), (1767225600006, "b"))
    ]
    found, summary = scan("\n".join(map(json.dumps, lines)).encode(), OPTIONS[0], in_order=True)
    (faults,) = summary["faults"].values()
    told = faults["event out of order"]
    assert told["count"] == 1
    record, offset, message = told["first"][0]
    assert (record, offset) == (2, len(json.dumps(lines[0])) + 1)
    assert "2026-01-01T00:00:00.004Z" in message
    assert summary["alerts"]["pair None"] == 1
    records = {json.loads(line)["contraband.origin.record"] for line in found if b'"pair None"' in line}
    assert 2 not in records


def test_an_alert_comes_before_the_input_ends(tmp_path: Path) -> None:
    """The first block of output is there long before the last event is read."""
    path = tmp_path / "many.ndjson"
    with path.open("w") as file:
        for number in range(120_000):
            event = {"@timestamp": 1767225600000 + number, "k": "ab"[number % 2], "n": number // 2, "pad": "x" * 200}
            file.write(json.dumps(event) + "\n")
    running = Engine(
        [CompiledRule("pair", lower(compile_query(QUERIES["pair"], SCHEMA)))], EngineOptions(routing=False, threads=1)
    ).scan([str(path)], ScanOptions(sorted=True))
    block = next(iter(running))
    read, total = running.progress()
    assert block.count(b"\n") > 10
    assert read < total
    running.stop()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peak memory as Linux has it")
def test_memory_stays_flat(tmp_path: Path) -> None:
    query = 'sequence by process.pid with maxspan=1s [process where process.name == "a"] [process where process.name == "b"]'

    def peak(count: int) -> int:
        path = tmp_path / f"{count}.ndjson"
        with path.open("w") as file:
            for number in range(count):
                event = {
                    "@timestamp": 1767225600000 + 10 * number,
                    "event.category": "process",
                    "process": {"name": "ab"[number // 50 % 2], "pid": number % 50 + number // 100 * 50},
                    "pad": "x" * 700,
                }
                file.write(json.dumps(event) + "\n")
        found, most, _ = measured(path, query=query, limits={"sorted": True}, threads=1)
        assert found == count // 2 * 3  # an alert, and one for each of the two events
        return most

    assert peak(60_000) < peak(6_000) + 30
