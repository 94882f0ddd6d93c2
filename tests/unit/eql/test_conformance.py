"""Elasticsearch's own conformance cases, where they are: head and tail, on the reference and on the core."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contraband.engine import EngineOptions, search
from contraband.eql import compile_query
from contraband.eql.reference import evaluate
from contraband.schema import Schema
from shared import shared_path

SETS = {
    "test_queries.toml": (("endgame-140",), "serial_event_id", "event.sequence"),
    "test_queries_date.toml": (("endgame-140",), "serial_event_id", "event.sequence"),
    "test_missing_events.toml": (("missing-events",), "sequence", "event.sequence"),
    "test_sample.toml": (("sample1", "sample2", "sample3"), "id", None),
}
TINY = EngineOptions(routing=False, chunk_size=1, read_size=7, threads=2)
UNFILTERED = EngineOptions(routing=False, filter=False, share=False, threads=1)


def _json(path: Path) -> Any:
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = "\n".join(line for line in lines if not line.strip().startswith(("#", "//")))
    return json.loads(kept.replace("[runtime_random_keyword_type]", "keyword"))


def _mapping(names: tuple[str, ...], folder: Path, events: list[dict[str, Any]]) -> Schema:
    indices = {name: {"mappings": _json(folder / f"{name}.mapping")} for name in names}
    known = {field for index in indices.values() for field in index["mappings"]["properties"]}
    properties: dict[str, Any] = {}
    # What the mapping does not name is mapped by its first value, as Elasticsearch does.
    for event in events:
        for name, value in event.items():
            if name not in known | properties.keys() and not isinstance(value, dict | list) and value is not None:
                properties[name] = {
                    "type": "long" if isinstance(value, int) and not isinstance(value, bool) else "keyword"
                }
    return Schema.from_mapping({**indices, "dynamic": {"mappings": {"properties": properties}}})


def _cases() -> Iterator[tuple[str, dict[str, Any], Schema, list[dict[str, Any]], str, str | None]]:
    folder = shared_path("eql-cases")
    for file, (names, identifier, tiebreaker) in SETS.items():
        events = [event for name in names for event in _json(folder / f"{name}.data")]
        if file.startswith("test_queries"):
            for event in events:
                event["@timestamp"] = event["timestamp"] // 10000 - 11644473600000
        schema = _mapping(names, folder, events)
        for case in tomllib.loads((folder / file).read_text(encoding="utf-8"))["queries"]:
            yield file, case, schema, events, identifier, tiebreaker


@pytest.mark.parametrize("position", ["head", "tail"])
def test_conformance(position: str) -> None:
    seen = 0
    wrong: list[str] = []
    for file, case, schema, events, identifier, tiebreaker in _cases():
        seen += 1
        query = compile_query(case["query"], schema, tiebreaker_field=tiebreaker)
        options = {
            "size": case.get("size", 50),
            "result_position": position,
            "max_samples_per_key": case.get("max_samples_per_key", 1),
        }
        expected = case["expected_event_ids"]
        accepted = expected if expected and isinstance(expected[0], list) else [expected]
        found = evaluate(query, events, **options)
        numbers = [*found.events, *(number for sequence in found.sequences for number in sequence.events)]
        got = {"reference": [-1 if number is None else events[number][identifier] for number in numbers]}
        for name, engine in (("core", None), ("tiny", TINY), ("unfiltered", UNFILTERED)):
            result = search(query, events, options=engine, **options)
            members = [*result.events, *(event for _, sequence in result.sequences for event in sequence)]
            got[name] = [-1 if event is None else event[identifier] for event in members]
        wrong.extend(f"{file} {case['name']} {name}: {ids}" for name, ids in got.items() if ids not in accepted)
        if "join_keys" in case:
            keys = [_text(key) for sequence in found.sequences for key in sequence.join_keys]
            if keys != [str(key) for key in case["join_keys"]]:
                wrong.append(f"{file} {case['name']} keys: {keys}")
    assert not wrong, "\n".join(wrong)
    assert seen >= 188


def _text(key: object) -> str:
    return "null" if key is None else str(key).lower() if isinstance(key, bool) else str(key)
