"""Rules and problems as JSON and back, for the cache of compiled rules. Of a rule nothing is lost; a problem keeps its message."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from contraband.detection.rules import Problem, Rule, Severity, Sidecar

_IN_DOCUMENT = ("query", "note", "name")
"""Texts that most rules have in their document as well."""


class _Rules(Mapping[str, Rule]):
    """By id, each read when it is asked for."""

    def __init__(self, lines: Mapping[str, bytes]) -> None:
        self._lines = lines

    def __getitem__(self, rule_id: str) -> Rule:
        return _rule(json.loads(self._lines[rule_id]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


def written_rules(rules: Mapping[str, Rule]) -> bytes:
    """A line with the ids and the lengths of what follows, then each rule. TypeError for values that JSON does not have."""
    lines = {rule_id: json.dumps(_document(rule)).encode() for rule_id, rule in rules.items()}
    return b"".join((json.dumps([[i, len(line)] for i, line in lines.items()]).encode(), b"\n", *lines.values()))


def read_rules(written: bytes) -> Mapping[str, Rule]:
    """The rules that `written_rules` wrote."""
    first, _, body = written.partition(b"\n")
    lines: dict[str, bytes] = {}
    place = 0
    for rule_id, length in json.loads(first):
        lines[rule_id] = body[place : place + length]
        place += length
    return _Rules(lines)


def written_problems(problems: Sequence[Problem]) -> bytes:
    """Without their diagnostics: the message says what they say."""
    return json.dumps(
        [
            {
                "path": None if problem.path is None else str(problem.path),
                "message": problem.message,
                "line": problem.line,
                "column": problem.column,
                "rule": problem.rule,
            }
            for problem in problems
        ]
    ).encode()


def read_problems(written: bytes) -> tuple[Problem, ...]:
    """The problems that `written_problems` wrote."""
    return tuple(
        Problem(**{**problem, "path": None if problem["path"] is None else Path(problem["path"])})
        for problem in json.loads(written)
    )


def _document(rule: Rule) -> dict[str, Any]:
    document = {field.name: getattr(rule, field.name) for field in fields(rule)}
    for name in _IN_DOCUMENT:
        if document[name] == rule.document.get(name):
            del document[name]
    sidecar = {field.name: getattr(rule.sidecar, field.name) for field in fields(rule.sidecar)}
    return {**document, "path": None if rule.path is None else str(rule.path), "sidecar": sidecar}


def _rule(stored: dict[str, Any]) -> Rule:
    document = {name: stored["document"][name] for name in _IN_DOCUMENT if name not in stored} | stored
    sidecar: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in document.pop("sidecar").items()
    }
    path, severity, index = document.pop("path"), document.pop("severity"), document.pop("index")
    return Rule(
        **document,
        path=None if path is None else Path(path),
        severity=Severity(severity),
        index=tuple(index),
        sidecar=Sidecar(**sidecar),
    )
