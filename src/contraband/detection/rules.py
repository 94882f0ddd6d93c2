"""Rules, and the files they come in: Elastic's rule TOML, loose TOML, Endpoint behaviour rules, Kibana exports.

Knows the layout of rule files and nothing of what a query means; `detection.compiled` compiles them.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from contraband.detection.material import rule_files
from contraband.diagnostics import Diagnostic


class Severity(StrEnum):
    """The damage if an alert is true, as Elastic grades it, least first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for low to 3 for critical."""
        return tuple(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What Elastic's layout has no place for (`sidecar.toml` beside the rule)."""

    confidence: str = ""
    confidence_basis: str = ""
    why: str = ""
    blind_spots: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    related: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One EQL rule. `document` is the whole `[rule]` table (of a Kibana export: the whole object), `metadata` the `[metadata]` table."""

    id: str
    name: str
    query: str
    severity: Severity
    risk_score: int
    index: tuple[str, ...]
    document: Mapping[str, Any]
    metadata: Mapping[str, Any]
    path: Path | None
    slug: str
    """What the rule is called on the command line: its folder, or its file without the ending."""
    sidecar: Sidecar = Sidecar()
    note: str = ""
    endpoint: bool = False
    """Written for Elastic Endpoint's behaviour protection, whose dialect goes beyond Elasticsearch's EQL."""

    @property
    def timestamp_field(self) -> str:
        """The field that orders its events."""
        return str(self.document.get("timestamp_field") or "@timestamp")

    @property
    def tiebreaker_field(self) -> str | None:
        """The field that orders events of one instant, if the rule has one."""
        return self.document.get("tiebreaker_field") or None

    @property
    def event_category_field(self) -> str:
        """The field that the category before `where` is compared with."""
        return str(self.document.get("event_category_override") or "event.category")

    @property
    def building_block(self) -> bool:
        """Whether its alerts are material for other rules and hidden by default."""
        return bool(self.document.get("building_block_type"))

    @property
    def deprecated(self) -> bool:
        """Whether its authors have withdrawn it."""
        return self.metadata.get("maturity") == "deprecated"


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule, or a file of rules, that cannot be used."""

    path: Path | None
    message: str
    line: int | None = None
    column: int | None = None
    rule: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    source: str = ""
    """The text that the spans of `diagnostics` refer to."""

    def __str__(self) -> str:
        where = str(self.path) if self.path else self.rule or "rule"
        if self.line is not None:
            where += f":{self.line}:{self.column}"
        return f"{where}: {self.message}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a set of rule files gave. `passed_over` counts rules in other languages, by language."""

    rules: tuple[Rule, ...] = ()
    problems: tuple[Problem, ...] = ()
    passed_over: Mapping[str, int] = field(default_factory=dict)
    exceptions: tuple[Mapping[str, Any], ...] = ()
    """Exception items that came with an export, each with the `list_id` that rules refer to."""

    def __add__(self, other: Loaded) -> Loaded:
        return joined((self, other))


def joined(parts: Iterable[Loaded]) -> Loaded:
    """Everything together. A rule that comes twice counts once; two rules of one id are a problem."""
    rules: dict[str, Rule] = {}
    problems: list[Problem] = []
    passed_over: Counter[str] = Counter()
    exceptions: list[Mapping[str, Any]] = []
    for part in parts:
        for rule in part.rules:
            first = rules.setdefault(rule.id, rule)
            if first is not rule and (first.query, first.path) != (rule.query, rule.path):
                where = f" in {first.path}" if first.path else ""
                problems.append(
                    Problem(rule.path, f"the rule id {rule.id} is taken by `{first.name}`{where}", rule=rule.name)
                )
        problems += part.problems
        passed_over.update(part.passed_over)
        exceptions += part.exceptions
    return Loaded(tuple(rules.values()), tuple(problems), dict(sorted(passed_over.items())), tuple(exceptions))


_LANGUAGE = re.compile(rb'^[ \t]*(?:language|type)[ \t]*=[ \t]*["\'](\w+)["\']', re.MULTILINE)
_OTHER_TYPES = {b"machine_learning": "machine_learning"}
_OTHER_LANGUAGES = {b"kuery": "kuery", b"lucene": "lucene", b"esql": "esql"}


def load(path: Path) -> Loaded:
    """The rules of a file or, walked in byte order of the names, of a folder. OSError if the path cannot be read."""
    if not path.is_dir():
        return load_file(path)
    return joined(load_file(Path(file), in_folder=True) for file in rule_files(os.fspath(path)))


def load_file(path: Path, *, in_folder: bool = False) -> Loaded:
    """The rules of one file. In a folder, a TOML file without a rule is passed over; named by itself it is a problem."""
    try:
        content = path.read_bytes()
    except OSError as error:
        if not in_folder:
            raise
        return Loaded(problems=(Problem(path, f"cannot be read: {error.strerror}"),))
    return parse(content, path, in_folder=in_folder)


def parse(content: bytes, path: Path | None, *, in_folder: bool = False) -> Loaded:
    """The rules in the content of a file; `path` decides the form and is what problems name."""
    if path is not None and path.suffix in (".ndjson", ".json", ".jsonl"):
        return _parse_export(content, path)
    if other := _other_language(content):
        return Loaded(passed_over={other: 1})
    try:
        document = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return Loaded(problems=(Problem(path, f"not UTF-8 (byte {error.start})"),))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return Loaded(problems=(_toml_problem(path, error),))
    return _from_toml(document, path, in_folder=in_folder)


