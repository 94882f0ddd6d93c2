"""Rules as Kibana imports them: one JSON object a line, rules, then exception lists, then their items, then the summary.

Source: https://www.elastic.co/docs/api/doc/kibana/operation/operation-importrules.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from contraband.detection.attack import AttackVersion
from contraband.detection.compiled import Compiled
from contraband.detection.rules import Rule
from contraband.eql import CheckedQuery
from contraband.eql.analysis import checked
from contraband.eql.walk import nodes
from contraband.export.elastic import rule_table
from contraband.export.source import exception_document
from contraband.schema import Schema

NAMESPACE = uuid.UUID("5b0c4a57-6d2f-5d5a-9a3e-0c6f5a1c1546")
"""Ids of exception lists and items are UUIDv5 of this: a second export overwrites the first."""

# The oldest release of each integration that has the fields and data streams that the rules read.
INTEGRATIONS = {
    "endpoint": "^8.2.0",
    "windows": "^2.0.0",
    "system": "^1.6.4",
    "auditd_manager": "^1.0.0",
    "sysmon_linux": "^1.0.0",
}


def export_kibana(rules: Iterable[Compiled], version: AttackVersion) -> str:
    """The export as text."""
    listed = list(rules)
    lists = [entry for compiled in listed for entry in _lists(compiled.rule)]
    items = [entry for compiled in listed for entry in _items(compiled.rule)]
    lines = [*(rule_object(compiled, version) for compiled in listed), *lists, *items]
    lines.append(_summary(len(listed), len(lists), len(items)))
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def rule_object(compiled: Compiled, version: AttackVersion) -> dict[str, Any]:
    """One rule as Kibana's import takes it, switched off."""
    rule = compiled.rule
    table = rule_table(rule, version)
    integrations = rule.metadata.get("integration") or ()
    packages = [integrations] if isinstance(integrations, str) else list(integrations)
    return {
        "from": "now-6m",
        "interval": "5m",
        "to": "now",
        "max_signals": 100,
        "references": [],
        "false_positives": [],
        **table,
        "id": str(uuid.uuid5(NAMESPACE, f"rule/{rule.id}")),
        "rule_id": rule.id,
        "enabled": False,
        "immutable": False,
        "version": int(rule.document.get("version", 1)),
        "threat": table.get("threat", []),
        "exceptions_list": [_list_reference(container) for container in _containers(rule)],
        "required_fields": required_fields(compiled.query),
        "related_integrations": [
            {"package": name, "version": INTEGRATIONS[name]} for name in packages if name in INTEGRATIONS
        ],
    }


def required_fields(query: CheckedQuery) -> list[dict[str, Any]]:
    """The fields that a query reads, with the types that the shipped schema gives them."""
    schema = Schema.open()
    paths = sorted({reference.path for reference in nodes(query, checked.FieldRef)})
    found = ((path, schema.lookup(path)) for path in paths)
    return [
        {"name": path, "type": str(field.type), "ecs": not _beyond_ecs(path)}
        for path, field in found
        if field is not None
    ]


def _beyond_ecs(path: str) -> bool:
    """Elastic's own extensions of ECS have a capital letter in one of their parts (`process.Ext.ancestry`)."""
    return any(part[:1].isupper() for part in path.split("."))


def _containers(rule: Rule) -> Sequence[Mapping[str, Any]]:
    return [entry["container"] for entry in exception_document(rule).get("exceptions", ())]


def _list_id(container: Mapping[str, Any]) -> str:
    return str(uuid.uuid5(NAMESPACE, f"list/{container['list_id']}"))


def _list_reference(container: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": _list_id(container),
        "list_id": container["list_id"],
        "type": container["type"],
        "namespace_type": container["namespace_type"],
    }


def _lists(rule: Rule) -> Iterator[dict[str, Any]]:
    for container in _containers(rule):
        yield {
            "os_types": [],
            "tags": [],
            **container,
            "id": _list_id(container),
            "immutable": False,
            "version": 1,
        }


def _items(rule: Rule) -> Iterator[dict[str, Any]]:
    for entry in exception_document(rule).get("exceptions", ()):
        container = entry["container"]
        for item in entry.get("items", ()):
            yield {
                "comments": [],
                "os_types": [],
                "tags": [],
                "description": item["name"],
                **item,
                "id": str(uuid.uuid5(NAMESPACE, f"item/{container['list_id']}/{item['item_id']}")),
                "list_id": container["list_id"],
                "namespace_type": container["namespace_type"],
            }


def _summary(rules: int, lists: int, items: int) -> dict[str, Any]:
    return {
        "exported_count": rules + lists + items,
        "exported_rules_count": rules,
        "missing_rules": [],
        "missing_rules_count": 0,
        "exported_exception_list_count": lists,
        "exported_exception_list_item_count": items,
        "missing_exception_list_item_count": 0,
        "missing_exception_list_items": [],
        "missing_exception_lists": [],
        "missing_exception_lists_count": 0,
        "exported_action_connector_count": 0,
        "missing_action_connection_count": 0,
        "missing_action_connections": [],
        "excluded_action_connection_count": 0,
        "excluded_action_connections": [],
    }
