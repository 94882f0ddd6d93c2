"""What is doubtful about a rule that compiles: fields that no schema knows, negated optional fields, index patterns of no source."""

from __future__ import annotations

from collections.abc import Iterator

from contraband.detection.compiled import Compiled
from contraband.detection.routing import sources_of
from contraband.diagnostics import CompileError
from contraband.eql import parse
from contraband.eql.syntax import ast
from contraband.schema import Schema

_RISK = {"low": (1, 21), "medium": (22, 47), "high": (48, 73), "critical": (74, 100)}


def warnings_of(compiled: Compiled) -> Iterator[str]:
    """One line for each doubt."""
    rule = compiled.rule
    schema = Schema.open()
    try:
        tree = parse(rule.query)
    except CompileError:
        return
    names = dict.fromkeys(field.name for field in _fields(tree))
    for name in names:
        if not schema.known(name):
            close = schema.close_names(name)
            hint = f"; a similar name exists: `{close[0]}`" if close else ""
            yield f"unknown field `{name}`: no shipped schema has it, so its values decide its type{hint}"
    for name in dict.fromkeys(_negated_optional(tree)):
        yield f"a negation over `?{name}` matches documents without it only where the field is mapped"
    if rule.index and not sources_of(rule.index):
        yield f"no source is declared to live in {', '.join(rule.index)}"
    low, high = _RISK[str(rule.severity)]
    if not low <= rule.risk_score <= high:
        yield f"risk score {rule.risk_score} does not go with severity {rule.severity} ({low} to {high})"


def _fields(node: object) -> Iterator[ast.Field]:
    """Every mention of a field below a node of the tree."""
    if isinstance(node, ast.Field):
        yield node
    elif isinstance(node, tuple):
        for item in node:
            yield from _fields(item)
    elif hasattr(node, "__dataclass_fields__"):
        for name in node.__dataclass_fields__:
            yield from _fields(getattr(node, name))


def _negated_optional(node: object, *, negated: bool = False) -> Iterator[str]:
    if isinstance(node, ast.Field):
        if negated and node.optional:
            yield node.name
    elif isinstance(node, tuple):
        for item in node:
            yield from _negated_optional(item, negated=negated)
    elif hasattr(node, "__dataclass_fields__"):
        inside = negated or isinstance(node, ast.Not) or (isinstance(node, ast.Comparison) and node.operator == "!=")
        for name in node.__dataclass_fields__:
            yield from _negated_optional(getattr(node, name), negated=inside)
