"""What a scalar gives for one combination of values: three-valued, as Elasticsearch's scripts are.

A test of a field against a constant is Lucene's instead (text by code point, its regular expressions, exact numbers);
which of the two applies is read off the tree, as Elasticsearch does when it translates.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from contraband.eql.analysis.checked import (
    Arithmetic,
    Call,
    CompareOp,
    Comparison,
    FieldRef,
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
from contraband.eql.functions import FUNCTIONS, EvaluationError
from contraband.eql.functions._arithmetic import compute, negate
from contraband.eql.functions._text import utf16
from contraband.eql.reference import java_regex, lucene_regex
from contraband.eql.reference.texts import equal, wildcard
from contraband.eql.reference.values import (
    Address,
    Block,
    Constant,
    Instant,
    Span,
    Value,
    Version,
    as_address,
    as_instant,
    constant_of,
    decimal,
    is_any,
    plain,
    text_of,
)
from contraband.eql.reference.versions import version_key


def mentions(scalar: Scalar) -> Iterator[FieldRef]:
    """Every mention of a field, in the order of reading; a field named twice comes twice."""
    match scalar:
        case FieldRef():
            yield scalar
        case Literal():
            return
        case _:
            for operand in _operands(scalar):
                yield from mentions(operand)


def _operands(scalar: Scalar) -> tuple[Scalar, ...]:
    match scalar:
        case Call(arguments=arguments):
            return arguments
        case Arithmetic(left=left, right=right) | Comparison(left=left, right=right):
            return (left, right)
        case Match(subject=subject) | Membership(subject=subject):
            return (subject,)
        case Negative(operand=operand) | NullTest(operand=operand) | ScalarNot(operand=operand):
            return (operand,)
        case ScalarAnd(operands=operands) | ScalarOr(operands=operands):
            return operands
        case Literal() | FieldRef():
            return ()


def evaluate(scalar: Scalar, values: tuple[Value, ...]) -> Constant:
    """The scalar's value when its mentions of fields have these values, in the order of reading."""
    return _Combination(values, 0).value(scalar)


class _Combination:
    """One combination of values; each mention takes the next."""

    def __init__(self, values: tuple[Value, ...], start: int) -> None:
        self.values = values
        self.start = start

    def parts(self, scalar: Scalar) -> list[Constant | EvaluationError]:
        """The values of all operands, or how they failed: one that fails must not keep the others from their values."""
        results: list[Constant | EvaluationError] = []
        start = self.start
        for operand in _operands(scalar):
            try:
                results.append(_Combination(self.values, start).value(operand))
            except EvaluationError as error:
                results.append(error)
            start += sum(1 for _ in mentions(operand))
        return results

    def operands(self, scalar: Scalar) -> list[Constant]:
        """The values of all operands; fails if one of them does."""
        results: list[Constant] = []
        for part in self.parts(scalar):
            if isinstance(part, EvaluationError):
                raise part
            results.append(part)
        return results

    def value(self, scalar: Scalar) -> Constant:
        match scalar:
            case Literal():
                return constant_of(scalar)
            case FieldRef():
                return self.values[self.start]
            case Call(function=name, fold=fold):
                arguments = tuple(plain(argument) for argument in self.operands(scalar))
                return FUNCTIONS[name].reference(arguments, fold)
            case Arithmetic(op=op):
                left, right = self.operands(scalar)
                return compute(op, plain(left), plain(right))
            case Negative():
                return negate(plain(self.operands(scalar)[0]))
            case Comparison(op=op, left=left_side, right=right_side):
                left, right = self.operands(scalar)
                return compare(op, left, right, field=_field_test(left_side, right_side))
            case Membership(subject=subject, constants=constants):
                return self.member(self.operands(scalar)[0], subject, constants)
            case Match():
                return _fits(scalar, self.operands(scalar)[0])
            case NullTest():
                return self.operands(scalar)[0] is None
            case ScalarNot():
                operand = self.operands(scalar)[0]
                return None if operand is None else not operand
            case ScalarAnd():
                return _settled(self.parts(scalar), decisive=False)
            case ScalarOr():
                return _settled(self.parts(scalar), decisive=True)

    def member(self, value: Constant, subject: Scalar, constants: tuple[Literal, ...]) -> bool | None:
        """Whether the value equals any constant; null constants are equal to nothing."""
        if value is None:
            return None
        field = _field_test(subject, *constants)
        return any(compare(CompareOp.EQ, value, constant_of(constant), field=field) is True for constant in constants)


def _settled(parts: list[Constant | EvaluationError], *, decisive: bool) -> bool | None:
    """`and` (decisive: false) or `or` (decisive: true): the decisive value wins over failure, and failure over null."""
    if any(part is decisive for part in parts):
        return decisive
    for part in parts:
        if isinstance(part, EvaluationError):
            raise part
    return None if None in parts else not decisive


def _field_test(left: Scalar, *right: Scalar) -> FieldRef | None:
    """The field, when the left side is just that and the right side is constant: then Lucene compares, not a script."""
    constant = all(not any(True for _ in mentions(side)) for side in right)
    return left if isinstance(left, FieldRef) and constant else None


# --------------------------------------------------------------------------------------------------------- comparing


