"""What stands inside a larger leaf is computed by a script, as Java does it, even where a field meets a constant; alone it is Lucene's.

`f : "É"` folds ASCII letters; inside `(f : "É" or g(h)) == null` it folds as `string(f) : "É"` does. So that is what is made of it.
"""

from __future__ import annotations

from dataclasses import replace

from contraband.eql.analysis.checked import (
    Arithmetic,
    ArithmeticOp,
    Call,
    Comparison,
    FieldRef,
    Fold,
    Literal,
    Match,
    MatchKind,
    Membership,
    Negative,
    NullTest,
    Scalar,
    ScalarAnd,
    ScalarNot,
    ScalarOr,
)
from contraband.schema.types import FieldType, TypeFamily


def scripted(leaf: Scalar) -> Scalar:
    """The leaf, with what lies below its own test as scripts compute it."""
    match leaf:
        case Literal() | FieldRef():
            return leaf
        case Call(arguments=arguments):
            return replace(leaf, arguments=tuple(map(_inside, arguments)))
        case Comparison(left=left, right=right) | Arithmetic(left=left, right=right):
            return replace(leaf, left=_inside(left), right=_inside(right))
        case Match(subject=subject) | Membership(subject=subject):
            return replace(leaf, subject=_inside(subject))
        case Negative(operand=operand) | NullTest(operand=operand) | ScalarNot(operand=operand):
            return replace(leaf, operand=_inside(operand))
        case ScalarAnd(operands=operands) | ScalarOr(operands=operands):
            return replace(leaf, operands=tuple(map(_inside, operands)))


def _inside(scalar: Scalar) -> Scalar:
    match scalar:
        case Call(fold=Fold.ASCII):
            scalar = replace(scalar, fold=Fold.JAVA)
        case Match(subject=FieldRef() as field, kind=kind) if kind is not MatchKind.REGEX:
            # Regular expressions keep Lucene's dialect: a pattern was checked as that.
            fold = Fold.NONE if scalar.fold is Fold.NONE else Fold.JAVA
            return replace(scalar, subject=_text(field), fold=fold)
        case Comparison(left=FieldRef() as field, right=Literal() as constant):
            return replace(scalar, left=_value(field, constant))
        case Membership(subject=FieldRef() as field, constants=constants):
            return replace(scalar, subject=_value(field, *constants))
        case _:
            pass
    return scripted(scalar)


def _text(field: FieldRef) -> Scalar:
    return Call("string", (field,), Fold.NONE, field.span)


def _value(field: FieldRef, *constants: Literal) -> Scalar:
    """The field as a script's value, where that is compared in another way than the field."""
    if field.type.family is TypeFamily.STRING:
        return _text(field)
    if field.type.family is TypeFamily.INTEGER and any(isinstance(constant.value, float) for constant in constants):
        return Arithmetic(ArithmeticOp.MULTIPLY, field, Literal(1, FieldType.INTEGER, field.span), field.span)
    return field
