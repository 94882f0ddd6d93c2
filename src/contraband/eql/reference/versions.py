"""The order of version texts, as Elasticsearch's `version` field sorts them."""

from __future__ import annotations

import re
from typing import TypeAlias

_NUMBER = r"(?:0|[1-9][0-9]*)"
_PRE_RELEASE_PART = rf"(?:{_NUMBER}|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"
_LEGAL = re.compile(
    rf"(?P<main>{_NUMBER}(?:\.{_NUMBER})*)"
    rf"(?:-(?P<pre>{_PRE_RELEASE_PART}(?:\.{_PRE_RELEASE_PART})*))?"
    r"(?:\+(?P<build>[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?"
)

VersionKey: TypeAlias = tuple[int, tuple[int, ...], int, tuple[tuple[int, int, str], ...], bytes]


def version_key(text: str) -> VersionKey:
    """What versions are sorted by: malformed ones last, a pre-release before its release, build text last of all."""
    legal = _LEGAL.fullmatch(text)
    if legal is None:
        return (1, (), 0, (), text.encode("utf-8", "surrogatepass"))
    numbers = tuple(int(number) for number in legal["main"].split("."))
    parts = tuple(_part(part) for part in legal["pre"].split(".")) if legal["pre"] else ()
    return (0, numbers, 0 if parts else 1, parts, (legal["build"] or "").encode())


def _part(part: str) -> tuple[int, int, str]:
    return (0, int(part), "") if part.isdigit() else (1, 0, part)
