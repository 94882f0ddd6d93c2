"""The `note` of an exported rule: why, questions with Osquery and Timeline buttons, false positives, response.

In the order and with the headings that Elastic's rules have; the buttons are Kibana's Markdown plug-ins (`!{investigate{…}}`, `!{osquery{…}}`).
Source: https://www.elastic.co/docs/solutions/security/investigate/interactive-investigation-guides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from contraband.detection.rules import Rule
from contraband.export.source import package_texts

_SYSTEM_OF_PLATFORM = {"linux": "Linux", "windows": "Windows", "macos": "macOS", "darwin": "macOS"}


def note_of(rule: Rule) -> str:
    """The rule's own note, or one put together from its reasons and its package's guide; empty if there is neither."""
    if rule.note.strip():
        return rule.note
    guide, playbook = package_texts(rule)
    if not guide and not rule.sidecar.why:
        return ""
    return "\n".join(_lines(rule, guide, playbook)).strip() + "\n"


def systems(rule: Rule) -> frozenset[str]:
    """The operating systems that a rule is for, by its tags; all three without any."""
    tags = rule.document.get("tags") or ()
    named = {str(tag).removeprefix("OS: ") for tag in tags if str(tag).startswith("OS: ")}
    return frozenset(named or {"Linux", "Windows", "macOS"})


def _lines(rule: Rule, guide: Mapping[str, Any], playbook: Mapping[str, Any]) -> Iterator[str]:
    yield from ("## Triage and analysis", "", f"### Investigating {rule.name}", "", rule.sidecar.why.strip(), "")
    if rule.sidecar.blind_spots:
        yield from ("What this rule cannot see:", "", *(f"- {spot}" for spot in rule.sidecar.blind_spots), "")
    questions = guide.get("question", ())
    if questions:
        yield from ("### Possible investigation steps", "")
        for question in questions:
            yield from _question(question, systems(rule))
    yield from ("### False positive analysis", "")
    yield from (f"- {line}" for line in rule.document.get("false_positives", ()))
    yield from (f"- {question['title']} {question['false_positive']}" for question in questions)
    if playbook:
        yield from ("", "### Response and remediation", "", str(playbook["summary"]).strip(), "")
        for number, step in enumerate(playbook["step"], 1):
            yield f"{number}. {step['title']}."


def _question(question: Mapping[str, Any], for_systems: frozenset[str]) -> Iterator[str]:
    yield f"- **{question['title']}** {' '.join(str(question['ask']).split())}"
    for pivot in question.get("investigate", ()):
        yield f"  - !{{investigate{json.dumps(_pivot(pivot), separators=(',', ':'))}}}"
    for query in question.get("osquery", ()):
        if _SYSTEM_OF_PLATFORM.get(query["platform"], "") in for_systems:
            parts = {"label": query["label"], "query": query["query"]}
            yield f"  - !{{osquery{json.dumps(parts, separators=(',', ':'))}}}"
    yield ""


def _pivot(pivot: Mapping[str, Any]) -> dict[str, Any]:
    provider = {
        "excluded": False,
        "field": pivot["field"],
        "queryType": "phrase",
        "value": pivot["value"],
        "valueType": "string",
    }
    return {"label": pivot["label"], "providers": [[provider]], "relativeFrom": "now-48h/h", "relativeTo": "now"}
