"""Lucene's regular expressions, matched by derivatives: what is left to match after one character.

The whole syntax with all optional operators: besides the usual ones `~` complement, `&` intersection, `<1-99>` numeric
interval, `@` any text, `#` nothing, `"..."` as it stands, and the classes `\\d \\D \\s \\S \\w \\W`. Characters are
code points. `^` and `$` are ordinary. The grammar is that of `org.apache.lucene.util.automaton.RegExp`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from contraband.eql.analysis.checked import Fold
from contraband.eql.functions import EvaluationError
from contraband.eql.reference.texts import fold_variants


@dataclass(frozen=True, slots=True)
class Nothing:
    """No text at all fits (`#`)."""


@dataclass(frozen=True, slots=True)
class Empty:
    """The empty text (`()`)."""


@dataclass(frozen=True, slots=True)
class Characters:
    """One code point from any of the ranges, both ends included."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Interval:
    """A whole number from `low` to `high` in digits: `width` of them, or any number with leading zeros when it is 0."""

    low: int
    high: int
    width: int
    seen: int = 0
    length: int = 0


@dataclass(frozen=True, slots=True)
class Concatenation:
    """The first, then the second."""

    first: Node
    second: Node


@dataclass(frozen=True, slots=True)
class Union:
    """Any of them."""

    options: frozenset[Node]


@dataclass(frozen=True, slots=True)
class Intersection:
    """Both."""

    first: Node
    second: Node


