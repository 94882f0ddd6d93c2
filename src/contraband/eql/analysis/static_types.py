"""The static type of a checked expression: what the verifier knows before any event is seen."""

from __future__ import annotations

from contraband.eql.analysis.checked import (
    Arithmetic,
    Call,
    Comparison,
    FieldRef,
    Literal,
    Match,
    Membership,
    Negative,
    NullTest,
    Scalar,
    ScalarAnd,
    ScalarNot,
    ScalarOr,
)
from contraband.eql.functions import FUNCTIONS
from contraband.schema.types import FieldType, TypeFamily

_RESULTS = {
    TypeFamily.STRING: FieldType.KEYWORD,
    TypeFamily.INTEGER: FieldType.INTEGER,
    TypeFamily.DECIMAL: FieldType.DOUBLE,
    TypeFamily.BOOLEAN: FieldType.BOOLEAN,
}
NUMERIC = frozenset({TypeFamily.INTEGER, TypeFamily.DECIMAL})


def type_of(scalar: Scalar) -> FieldType | None:
    """The type of the expression's value; None for the constant null, `any` where only the value will tell."""
    match scalar:
        case Literal(type=kind) | FieldRef(type=kind):
            return kind
        case Call(function=name):
            return _RESULTS.get(FUNCTIONS[name].returns, FieldType.ANY)
        case Arithmetic(left=left, right=right):
            return _wider(type_of(left), type_of(right))
        case Negative(operand=operand):
            return type_of(operand)
        case Comparison() | Match() | Membership() | NullTest() | ScalarNot() | ScalarAnd() | ScalarOr():
            return FieldType.BOOLEAN


def family_of(scalar: Scalar) -> TypeFamily | None:
    """The family of the expression's type; None for the constant null."""
    kind = type_of(scalar)
    return None if kind is None else kind.family


def passes(scalar: Scalar, accepted: frozenset[TypeFamily]) -> bool:
    """Whether the expression may stand where one of these families is wanted: null and `any` may stand everywhere."""
    family = family_of(scalar)
    return family is None or family is TypeFamily.ANY or family in accepted


def literal_type(value: object) -> FieldType | None:
    """The type of a constant that stands alone."""
    match value:
        case None:
            return None
        case bool():
            return FieldType.BOOLEAN
        case int():
            if -(2**31) <= value < 2**31:
                return FieldType.INTEGER
            return FieldType.LONG if value < 2**63 else FieldType.UNSIGNED_LONG
        case float():
            return FieldType.DOUBLE
        case _:
            return FieldType.KEYWORD


def has_fields(scalar: Scalar) -> bool:
    """Whether the expression mentions any field: if not, it is a constant."""
    return first_field(scalar) is not None


def first_field(scalar: Scalar) -> FieldRef | None:
    """The first mention of a field, in the order of reading."""
    match scalar:
        case FieldRef():
            return scalar
        case Literal():
            return None
        case Call(arguments=operands) | ScalarAnd(operands=operands) | ScalarOr(operands=operands):
            return next((found for operand in operands if (found := first_field(operand)) is not None), None)
        case Arithmetic(left=left, right=right) | Comparison(left=left, right=right):
            found = first_field(left)
            return found if found is not None else first_field(right)
        case Negative(operand=operand) | NullTest(operand=operand) | ScalarNot(operand=operand):
            return first_field(operand)
        case Match(subject=subject) | Membership(subject=subject):
            return first_field(subject)


def _wider(left: FieldType | None, right: FieldType | None) -> FieldType:
    families = {kind.family for kind in (left, right) if kind is not None}
    if TypeFamily.ANY in families:
        return FieldType.ANY
    if TypeFamily.DECIMAL in families:
        return FieldType.DOUBLE
    return FieldType.INTEGER if {left, right} <= {FieldType.INTEGER} else FieldType.LONG
