"""From a checked query to the plan. Decides no meaning: it names the cheapest leaf that says what the checked query says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from contraband.eql.analysis.checked import (
    Always,
    And,
    Arithmetic,
    Call,
    CheckedQuery,
    CompareOp,
    Comparison,
    Condition,
    DateValue,
    FieldRef,
    JoinKey,
    Leaf,
    Literal,
    Match,
    MatchKind,
    Membership,
    Negative,
    Never,
    Not,
    NullTest,
    Or,
    Scalar,
    ScalarAnd,
    ScalarNot,
    ScalarOr,
    Stage,
)
from contraband.eql.functions._text import double_text
from contraband.plan.model import PLAN_VERSION, Plan
from contraband.schema.date_formats import DateFormat, Digits, Maybe, Name, Named, Part, Pattern, Text, Zone
from contraband.schema.types import FieldType, TypeFamily

Document = dict[str, Any]

_PARTS = {"startsWith": "prefix", "endsWith": "suffix", "stringContains": "contains"}


_FieldKey = tuple[str, FieldType, tuple[DateFormat, ...]]


def lower(query: CheckedQuery) -> Plan:
    """The plan of a checked query.

    A query with a positive stage that nothing meets is not run at all in Elasticsearch, so none of its conditions can fail.
    """
    lowering = _Lowering(never=any(not stage.missing and isinstance(stage.condition, Never) for stage in query.stages))
    document: Document = {
        "version": PLAN_VERSION,
        "kind": str(query.kind),
        "fields": [],
        "timestamp": None if query.timestamp_field is None else lowering.field(query.timestamp_field),
        "tiebreaker": None if query.tiebreaker_field is None else lowering.field(query.tiebreaker_field),
        "stages": [lowering.stage(stage) for stage in query.stages],
        "until": None if query.until is None else lowering.stage(query.until),
        "maxspan_ms": query.maxspan_ms,
        "pipes": [{"kind": str(pipe.kind), "count": pipe.count} for pipe in query.pipes],
    }
    document["fields"] = [_field(field) for field in lowering.fields]
    return Plan(document)


class _Lowering:
    """Lowers one query; numbers its fields in the order of their first mention."""

    def __init__(self, *, never: bool) -> None:
        self.never = never
        self.fields: dict[_FieldKey, int] = {}

    def field(self, field: FieldRef) -> int:
        return self.fields.setdefault((field.path, field.type, field.formats), len(self.fields))

    def stage(self, stage: Stage) -> Document:
        return {
            "filter": {"always": False} if self.never else self.condition(stage.condition),
            "keys": [self._key(key) for key in stage.keys],
            "missing": stage.missing,
            "runs": stage.runs,
        }

    def _key(self, key: JoinKey) -> Document:
        return {"field": None if key.field is None else self.field(key.field), "optional": key.optional}

    # ------------------------------------------------------------------------------------------------------ conditions

    def condition(self, condition: Condition) -> Document:
        match condition:
            case Always():
                return {"always": True}
            case Never():
                return {"always": False}
            case And(operands=operands):
                return {"and": [self.condition(operand) for operand in operands]}
            case Or(operands=operands):
                return {"or": [self.condition(operand) for operand in operands]}
            case Not(operand=operand):
                return {"not": self.condition(operand)}
            case Leaf(test=test):
                return self._leaf(test)

    def _leaf(self, test: Scalar) -> Document:
        match test:
            case FieldRef():
                return {"truth": {"field": self.field(test)}}
            case NullTest(operand=FieldRef() as field):
                return {"missing": {"field": self.field(field)}}
            case Comparison(op=op, left=FieldRef() as field, right=Literal() as constant):
                return self._compare(op, field, constant)
            case Membership(subject=FieldRef() as field, constants=constants):
                return self._member(field, constants)
            case Match(subject=FieldRef() as field):
                return self._match(test, field)
            case Call(arguments=(FieldRef() as field, *rest)):
                return self._call(test, field, rest)
            case _:
                return {"script": self.scalar(test)}

    def _compare(self, op: CompareOp, field: FieldRef, constant: Literal) -> Document:
        if op is CompareOp.EQ and _is_text(field, constant):
            return self._texts(field, [constant.value])
        return {"compare": {"field": self.field(field), "op": str(op), "constant": literal(constant)}}

    def _member(self, field: FieldRef, constants: tuple[Literal, ...]) -> Document:
        if all(_is_text(field, constant) for constant in constants):
            return self._texts(field, [constant.value for constant in constants])
        return {"in": {"field": self.field(field), "constants": [literal(constant) for constant in constants]}}

    def _texts(self, field: FieldRef, constants: list[Any]) -> Document:
        return {"text": {"field": self.field(field), "kind": "equals", "fold": "none", "constants": constants}}

    def _match(self, test: Match, field: FieldRef) -> Document:
        body = {"field": self.field(field), "fold": str(test.fold)}
        if test.kind is MatchKind.REGEX:
            return {"regex": {**body, "patterns": list(test.constants)}}
        return {"text": {**body, "kind": str(test.kind), "constants": list(test.constants)}}

    def _call(self, test: Call, field: FieldRef, rest: Sequence[Scalar]) -> Document:
        texts = [part.value for part in rest if isinstance(part, Literal) and isinstance(part.value, str)]
        plain = len(texts) == len(rest) > 0
        if plain and test.function in _PARTS and field.type.family is TypeFamily.STRING:
            return {_PARTS[test.function]: {"field": self.field(field), "fold": str(test.fold), "constants": texts}}
        if plain and test.function == "cidrMatch" and field.type.family is TypeFamily.IP:
            return {"cidr": {"field": self.field(field), "blocks": texts}}
        return {"script": self.scalar(test)}

    # --------------------------------------------------------------------------------------------------------- scalars

    def scalar(self, scalar: Scalar) -> Document:
        match scalar:
            case Literal():
                return {"literal": literal(scalar)}
            case FieldRef():
                return {"field": self.field(scalar)}
            case Call(function=function, fold=fold, arguments=arguments):
                lowered = [self.scalar(argument) for argument in arguments]
                return {"call": {"function": function, "fold": str(fold), "arguments": lowered}}
            case Arithmetic(op=op, left=left, right=right):
                return {"arithmetic": {"op": str(op), "left": self.scalar(left), "right": self.scalar(right)}}
            case Negative(operand=operand):
                return {"negative": self.scalar(operand)}
            case Comparison(op=op, left=left, right=right):
                return {"comparison": {"op": str(op), "left": self.scalar(left), "right": self.scalar(right)}}
            case Membership(subject=subject, constants=constants):
                lowered_constants = [literal(constant) for constant in constants]
                return {"member": {"subject": self.scalar(subject), "constants": lowered_constants}}
            case Match(subject=subject, kind=kind, fold=fold, constants=texts):
                body = {"kind": str(kind), "fold": str(fold), "constants": list(texts)}
                return {"match": {"subject": self.scalar(subject), **body}}
            case NullTest(operand=operand):
                return {"is_null": self.scalar(operand)}
            case ScalarNot(operand=operand):
                return {"not": self.scalar(operand)}
            case ScalarAnd(operands=operands):
                return {"all": [self.scalar(operand) for operand in operands]}
            case ScalarOr(operands=operands):
                return {"any": [self.scalar(operand) for operand in operands]}


def _field(key: _FieldKey) -> Document:
    path, kind, formats = key
    document: Document = {"path": path, "type": str(kind)}
    if formats:
        document["formats"] = [_format(alternative) for alternative in formats]
    return document


def _format(alternative: DateFormat) -> Document:
    match alternative:
        case Named(name=name):
            return {"named": name}
        case Pattern(parts=parts):
            return {"pattern": [_part(part) for part in parts]}


def _part(part: Part) -> Document:
    match part:
        case Text(text=text):
            return {"text": text}
        case Digits(unit=unit, least=least, most=most):
            return {"digits": {"unit": unit, "least": least, "most": most}}
        case Name(unit=unit, full=full):
            return {"name": {"unit": unit, "full": full}}
        case Zone():
            return {"zone": True}
        case Maybe(parts=parts):
            return {"maybe": [_part(inner) for inner in parts]}


def literal(constant: Literal) -> Document | None:
    """A constant as the plan writes it."""
    value = constant.value
    match value:
        case None:
            return None
        case bool():
            return {"bool": value}
        case int():
            return {"long": value} if value < 2**63 else {"unsigned": str(value)}
        case float():
            return {"double": value if math.isfinite(value) else double_text(value)}
        case DateValue(first=first, last=last):
            return {"date": {"first": list(first), "last": list(last)}}
        case str():
            kind = constant.type.family if constant.type is not None else TypeFamily.STRING
            named = {TypeFamily.IP: "ip", TypeFamily.VERSION: "version"}
            return {named.get(kind, "string"): value}


def _is_text(field: FieldRef, constant: Literal) -> bool:
    return field.type.family is TypeFamily.STRING and isinstance(constant.value, str)
