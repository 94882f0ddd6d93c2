"""What is doubtful about a rule that compiles: fields that no schema knows, negated optional fields, index patterns of no source."""

from __future__ import annotations

from collections.abc import Iterator

from contraband.detection import toml_text
from contraband.detection.attack import AttackVersion, UnknownTechnique, threat
from contraband.detection.compiled import Compiled
from contraband.detection.routing import sources_of
from contraband.detection.rules import Problem, Rule
from contraband.diagnostics import CompileError, Span
from contraband.eql import parse
from contraband.eql.syntax import ast
from contraband.eql.walk import nodes
from contraband.schema import Schema

_CONFIDENCES = ("low", "medium", "high")

_RISK = {"low": (1, 21), "medium": (22, 47), "high": (48, 73), "critical": (74, 100)}


def warnings_of(compiled: Compiled) -> Iterator[Problem]:
    """Doubts, each where it stands in the rule's file."""
    rule = compiled.rule
    try:
        tree = parse(rule.query)
    except CompileError:
        return
    place = Positions(rule)
    yield from _unknown_fields(tree, place)
    for field in _once(_negated_optional(tree)):
        message = f"a negation over `?{field.name}` matches documents without it only where the field is mapped"
        yield place.problem(message, field.span)
    if rule.index and not sources_of(rule.index):
        yield place.problem(f"no source is declared to live in {', '.join(rule.index)}", key="index")
    low, high = _RISK[str(rule.severity)]
    if not low <= rule.risk_score <= high:
        message = f"risk score {rule.risk_score} does not go with severity {rule.severity} ({low} to {high})"
        yield place.problem(message, key="risk_score")


def errors_of(compiled: Compiled) -> Iterator[Problem]:
    """What a rule's own folder lacks: its confidence, its place in ATT&CK v19. `exception_checks` looks at its exceptions."""
    rule = compiled.rule
    if rule.path is None or rule.path.name != "rule.toml":
        return
    try:
        threat(rule.document.get("threat") or (), AttackVersion.V19)
    except UnknownTechnique as error:
        yield Problem(rule.path, str(error), rule=rule.name)
    sidecar = rule.path.with_name("sidecar.toml")
    if sidecar.exists() and rule.sidecar.confidence not in _CONFIDENCES:
        yield Problem(sidecar, f"`confidence` is `{rule.sidecar.confidence}`; expected {', '.join(_CONFIDENCES)}")


class Positions:
    """Where things stand in the file of a rule; the file is read when the first is asked for."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._text: str | None = None

    def problem(self, message: str, span: Span | None = None, *, key: str = "query") -> Problem:
        """A finding about a part of the query, or about another key of the rule."""
        line, column = self._of(span, key) or (None, None)
        return Problem(self._rule.path, message, line, column, self._rule.name)

    def _of(self, span: Span | None, key: str) -> tuple[int, int] | None:
        path = self._rule.path
        if path is None or path.suffix != ".toml":
            return None
        if self._text is None:
            self._text = path.read_bytes().decode("utf-8", "replace")
            self._values = toml_text.values(self._text)
        value = self._values.get(f"rule.{key}") or self._values.get(key)
        if value is None:
            return None
        if span is None:
            found = toml_text.place(self._text, value.key)
        else:
            table = toml_text.offsets(self._text, value)
            found = toml_text.place(self._text, table[min(span.start, len(table) - 1)])
        return found.line, found.column


def _unknown_fields(tree: object, place: Positions) -> Iterator[Problem]:
    schema = Schema.open()
    for field in _once(nodes(tree, ast.Field)):
        if schema.known(field.name):
            continue
        close = schema.close_names(field.name)
        hint = f"; a similar name exists: `{close[0]}`" if close else ""
        message = f"unknown field `{field.name}`: no shipped schema has it, so its values decide its type{hint}"
        yield place.problem(message, field.span)


def _once(fields: Iterator[ast.Field]) -> Iterator[ast.Field]:
    """The first mention of each."""
    seen: set[str] = set()
    for field in fields:
        if field.name not in seen:
            seen.add(field.name)
            yield field


def _negated_optional(node: object, *, negated: bool = False) -> Iterator[ast.Field]:
    if isinstance(node, ast.Field):
        if negated and node.optional:
            yield node
    elif isinstance(node, tuple):
        for item in node:
            yield from _negated_optional(item, negated=negated)
    elif hasattr(node, "__dataclass_fields__"):
        inside = negated or isinstance(node, ast.Not) or (isinstance(node, ast.Comparison) and node.operator == "!=")
        for name in node.__dataclass_fields__:
            yield from _negated_optional(getattr(node, name), negated=inside)