def _other_language(content: bytes) -> str | None:
    """The language of a rule that is not EQL, told without parsing: two rules in three of Elastic's are of that kind."""
    found = set(_LANGUAGE.findall(content))
    if b"eql" in found:
        return None
    for table in (_OTHER_TYPES, _OTHER_LANGUAGES):
        for name in found & table.keys():
            return table[name]
    return None


def _toml_problem(path: Path | None, error: Exception) -> Problem:
    match = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(error), re.DOTALL)
    if match is None:
        return Problem(path, f"not TOML: {error}")
    return Problem(path, f"not TOML: {match[1]}", int(match[2]), int(match[3]))


def _from_toml(document: dict[str, Any], path: Path | None, *, in_folder: bool) -> Loaded:
    table = document.get("rule", document if "query" in document else None)
    if not isinstance(table, dict):
        if in_folder:
            return Loaded(passed_over={"hunt" if "hunt" in document else "no rule": 1})
        return Loaded(problems=(Problem(path, "no rule: expected a table `[rule]` with a `query`"),))
    endpoint = "rule_id" not in table and ("os_list" in table or "actions" in document)
    language = table.get("language") or (table.get("type") if table.get("type") != "query" else None)
    if not endpoint and isinstance(language, str) and language not in ("eql",):
        return Loaded(passed_over={language: 1})
    metadata = document.get("metadata", {})
    return _one(table, metadata if isinstance(metadata, dict) else {}, path, endpoint=endpoint)


def _one(table: Mapping[str, Any], metadata: Mapping[str, Any], path: Path | None, *, endpoint: bool = False) -> Loaded:
    try:
        return Loaded(rules=(_rule(table, metadata, path, endpoint=endpoint),))
    except ValueError as error:
        return Loaded(problems=(Problem(path, str(error), rule=str(table.get("name", ""))),))


def _rule(table: Mapping[str, Any], metadata: Mapping[str, Any], path: Path | None, *, endpoint: bool) -> Rule:
    slug = "" if path is None else path.parent.name if path.name == "rule.toml" else path.stem
    query = _text(table, "query")
    name = _text(table, "name", default=slug)
    if not query.strip():
        raise ValueError("the rule has no `query`")
    folder = path.parent if path is not None and path.name == "rule.toml" else None
    return Rule(
        id=_text(table, "rule_id", default=_text(table, "id", default=slug or name)),
        name=name,
        query=query,
        # Endpoint's behaviour rules have no severity of their own: they all stop what they see.
        severity=_severity(table.get("severity", "medium")),
        risk_score=_risk_score(table.get("risk_score", 47)),
        index=_index(table),
        document=table,
        metadata=metadata,
        path=path,
        slug=slug,
        sidecar=_sidecar(folder / "sidecar.toml") if folder else Sidecar(),
        note=_note(folder, table),
        endpoint=endpoint,
    )


def _text(table: Mapping[str, Any], key: str, *, default: str = "") -> str:
    value = table.get(key, default)
    if not isinstance(value, str):
        raise ValueError(f"`{key}` is {value!r}, expected a string")
    return value


def _severity(value: object) -> Severity:
    try:
        return Severity(str(value).lower())
    except ValueError:
        accepted = ", ".join(Severity)
        raise ValueError(f"`severity` is {value!r}, expected one of {accepted}") from None


def _risk_score(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 100:
        raise ValueError(f"`risk_score` is {value!r}, expected a whole number from 0 to 100")
    return value


def _index(table: Mapping[str, Any]) -> tuple[str, ...]:
    value = table.get("index", [])
    if not isinstance(value, list) or not all(isinstance(pattern, str) for pattern in value):
        raise ValueError("`index` is no list of strings")
    return tuple(value)


def _sidecar(path: Path) -> Sidecar:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Sidecar()
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.name} beside the rule: {error}") from None
    return Sidecar(
        confidence=_text(table, "confidence"),
        confidence_basis=_text(table, "confidence_basis"),
        why=_text(table, "why"),
        blind_spots=tuple(map(str, table.get("blind_spots", ()))),
        sources=tuple(map(str, table.get("sources", ()))),
        related=tuple(map(str, table.get("related", ()))),
    )


def _note(folder: Path | None, table: Mapping[str, Any]) -> str:
    if folder is not None:
        try:
            return (folder / "note.md").read_text(encoding="utf-8")
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            raise ValueError(f"note.md beside the rule: {error}") from None
    return _text(table, "note")


def _parse_export(content: bytes, path: Path) -> Loaded:
    """A Kibana export: one object a line, rules first, then exception lists, their items and a summary."""
    parts: list[Loaded] = []
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            message = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            column = error.colno if isinstance(error, json.JSONDecodeError) else 1
            parts.append(Loaded(problems=(Problem(path, f"not JSON: {message}", number, column),)))
            continue
        if isinstance(entry, dict):
            parts.append(_export_entry(entry, path))
    if not parts:
        return Loaded(problems=(Problem(path, "no rule: the file has no JSON line"),))
    return joined(parts)


def _export_entry(entry: dict[str, Any], path: Path) -> Loaded:
    entry = entry.get("attributes", entry)
    if "entries" in entry and "item_id" in entry:
        return Loaded(exceptions=(entry,))
    if "rule_id" not in entry:
        return Loaded()
    language = entry.get("language") or entry.get("type")
    if language != "eql":
        return Loaded(passed_over={str(language): 1})
    return _one(entry, {}, path)
