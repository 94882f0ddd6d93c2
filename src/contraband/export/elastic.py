"""Rules as Elastic's detection-rules keeps them: `rules/<system>/<tactic>_<rule>.toml` and `exceptions/<rule>.toml`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from contraband.detection.attack import AttackVersion, threat
from contraband.detection.compiled import Compiled
from contraband.detection.rules import Rule
from contraband.export.note import note_of, systems
from contraband.export.source import Exported, exception_document
from contraband.export.toml_writer import write


def export_elastic(rules: Iterable[Compiled], version: AttackVersion) -> Iterator[Exported]:
    """The files of all rules."""
    for compiled in rules:
        rule = compiled.rule
        document = {"metadata": dict(rule.metadata), "rule": rule_table(rule, version)}
        yield Exported(_path(rule), write(document))
        exceptions = exception_document(rule)
        if exceptions:
            bound = {"metadata": {**exceptions.get("metadata", {}), "rule_ids": [rule.id], "rule_names": [rule.name]}}
            yield Exported(f"exceptions/{_snake(rule.slug)}.toml", write({**exceptions, **bound}))


def rule_table(rule: Rule, version: AttackVersion) -> dict[str, Any]:
    """The `[rule]` table with its note, its mapping for a version of ATT&CK, and its confidence as a tag."""
    table = {key: value for key, value in rule.document.items() if key not in ("threat", "note", "query", "tags")}
    note = note_of(rule)
    if note:
        table["note"] = note
    table["tags"] = tags(rule)
    table["query"] = rule.query
    entries = threat(rule.document.get("threat") or (), version, unknown=set())
    return {**table, "threat": entries} if entries else table


def tags(rule: Rule) -> list[str]:
    """The rule's tags, and its confidence, for which Elastic's layout has no other place."""
    own = [str(tag) for tag in rule.document.get("tags") or ()]
    confidence = f"Confidence: {rule.sidecar.confidence.capitalize()}"
    return [*own, confidence] if rule.sidecar.confidence and confidence not in own else own


def _path(rule: Rule) -> str:
    named = systems(rule)
    folder = next(iter(named)).lower() if len(named) == 1 else "cross-platform"
    entries = rule.document.get("threat") or ()
    tactic = str(entries[0]["tactic"]["name"]) if entries else "other"
    return f"rules/{folder}/{_snake(tactic)}_{_snake(rule.slug)}.toml"


def _snake(name: str) -> str:
    return "".join(mark if mark.isalnum() else "_" for mark in name.lower())
