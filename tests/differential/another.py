"""A third evaluator of conditions, written from the language's rules alone, over the parser's trees: it shares no code with the
analyser, the reference or the core, so a rule that they misunderstand together shows.

It knows fields of the types keyword, long, double and boolean, and every operator and function but regular expressions.
"""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Iterator
from typing import Any

from contraband.eql.syntax import ast

Types = dict[str, str]


class Fails(Exception):
    """The search fails."""


class Refused(Exception):
    """Elasticsearch would refuse the query, or the query is beyond this evaluator."""


class Evaluator:
    """One condition over documents that are flat: field to value or list of values."""

    def __init__(self, condition: ast.Expr, types: Types) -> None:
        self.types = types
        self.condition = self.simplified(condition)

    def matches(self, document: dict[str, Any]) -> bool:
        return self.holds(self.condition, document)

    # ------------------------------------------------------------------------------------ what happens before any document

    def simplified(self, expr: Any) -> Any:
        """Constants computed and null spread, bottom up."""
        match expr:
            case ast.Field(name=name, optional=optional, span=span):
                if name in self.types:
                    return expr
                if not optional:
                    raise Refused(f"unknown column {name}")
                return ast.Null(span)
            case ast.Null() | ast.Boolean() | ast.Number() | ast.String():
                return expr
            case ast.And(operands=operands, span=span):
                return self.joined(ast.And, [self.simplified(operand) for operand in operands], span)
            case ast.Or(operands=operands, span=span):
                return self.joined(ast.Or, [self.simplified(operand) for operand in operands], span)
            case ast.Not(operand=operand, span=span):
                return negated(self.simplified(operand), span)
            case ast.Comparison(operator="!=", left=left, right=right, span=span):
                return negated(self.simplified(ast.Comparison("==", left, right, span)), span)
            case ast.Comparison(operator=operator, left=left, right=right, span=span):
                return self.comparison(operator, (left, right), self.simplified(left), self.simplified(right), span)
            case ast.Call(arguments=arguments, span=span):
                return self.constant(
                    ast.Call(expr.name, expr.insensitive, tuple(map(self.simplified, arguments)), expr.name_span, span)
                )
            case ast.Arithmetic(operator=operator, left=left, right=right, span=span):
                sides = self.simplified(left), self.simplified(right)
                if any(isinstance(side, ast.Null) for side in sides):
                    return ast.Null(span)
                return self.constant(ast.Arithmetic(operator, *sides, span))
            case ast.Negative(operand=operand, span=span):
                inner = self.simplified(operand)
                return inner if isinstance(inner, ast.Null) else self.constant(ast.Negative(inner, span))
            case ast.Membership(subject=subject, items=items, span=span):
                inner = self.simplified(subject)
                member = ast.Membership(inner, tuple(map(self.simplified, items)), expr.insensitive, span)
                return ast.Null(span) if isinstance(inner, ast.Null) else self.constant(member)
            case ast.Match(subject=subject, span=span):
                inner = self.simplified(subject)
                found = ast.Match(expr.operator, inner, expr.patterns, span)
                return ast.Null(span) if isinstance(inner, ast.Null) else self.constant(found)
        raise Refused(str(expr))

    def joined(self, kind: type[ast.And] | type[ast.Or], operands: list[Any], span: Any) -> Any:
        nulls = [isinstance(operand, ast.Null) for operand in operands]
        if kind is ast.And:
            if any(nulls):
                return ast.Null(span)
        elif all(nulls):
            return ast.Null(span)
        decisive = kind is ast.Or
        left = [operand for operand in operands if not isinstance(operand, ast.Null)]
        if any(isinstance(operand, ast.Boolean) and operand.value is decisive for operand in left):
            return ast.Boolean(decisive, span)
        left = [operand for operand in left if not isinstance(operand, ast.Boolean)]
        if not left:
            return ast.Boolean(not decisive, span)
        return left[0] if len(left) == 1 else kind(tuple(left), span)

    def comparison(self, operator: str, written: tuple[Any, Any], left: Any, right: Any, span: Any) -> Any:
        if operator == "==":
            for side, other in ((left, right), (right, left)):
                if isinstance(other, ast.Null):
                    if isinstance(side, ast.Null):
                        return ast.Boolean(True, span)
                    if isinstance(written[0], ast.Null) or isinstance(written[1], ast.Null) or not constant(side):
                        is_null = ast.Comparison("is", side, ast.Null(span), span)
                        return ast.Boolean(False, span) if constant(side) else is_null
                    return ast.Null(span)
                if isinstance(other, ast.Boolean) and isinstance(side, PREDICATES):
                    return side if other.value else negated(side, span)
        if isinstance(left, ast.Null) or isinstance(right, ast.Null):
            return ast.Null(span)
        if constant(left) and not constant(right):
            left, right = right, left
            operator = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(operator, operator)
        return self.constant(ast.Comparison(operator, left, right, span))

    def constant(self, expr: Any) -> Any:
        """The expression's value where no field is in it."""
        if not constant(expr):
            if isinstance(expr, ast.Call) and self.null_for(expr):
                return ast.Null(expr.span)
            return expr
        try:
            value = self.value(expr, iter(()))
        except Fails as error:
            raise Refused(str(error)) from error
        match value:
            case None:
                return ast.Null(expr.span)
            case bool():
                return ast.Boolean(value, expr.span)
            case str():
                return ast.String(value, expr.span)
            case _:
                return ast.Number(value, expr.span)

    def null_for(self, call: ast.Call) -> bool:
        """Whether a constant null among the arguments makes the whole null."""
        name = call.name.lower()
        strict: dict[str, slice] = {
            "between": slice(0, 1),
            "substring": slice(0, 1),
            "indexof": slice(0, 2),
            "number": slice(0, 1),
        }
        return any(isinstance(argument, ast.Null) for argument in call.arguments[strict.get(name, slice(None))])

    # ---------------------------------------------------------------------------------------------- documents: two-valued

    def holds(self, expr: Any, document: dict[str, Any]) -> bool:
        match expr:
            case ast.Boolean(value=value):
                return value
            case ast.Null():
                return False
            case ast.And(operands=operands):
                return self.all_or_any(operands, document, decisive=False)
            case ast.Or(operands=operands):
                return self.all_or_any(operands, document, decisive=True)
            case ast.Not(operand=operand):
                return not self.holds(operand, document)
        if isinstance(expr, ast.Comparison) and expr.operator == "is" and isinstance(expr.left, ast.Field):
            return not self.values(expr.left, document)
        loops = [self.values(mention, document) or [None] for mention in mentions(expr)]
        failed = None
        for combination in itertools.product(*loops):
            try:
                if self.value(expr, iter(combination), leaf=True) is True:
                    return True
            except Fails as error:
                failed = error
        if failed:
            raise failed
        return False

    def all_or_any(self, operands: tuple[Any, ...], document: dict[str, Any], *, decisive: bool) -> bool:
        """What decides, decides whatever fails beside it."""
        failed = None
        for operand in operands:
            try:
                if self.holds(operand, document) is decisive:
                    return decisive
            except Fails as error:
                failed = error
        if failed:
            raise failed
        return not decisive

    def values(self, mention: ast.Field, document: dict[str, Any]) -> list[Any]:
        def flat(value: Any) -> Iterator[Any]:
            if isinstance(value, list):
                for element in value:
                    yield from flat(element)
            elif value is not None:
                yield value

        return list(flat(document.get(mention.name)))

    # -------------------------------------------------------------------------------------------------- values: three-valued

    def value(self, expr: Any, taken: Iterator[Any], *, leaf: bool = False) -> Any:
        match expr:
            case ast.Null():
                return None
            case ast.Boolean(value=value) | ast.Number(value=value) | ast.String(value=value):
                return value
            case ast.Field():
                return next(taken)
            case ast.Comparison(operator=operator, left=left, right=right):
                a, b = self.value(left, taken), self.value(right, taken)
                if operator == "is":
                    return a is None
                return compared(operator, a, b, script=not (leaf and isinstance(left, ast.Field)))
            case ast.Membership(subject=subject, items=items, insensitive=insensitive):
                a = self.value(subject, taken)
                if a is None:
                    return None
                script = not (leaf and isinstance(subject, ast.Field))
                constants = [self.value(item, taken) for item in items]
                if insensitive:
                    return any(same_text(text(a), b, "java" if script else "ascii") for b in constants if b is not None)
                return any(compared("==", a, b, script=script) is True for b in constants)
            case ast.Match(operator=operator, subject=subject, patterns=patterns):
                if operator.startswith("regex"):
                    raise Refused("regular expression")
                a = self.value(subject, taken)
                script = not (leaf and isinstance(subject, ast.Field))
                fold = "no" if operator == "like" else "java" if script else "ascii"
                found = [fits(text(a), one.value, fold, script) for one in patterns] if a is not None else []
                return None if a is None else any(found)
            case ast.Negative(operand=operand):
                return (
                    arithmetic("-", 0, number)
                    if isinstance(number := self.value(operand, taken), int)
                    else negative(number)
                )
            case ast.Arithmetic(operator=operator, left=left, right=right):
                return arithmetic(operator, self.value(left, taken), self.value(right, taken))
            case ast.Call():
                return self.called(expr, [self.value(argument, taken) for argument in expr.arguments], leaf)
            case ast.Not(operand=operand):
                inner = self.value(operand, taken)
                return None if inner is None else not inner
            case ast.And(operands=operands) | ast.Or(operands=operands):
                decisive = isinstance(expr, ast.Or)
                parts: list[Any] = []
                for operand in operands:
                    mine = [next(taken) for _ in mentions(operand)]
                    try:
                        parts.append(self.value(operand, iter(mine)))
                    except Fails as error:
                        parts.append(error)
                if any(part is decisive for part in parts):
                    return decisive
                for part in parts:
                    if isinstance(part, Fails):
                        raise part
                return None if None in parts else not decisive
        raise Refused(str(expr))

    def called(self, call: ast.Call, given: list[Any], leaf: bool) -> Any:
        name = call.name.lower()
        if name in ("add", "subtract", "multiply", "divide", "modulo"):
            signs = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "modulo": "%"}
            return arithmetic(signs[name], *given)
        direct = leaf and isinstance(call.arguments[0], ast.Field) and all(map(constant, call.arguments[1:]))
        pushed = direct and name in ("startswith", "endswith", "stringcontains")
        fold = "no" if not call.insensitive else "ascii" if pushed else "lower"
        texts = [None if one is None else text(one) for one in given]
        match name:
            case "string":
                return texts[0]
            case "concat":
                return None if None in given else "".join(map(str, texts))
            case "length":
                return None if texts[0] is None else len(units(texts[0]))
            case "startswith" | "endswith" | "stringcontains":
                if None in given:
                    return None
                one, other = (cased(str(each), fold) for each in texts)
                if name == "stringcontains":
                    return bool(one) and bool(other) and other in one
                return one.startswith(other) if name == "startswith" else one.endswith(other)
            case "indexof":
                return index_of(texts, given, fold)
            case "substring":
                return substring(texts[0], *given[1:])
            case "between":
                return between(texts, given, fold)
            case "number":
                return number_of(texts[0], *given[1:])
        raise Refused(name)


