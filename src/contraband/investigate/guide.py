"""The playbook and the investigation guide as Markdown, filled in from an alert. Knows no terminal and reads no file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_PLACEHOLDER = re.compile(r"\{\{([^{}]+)\}\}")
_PLATFORMS = {"linux": "Linux", "windows": "Windows", "macos": "macOS"}
_UNSAFE = re.compile(r"[\x00-\x1f\x7f`]")


def fill(text: str, alert: Mapping[str, Any]) -> str:
    """`{{field}}` replaced by the alert's value; without one, by the field's name in angle brackets. Values are hostile input: control
    characters and back-quotes are taken out."""

    def value(match: re.Match[str]) -> str:
        found = alert.get(match[1])
        if found is None or found == []:
            return f"<{match[1]}>" if not alert else f"<no {match[1]}>"
        values = found if isinstance(found, list) else [found]
        return _UNSAFE.sub(" ", " ".join(str(item) for item in values))

    return _PLACEHOLDER.sub(value, text)


def render_playbook(playbook: Mapping[str, Any], alert: Mapping[str, Any]) -> str:
    """The response playbook, step by step in its order."""
    lines = [f"# {playbook['title']}", "", fill(playbook["summary"], alert), ""]
    for number, step in enumerate(playbook["step"], 1):
        lines += [f"## {number}. {step['title']}", "", fill(step["why"], alert), ""]
        lines += [f"- {fill(check, alert)}" for check in step["checks"]]
        lines += ["", *_commands(step, alert)]
    return "\n".join(lines).rstrip() + "\n"


def render_guide(guide: Mapping[str, Any], alert: Mapping[str, Any]) -> str:
    """The investigation guide, question by question."""
    lines = [f"# {guide['title']}", "", fill(guide["summary"], alert), ""]
    for number, question in enumerate(guide["question"], 1):
        lines += [f"## {number}. {question['title']}", "", fill(question["ask"], alert), ""]
        lines += [
            f"- Points to an attack: {question['true_positive']}",
            f"- Points to an ordinary install: {question['false_positive']}",
            "",
        ]
        for pivot in question.get("investigate", ()):
            lines.append(f"- {pivot['label']}: `{pivot['field']} : {fill(pivot['value'], alert)}`")
        for query in question.get("osquery", ()):
            lines.append(f"- {query['label']} ({query['platform']}): `{query['query']}`")
        lines += ["", *_commands(question, alert)]
    return "\n".join(lines).rstrip() + "\n"


def _commands(entry: Mapping[str, Any], alert: Mapping[str, Any]) -> Iterator[str]:
    for platform, commands in entry.get("commands", {}).items():
        yield f"{_PLATFORMS[platform]}:"
        yield ""
        yield from (f"    {fill(command, alert)}" for command in commands)
        yield ""
