"""From the tree of an expression to a checked expression: names become typed fields and functions, operators their meaning.

This is Elasticsearch's analyser and verifier: what it would refuse becomes a finding, in its words, and the search for further
findings goes on behind it. Knows nothing of stages and pipes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import partial

from contraband.diagnostics import Diagnostic, Span
from contraband.eql import errors
from contraband.eql.analysis.checked import (
    Arithmetic,
    ArithmeticOp,
    Call,
    CompareOp,
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
from contraband.eql.analysis.constants import fit
from contraband.eql.analysis.fold import Folder
from contraband.eql.analysis.static_types import (
    NUMERIC,
    family_of,
    first_field,
    has_fields,
    literal_type,
    passes,
    type_of,
)
from contraband.eql.functions import FUNCTIONS, EvaluationError, Function
from contraband.eql.syntax import ast
from contraband.schema import Field, Schema
from contraband.schema.types import FieldType, TypeFamily

_BY_FOLDED_NAME = {name.lower(): function for name, function in FUNCTIONS.items()}
_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_COUNTS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five"}
_MIRRORED = {
    CompareOp.EQ: CompareOp.EQ,
    CompareOp.LT: CompareOp.GT,
    CompareOp.LE: CompareOp.GE,
    CompareOp.GT: CompareOp.LT,
    CompareOp.GE: CompareOp.LE,
}
_BOOLEAN = frozenset({TypeFamily.BOOLEAN})
_STRING = frozenset({TypeFamily.STRING})
# Functions that Lucene answers itself when a field is tested against constants: they fold ASCII letters only.
_PUSHED_DOWN = frozenset({"startsWith", "endsWith", "stringContains"})


class Resolver:
    """Resolves the expressions of one query; findings gather in `findings`."""

    def __init__(self, source: str, schema: Schema) -> None:
        self._source = source
        self._schema = schema
        self.findings: list[Diagnostic] = []

    # ------------------------------------------------------------------------------------------------------ conditions

    def condition(self, expr: ast.Expr) -> Scalar:
        """A whole condition; it must be boolean."""
        scalar = self.scalar(expr)
        if not passes(scalar, _BOOLEAN):
            self._found(errors.condition_not_boolean(_shown(type_of(scalar)), expr.span))
        return scalar

    def scalar(self, expr: ast.Expr) -> Scalar:
        """Any expression."""
        match expr:
            case ast.Null(span=span):
                return Literal(None, None, span)
            case ast.Boolean(value=value, span=span):
                return Literal(value, FieldType.BOOLEAN, span)
            case ast.Number(value=number, span=span):
                return _number(number, span)
            case ast.String(value=text, span=span):
                return Literal(text, FieldType.KEYWORD, span)
            case ast.Field():
                return self.field(expr)
            case ast.Call():
                return self._call(expr)
            case ast.Negative(operand=operand, span=span):
                return Negative(self._operand(operand, expr, NUMERIC, "numeric", 0), span)
            case ast.Arithmetic(operator=operator, left=left, right=right, span=span):
                sides = [
                    self._operand(side, expr, NUMERIC, "numeric", index) for index, side in enumerate((left, right))
                ]
                return Arithmetic(ArithmeticOp(operator), sides[0], sides[1], span)
            case ast.Comparison():
                return self._comparison(expr)
            case ast.Membership():
                return self._membership(expr)
            case ast.Match():
                return self._match(expr)
            case ast.Not(operand=operand, span=span):
                return ScalarNot(self._operand(operand, expr, _BOOLEAN, "boolean", 0), span)
            case ast.And(operands=operands, span=span):
                return ScalarAnd(self._operands(operands, expr), span)
            case ast.Or(operands=operands, span=span):
                return ScalarOr(self._operands(operands, expr), span)

    def _operands(self, operands: Sequence[ast.Expr], whole: ast.Expr) -> tuple[Scalar, ...]:
        return tuple(
            self._operand(operand, whole, _BOOLEAN, "boolean", index) for index, operand in enumerate(operands)
        )

    def _operand(
        self, expr: ast.Expr, whole: ast.Expr, accepted: frozenset[TypeFamily], wanted: str, index: int
    ) -> Scalar:
        scalar = self.scalar(expr)
        if not passes(scalar, accepted):
            which = "argument" if isinstance(whole, ast.Not | ast.Negative) else f"{_ordinal(index)} argument"
            self._wrong_type(which, whole.span, wanted, scalar, expr.span)
        return scalar

    # ---------------------------------------------------------------------------------------------------------- fields

    def field(self, expr: ast.Field, *, exact: bool = True) -> FieldRef | Literal:
        """A mention of a field; the constant null for a `?field` that no mapping has. `exact`: whole values are looked at."""
        found = self._schema.lookup(expr.name)
        if found is None:
            if not expr.optional:
                self._found(errors.unknown_field(expr.name, self._schema.close_names(expr.name), expr.span))
                return Literal(None, FieldType.ANY, expr.span)
            return Literal(None, None, expr.span)
        if found.ambiguous:
            self._found(errors.ambiguous_field(expr.name, found.ambiguous, expr.span))
            return Literal(None, FieldType.ANY, expr.span)
        if found.type.family is TypeFamily.UNSUPPORTED:
            self._found(errors.unsupported_field_type(expr.name, found.type, expr.span))
            return Literal(None, FieldType.ANY, expr.span)
        if exact and found.inexact:
            self._found(errors.inexact_field(found.type, found.inexact, expr.span))
            return Literal(None, FieldType.ANY, expr.span)
        return field_ref(found, expr.span)

    # ------------------------------------------------------------------------------------------------------- functions

    def _call(self, expr: ast.Call) -> Scalar:
        function = _BY_FOLDED_NAME.get(expr.name.lower())
        if function is None:
            close = get_close_matches(expr.name, list(FUNCTIONS), n=3, cutoff=0.7)
            self._found(errors.unknown_function(expr.name, close, expr.name_span))
            for argument in expr.arguments:
                self.scalar(argument)
            return Literal(None, FieldType.ANY, expr.span)
        if expr.insensitive and not function.case_insensitive_allowed:
            self._found(errors.not_case_insensitive(function.name, expr.name_span))
        if not self._count_fits(function, expr):
            return Literal(None, FieldType.ANY, expr.span)
        arguments = tuple(self._argument(function, expr, index) for index in range(len(expr.arguments)))
        if function.arithmetic is not None:
            return Arithmetic(function.arithmetic, arguments[0], arguments[1], expr.span)
        return Call(function.name, arguments, _call_fold(function, expr, arguments), expr.span)

    def _count_fits(self, function: Function, expr: ast.Call) -> bool:
        count, least, most = len(expr.arguments), function.min_args, function.max_args
        if count >= least and (most is None or count <= most):
            return True
        self._found(errors.argument_count(function.name, _expected_count(least, most), expr.span))
        return False

    def _argument(self, function: Function, expr: ast.Call, index: int) -> Scalar:
        parameter = function.parameters[min(index, len(function.parameters) - 1)]
        argument = expr.arguments[index]
        scalar = self.scalar(argument)
        if not passes(scalar, parameter.accepts):
            wanted = " or ".join(sorted(_FAMILY_NAMES.get(family, family) for family in parameter.accepts))
            self._wrong_type(f"{_ordinal(index)} argument", expr.span, wanted, scalar, argument.span)
        if parameter.constant and first_field(scalar) is not None:
            which = f"{_ordinal(index)} argument"
            self._found(errors.not_constant(which, self._text(expr.span), self._text(argument.span), argument.span))
        return scalar

    # ----------------------------------------------------------------------------------------------------- comparisons

    def _comparison(self, expr: ast.Comparison) -> Scalar:
        if expr.operator == "!=":
            return ScalarNot(self._equality(expr), expr.span)
        if expr.operator == "==":
            return self._equality(expr)
        return self._ordered(CompareOp(expr.operator), self.scalar(expr.left), self.scalar(expr.right), expr)

    def _equality(self, expr: ast.Comparison) -> Scalar:
        if isinstance(expr.right, ast.Null) or isinstance(expr.left, ast.Null):
            tested = expr.left if isinstance(expr.right, ast.Null) else expr.right
            return NullTest(
                self.field(tested, exact=False) if isinstance(tested, ast.Field) else self.scalar(tested), expr.span
            )
        left, right = self.scalar(expr.left), self.scalar(expr.right)
        for side, other in ((left, right), (right, left)):
            if _is_unmapped(other) and (_is_unmapped(side) or has_fields(side)):  # as if `null` stood there
                return NullTest(side, expr.span)
            truth = self._truth(other)
            if truth is not None and self._rewritten(side):
                return side if truth else ScalarNot(side, expr.span)
        return self._ordered(CompareOp.EQ, left, right, expr)

    def _rewritten(self, side: Scalar) -> bool:
        """Whether equality with a boolean becomes the side itself: a field, or what folds to one, keeps its comparison."""
        return passes(side, _BOOLEAN) and not isinstance(Folder(self._source).fold(side), FieldRef | Literal)

    def _truth(self, scalar: Scalar) -> bool | None:
        """The boolean that a side without fields comes to, as constants are folded before anything is rewritten."""
        if has_fields(scalar) or type_of(scalar) is not FieldType.BOOLEAN:
            return None
        folded = Folder(self._source).fold(scalar)
        return folded.value if isinstance(folded, Literal) and isinstance(folded.value, bool) else None

    def _ordered(self, op: CompareOp, left: Scalar, right: Scalar, expr: ast.Comparison) -> Scalar:
        if first_field(left) is None and first_field(right) is not None:
            left, right, op = right, left, _MIRRORED[op]
        offender = first_field(right)
        if offender is not None:
            name = self._text(offender.span)
            self._found(errors.field_against_field(name, expr.operator, offender.span))
            return Literal(None, FieldType.ANY, expr.span)
        return Comparison(op, left, self._fitted(right, left), expr.span)

    def _fitted(self, constant: Scalar, subject: Scalar) -> Scalar:
        """The constant side, folded and read as the type of the field on the other side."""
        folder = Folder(self._source)
        folded = folder.fold(constant)
        self.findings.extend(folder.findings)
        if not isinstance(subject, FieldRef) or not isinstance(folded, Literal):
            return folded
        fitted = fit(folded, subject)
        if isinstance(fitted, Diagnostic):
            self._found(fitted)
            return Literal(None, FieldType.ANY, folded.span)
        return fitted

    # -------------------------------------------------------------------------------------------------- lists, patterns

    def _membership(self, expr: ast.Membership) -> Scalar:
        subject = self.scalar(expr.subject)
        if expr.insensitive:
            return self._insensitive_membership(expr, subject)
        constants: list[Literal] = []
        for index, item in enumerate(expr.items):
            constant = self._item(expr, item, subject)
            if constant is None:
                continue
            if not _agrees(constant, subject):
                which = f"{_numbered(index + 1)} argument"
                wanted = _shown(type_of(subject))
                self._wrong_type(which, expr.span, wanted, constant, item.span)
            fitted = self._fitted(constant, subject)
            if isinstance(fitted, Literal) and fitted.value is not None:
                constants.append(fitted)
        return Membership(subject, tuple(constants), expr.span)

    def _item(self, expr: ast.Membership, item: ast.Expr, subject: Scalar) -> Literal | None:
        """One constant of a list; None when a field stands there, which is a finding."""
        scalar = self.scalar(item)
        offender = first_field(scalar)
        if offender is not None:
            operator = "in~" if expr.insensitive else "in"
            self._found(errors.field_against_field(self._text(offender.span), operator, offender.span))
            return None
        folded = self._fitted(scalar, Literal(None, None, subject.span))
        return folded if isinstance(folded, Literal) else None

    def _insensitive_membership(self, expr: ast.Membership, subject: Scalar) -> Scalar:
        if not passes(subject, _STRING):
            self._wrong_type("first argument", expr.span, "string", subject, expr.subject.span)
        texts = []
        for index, item in enumerate(expr.items):
            constant = self._item(expr, item, subject)
            if constant is None or constant.value is None:
                continue
            if isinstance(constant.value, str):
                texts.append(constant.value)
            else:
                self._wrong_type(f"{_ordinal(index + 1)} argument", expr.span, "string", constant, item.span)
        return Match(subject, MatchKind.EQUALS, tuple(texts), _insensitive(subject), expr.span)

    def _match(self, expr: ast.Match) -> Scalar:
        subject = self.scalar(expr.subject)
        if not passes(subject, _STRING):
            hint = "consider using [==] instead" if expr.operator == ":" else ""
            text, found = self._text(expr.subject.span), _shown(type_of(subject))
            self._found(
                errors.wrong_type("first argument", expr.operator, "string", text, found, expr.subject.span, hint=hint)
            )
        texts = self._patterns(expr)
        if expr.operator in ("regex", "regex~"):
            return self._regex(expr, subject, texts)
        fold = Fold.NONE if expr.operator == "like" else _insensitive(subject)
        plain = tuple(text for text in texts if not _has_wildcard(text))
        patterns = tuple(text for text in texts if _has_wildcard(text))
        parts = [
            Match(subject, kind, constants, fold, expr.span)
            for kind, constants in ((MatchKind.EQUALS, plain), (MatchKind.WILDCARD, patterns))
            if constants
        ]
        if not parts:
            return Match(subject, MatchKind.EQUALS, (), fold, expr.span)
        return parts[0] if len(parts) == 1 else ScalarOr(tuple(parts), expr.span)

    def _patterns(self, expr: ast.Match) -> tuple[str, ...]:
        texts = []
        for index, pattern in enumerate(expr.patterns):
            if isinstance(pattern, ast.String):
                texts.append(pattern.value)
            else:
                found = _shown(None if isinstance(pattern, ast.Null) else literal_type(pattern.value))
                which, text = f"{_ordinal(index + 1)} argument", self._text(pattern.span)
                self._found(errors.wrong_type(which, expr.operator, "string", text, found, pattern.span))
        return tuple(texts)

    def _regex(self, expr: ast.Match, subject: Scalar, texts: tuple[str, ...]) -> Match:
        insensitive = expr.operator == "regex~"
        on_field = isinstance(subject, FieldRef)
        fold = (Fold.UNICODE if on_field else Fold.JAVA) if insensitive else Fold.NONE
        for pattern, text in zip(expr.patterns, texts, strict=False):
            reason = _regex_problem(text, fold, on_field=on_field)
            if reason is not None:
                self._found(errors.invalid_regex(text, reason, pattern.span))
        return Match(subject, MatchKind.REGEX, texts, fold, expr.span)

    # --------------------------------------------------------------------------------------------------------- findings

    def _found(self, finding: Diagnostic) -> None:
        self.findings.append(finding)

    def _text(self, span: Span) -> str:
        return self._source[span.start : span.end]

    def _wrong_type(self, which: str, whole: Span, wanted: str, scalar: Scalar, span: Span) -> None:
        found = _shown(type_of(scalar))
        self._found(errors.wrong_type(which, self._text(whole), wanted, self._text(span), found, span))


_FAMILY_NAMES: dict[TypeFamily, str] = {TypeFamily.INTEGER: "integer", TypeFamily.DECIMAL: "numeric"}


def field_ref(field: Field, span: Span) -> FieldRef:
    """A mention of a field of the schema."""
    return FieldRef(field.path, field.type, span, field.formats)


def _number(value: float, span: Span) -> Literal:
    if isinstance(value, int) and value >= 2**64:
        value = float(value)
    return Literal(value, literal_type(value), span)


def _is_unmapped(scalar: Scalar) -> bool:
    return isinstance(scalar, Literal) and scalar.value is None and scalar.type is None


def _agrees(constant: Literal, subject: Scalar) -> bool:
    """Whether a list's constant may be compared with the subject: numbers with numbers, dates also with their texts."""
    family, wanted = family_of(constant), family_of(subject)
    if family is None or wanted in (None, TypeFamily.ANY):
        return True
    if wanted in NUMERIC:
        return family in NUMERIC
    if wanted is TypeFamily.DATE:
        return family in (TypeFamily.STRING, TypeFamily.INTEGER, TypeFamily.DATE)
    if wanted in (TypeFamily.IP, TypeFamily.VERSION):
        return family in (TypeFamily.STRING, wanted)
    return family is wanted


