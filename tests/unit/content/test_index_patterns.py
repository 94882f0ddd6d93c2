"""A rule's index patterns hold the data that its attacks are recorded in: each case again, its events placed as Elastic places them.

The cases themselves name no index, so that any rule sees them. The published rule is left out: its patterns lack sources that the page names.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_rules_of_the_package import FOLDERS, _events, _table

from contraband import load_rules
from contraband.detection.scan import prepare, start

OWN = [folder for folder in FOLDERS if folder.name != "published"]
ENDPOINT = {"file": "file", "network": "network", "registry": "registry", "library": "library", "driver": "library"}
#: The data streams and Beats that a source's events live in. A rule must reach the events in each of them.
PLACES: dict[str, list[dict[str, Any]]] = {
    "winlogbeat-sysmon": [
        {"agent": {"type": "winlogbeat"}},
        {"data_stream": {"dataset": "windows.sysmon_operational"}},
    ],
    "winlogbeat-security": [{"agent": {"type": "winlogbeat"}}, {"data_stream": {"dataset": "system.security"}}],
    "winlogbeat-application": [{"agent": {"type": "winlogbeat"}}, {"data_stream": {"dataset": "system.application"}}],
    "sysmon-linux": [{"data_stream": {"dataset": "sysmon_linux.log"}}],
    "auditd-manager": [{"agent": {"type": "auditbeat"}}, {"data_stream": {"dataset": "auditd_manager.auditd"}}],
}


def _placed(case: dict[str, Any], folder: Path) -> list[bytes]:
    events = _events(case, folder)
    if case["source"].startswith("endpoint-"):
        for event in events:
            categories = event["event"]["category"]
            first = categories if isinstance(categories, str) else categories[0]
            event["data_stream"] = {"dataset": f"endpoint.events.{ENDPOINT.get(first, 'process')}"}
        return [_lines(events)]
    return [_lines([event | place for event in events]) for place in PLACES[case["source"]]]


def _lines(events: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


@pytest.mark.parametrize("folder", OWN, ids=lambda folder: folder.name)
def test_attacks_are_seen_where_their_source_keeps_them(folder: Path) -> None:
    prepared = prepare(load_rules(str(folder / "rule.toml")))
    # A raw audit.log is of one source whatever it holds.
    attacks = [
        case
        for case in _table(folder / "cases.toml")["case"]
        if case["expect"] == "alert" and case["telemetry"][0].endswith(".ndjson")
    ]
    assert attacks
    for case in attacks:
        for number, text in enumerate(_placed(case, folder)):
            assert list(start(prepared, [text]).documents()), f"{case['name']}: place {number}"