@dataclass(frozen=True, slots=True)
class Complement:
    """Every text that does not fit the operand."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Repeat:
    """The operand `least` to `most` times; without bound when `most` is None."""

    operand: Node
    least: int
    most: int | None


Node: TypeAlias = Nothing | Empty | Characters | Interval | Concatenation | Union | Intersection | Complement | Repeat

ANY_CHARACTER = Characters(((0, 0x10FFFF),))
ANY_TEXT = Repeat(ANY_CHARACTER, 0, None)
_CLASSES: dict[str, tuple[tuple[int, int], ...]] = {
    "d": ((0x30, 0x39),),
    "s": ((0x20, 0x20), (0x09, 0x09), (0x0A, 0x0A), (0x0D, 0x0D)),
    "w": ((0x61, 0x7A), (0x41, 0x5A), (0x5F, 0x5F), (0x30, 0x39)),
}


def matches(text: str, pattern: str, fold: Fold) -> bool:
    """Whether the whole text fits the pattern; raises `EvaluationError` if the pattern is malformed."""
    node = parse(pattern, fold)
    for character in text:
        node = derivative(node, character)
        if node == Nothing():
            return False
    return nullable(node)


# ------------------------------------------------------------------------------------------------------- matching


def nullable(node: Node) -> bool:
    """Whether the empty text fits."""
    match node:
        case Nothing() | Characters():
            return False
        case Empty():
            return True
        case Interval(low=low, high=high, width=width, seen=seen, length=length):
            return length > 0 and length == (width or length) and low <= seen <= high
        case Concatenation(first=first, second=second) | Intersection(first=first, second=second):
            return nullable(first) and nullable(second)
        case Union(options=options):
            return any(map(nullable, options))
        case Complement(operand=operand):
            return not nullable(operand)
        case Repeat(operand=operand, least=least, most=most):
            return least == 0 or (nullable(operand) and (most is None or most >= least))


@cache
def derivative(node: Node, character: str) -> Node:
    """What must follow once this character has been read."""
    match node:
        case Nothing() | Empty():
            return Nothing()
        case Characters(ranges=ranges):
            return Empty() if any(low <= ord(character) <= high for low, high in ranges) else Nothing()
        case Interval():
            return _after_digit(node, character)
        case Concatenation(first=first, second=second):
            rest = concatenation(derivative(first, character), second)
            return union(rest, derivative(second, character)) if nullable(first) else rest
        case Union(options=options):
            return union(*(derivative(option, character) for option in options))
        case Intersection(first=first, second=second):
            return intersection(derivative(first, character), derivative(second, character))
        case Complement(operand=operand):
            return complement(derivative(operand, character))
        case Repeat(operand=operand, least=least, most=most):
            if most is not None and (most == 0 or most < least):
                return Nothing()
            fewer = Repeat(operand, max(least - 1, 0), None if most is None else most - 1)
            return concatenation(derivative(operand, character), fewer)


def _after_digit(interval: Interval, character: str) -> Node:
    if character not in "0123456789":
        return Nothing()
    seen, length = interval.seen * 10 + int(character), interval.length + 1
    if seen > interval.high or (interval.width and length > interval.width):
        return Nothing()
    return Interval(interval.low, interval.high, interval.width, seen, length)


def concatenation(first: Node, second: Node) -> Node:
    """The first, then the second, in the one form that equal languages of this kind take."""
    match first:
        case Nothing():
            return first
        case Empty():
            return second
        case Concatenation(first=start, second=rest):
            return Concatenation(start, concatenation(rest, second))
        case _:
            if isinstance(second, Nothing):
                return second
            return first if isinstance(second, Empty) else Concatenation(first, second)


def _in_a_row(nodes: list[Node]) -> Node:
    whole: Node = Empty()
    for node in reversed(nodes):
        whole = concatenation(node, whole)
    return whole


def union(*nodes: Node) -> Node:
    """Any of them, without doubles."""
    options = frozenset(option for node in nodes for option in _options(node))
    return next(iter(options)) if len(options) == 1 else Union(options) if options else Nothing()


def _options(node: Node) -> frozenset[Node]:
    match node:
        case Union(options=options):
            return options
        case Nothing():
            return frozenset()
        case _:
            return frozenset((node,))


def intersection(first: Node, second: Node) -> Node:
    """Both."""
    return Nothing() if Nothing() in (first, second) else Intersection(first, second)


def complement(operand: Node) -> Node:
    """All other texts."""
    return operand.operand if isinstance(operand, Complement) else Complement(operand)


# -------------------------------------------------------------------------------------------------------- parsing


@cache
def parse(pattern: str, fold: Fold) -> Node:
    """The tree of a pattern; raises `EvaluationError` where Lucene refuses it."""
    if not pattern:
        return Empty()
    parser = _Parser(pattern, fold)
    node = parser.union()
    if parser.place < len(pattern):
        raise parser.error("end of pattern")
    return node


_SIGNS = frozenset('|&?*+{~[.#@"(<\\)')
_REPEATS = frozenset("?*+{")


@cache
def _characters(low: int, high: int) -> Characters:
    return Characters(((low, high),))


class _Parser:
    """Recursive descent, one method for each rule of Lucene's grammar."""

    def __init__(self, pattern: str, fold: Fold) -> None:
        self.pattern = pattern
        self.fold = fold
        self.place = 0

    def error(self, expected: str) -> EvaluationError:
        return EvaluationError(f"malformed regular expression [{self.pattern}]: expected {expected} at {self.place}")

    def peek(self, characters: str) -> bool:
        return self.place < len(self.pattern) and self.pattern[self.place] in characters

    def take(self, character: str) -> bool:
        if self.peek(character):
            self.place += 1
            return True
        return False

    def next(self) -> str:
        if self.place >= len(self.pattern):
            raise self.error("a character")
        self.place += 1
        return self.pattern[self.place - 1]

    def require(self, character: str) -> None:
        if not self.take(character):
            raise self.error(f"'{character}'")

    def union(self) -> Node:
        nodes = [self.intersection()]
        while self.take("|"):
            nodes.append(self.intersection())
        return union(*nodes) if len(nodes) > 1 else nodes[0]

    def intersection(self) -> Node:
        node = self.concatenation()
        while self.take("&"):
            node = intersection(node, self.concatenation())
        return node

    def concatenation(self) -> Node:
        nodes = [self.repeat()]
        while self.place < len(self.pattern) and not self.peek(")|&"):
            nodes.append(self.repeat())
        return _in_a_row(nodes)

    def repeat(self) -> Node:
        letter, after = self.pattern[self.place : self.place + 1], self.pattern[self.place + 1 : self.place + 2]
        if letter and letter not in _SIGNS and after not in _REPEATS:
            self.place += 1  # most of a pattern: a letter that stands for itself, once
            return self.folded(ord(letter), ord(letter))
        node = self.complement()
        while self.peek("?*+{"):
            match self.next():
                case "?":
                    node = Repeat(node, 0, 1)
                case "*":
                    node = Repeat(node, 0, None)
                case "+":
                    node = Repeat(node, 1, None)
                case _:
                    node = Repeat(node, *self.counts())
        return node

    def counts(self) -> tuple[int, int | None]:
        least = self.digits()
        if not least:
            raise self.error("a number")
        most: str | None = least
        if self.take(","):
            most = self.digits() or None
        self.require("}")
        return int(least), None if most is None else int(most)

    def digits(self) -> str:
        start = self.place
        while self.peek("0123456789"):
            self.place += 1
        return self.pattern[start : self.place]

    def complement(self) -> Node:
        return complement(self.complement()) if self.take("~") else self.character_class()

    def character_class(self) -> Node:
        if not self.take("["):
            return self.simple()
        negated = self.take("^")
        members = [self.class_member()]
        while self.place < len(self.pattern) and not self.peek("]"):
            members.append(self.class_member())
        self.require("]")
        node = union(*members) if len(members) > 1 else members[0]
        return intersection(ANY_CHARACTER, complement(node)) if negated else node

    def class_member(self) -> Node:
        predefined = self.predefined()
        if predefined is not None:
            return predefined
        low = self.character()
        high = self.character() if self.take("-") else low
        if low > high:
            raise self.error("a range in ascending order")
        return self.folded(ord(low), ord(high))

    def predefined(self) -> Node | None:
        if not self.peek("\\") or self.pattern[self.place + 1 : self.place + 2].lower() not in _CLASSES:
            return None
        self.place += 1
        letter = self.next()
        node = Characters(_CLASSES[letter.lower()])
        return node if letter.islower() else intersection(ANY_CHARACTER, complement(node))

    def simple(self) -> Node:
        if self.take("."):
            return ANY_CHARACTER
        if self.take("#"):
            return Nothing()
        if self.take("@"):
            return ANY_TEXT
        if self.take('"'):
            return self.text(self.until('"'))
        if self.take("("):
            return self.group()
        if self.take("<"):
            return self.interval(self.until(">"))
        predefined = self.predefined()
        return self.text(self.character()) if predefined is None else predefined

    def group(self) -> Node:
        if self.take(")"):
            return Empty()
        node = self.union()
        self.require(")")
        return node

    def until(self, end: str) -> str:
        start = self.place
        while self.place < len(self.pattern) and not self.peek(end):
            self.place += 1
        self.require(end)
        return self.pattern[start : self.place - 1]

    def interval(self, written: str) -> Node:
        low, dash, high = written.partition("-")
        if not dash or not all(bound.isascii() and bound.isdigit() and int(bound) < 2**31 for bound in (low, high)):
            raise self.error("an interval <low-high> before")
        width = len(low) if len(low) == len(high) else 0
        return Interval(min(int(low), int(high)), max(int(low), int(high)), width)

    def character(self) -> str:
        self.take("\\")
        return self.next()

    def text(self, text: str) -> Node:
        nodes = [self.folded(ord(character), ord(character)) for character in text]
        return _in_a_row(nodes)

    def folded(self, low: int, high: int) -> Node:
        if self.fold is Fold.NONE:
            return _characters(low, high)
        variants = {ord(variant) for code in range(low, high + 1) for variant in fold_variants(chr(code))}
        outside = sorted(code for code in variants if not low <= code <= high)
        return Characters(((low, high), *((code, code) for code in outside)))