def _insensitive(subject: Scalar) -> Fold:
    return Fold.ASCII if isinstance(subject, FieldRef) else Fold.JAVA


def _call_fold(function: Function, expr: ast.Call, arguments: tuple[Scalar, ...]) -> Fold:
    if not expr.insensitive:
        return Fold.NONE
    subject, *rest = arguments
    if (
        function.name in _PUSHED_DOWN
        and isinstance(subject, FieldRef)
        and all(first_field(part) is None for part in rest)
    ):
        return Fold.ASCII
    return Fold.JAVA


def _has_wildcard(text: str) -> bool:
    return "*" in text or "?" in text


def _regex_problem(pattern: str, fold: Fold, *, on_field: bool) -> str | None:
    from contraband.eql.reference import java_regex, lucene_regex  # the evaluator imports the checked query

    read: Callable[[], object] = (
        partial(lucene_regex.parse, pattern, Fold.NONE)  # case decides what a pattern matches, never whether it is one
        if on_field
        else partial(java_regex.compiled, pattern, fold is not Fold.NONE)
    )
    try:
        read()
    except RecursionError:
        return "nested too deeply"
    except (ValueError, EvaluationError) as error:
        return str(error).rpartition("]: ")[2]
    return None


def _numbered(count: int) -> str:
    ending = "th" if count % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending}"


def _ordinal(index: int) -> str:
    return _ORDINALS[index] if index < len(_ORDINALS) else f"{index + 1}th"


def _expected_count(least: int, most: int | None) -> str:
    if most is None:
        return f"at least {_COUNTS.get(least, str(least))} arguments"
    if least == most:
        return f"exactly {_COUNTS.get(least, str(least))} argument{'' if least == 1 else 's'}"
    return f"{_COUNTS.get(least, str(least))} or {_COUNTS.get(most, str(most))} arguments"


def _shown(kind: FieldType | None) -> str:
    return "null" if kind is None else str(kind)
