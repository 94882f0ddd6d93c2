"""Alerts as SARIF 2.1.0: the location is the telemetry file and the record (the line, for line formats)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from contraband.detection.rules import Rule
from contraband.output.fields import text

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"low": "note", "medium": "warning", "high": "error", "critical": "error"}


def write(
    alerts: Sequence[Mapping[str, Any]], *, rules: Mapping[str, Rule], width: int = 0, color: bool = False
) -> str:
    """One run with the rules that ran and a result an alert."""
    run = {
        "tool": {
            "driver": {
                "name": "contraband",
                "informationUri": "https://attack.mitre.org/techniques/T1546/016/",
                "rules": [_rule(rule) for rule in rules.values()],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(alert) for alert in alerts],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.name},
        "fullDescription": {"text": str(rule.document.get("description", rule.name))},
        "defaultConfiguration": {"level": _LEVELS[str(rule.severity)]},
        "properties": {"security-severity": f"{rule.risk_score / 10:.1f}", "tags": list(rule.document.get("tags", []))},
    }


def _result(alert: Mapping[str, Any]) -> dict[str, Any]:
    uri = PurePath(str(alert["contraband.origin.path"])).as_posix()
    line = max(int(alert["contraband.origin.record"]), 1)
    region = {"startLine": line, "byteOffset": int(alert["contraband.origin.offset"])}
    return {
        "ruleId": alert["kibana.alert.rule.rule_id"],
        "level": _LEVELS[str(alert["kibana.alert.severity"])],
        "message": {"text": text(alert, "kibana.alert.reason", "kibana.alert.rule.name")},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}],
        "partialFingerprints": {"alertUuid/v1": alert["kibana.alert.uuid"]},
    }
