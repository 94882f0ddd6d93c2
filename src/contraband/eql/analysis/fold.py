"""Constant folding, with null absorbing what it touches: a stage of the *meaning*, since it decides what an unmapped `?field` does.

Source: Elasticsearch's optimiser for EQL (constant folding, boolean simplification, null folding).
"""

from __future__ import annotations

from dataclasses import replace

from contraband.diagnostics import Diagnostic, Span
from contraband.eql import errors
from contraband.eql.analysis.checked import (
    Arithmetic,
    Call,
    Comparison,
    DateValue,
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
from contraband.eql.analysis.static_types import has_fields, literal_type
from contraband.eql.functions import EvaluationError
from contraband.schema.types import FieldType

# Arguments whose null is *not* the function's null: they have a meaning of their own when they are null.
_NULL_TOLERANT: dict[str, frozenset[int]] = {
    "between": frozenset({1, 2, 3}),
    "substring": frozenset({1, 2}),
    "indexOf": frozenset({2}),
    "number": frozenset({1}),
}


class Folder:
    """Folds one expression; constants that cannot be computed become findings, worded with the query's text."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.findings: list[Diagnostic] = []

    def fold(self, scalar: Scalar) -> Scalar:
        """The expression with every constant part computed."""
        match scalar:
            case Literal() | FieldRef():
                return scalar
            case ScalarAnd():
                return self._and(scalar)
            case ScalarOr():
                return self._or(scalar)
            case ScalarNot():
                return self._not(scalar)
            case NullTest(operand=operand):
                return self._null_test(replace(scalar, operand=self.fold(operand)))
            case Call(arguments=arguments):
                return self._call(replace(scalar, arguments=tuple(map(self.fold, arguments))))
            case Arithmetic(left=left, right=right) | Comparison(left=left, right=right):
                return self._strict(replace(scalar, left=self.fold(left), right=self.fold(right)))
            case Negative(operand=operand):
                return self._strict(replace(scalar, operand=self.fold(operand)))
            case Match(subject=subject) | Membership(subject=subject):
                return self._strict(replace(scalar, subject=self.fold(subject)))

    def _and(self, scalar: ScalarAnd) -> Scalar:
        operands = [self.fold(operand) for operand in scalar.operands]
        if any(_is_null(operand) for operand in operands):
            return _literal(None, scalar.span)
        if any(_is(operand, value=False) for operand in operands):
            return _literal(False, scalar.span)
        rest = tuple(operand for operand in operands if not _is(operand, value=True))
        return _joined(ScalarAnd, rest, scalar.span, empty=True)

    def _or(self, scalar: ScalarOr) -> Scalar:
        operands = [self.fold(operand) for operand in scalar.operands]
        if any(_is(operand, value=True) for operand in operands):
            return _literal(True, scalar.span)
        rest = tuple(operand for operand in operands if not _is_null(operand) and not _is(operand, value=False))
        if not rest and all(_is_null(operand) for operand in operands):
            return _literal(None, scalar.span)
        return _joined(ScalarOr, rest, scalar.span, empty=False)

    def _not(self, scalar: ScalarNot) -> Scalar:
        operand = self.fold(scalar.operand)
        match operand:
            case Literal(value=None):
                return operand
            case Literal(value=bool(value)):
                return _literal(not value, scalar.span)
            case ScalarNot(operand=inner):
                return inner
            case _:
                return ScalarNot(operand, scalar.span)

    def _null_test(self, scalar: NullTest) -> Scalar:
        if isinstance(scalar.operand, Literal):
            return _literal(scalar.operand.value is None, scalar.span)
        return scalar

    def _call(self, scalar: Call) -> Scalar:
        tolerant = _NULL_TOLERANT.get(scalar.function, frozenset())
        strict = (argument for index, argument in enumerate(scalar.arguments) if index not in tolerant)
        if any(map(_is_null, strict)):
            return _literal(None, scalar.span)
        return self._constant(scalar)

    def _strict(self, scalar: Arithmetic | Comparison | Negative | Match | Membership) -> Scalar:
        """Null if any operand is the constant null, else computed if there is no field in it."""
        match scalar:
            case Arithmetic(left=left, right=right) | Comparison(left=left, right=right):
                null = _is_null(left) or _is_null(right)
            case Negative(operand=operand):
                null = _is_null(operand)
            case Match(subject=subject) | Membership(subject=subject):
                null = _is_null(subject)
        return _literal(None, scalar.span) if null else self._constant(scalar)

    def _constant(self, scalar: Scalar) -> Scalar:
        if has_fields(scalar):
            return scalar
        from contraband.eql.reference.scalars import evaluate  # the evaluator imports the checked query

        try:
            value = evaluate(scalar, ())
        except EvaluationError as error:
            self.findings.append(errors.cannot_evaluate(self._text(scalar.span), str(error), scalar.span))
            return Literal(None, FieldType.ANY, scalar.span)
        if value is None or isinstance(value, bool | int | float | str):
            return _literal(value, scalar.span)
        return scalar

    def _text(self, span: Span) -> str:
        return self._source[span.start : span.end]


def _literal(value: bool | int | float | str | DateValue | None, span: Span) -> Literal:
    return Literal(value, literal_type(value), span)


def _is_null(scalar: Scalar) -> bool:
    return isinstance(scalar, Literal) and scalar.value is None


def _is(scalar: Scalar, *, value: bool) -> bool:
    return isinstance(scalar, Literal) and scalar.value is value


def _joined(kind: type[ScalarAnd] | type[ScalarOr], operands: tuple[Scalar, ...], span: Span, *, empty: bool) -> Scalar:
    flat: list[Scalar] = []
    for operand in operands:
        flat.extend(operand.operands if isinstance(operand, kind) else (operand,))
    if not flat:
        return _literal(empty, span)
    return flat[0] if len(flat) == 1 else kind(tuple(flat), span)