# ------------------------------------------------------------------------------------------------------------------- trees

PREDICATES = (ast.Call, ast.Comparison, ast.Membership, ast.Match, ast.Not, ast.And, ast.Or)


def negated(expr: Any, span: Any) -> Any:
    match expr:
        case ast.Null():
            return expr
        case ast.Boolean(value=value):
            return ast.Boolean(not value, span)
        case _:
            return ast.Not(expr, span)


def mentions(expr: Any) -> Iterator[ast.Field]:
    match expr:
        case ast.Field():
            yield expr
        case ast.Call(arguments=parts) | ast.And(operands=parts) | ast.Or(operands=parts):
            for part in parts:
                yield from mentions(part)
        case ast.Arithmetic() | ast.Comparison():
            yield from mentions(expr.left)
            yield from mentions(expr.right)
        case ast.Membership() | ast.Match():
            yield from mentions(expr.subject)
        case ast.Not() | ast.Negative():
            yield from mentions(expr.operand)


def constant(expr: Any) -> bool:
    return next(mentions(expr), None) is None


# ------------------------------------------------------------------------------------------------------------------ values


def text(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return java_double(value)
        case _:
            return str(value)


def java_double(value: float) -> str:
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "-0.0" if struct.pack(">d", value)[0] else "0.0"
    if 1e-3 <= abs(value) < 1e7:
        shown = f"{value:.17f}" if "e" in repr(value) else repr(value)
        return shown if "e" not in repr(value) else shown.rstrip("0")
    mantissa, _, power = f"{value:e}".partition("e")
    for digits in range(1, 18):
        mantissa, _, power = f"{value:.{digits}e}".partition("e")
        if float(f"{mantissa}e{power}") == value:
            break
    return f"{mantissa}E{int(power)}"


def units(one: str) -> list[str]:
    raw = one.encode("utf-16-be", "surrogatepass")
    return [raw[at : at + 2].hex() for at in range(0, len(raw), 2)]


def back(some: list[str]) -> str:
    return bytes.fromhex("".join(some)).decode("utf-16-be", "replace")


def compared(operator: str, a: Any, b: Any, *, script: bool) -> bool | None:
    if a is None or b is None:
        return None
    order: Any
    if isinstance(a, str) or isinstance(b, str):
        if isinstance(a, int | float) and not isinstance(a, bool):
            raise Refused("number against text")
        one, other = text(a), text(b)
        order = (units(one), units(other)) if script else (one, other)
    elif isinstance(a, bool) != isinstance(b, bool):
        raise Refused("boolean against number")
    elif isinstance(a, int) and (isinstance(b, int) or (not script and math.isfinite(b))):
        order = (a, b)
    else:
        order = (double_key(float(a)), double_key(float(b)))
    x, y = order
    return bool({"==": x == y, "<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y}[operator])


def double_key(value: float) -> int:
    """Doubles in Java's order, as whole numbers."""
    if math.isnan(value):
        return 1 << 70
    bits = int.from_bytes(struct.pack(">d", value))
    return bits if bits < 1 << 63 else (1 << 63) - bits - 1


def arithmetic(operator: str, a: Any, b: Any) -> Any:
    if a is None or b is None:
        return None
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in (a, b)):
        raise Refused("arithmetic over no number")
    if isinstance(a, float) or isinstance(b, float):
        x, y = float(a), float(b)
        match operator:
            case "+":
                return x + y
            case "-":
                return x - y
            case "*":
                return x * y
            case "/":
                if y == 0:
                    if x == 0 or math.isnan(x):
                        return math.nan
                    return math.inf if (double_key(x) < 0) == (double_key(y) < 0) else -math.inf
                return x / y
            case _:
                return math.nan if y == 0 or math.isinf(x) else math.fmod(x, y)
    if any(one >= 1 << 63 for one in (a, b)):
        raise Refused("unsigned long")
    if operator in "/%":
        if b == 0:
            raise Fails("division by zero")
        whole = abs(a) // abs(b)
        whole = whole if (a < 0) == (b < 0) else -whole
        result = whole if operator == "/" else a - whole * b
        if result == 1 << 63:
            raise Refused("the one quotient that wraps")
    else:
        result = a + b if operator == "+" else a - b if operator == "-" else a * b
    if not -(1 << 63) <= result < 1 << 63:
        raise Fails("overflow")
    return result


def negative(number: Any) -> Any:
    return None if number is None else -number


def cased(one: str, fold: str) -> str:
    match fold:
        case "ascii":
            return "".join(chr(ord(letter) + 32) if "A" <= letter <= "Z" else letter for letter in one)
        case "lower":
            return one.lower()
        case _:
            return one


def java_letter(letter: str) -> str:
    """Upper-cased, then lower-cased, each to one character."""
    upper = letter.upper() if len(letter.upper()) == 1 else letter.title() if len(letter.title()) == 1 else letter
    lower = upper.lower()
    return lower if len(lower) == 1 else lower[0]


def same_text(one: str, other: str, fold: str) -> bool:
    if fold != "java":
        return cased(one, fold) == cased(other, fold)
    a, b = units(one), units(other)
    return len(a) == len(b) and all(
        java_letter(chr(int(x, 16))) == java_letter(chr(int(y, 16))) for x, y in zip(a, b, strict=True)
    )


def fits(one: str, pattern: str, fold: str, script: bool) -> bool:
    if "*" not in pattern and "?" not in pattern:
        return same_text(one, pattern, fold)

    def same(x: str, y: str) -> bool:
        return java_letter(x) == java_letter(y) if fold == "java" else cased(x, fold) == cased(y, fold)

    def free(letter: str) -> bool:
        return not (script and letter in "\n\r\u0085\u2028\u2029")

    here = {0}
    for symbol in pattern:
        if symbol == "*":
            grown = set()
            for start in here:
                end = next((at for at in range(start, len(one)) if not free(one[at])), len(one))
                grown |= set(range(start, end + 1))
            here = grown
        else:
            here = {
                at + 1 for at in here if at < len(one) and (free(one[at]) if symbol == "?" else same(one[at], symbol))
            }
    return len(one) in here


def find(one: list[str], part: list[str], start: int) -> int:
    return next((at for at in range(start, len(one) - len(part) + 1) if one[at : at + len(part)] == part), -1)


def index_of(texts: list[Any], given: list[Any], fold: str) -> Any:
    if texts[0] is None or texts[1] is None:
        return None
    start = given[2] if len(given) > 2 and given[2] is not None else 0
    if not isinstance(start, int):
        raise Refused("a start that is not whole")
    one, part = units(cased(texts[0], fold)), units(cased(texts[1], fold))
    at = find(one, part, min(max(start, 0), len(one)))
    return None if at < 0 else at


def substring(one: Any, start: Any, end: Any = None) -> Any:
    if one is None or start is None:
        return one
    if not isinstance(start, int) or not isinstance(end, int | None):
        raise Refused("a place that is not whole")
    some = units(one)
    first = max(start + len(some), 0) if start < 0 else min(start, len(some))
    last = len(some) if end is None else max(end + len(some), 0) if end < 0 else min(end, len(some))
    return back(some[first:last]) if first < last else ""


def between(texts: list[Any], given: list[Any], fold: str) -> Any:
    one, left, right = texts[:3]
    greedy = len(given) > 3 and given[3] is True
    if one is None:
        return None
    if not one or not left or not right:
        return one
    here, opening, closing = (units(cased(each, fold)) for each in (one, left, right))
    at = find(here, opening, 0)
    if at < 0:
        return ""
    start = at + len(opening)
    end = find(here, closing, start)
    if greedy:
        while (further := find(here, closing, end + 1)) >= 0 and end >= 0:
            end = further
    return "" if end < 0 else back(units(one)[start:end])


def number_of(one: Any, base: Any = None) -> Any:
    if one is None:
        return None
    hexadecimal = one.startswith("0x") and base in (None, 16)
    if hexadecimal or base not in (None, 10):
        digits = one[2:] if hexadecimal else one
        try:
            if digits.strip() != digits or "_" in digits or not digits.isascii():
                raise ValueError
            if digits.lstrip("+-")[:2].lower() in ("0x", "0o", "0b"):
                raise ValueError
            value = int(digits, base or 16)
        except ValueError:
            raise Fails(f"no number: {one}") from None
        if not -(1 << 63) <= value < 1 << 63:
            raise Fails("too long")
        return value
    if one.lstrip("+-").isascii() and one.lstrip("+-").isdigit() and len(one) - len(one.lstrip("+-")) < 2:
        return int(one) if -(1 << 63) <= int(one) < 1 << 63 else float(one)
    if any(letter in "_dDfFnNiI" or letter > "~" for letter in one):
        raise Refused("a spelling that only Java knows")
    try:
        return float(one)
    except ValueError:
        raise Fails(f"no number: {one}") from None
