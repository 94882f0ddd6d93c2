"""The fields that every alert of a rule carries, as Elastic's alert documents name them, flat and dotted.

What comes from the event (its own fields, `@timestamp`, `kibana.alert.original_time`, the uuid, the ancestors) is added by the core.
Source: Elastic's alert schema, https://www.elastic.co/docs/reference/security/fields-and-object-schemas/alert-schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from contraband.detection.rules import Rule

# The rule's own keys that go into `kibana.alert.rule.*` under their own name. `note`, `setup` and `query` stay out: they are
# many times the size of an event and lie in the rule.
_COPIED = (
    "description",
    "tags",
    "references",
    "false_positives",
    "author",
    "license",
    "from",
    "to",
    "interval",
    "version",
    "max_signals",
)


def static_fields(rule: Rule) -> dict[str, Any]:
    """Everything about an alert that the event does not decide."""
    fields: dict[str, Any] = {
        "kibana.alert.status": "active",
        "kibana.alert.workflow_status": "open",
        "kibana.alert.severity": str(rule.severity),
        "kibana.alert.risk_score": rule.risk_score,
        "kibana.alert.rule.rule_id": rule.id,
        "kibana.alert.rule.uuid": rule.id,
        "kibana.alert.rule.name": rule.name,
        "kibana.alert.rule.type": "eql",
        "kibana.alert.rule.rule_type_id": "siem.eqlRule",
        "kibana.alert.rule.category": "Event Correlation Rule",
        "kibana.alert.rule.consumer": "siem",
        "kibana.alert.rule.producer": "siem",
        "kibana.alert.rule.severity": str(rule.severity),
        "kibana.alert.rule.risk_score": rule.risk_score,
        "kibana.space_ids": ["default"],
    }
    for key in _COPIED:
        if (value := rule.document.get(key)) not in (None, "", []):
            fields[f"kibana.alert.rule.{key}"] = value
    fields.setdefault("kibana.alert.rule.version", 1)
    if rule.building_block:
        fields["kibana.alert.building_block_type"] = str(rule.document["building_block_type"])
    if rule.sidecar.confidence:
        fields["contraband.rule.confidence"] = rule.sidecar.confidence
    fields.update(threat_fields(rule.document.get("threat", ())))
    if threat := rule.document.get("threat"):
        fields["kibana.alert.rule.threat"] = threat
    return fields


_REASON = (
    "[{event.category} event ][with process {process.name}, ][parent process {process.parent.name}, ][file {file.name}, ]"
    "[registry {registry.path}, ][destination {destination.ip}, ][by {user.name} ][on {host.name} ]"
)


def reason_template(rule: Rule) -> str:
    """The template of `kibana.alert.reason`: `{field}` stands for the event's value, a part in brackets is left out without one."""
    name = "".join(f"\\{letter}" if letter in "\\[]{}" else letter for letter in rule.name)
    return f"{_REASON}created {rule.severity} alert {name}."


def threat_fields(threats: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """`threat.*` of ECS, from the nested `threat` of a rule: tactics, techniques and sub-techniques side by side."""
    found: dict[str, list[str]] = {}

    def add(prefix: str, entry: Mapping[str, Any]) -> None:
        for key in ("id", "name", "reference"):
            values = found.setdefault(f"threat.{prefix}.{key}", [])
            if (value := entry.get(key)) and value not in values:
                values.append(str(value))

    framework = ""
    for threat in threats:
        framework = framework or str(threat.get("framework", ""))
        add("tactic", threat.get("tactic", {}))
        for technique in threat.get("technique", ()):
            add("technique", technique)
            for subtechnique in technique.get("subtechnique", ()):
                add("technique.subtechnique", subtechnique)
    fields: dict[str, Any] = {name: values for name, values in found.items() if values}
    return {"threat.framework": framework, **fields} if framework else fields
