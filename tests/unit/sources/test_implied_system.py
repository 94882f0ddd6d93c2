"""Events of Windows and Linux sensors that do not name their system have it added, and rules see it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contraband.detection.routing import declarations
from contraband.engine import CompiledRule, Engine, EngineOptions, ScanOptions
from contraband.eql import compile_query
from contraband.plan import lower

QUERY = 'process where host.os.type == "windows" and process.parent.name : "msiexec.exe"'
PROCESS = {"name": "cmd.exe", "parent": {"name": "msiexec.exe"}}
#: Winlogbeat as it forwards the events of other hosts: nothing of the host but its name.
FORWARDED = {
    "@timestamp": "2026-01-02T03:04:05Z",
    "agent": {"type": "winlogbeat"},
    "event": {"category": ["process"], "module": "security"},
    "host": {"name": "ws1"},
    "process": PROCESS,
    "winlog": {"channel": "Security"},
}


def found(event: dict[str, Any], query: str = QUERY, **options: Any) -> list[dict[str, Any]]:
    given = EngineOptions(routing=False, declarations=declarations(), **options)
    engine = Engine([CompiledRule("query", lower(compile_query(query)))], given)
    # Many lines, so that the raw filter is asked beyond the lines that are always read.
    text = "".join(json.dumps(event) + "\n" for _ in range(2000)).encode()
    results = list(engine.scan([text], ScanOptions(output="events")).documents())
    assert len(results) in (0, 2000)
    return results[:1]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("filter", [True, False])
def test_a_forwarded_event_is_seen_by_rules_for_windows(threads: int, filter: bool) -> None:
    (event,) = found(FORWARDED, threads=threads, filter=filter, chunk_size=4096)
    assert event["host.os.type"] == "windows"
    assert event["contraband.added"] == ["host.os.type"]
    assert event["process"] == PROCESS


def test_nothing_is_added_without_enrichment() -> None:
    assert found(FORWARDED, enrich=False) == []


def test_a_recorded_system_stays() -> None:
    event = FORWARDED | {"host": {"name": "lin1", "os": {"type": "linux"}}}
    assert found(event) == []
    (same,) = found(event, 'process where host.os.type == "linux"')
    assert same == event


@pytest.mark.parametrize(
    ("telling", "system"),
    [
        ({"agent": {"type": "filebeat"}, "winlog": {"channel": "Setup"}}, "windows"),
        ({"data_stream": {"dataset": "windows.sysmon_operational"}, "event": {"module": "sysmon"}}, "windows"),
        ({"winlog": {"channel": "Linux-Sysmon/Operational"}, "event": {"module": "sysmon"}}, "linux"),
        ({"data_stream": {"dataset": "sysmon_linux.log"}}, "linux"),
        ({"agent": {"type": "auditbeat"}, "event": {"module": "file_integrity"}}, None),
        ({"event": {"module": "endpoint"}}, None),
        ({}, None),
    ],
)
def test_the_source_decides(telling: dict[str, Any], system: str | None) -> None:
    event = {"@timestamp": "2026-01-02T03:04:05Z", **telling}
    (seen,) = found(event, "any where true")
    assert seen.get("host.os.type") == system
