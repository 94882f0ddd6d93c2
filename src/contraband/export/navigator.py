"""An ATT&CK Navigator layer (format 4.5) of what rules detect: one entry a technique and tactic, scored by the number of rules.

Source: https://github.com/mitre-attack/attack-navigator/blob/master/layers/spec/v4.5/layerformat.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from contraband.detection.attack import AttackVersion, Mapped, mapped
from contraband.detection.compiled import Compiled
from contraband.detection.rules import Rule
from contraband.export.note import systems

COLOURS = ["#ffffff", "#66b1ff"]


def export_navigator(rules: Iterable[Compiled], version: AttackVersion, *, name: str) -> str:
    """The layer as JSON."""
    listed = [compiled.rule for compiled in rules]
    found: dict[tuple[str, str], list[Rule]] = {}
    for rule in listed:
        for entry in mapped(rule.document.get("threat") or (), version):
            found.setdefault((entry.technique, shortname(entry)), []).append(rule)
    most = max((len(below) for below in found.values()), default=1)
    layer = {
        "name": name,
        "versions": layer_versions(version),
        "domain": "enterprise-attack",
        "description": f"{len(listed)} rules; the score of a technique is the number of rules that are mapped to it.",
        "filters": {"platforms": sorted({system for rule in listed for system in systems(rule)})},
        "sorting": 3,
        "layout": {"layout": "side", "showID": True, "showName": True, "expandedSubtechniques": "annotated"},
        "hideDisabled": False,
        "techniques": [_technique(key, found[key]) for key in sorted(found)],
        "gradient": {"colors": COLOURS, "minValue": 0, "maxValue": most},
        "legendItems": [{"label": "rules", "color": COLOURS[-1]}],
        "showTacticRowBackground": False,
        "selectTechniquesAcrossTactics": False,
        "selectSubtechniquesWithParent": False,
    }
    return json.dumps(layer, indent=2, ensure_ascii=False) + "\n"


def layer_versions(version: AttackVersion) -> dict[str, str]:
    """What every layer of ours says it is written for."""
    return {"attack": str(version), "navigator": "5.1.0", "layer": "4.5"}


def shortname(entry: Mapped) -> str:
    """A tactic as layers and Sigma tags name it."""
    return entry.tactic_name.lower().replace(" ", "-")


def _technique(key: tuple[str, str], rules: list[Rule]) -> Mapping[str, Any]:
    technique, tactic = key
    severities = sorted({rule.severity for rule in rules}, key=lambda severity: -severity.rank)
    return {
        "techniqueID": technique,
        "tactic": tactic,
        "score": len(rules),
        "comment": "; ".join(rule.name for rule in rules),
        "enabled": True,
        "metadata": [{"name": "highest severity", "value": str(severities[0])}],
        "links": [],
        "showSubtechniques": "." in technique,
    }
