"""Rules compiled: each one's checked query, and the rule set that the engine is loaded with (docs/plan-format.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from contraband.detection.alerts import reason_template, static_fields
from contraband.detection.exceptions import Fields, Item, condition
from contraband.detection.faults import InvalidException
from contraband.detection.rules import Problem, Rule
from contraband.detection.toml_text import offsets, place, values
from contraband.diagnostics import CompileError, Diagnostic
from contraband.engine import CompiledRule
from contraband.eql import CheckedQuery, compile_query
from contraband.plan import Plan, lower
from contraband.schema import FieldType, Schema

# Constructs of Elastic Endpoint's dialect that Elasticsearch's grammar does not have.
_DIALECT = (
    (re.compile(r"\b_?arraysearch\s*\(", re.IGNORECASE), "`_arraysearch`"),
    (re.compile(r"\bdescendant\s+of\b", re.IGNORECASE), "`descendant of`"),
    (re.compile(r"\]\s*as\s+\w+", re.IGNORECASE), "an `as` alias"),
)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule with its checked query and the exceptions that are for it."""

    rule: Rule
    query: CheckedQuery
    exceptions: tuple[Item, ...] = ()


def compile_rule(rule: Rule, schema: Schema | None = None) -> CheckedQuery:
    """The checked query of a rule. Raises `CompileError`."""
    return compile_query(
        rule.query,
        schema,
        timestamp_field=rule.timestamp_field,
        tiebreaker_field=rule.tiebreaker_field,
        event_category_field=rule.event_category_field,
    )


def compile_rules(
    rules: Iterable[Rule], items: Sequence[Item] = ()
) -> tuple[tuple[Compiled, ...], tuple[Problem, ...]]:
    """All rules that compile, and a problem for each that does not."""
    compiled: list[Compiled] = []
    problems: list[Problem] = []
    schema = Schema.open()
    for rule in rules:
        try:
            query = compile_rule(rule, schema)
        except CompileError as error:
            problems.append(problem_of(rule, error))
            continue
        lists = frozenset(str(entry.get("list_id", "")) for entry in rule.document.get("exceptions_list") or ())
        chosen = tuple(item for item in items if item.applies_to(rule.id, rule.slug, rule.name, lists))
        compiled.append(Compiled(rule, query, chosen))
    return tuple(compiled), tuple(problems)


def problem_of(rule: Rule, error: CompileError) -> Problem:
    """A compile error placed in the rule's file."""
    message = str(error)
    if rule.endpoint and (construct := dialect(rule.query)):
        message = (
            f"written in Elastic Endpoint's own dialect of EQL ({construct}), which Elasticsearch refuses: {message}"
        )
    first = error.diagnostics[0] if error.diagnostics else None
    line, column = position(rule, first) or (None, None)
    return Problem(rule.path, message, line, column, rule.name, error.diagnostics, error.source)


def dialect(query: str) -> str | None:
    """What of Elastic Endpoint's own dialect a query uses, if anything."""
    return next((name for pattern, name in _DIALECT if pattern.search(query)), None)


def position(rule: Rule, diagnostic: Diagnostic | None) -> tuple[int, int] | None:
    """Line and column, in the rule's file, of what a diagnostic is about; None if the file does not tell."""
    if diagnostic is None or diagnostic.span is None or rule.path is None or rule.path.suffix != ".toml":
        return None
    text = rule.path.read_bytes().decode("utf-8", "replace")
    found = values(text)
    value = found.get("rule.query") or found.get("query")
    if value is None:
        return None
    table = offsets(text, value)
    where = place(text, table[min(diagnostic.span.start, len(table) - 1)])
    return where.line, where.column


def engine_rule(compiled: Compiled) -> CompiledRule:
    """The rule as the engine is loaded with it. `InvalidException` names an exception that cannot be applied."""
    document = dict(lower(compiled.query).document)
    fields = Fields(list(document["fields"]), type_of)
    exceptions = tuple(exception_conditions(compiled, fields))
    document["fields"] = fields.entries
    return CompiledRule(
        compiled.rule.id,
        Plan(document),
        compiled.rule.index,
        static_fields(compiled.rule),
        reason_template(compiled.rule),
        exceptions,
    )


def exception_conditions(compiled: Compiled, fields: Fields) -> Iterator[tuple[str, dict[str, Any]]]:
    """The exceptions of a rule as its plan holds them."""
    for item in compiled.exceptions:
        try:
            yield item.id, condition(item, fields, timestamp_field=compiled.rule.timestamp_field)
        except InvalidException as error:
            where = f"{item.path}: " if item.path else ""
            raise InvalidException(f"{where}{error}") from None


def type_of(path: str) -> FieldType:
    """The type that the shipped schema gives a field; `any` for one that it does not know."""
    field = Schema.open().lookup(path)
    return FieldType.ANY if field is None else field.type
