"""The playbook and the investigation guide as Markdown, filled in from an alert. Knows no terminal and reads no file."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_PLACEHOLDER = re.compile(r"\{\{([^{}]+)\}\}")
_PLATFORMS = {"linux": "Linux", "windows": "Windows", "macos": "macOS"}
_OSQUERY = {"darwin": "macos"}
_UNSAFE = re.compile(r"[\x00-\x1f\x7f`]")
_PLAIN = re.compile(r"[\w@%+=:,./\\-]+")


def fill(text: str, alert: Mapping[str, Any], *, quote: Callable[[str], str] = str) -> str:
    """`{{field}}` replaced by the alert's value; without one, by the field's name in angle brackets.

    The alert's fields may be dotted names or objects in objects, as in Elasticsearch's `_source`. Values are hostile input: control characters
    and back-quotes are taken out, and `quote` makes a value one word of a shell's command.
    """

    def value(match: re.Match[str]) -> str:
        found = _value(alert, match[1])
        if found is None or found == []:
            return f"<{match[1]}>" if not alert else f"<no {match[1]}>"
        values = found if isinstance(found, list) else [found]
        return quote(_UNSAFE.sub(" ", " ".join(str(item) for item in values)))

    return _PLACEHOLDER.sub(value, text)


def _value(alert: Mapping[str, Any], field: str) -> Any:
    """The value under a dotted name, however the alert divides the name into objects."""
    if field in alert:
        return alert[field]
    for end in (index for index, letter in enumerate(field) if letter == "."):
        inner = alert.get(field[:end])
        if isinstance(inner, Mapping) and (found := _value(inner, field[end + 1 :])) is not None:
            return found
    source = alert.get("_source")
    return _value(source, field) if isinstance(source, Mapping) else None


def _for_powershell(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else "'" + value.replace("'", "''") + "'"


def _for_kql(value: str) -> str:
    """One value of a query as Kibana's search bar takes it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return value if re.fullmatch(r"[\w@.-]+", value) else f'"{escaped}"'


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
            lines.append(f"- {pivot['label']}: `{pivot['field']} : {fill(pivot['value'], alert, quote=_for_kql)}`")
        for query in question.get("osquery", ()):
            if not _concerns(_OSQUERY.get(query["platform"], query["platform"]), alert):
                continue
            lines.append(f"- {query['label']} ({query['platform']}): `{query['query']}`")
        lines += ["", *_commands(question, alert)]
    return "\n".join(lines).rstrip() + "\n"


def _concerns(platform: str, alert: Mapping[str, Any]) -> bool:
    """Whether a platform's command is of use for the alert's host: all are where the alert does not name its system."""
    system = _value(alert, "host.os.type")
    return platform not in _PLATFORMS or system not in _PLATFORMS or platform == system


def _commands(entry: Mapping[str, Any], alert: Mapping[str, Any]) -> Iterator[str]:
    for platform, commands in entry.get("commands", {}).items():
        if not _concerns(platform, alert):
            continue
        quote = _for_powershell if platform == "windows" else shlex.quote
        yield f"{_PLATFORMS[platform]}:"
        yield ""
        yield from (f"    {fill(command, alert, quote=quote)}" for command in commands)
        yield ""
