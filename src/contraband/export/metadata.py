"""Whether a rule's metadata has the shapes that exports read: rules come from anywhere, and only their query has been checked so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contraband.detection.rules import Rule

_TEXTS = ("tags", "references", "false_positives", "author")
_CONTAINER = ("list_id", "name", "type", "namespace_type")
_ITEM = ("item_id", "name", "entries")


def unfit(rule: Rule, exceptions: Mapping[str, Any]) -> str | None:
    """The first thing that is not as Elastic's schema wants it; None if all is."""
    return next((problem for problem in (*_document(rule), *_exceptions(exceptions))), None)


def _document(rule: Rule) -> Iterator[str]:
    for key in _TEXTS:
        if not _texts(rule.document.get(key)):
            yield f"`{key}` is no list of strings"
    version = rule.document.get("version", 1)
    if isinstance(version, bool) or not isinstance(version, int):
        yield "`version` is no whole number"
    entries = rule.document.get("threat") or []
    if not isinstance(entries, list):
        yield "`threat` is no list"
        return
    for entry in entries:
        tactic = entry.get("tactic") if isinstance(entry, dict) else None
        if not _named(tactic):
            yield "an entry of `threat` has no tactic with id and name"
        elif not _techniques(entry.get("technique", [])):
            yield "a technique in `threat` has no id or no name"


def _texts(value: object) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(item, str) for item in value))


def _named(part: object) -> bool:
    return isinstance(part, dict) and isinstance(part.get("id"), str) and isinstance(part.get("name"), str)


def _techniques(value: object) -> bool:
    return isinstance(value, list) and all(_named(part) and _techniques(part.get("subtechnique", [])) for part in value)


def _exceptions(document: Mapping[str, Any]) -> Iterator[str]:
    for entry in document.get("exceptions", ()):
        container = entry.get("container") if isinstance(entry, dict) else None
        missing = [key for key in _CONTAINER if not isinstance(container, dict) or key not in container]
        if missing:
            yield f"an exception list lacks `{missing[0]}`"
            continue
        for item in entry.get("items", ()):
            lacks = [key for key in _ITEM if key not in item]
            if lacks:
                yield f"an item of the exception list {container['list_id'] if container else ''} lacks `{lacks[0]}`"
