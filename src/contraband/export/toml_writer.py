"""TOML in the layout that detection-rules keeps its files in: values first, then tables; queries in literal strings. Knows no rule.

Reading back what is written gives the same document (`tomllib`); comments are not kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
LINE = 110
"""A list that would run over this column is written with one element a line."""


def write(document: Mapping[str, Any]) -> str:
    """The document as text. TypeError for a value that TOML has no form for."""
    return "\n".join(_table(document, ())).strip() + "\n"


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    for key, value in table.items():
        if not _is_table(value) and not _is_tables(value):
            yield f"{_key(key)} = {_value(value)}"
    for key, value in table.items():
        name = ".".join(map(_key, (*path, key)))
        if _is_table(value):
            yield from ("", f"[{name}]", *_table(value, (*path, key)))
        elif _is_tables(value):
            for item in value:
                yield from ("", f"[[{name}]]", *_table(item, (*path, key)))


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_tables(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _quoted(key)


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case datetime() | date():
            return value.isoformat()
        case str():
            return _string(value)
        case list() | tuple():
            return _list(value)
        case _:
            raise TypeError(f"TOML has no form for {type(value).__name__}")


def _list(values: list[Any] | tuple[Any, ...]) -> str:
    items = [_quoted(item) if isinstance(item, str) else _value(item) for item in values]
    line = f"[{', '.join(items)}]"
    if len(line) <= LINE:
        return line
    return "\n".join(("[", *(f"    {item}," for item in items), "]"))


def _string(text: str) -> str:
    if "\n" not in text:
        return _quoted(text)
    if "'''" not in text and not text.endswith("'") and not _CONTROL.search(text):
        return f"'''\n{text}'''"
    body = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"""\n' + _CONTROL.sub(_escape, body) + '"""'


def _quoted(text: str) -> str:
    escaped = "".join(_ESCAPES.get(mark, mark) for mark in text)
    return f'"{_CONTROL.sub(_escape, escaped)}"'


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
