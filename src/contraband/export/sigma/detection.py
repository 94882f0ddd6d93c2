"""A checked condition as the `detection` of a Sigma rule: named selections and an expression over them.

Tests of one field each become entries of a map where their keys differ, alternatives of such maps a list, everything else an expression.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from contraband.eql.analysis import checked
from contraband.eql.analysis.checked import CompareOp, MatchKind
from contraband.export.sigma import regexes
from contraband.export.sigma.taxonomy import ARGUMENTS, NAMES, NUMBERS_OF_KEYWORDS, Translation

Map = dict[str, Any]

_COMPARE = {CompareOp.LT: "lt", CompareOp.LE: "lte", CompareOp.GT: "gt", CompareOp.GE: "gte"}
_LABELS = (
    ("Parent", "parent"),
    ("CommandLine", "command_line"),
    ("Image", "image"),
    ("OriginalFileName", "original_name"),
    ("TargetFilename", "file"),
    ("TargetObject", "registry"),
    ("Details", "registry_data"),
    ("Destination", "destination"),
)


class Inexpressible(Exception):
    """What Sigma has no form for."""


@dataclass(slots=True)
class Detection:
    """The selections of one rule while they are collected."""

    translation: Translation
    selections: dict[str, Map | list[Map]] = field(default_factory=dict)
    _taken: Counter[str] = field(default_factory=Counter)

    def document(self, condition: checked.Condition) -> Map:
        """The `detection` of a rule. Raises `Inexpressible`."""
        match condition:
            case checked.Always() | checked.Never():
                raise Inexpressible("a condition that is always or never met")
            case _:
                expression = self._expression(condition, negated=False)
        return {**self.selections, "condition": _outer(expression)}

    def _expression(self, condition: checked.Condition, *, negated: bool) -> str:
        found = self._entry(condition)
        if found is not None:
            return self._named(found, negated=negated)
        match condition:
            case checked.Not():
                return f"not {self._expression(condition.operand, negated=not negated)}"
            case checked.And():
                return self._joined(condition.operands, " and ", negated=negated)
            case checked.Or():
                return self._joined(condition.operands, " or ", negated=negated)
            case checked.Always() | checked.Never():
                raise Inexpressible("a part of the condition that is always or never met")
            case _:  # a leaf is an entry, or has been refused
                raise Inexpressible("a test that Sigma has no form for")

    def _joined(self, operands: tuple[checked.Condition, ...], word: str, *, negated: bool) -> str:
        """Tests that fit into one selection first, then the others."""
        simple: list[Map] = []
        alternatives: list[Map] = []
        parts: list[str] = []
        rest: list[checked.Condition] = []
        for operand in operands:
            found = self._entry(operand)
            if isinstance(found, dict) and word == " or ":
                alternatives.append(found)
            elif isinstance(found, dict):
                _merge(simple, found)
            elif found is not None:
                parts.append(self._named(found, negated=negated))
            else:
                rest.append(operand)
        parts[:0] = [self._named(found, negated=negated) for found in simple]
        if alternatives:
            parts.insert(0, self._named(alternatives if len(alternatives) > 1 else alternatives[0], negated=negated))
        parts += [self._expression(operand, negated=negated) for operand in rest]
        return parts[0] if len(parts) == 1 else f"({word.join(parts)})"

    def _entry(self, condition: checked.Condition) -> Map | list[Map] | None:
        """A condition as one selection: a map of tests, or a list of maps; None where it takes an expression."""
        match condition:
            case checked.Leaf():
                return test(condition.test, self.translation)
            case checked.And():
                merged: list[Map] = []
                for operand in condition.operands:
                    found = self._entry(operand)
                    if not isinstance(found, dict):
                        return None
                    _merge(merged, found)
                return merged[0] if len(merged) == 1 else None
            case checked.Or():
                listed = [self._entry(operand) for operand in condition.operands]
                maps = [found for found in listed if isinstance(found, dict)]
                return maps if len(maps) == len(listed) else None
            case _:
                return None

    def _named(self, found: Map | list[Map], *, negated: bool) -> str:
        for name, known in self.selections.items():
            if known == found and name.startswith("filter") == negated:
                return name
        keys = [key for one in ([found] if isinstance(found, dict) else found) for key in one]
        label = next((label for start, label in _LABELS if all(key.startswith(start) for key in keys)), "")
        name = "_".join(filter(None, ("filter" if negated else "selection", label)))
        self._taken[name] += 1
        if self._taken[name] > 1:
            name += f"_{self._taken[name]}"
        self.selections[name] = found
        return name


def _outer(expression: str) -> str:
    """Without parentheses around the whole."""
    if not expression.startswith("("):
        return expression
    depth = 0
    for position, mark in enumerate(expression):
        depth += (mark == "(") - (mark == ")")
        if depth == 0:
            return expression[1:-1] if position == len(expression) - 1 else expression
    return expression


def _merge(maps: list[Map], new: Map) -> None:
    """Into the first map that has none of its keys, so that all of them hold together."""
    for known in maps:
        if not known.keys() & new.keys():
            known.update(new)
            return
    maps.append(dict(new))


def test(scalar: checked.Scalar, translation: Translation) -> Map:
    """One test of one field as an entry of a selection. Raises `Inexpressible`."""
    match scalar:
        case checked.Match(subject=checked.FieldRef(path=path), kind=kind, constants=constants, fold=fold):
            if kind is MatchKind.REGEX:
                return _regex(path, constants, translation, folded=fold is not checked.Fold.NONE)
            if fold is checked.Fold.NONE:
                translation.approximations.add(f"{path} is compared without regard to case")
            return _texts(path, constants, translation, literal=kind is MatchKind.EQUALS)
        case checked.Membership(subject=checked.FieldRef(path=path), constants=literals):
            return _constants(path, [literal.value for literal in literals], translation)
        case checked.Comparison(op=CompareOp.EQ, left=checked.FieldRef(path=path), right=checked.Literal(value=value)):
            return _constants(path, [value], translation)
        case checked.Comparison(
            op=op, left=checked.FieldRef(path=path), right=checked.Literal(value=int() | float() as value)
        ):
            return {f"{translation.name(path)}|{_COMPARE[op]}": value}
        case checked.NullTest(operand=checked.FieldRef(path=path)):
            return {translation.patterns(path, ())[0]: None}
        case checked.Call(function="cidrMatch", arguments=(checked.FieldRef(path=path), *blocks)):
            values = [block.value for block in blocks if isinstance(block, checked.Literal)]
            return {f"{translation.name(path)}|cidr": _listed(values)}
        case _:
            raise Inexpressible(f"{_described(scalar)} has no form in Sigma")


def _described(scalar: checked.Scalar) -> str:
    match scalar:
        case checked.Call():
            return f"the function `{scalar.function}`"
        case checked.Arithmetic() | checked.Negative():
            return "arithmetic"
        case checked.Comparison() | checked.Match():
            return "a comparison that is not of one field with a constant"
        case _:
            return f"a test of kind {type(scalar).__name__}"


def _constants(path: str, values: list[checked.Constant], translation: Translation) -> Map:
    if all(isinstance(value, str) for value in values):
        if path not in ("event.code", "event.action", "event.type", "event.category"):
            translation.approximations.add(f"{path} is compared without regard to case")
        return _texts(path, tuple(str(value) for value in values), translation, literal=True)
    if any(isinstance(value, checked.DateValue) for value in values):
        raise Inexpressible("a comparison with a date")
    return {translation.name(path): _listed(values)}


def _texts(path: str, constants: tuple[str, ...], translation: Translation, *, literal: bool) -> Map:
    """Patterns on a field. What is literal is marked until the end, because names and arguments add wildcards of their own."""
    marked = [_mark(text) if literal else text for text in constants]
    name, patterns = translation.patterns(path, marked)
    modifier, values = _shape(patterns)
    written = [_number(_escaped(value), name) for value in values]
    return {f"{name}|{modifier}" if modifier else name: _listed(written)}


def _number(value: str, name: str) -> str | int:
    digits = value.isascii() and value.isdecimal() and (value == "0" or not value.startswith("0"))
    return int(value) if name in NUMBERS_OF_KEYWORDS and digits else value


# Private-use characters stand for a literal asterisk and question mark: no telemetry and no rule has them.
_STAR, _MARK = "\ue000", "\ue001"


def _mark(text: str) -> str:
    return text.replace("*", _STAR).replace("?", _MARK)


def _shape(patterns: tuple[str, ...]) -> tuple[str, list[str]]:
    """Sigma's modifier for patterns of one shape, and what remains of them."""
    if all(len(one) > 2 and one.startswith("*") and one.endswith("*") for one in patterns):
        return "contains", [one[1:-1] for one in patterns]
    if all(len(one) > 1 and one.startswith("*") and not one.endswith("*") for one in patterns):
        return "endswith", [one[1:] for one in patterns]
    if all(len(one) > 1 and one.endswith("*") and not one.startswith("*") for one in patterns):
        return "startswith", [one[:-1] for one in patterns]
    return "", list(patterns)


def _escaped(pattern: str) -> str:
    """A pattern as Sigma writes it: a backslash counts as one unless a wildcard or a backslash follows."""
    text = re.sub(r"\*{2,}", "*", pattern)
    text = re.sub(rf"\\(?=[\\*?{_STAR}{_MARK}])", r"\\\\", text)
    return text.replace(_STAR, "\\*").replace(_MARK, "\\?")


def _listed(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _regex(path: str, constants: tuple[str, ...], translation: Translation, *, folded: bool) -> Map:
    if path in ARGUMENTS or path in NAMES:
        name, _ = translation.patterns(path, ("x",))
        ends = regexes.ARGUMENT if path in ARGUMENTS else regexes.NAME
    else:
        name, ends = translation.name(path), regexes.WHOLE
    try:
        values = [regexes.perl(pattern, ends=ends) for pattern in constants]
    except regexes.LuceneOnly as error:
        raise Inexpressible(f"a regular expression with the operator `{error}`, which only Lucene has") from None
    return {f"{name}|re|i" if folded else f"{name}|re": _listed(values)}
