"""Rules in python-eql's own engine, read in its Elasticsearch syntax: `python -m benches.rivals.python_eql FILE RULES`.

Its engine knows no multi-valued fields in comparisons, so `event.category` and `event.type` are flattened to one value each: the
first category, and `start` where that is among the types. Documents are decoded with orjson, which is faster than its own reader.
Rules that it cannot read or convert, and sequences, are left out and counted.
"""

from __future__ import annotations

import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from eql.ast import EventQuery
from eql.engine import PythonEngine
from eql.errors import EqlError
from eql.events import Event
from eql.parser import elasticsearch_syntax, elasticsearch_validate_optional_fields, parse_query


def flatten(document: dict[str, Any]) -> Event:
    """The document as python-eql reads it, arrays of the event's own kind as one value."""
    event = document["event"]
    types = event["type"]
    event["category"] = event["category"][0]
    event["type"] = "start" if "start" in types else types[0]
    return Event(event["category"], 0, document)


def rule_files(path: Path) -> Iterator[tuple[str, str]]:
    """Id and query of each EQL rule of a file or folder."""
    files = [path] if path.is_file() else sorted(path.rglob("*.toml"))
    for file in files:
        rule = tomllib.loads(file.read_text(encoding="utf-8")).get("rule", {})
        if rule.get("language") == "eql":
            yield rule["rule_id"], rule["query"]


def engines(path: Path, hits: dict[str, list[str]]) -> tuple[list[PythonEngine], int]:
    """An engine a rule, and how many rules are left out."""
    made: list[PythonEngine] = []
    left_out = 0
    for identity, text in rule_files(path):
        found: list[str] = []
        engine = PythonEngine()
        try:
            with elasticsearch_syntax, elasticsearch_validate_optional_fields:
                query = parse_query(text, implied_any=False)
            if not isinstance(query.first, EventQuery) or query.pipes:
                left_out += 1
                continue
            engine.add_query(query)
        except (EqlError, TypeError, ValueError, KeyError, NotImplementedError):
            left_out += 1
            continue
        engine.add_output_hook(lambda output, found=found: found.extend(e.data["event"]["id"] for e in output.events))
        hits[identity] = found
        made.append(engine)
    return made, left_out


def main() -> None:
    """Print the ids that each rule matched."""
    hits: dict[str, list[str]] = {}
    made, left_out = engines(Path(sys.argv[2]), hits)
    began = time.perf_counter()
    failed = 0
    with Path(sys.argv[1]).open("rb") as stream:
        for line in stream:
            event = flatten(orjson.loads(line))
            for engine in made:
                try:
                    engine.stream_event(event)
                except (TypeError, AttributeError, ValueError, KeyError):
                    failed += 1  # its engine stumbles over an array: no match
    answer = {"seconds": time.perf_counter() - began, "hits": hits, "rules": len(made), "left_out": left_out}
    print(orjson.dumps({**answer, "failed": failed, "ids": [found for ids in hits.values() for found in ids]}).decode())


if __name__ == "__main__":
    main()
