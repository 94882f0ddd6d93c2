"""Reads spec files: Markdown in which each heading of level two is one test, and writes observed results back into them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contraband.diagnostics import CompileError
from contraband.engine import EngineOptions, SearchError, search
from contraband.eql import CheckedQuery, compile_query
from contraband.eql.reference import EvaluationError, evaluate
from contraband.schema import Schema

_BLOCK = re.compile(r"^```(eql|schema|events|options|matches|sequences|error)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXPECTATIONS = ("matches", "sequences", "error")

ENGINES: dict[str, EngineOptions | None] = {
    "reference": None,
    "core": EngineOptions(routing=False, enrich=False),
    "core-unfiltered": EngineOptions(routing=False, enrich=False, filter=False),
    "core-unshared": EngineOptions(routing=False, enrich=False, share=False),
    "core-tiny": EngineOptions(routing=False, enrich=False, chunk_size=1, read_size=7, threads=1),
    "core-two-threads": EngineOptions(routing=False, enrich=False, chunk_size=64, threads=2),
}


@dataclass(frozen=True)
class Case:
    """One heading."""

    file: Path
    title: str
    blocks: dict[str, str]
    span: tuple[int, int] = field(repr=False)

    @property
    def expected(self) -> tuple[str, str]:
        """Which kind of result is expected, and its text."""
        kind = next(kind for kind in EXPECTATIONS if kind in self.blocks)
        return kind, self.blocks[kind]


def read_cases(path: Path) -> list[Case]:
    text = path.read_text("utf-8")
    edges = [*re.finditer(r"^## (.+)$", text, re.MULTILINE)]
    ends = [edge.start() for edge in edges[1:]] + [len(text)]
    return [_case(path, text, edge, end) for edge, end in zip(edges, ends, strict=True)]


def _case(path: Path, text: str, heading: re.Match[str], end: int) -> Case:
    blocks = {match[1]: match[2] for match in _BLOCK.finditer(text, heading.start(), end)}
    case = Case(path, heading[1], blocks, (heading.start(), end))
    if "eql" not in blocks or not any(kind in blocks for kind in EXPECTATIONS):
        raise ValueError(f"{path.name}: `{case.title}` needs an eql block and an expectation")
    return case


def observe(case: Case, engine: str) -> tuple[str, str]:
    """What an engine makes of a case, in the form in which it is written down."""
    query_text = case.blocks["eql"].rstrip("\n")
    options: dict[str, Any] = json.loads(case.blocks.get("options", "{}"))
    names = {"timestamp_field", "tiebreaker_field", "event_category_field"}
    try:
        query = compile_query(query_text, _schema(case), **{key: options[key] for key in names & options.keys()})
    except CompileError as error:
        return "error", error.render() + "\n"
    events = [json.loads(line) for line in case.blocks.get("events", "").splitlines() if line.strip()]
    rest = {key: value for key, value in options.items() if key not in names}
    try:
        return _found(query, events, rest, ENGINES[engine])
    except (EvaluationError, SearchError):
        return "error", "the search fails\n"


def _schema(case: Case) -> Schema | None:
    if "schema" not in case.blocks:
        return None
    given = json.loads(case.blocks["schema"])
    if all(isinstance(kind, dict) and "mappings" in kind for kind in given.values()):
        return Schema.from_mapping(given)
    types = {"@timestamp": "date", "event.category": "keyword"} | given
    if all(isinstance(kind, str) for kind in types.values()):
        return Schema.from_types(types)
    return Schema.from_mapping(
        {"properties": {name: {"type": kind} if isinstance(kind, str) else kind for name, kind in types.items()}}
    )


def _found(
    query: CheckedQuery, events: list[dict[str, Any]], rest: dict[str, Any], options: EngineOptions | None
) -> tuple[str, str]:
    sequences: list[tuple[Any, list[Any]]]
    if options is None:
        result = evaluate(query, events, **rest)
        hits = [events[number]["id"] for number in result.events]
        sequences = [
            (found.join_keys, [None if number is None else events[number]["id"] for number in found.events])
            for found in result.sequences
        ]
    else:
        answer = search(query, events, options=options, **rest)
        hits = [event["id"] for event in answer.events]
        sequences = [
            (keys, [None if event is None else event["id"] for event in members]) for keys, members in answer.sequences
        ]
    if query.kind == "event":
        return "matches", "".join(f"{hit}\n" for hit in hits)
    lines = [json.dumps({"by": list(keys), "events": members}) for keys, members in sequences]
    return "sequences", "".join(f"{line}\n" for line in lines)


def accept(path: Path) -> None:
    """Write what the reference makes of each case of a file into it; the difference is for a person to review."""
    text = path.read_text("utf-8")
    for case in reversed(read_cases(path)):
        kind, observed = observe(case, "reference")
        start, end = case.span
        section = _BLOCK.sub(
            lambda match, kind=kind, observed=observed: (
                f"```{kind}\n{observed}```" if match[1] in EXPECTATIONS else match[0]
            ),
            text[start:end],
        )
        text = text[:start] + section + text[end:]
    path.write_text(text, "utf-8")
