"""Tree to text: the one way of writing a query down. `parse(print_statement(tree))` is the tree again, spans aside."""

from __future__ import annotations

import re

from contraband.eql.syntax import ast
from contraband.eql.syntax.tokens import KEYWORDS

_PLAIN = re.compile(r"[A-Za-z_@][A-Za-z0-9_]*")
_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))

# How tightly an expression binds; what binds less tightly than its place allows is put into parentheses.
_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _SIGN, _SUFFIX, _PRIMARY = range(9)
_BINDS: dict[type[object], int] = {
    ast.Or: _OR,
    ast.And: _AND,
    ast.Not: _NOT,
    ast.Comparison: _COMPARISON,
    ast.Negative: _SIGN,
    ast.Membership: _SUFFIX,
    ast.Match: _SUFFIX,
}


def print_statement(statement: ast.Statement) -> str:
    """The query on one line an event filter or stage."""
    query = statement.query
    match query:
        case ast.EventQuery(filter=event_filter):
            lines = [_filter(event_filter)]
        case ast.Sequence(keys=keys, maxspan_ms=maxspan, stages=stages, until=until):
            span = "" if maxspan is None else f" with maxspan={_span(maxspan)}"
            lines = [f"sequence{_keys(keys)}{span}", *(f"  {print_stage(stage)}" for stage in stages)]
            if until is not None:
                lines.append(f"until {print_stage(until)}")
        case ast.Sample(keys=keys, stages=stages):
            lines = [f"sample{_keys(keys)}", *(f"  {print_stage(stage)}" for stage in stages)]
    lines.extend(_pipe(pipe) for pipe in statement.pipes)
    return "\n".join(lines)


def print_stage(stage: ast.Stage) -> str:
    """`[category where condition] by keys with runs=N`."""
    opening = "![" if stage.missing else "["
    runs = f" with runs={stage.runs}" if stage.runs != 1 else ""
    return f"{opening}{_filter(stage.filter)}]{_keys(stage.keys)}{runs}"


def print_expr(expr: ast.Expr) -> str:
    """One expression."""
    match expr:
        case ast.Null():
            return "null"
        case ast.Boolean(value=value):
            return "true" if value else "false"
        case ast.Number(value=value):
            return repr(value)
        case ast.String(value=value):
            return print_string(value)
        case ast.Field(name=name, optional=optional):
            return ("?" if optional else "") + print_name(name)
        case ast.Call(name=name, insensitive=insensitive, arguments=arguments):
            return f"{name}{'~' if insensitive else ''}({', '.join(map(print_expr, arguments))})"
        case ast.Negative(operand=operand):
            return "-" + _within(operand, _SIGN)
        case ast.Arithmetic(operator=operator, left=left, right=right):
            power = _binding(expr)
            return f"{_within(left, power)} {operator} {_within(right, power + 1)}"
        case ast.Comparison(operator=operator, left=left, right=right):
            return f"{_within(left, _SUM)} {operator} {_within(right, _SUM)}"
        case ast.Membership(subject=subject, items=items, insensitive=insensitive):
            word = "in~" if insensitive else "in"
            return f"{_within(subject, _PRIMARY)} {word} ({', '.join(map(print_expr, items))})"
        case ast.Match(operator=operator, subject=subject, patterns=patterns):
            listed = ", ".join(map(print_expr, patterns))
            return f"{_within(subject, _PRIMARY)} {operator} {listed if len(patterns) == 1 else f'({listed})'}"
        case ast.Not(operand=operand):
            return "not " + _within(operand, _NOT)
        case ast.And(operands=operands):
            return " and ".join(_within(operand, _NOT) for operand in operands)
        case ast.Or(operands=operands):
            return " or ".join(_within(operand, _AND) for operand in operands)


def print_string(value: str) -> str:
    """A string with the escapes that it needs."""
    return '"' + "".join(_character(character) for character in value) + '"' if _needs_escape(value) else f'"{value}"'


def print_name(name: str) -> str:
    """A field name, its parts quoted where they must be."""
    parts = name.split(".")
    if not all(parts):
        return _quoted(name)
    return ".".join(part if _PLAIN.fullmatch(part) and part not in KEYWORDS else _quoted(part) for part in parts)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _needs_escape(value: str) -> bool:
    return '"' in value or "\\" in value or not value.isprintable()


def _character(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if character.isprintable() else f"\\u{{{ord(character):04x}}}"


def _within(expr: ast.Expr, least: int) -> str:
    text = print_expr(expr)
    return text if _binding(expr) >= least else f"({text})"


def _binding(expr: ast.Expr) -> int:
    if isinstance(expr, ast.Arithmetic):
        return _SUM if expr.operator in "+-" else _PRODUCT
    return _BINDS.get(type(expr), _PRIMARY)


def _filter(event_filter: ast.EventFilter) -> str:
    category = event_filter.category
    if category is None:
        word = "any"
    else:
        word = category if _PLAIN.fullmatch(category) and category not in KEYWORDS else print_string(category)
    return f"{word} where {print_expr(event_filter.condition)}"


def _keys(keys: tuple[ast.Expr, ...]) -> str:
    return f" by {', '.join(map(print_expr, keys))}" if keys else ""


def _pipe(pipe: ast.Pipe) -> str:
    return f"| {pipe.name} {', '.join(map(print_expr, pipe.arguments))}".rstrip()


def _span(milliseconds: int) -> str:
    unit, size = next((unit, size) for unit, size in _UNITS if milliseconds % size == 0)
    return f"{milliseconds // size}{unit}"