def compare(op: CompareOp, left: Constant, right: Constant, *, field: FieldRef | None) -> bool | None:
    """`left OP right`; null if either is null or they cannot be compared. `field`: a field against a constant."""
    match right:
        case Span(first=first, last=last):
            instant = as_instant(_single(left))
            return None if instant is None else _against_range(op, instant, first, last)
        case Block(low=low, high=high):
            address = left if isinstance(left, Address) else as_address(_single(left))
            return None if address is None else _against_range(op, address, Address(low), Address(high))
        case Version():
            return _compare_versions(op, text_of(left), right.text)
        case _:
            pass
    order = _order(_single(left), _single(right), field)
    return None if order is None else _holds(op, order)


def _single(constant: Constant) -> Value:
    """A constant as one value: of a range, its beginning."""
    match constant:
        case Span(first=first):
            return first
        case Block(low=low):
            return Address(low)
        case _:
            return constant


def _against_range(op: CompareOp, value: Instant | Address, first: Instant | Address, last: Instant | Address) -> bool:
    below, above = _sort_key(value) < _sort_key(first), _sort_key(value) > _sort_key(last)
    match op:
        case CompareOp.EQ:
            return not below and not above
        case CompareOp.LT:
            return below
        case CompareOp.LE:
            return not above
        case CompareOp.GT:
            return above
        case CompareOp.GE:
            return not below


def _sort_key(value: Instant | Address) -> int:
    return value.nanoseconds if isinstance(value, Instant) else value.number


def _compare_versions(op: CompareOp, left: str | None, right: str) -> bool | None:
    if left is None:
        return None
    if op is CompareOp.EQ:
        return left == right
    a, b = version_key(left), version_key(right)
    return _holds(op, (a > b) - (a < b))


def _holds(op: CompareOp, order: int) -> bool:
    match op:
        case CompareOp.EQ:
            return order == 0
        case CompareOp.LT:
            return order < 0
        case CompareOp.LE:
            return order <= 0
        case CompareOp.GT:
            return order > 0
        case CompareOp.GE:
            return order >= 0


def _order(left: Value, right: Value, field: FieldRef | None) -> int | None:
    """-1, 0 or 1; None if there is no order between the two."""
    match left, right:
        case None, _:
            return None
        case _, None:
            return None
        case (bool() as a, bool() as b):
            return int(a) - int(b)
        case bool(), str():
            return None if right not in {"true", "false"} else int(left) - int(right == "true")
        case bool(), _:
            return None
        case (int() | float() as a, int() | float() as b) if not isinstance(b, bool):
            return _order_numbers(a, b, field)
        case (int() | float() as a, str() as b):
            return _number_against_text(a, b, field)
        case str(), str() | bool() | int() | float():
            return _order_texts(left, str(text_of(right)), field)
        case ((Version() | Instant() | Address()), (str() | Version() | Instant() | Address())):
            return _order_texts(str(text_of(left)), str(text_of(right)), field)
        case _:
            return None


def _order_numbers(a: float, b: float, field: FieldRef | None) -> int:
    """Whole numbers exactly, and fields of them always; otherwise Java's `Double.compare`."""
    if isinstance(a, int) and (isinstance(b, int) or (field is not None and math.isfinite(b))):
        return (a > b) - (a < b)
    x, y = _double_key(float(a)), _double_key(float(b))
    return (x > y) - (x < y)


def _double_key(number: float) -> tuple[int, float, float]:
    """-0.0 before 0.0, NaN after everything and equal to itself."""
    return (1, 0.0, 0.0) if math.isnan(number) else (0, number, math.copysign(1.0, number))


def _number_against_text(number: float, text: str, field: FieldRef | None) -> int | None:
    exact = _spelled(text)
    if exact is not None:
        return _order_numbers(number, exact, field)
    if field is not None and not is_any(field):
        raise EvaluationError(f"[{text}] is no number, but [{field.path}] is compared with it")
    return None


def _spelled(text: str) -> int | float | None:
    digits = text[1:] if text[:1] in {"+", "-"} else text
    if digits.isascii() and digits.isdigit() and len(digits) < 20 and -(2**63) <= int(text) < 2**64:
        return int(text)
    return decimal(text)


def _order_texts(left: str, right: str, field: FieldRef | None) -> int:
    """By code point in Lucene, by UTF-16 unit in Java."""
    if field is not None:
        return (left > right) - (left < right)
    a, b = utf16(left), utf16(right)
    return (a > b) - (a < b)


# ---------------------------------------------------------------------------------------------------------- matching


def _fits(match_: Match, value: Constant) -> bool | None:
    text = text_of(value)
    if text is None:
        return None
    java = not isinstance(match_.subject, FieldRef)
    fold = match_.fold
    match match_.kind:
        case MatchKind.EQUALS:
            return any(equal(text, constant, fold) for constant in match_.constants)
        case MatchKind.WILDCARD:
            return any(wildcard(text, constant, fold, java=java) for constant in match_.constants)
        case MatchKind.REGEX:
            regex = java_regex.matches if java else lucene_regex.matches
            # All patterns are read even if the first fits: a malformed one fails the search wherever it stands.
            fitting = [regex(text, constant, fold) for constant in match_.constants]
            return any(fitting)
