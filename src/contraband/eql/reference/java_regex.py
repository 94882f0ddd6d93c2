"""Java's regular expressions, which Elasticsearch runs on the result of a function: a backtracking matcher.

Each part of a pattern becomes a function from a place and what is to follow to "does it fit". Characters are code
points; the pattern must fit the whole text. What is not regular (look-around, back references, possessive and atomic
repetition) and what is seldom (flags, boundaries, named classes) is refused by name: the core has no equal of it.
Source: the documentation of `java.util.regex.Pattern`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache
from typing import TypeAlias

from contraband.eql.analysis.checked import Fold
from contraband.eql.functions import EvaluationError
from contraband.eql.reference.texts import LINE_TERMINATORS, java_pattern_fold, simple_lower, simple_upper

Follow: TypeAlias = Callable[[int], bool]
Part: TypeAlias = Callable[[str, int, Follow], bool]
Predicate: TypeAlias = Callable[[str], bool]

_UNLIMITED = 2**31 - 1
_SIMPLE_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a"}
_CLASSES: dict[str, Predicate] = {
    "d": lambda c: "0" <= c <= "9",
    "s": lambda c: c in " \t\n\x0b\f\r",
    "w": lambda c: c.isascii() and (c.isalnum() or c == "_"),
}


def matches(text: str, pattern: str, fold: Fold) -> bool:
    """Whether the whole text fits the pattern; raises `EvaluationError` if the pattern is malformed."""
    return compiled(pattern, fold is not Fold.NONE)(text, 0, lambda place: place == len(text))


@cache
def compiled(pattern: str, insensitive: bool) -> Part:
    """The matcher of a pattern; raises `EvaluationError` where Java would refuse it."""
    parser = _Parser(pattern, insensitive=insensitive)
    part = parser.alternatives()
    if parser.more():
        raise parser.error("end of pattern")
    return part


# --------------------------------------------------------------------------------------------------- building parts


def _one(test: Predicate) -> Part:
    return lambda text, place, follow: place < len(text) and test(text[place]) and follow(place + 1)


def _place(test: Callable[[str, int], bool]) -> Part:
    return lambda text, place, follow: test(text, place) and follow(place)


def _in_a_row(parts: list[Part]) -> Part:
    if not parts:
        return lambda _text, place, follow: follow(place)
    if len(parts) == 1:
        return parts[0]
    first, rest = parts[0], _in_a_row(parts[1:])
    return lambda text, place, follow: first(text, place, lambda after: rest(text, after, follow))


def _any_of(parts: list[Part]) -> Part:
    return lambda text, place, follow: any(part(text, place, follow) for part in parts)


def _repeat_character(test: Predicate, least: int, most: int) -> Part:
    """A repeated single character, without recursion: the number that fits is known beforehand."""

    def part(text: str, place: int, follow: Follow) -> bool:
        count = 0
        while count < most and place + count < len(text) and test(text[place + count]):
            count += 1
        return any(follow(place + number) for number in range(count, least - 1, -1))

    return part


def _repeat(operand: Part, least: int, most: int) -> Part:
    def part(text: str, place: int, follow: Follow) -> bool:
        return turn(text, place, follow, 0)

    def turn(text: str, place: int, follow: Follow, count: int) -> bool:
        def again() -> bool:
            return count < most and operand(
                text,
                place,
                # A turn that read nothing cannot be followed by another, or there would be no end.
                lambda after: (
                    turn(text, after, follow, count + 1) if after != place or count < least else follow(after)
                ),
            )

        return again() or (count >= least and follow(place))

    return part


def _before_final_break(text: str, place: int) -> bool:
    rest = text[place:]
    if rest in {"", "\r\n"}:
        return True
    return rest in LINE_TERMINATORS and text[max(place - 1, 0) :] != "\r\n"


# ---------------------------------------------------------------------------------------------------------- parsing


class _Parser:
    """Recursive descent over the pattern."""

    def __init__(self, pattern: str, *, insensitive: bool) -> None:
        self.pattern = pattern
        self.place = 0
        self.insensitive = insensitive

    def error(self, expected: str) -> EvaluationError:
        return EvaluationError(f"malformed regular expression [{self.pattern}]: expected {expected} at {self.place}")

    def unsupported(self, what: str) -> EvaluationError:
        return EvaluationError(
            f"regular expression [{self.pattern}]: {what} is not supported on the result of a function"
        )

    def more(self) -> bool:
        return self.place < len(self.pattern)

    def peek(self, text: str) -> bool:
        return self.pattern.startswith(text, self.place)

    def take(self, text: str) -> bool:
        if self.peek(text):
            self.place += len(text)
            return True
        return False

    def next(self) -> str:
        if not self.more():
            raise self.error("a character")
        self.place += 1
        return self.pattern[self.place - 1]

    def until(self, end: str) -> str:
        found = self.pattern.find(end, self.place)
        if found < 0:
            raise self.error(f"'{end}'")
        text, self.place = self.pattern[self.place : found], found + len(end)
        return text

    def alternatives(self) -> Part:
        insensitive = self.insensitive
        parts = [self.row()]
        while self.take("|"):
            parts.append(self.row())
        self.insensitive = insensitive
        return parts[0] if len(parts) == 1 else _any_of(parts)

    def row(self) -> Part:
        parts: list[Part] = []
        while self.more() and not self.peek("|") and not self.peek(")"):
            if self.take("\\Q"):
                end = self.pattern.find("\\E", self.place)
                quoted = self.pattern[self.place : end if end >= 0 else len(self.pattern)]
                self.place = end + 2 if end >= 0 else len(self.pattern)
                parts.extend(_one(self.character(character)) for character in quoted)
            else:
                parts.append(self.repeated())
        return _in_a_row(parts)

    def repeated(self) -> Part:
        part = self.atom()
        counts = self.counts()
        if counts is None:
            return _one(part.test) if isinstance(part, _Character) else part
        if self.take("+"):
            raise self.unsupported("possessive repetition")
        self.take("?")  # as few as possible: of a whole text that says nothing
        if any(map(self.peek, "*+?{")):
            raise self.error("no further repetition")
        return _repeat_character(part.test, *counts) if isinstance(part, _Character) else _repeat(part, *counts)

    def counts(self) -> tuple[int, int] | None:
        for sign, counts in (("*", (0, _UNLIMITED)), ("+", (1, _UNLIMITED)), ("?", (0, 1))):
            if self.take(sign):
                return counts
        if not self.take("{"):
            return None
        least, comma, most = self.until("}").partition(",")
        if not (least.isascii() and least.isdigit() and (not most or (most.isascii() and most.isdigit()))):
            raise self.error("a number of repetitions before")
        counts = int(least), (int(most) if most else _UNLIMITED) if comma else int(least)
        if counts[1] < counts[0]:
            raise self.error("ascending numbers of repetitions before")
        return counts

    def atom(self) -> Part | _Character:
        character = self.next()
        match character:
            case "(":
                return self.group()
            case "[":
                return _Character(self.character_class())
            case ".":
                return _Character(lambda c: c not in LINE_TERMINATORS)
            case "^":
                return _place(lambda _, place: place == 0)
            case "$":
                if self.more() and not self.peek("|") and not self.peek(")"):
                    raise self.unsupported("`$` before the end of a pattern")
                return _place(_before_final_break)
            case "\\":
                return self.escape()
            case "*" | "+" | "?":
                raise self.error("something to repeat before")
            case _:
                return _Character(self.character(character))

    def group(self) -> Part:
        if not self.take("?") or self.take(":"):
            return self.closed()
        if any(map(self.peek, ("=", "!", "<=", "<!"))):
            raise self.unsupported("look-around")
        if self.peek(">"):
            raise self.unsupported("an atomic group")
        if self.take("<"):
            self.until(">")
            return self.closed()
        return self.flag()

    def closed(self) -> Part:
        part = self.alternatives()
        if not self.take(")"):
            raise self.error("')'")
        return part

    def flag(self) -> Part:
        if not self.take("i"):
            raise self.unsupported("a flag other than `i`")
        before, self.insensitive = self.insensitive, True
        if self.take(")"):
            return _in_a_row([])
        if not self.take(":"):
            raise self.unsupported("a flag other than `i`")
        part = self.closed()
        self.insensitive = before
        return part

    def escape(self) -> Part | _Character:
        if self.more() and self.pattern[self.place] in "123456789k":
            raise self.unsupported("a back reference")
        if self.more() and self.pattern[self.place] in "bBAGzZRX":
            raise self.unsupported(f"\\{self.next()}")
        return _Character(self.escaped_class() or self.character(self.escaped_character()))

    def escaped_class(self) -> Predicate | None:
        """The class that the letter after a backslash stands for; reads nothing if it is none."""
        letter = self.pattern[self.place : self.place + 1]
        if letter.lower() in _CLASSES and letter:
            self.place += 1
            test = _CLASSES[letter.lower()]
        elif letter in {"p", "P"}:
            self.place += 1
            test = self.property(self.until("}") if self.take("{") else self.next())
        else:
            return None
        return test if letter.islower() else (lambda c: not test(c))

    def property(self, name: str) -> Predicate:
        if 1 <= len(name) <= 2 and name[0] in "LMNPSZC":
            return lambda c: unicodedata.category(c).startswith(name)
        raise self.unsupported(f"the class \\p{{{name}}}")

    def escaped_character(self) -> str:
        letter = self.next()
        match letter:
            case "x":
                digits = self.until("}") if self.take("{") else self.next() + self.next()
            case "u":
                digits = "".join(self.next() for _ in range(4))
            case _ if letter in "hHvVNce0":
                raise self.unsupported(f"\\{letter}")
            case _ if letter in _SIMPLE_ESCAPES:
                return _SIMPLE_ESCAPES[letter]
            case _ if letter.isascii() and letter.isalpha():
                raise self.error(f"a known escape instead of \\{letter}")
            case _:
                return letter
        try:
            return chr(int(digits, 16))
        except (ValueError, OverflowError):
            raise self.error("hexadecimal digits before") from None

    def character(self, character: str) -> Predicate:
        if not self.insensitive:
            return lambda c: c == character
        target = java_pattern_fold(character)
        return lambda c: c == character or java_pattern_fold(c) == target

    def character_class(self) -> Predicate:
        """After `[`: members, ranges, nested classes and `&&`, up to the closing bracket."""
        negated = self.take("^")
        tests: list[list[Predicate]] = [[]]
        first = True
        while first or not self.peek("]"):
            if not self.more():
                raise self.error("']'")
            if any(map(self.peek, ("[:", "--", "~~"))):
                raise self.unsupported(f"`{self.pattern[self.place : self.place + 2]}` in a class")
            if self.take("&&"):
                tests.append([])
            else:
                tests[-1].append(self.class_member())
            first = False
        self.place += 1
        sides = [side for side in tests if side]
        return lambda c: all(any(test(c) for test in side) for side in sides) != negated

    def class_member(self) -> Predicate:
        if self.take("["):
            return self.character_class()
        if self.peek("\\"):
            self.place += 1
            test = self.escaped_class()
            if test is not None:
                return test
            self.place -= 1
        low = self.class_character()
        if not self.peek("-") or self.peek("-]") or self.peek("-["):
            return self.character(low)
        self.place += 1
        high = self.class_character()
        if high < low:
            raise self.error("an ascending range before")
        if not self.insensitive:
            return lambda c: low <= c <= high
        return lambda c: any(low <= variant <= high for variant in (c, simple_upper(c), simple_lower(simple_upper(c))))

    def class_character(self) -> str:
        character = self.next()
        return self.escaped_character() if character == "\\" else character


class _Character:
    """A part that reads exactly one character; repeated without recursion."""

    def __init__(self, test: Predicate) -> None:
        self.test = test

    def __call__(self, text: str, place: int, follow: Follow) -> bool:
        return _one(self.test)(text, place, follow)
