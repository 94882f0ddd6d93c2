"""Coverage as a layer of the ATT&CK Navigator. Source: layer format 4.5 (mitre-attack/attack-navigator, layers/spec)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from contraband.coverage import Cell, Verdict
from contraband.detection.attack import AttackVersion, mapped
from contraband.detection.rules import Rule
from contraband.export.navigator import layer_versions

_SCORE = {Verdict.WORKS: 100, Verdict.PARTLY: 50, Verdict.NEVER: 0}


def coverage_layer(rules: Iterable[Rule], cells: Sequence[Cell]) -> dict[str, Any]:
    """One layer: each technique scored by the best that any rule for it can do, with the sources in its comment."""
    by_rule = {
        rule.slug: {entry.technique for entry in mapped(rule.document.get("threat") or (), AttackVersion.V18)}
        for rule in rules
    }
    techniques: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.verdict in _SCORE:
            for technique in by_rule.get(cell.rule, ()):
                techniques.setdefault(technique, []).append(cell)
    return {
        "name": "contraband coverage",
        "versions": layer_versions(AttackVersion.V18),
        "domain": "enterprise-attack",
        "description": "What the rules can do with what the sources record: 100 works, 50 partly, 0 never",
        "gradient": {"colors": ["#ff6666", "#ffe766", "#8ec843"], "minValue": 0, "maxValue": 100},
        "techniques": [_entry(technique, found) for technique, found in sorted(techniques.items())],
    }


def _entry(technique: str, cells: Sequence[Cell]) -> dict[str, Any]:
    sources = {
        name: max(_SCORE[cell.verdict] for cell in cells if cell.source == name)
        for name in {cell.source for cell in cells}
    }
    words = {100: "works", 50: "partly", 0: "never"}
    comment = "\n".join(f"{name}: {words[score]}" for name, score in sorted(sources.items()))
    return {"techniqueID": technique, "score": max(sources.values()), "comment": comment, "enabled": True}
