"""Java's regular expressions, which Elasticsearch runs on the result of a function: a backtracking matcher.

Each part of a pattern becomes a function from a place and what is to follow to "does it fit". Characters are code
points; the pattern must fit the whole text. Source: the documentation of `java.util.regex.Pattern`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache
from typing import TypeAlias

from contraband.eql.analysis.checked import Fold
from contraband.eql.functions import EvaluationError
from contraband.eql.reference.texts import LINE_TERMINATORS, java_pattern_fold, simple_lower, simple_upper

Groups: TypeAlias = dict[int | str, tuple[int, int]]
Follow: TypeAlias = Callable[[int, Groups], bool]
Part: TypeAlias = Callable[[str, int, Groups, Follow], bool]
Predicate: TypeAlias = Callable[[str], bool]

_UNLIMITED = 2**31 - 1
_HORIZONTAL = frozenset(" \t\u00a0\u1680\u180e\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B))))
_VERTICAL = frozenset("\n\x0b\f\r\u0085\u2028\u2029")
_SIMPLE_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}
_POSIX: dict[str, Predicate] = {
    "Lower": lambda c: "a" <= c <= "z",
    "Upper": lambda c: "A" <= c <= "Z",
    "ASCII": lambda c: c <= "\x7f",
    "Alpha": lambda c: c.isascii() and c.isalpha(),
    "Digit": lambda c: "0" <= c <= "9",
    "Alnum": lambda c: c.isascii() and c.isalnum(),
    "Punct": lambda c: c in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "Graph": lambda c: "!" <= c <= "~",
    "Print": lambda c: " " <= c <= "~",
    "Blank": lambda c: c in " \t",
    "Cntrl": lambda c: c < " " or c == "\x7f",
    "XDigit": lambda c: c in "0123456789abcdefABCDEF",
    "Space": lambda c: c in " \t\n\x0b\f\r",
}
_CLASSES: dict[str, Predicate] = {
    "d": _POSIX["Digit"],
    "s": _POSIX["Space"],
    "w": lambda c: c.isascii() and (c.isalnum() or c == "_"),
    "h": lambda c: c in _HORIZONTAL,
    "v": lambda c: c in _VERTICAL,
}


def matches(text: str, pattern: str, fold: Fold) -> bool:
    """Whether the whole text fits the pattern; raises `EvaluationError` if the pattern is malformed."""
    return compiled(pattern, fold is not Fold.NONE)(text, 0, {}, lambda place, _groups: place == len(text))


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
    return lambda text, place, groups, follow: place < len(text) and test(text[place]) and follow(place + 1, groups)


def _place(test: Callable[[str, int], bool]) -> Part:
    return lambda text, place, groups, follow: test(text, place) and follow(place, groups)


def _in_a_row(parts: list[Part]) -> Part:
    if not parts:
        return lambda _text, place, groups, follow: follow(place, groups)
    if len(parts) == 1:
        return parts[0]
    first, rest = parts[0], _in_a_row(parts[1:])
    return lambda text, place, groups, follow: first(
        text, place, groups, lambda after, inner: rest(text, after, inner, follow)
    )


def _any_of(parts: list[Part]) -> Part:
    return lambda text, place, groups, follow: any(part(text, place, groups, follow) for part in parts)


def _repeat_character(test: Predicate, least: int, most: int, mode: str) -> Part:
    """A repeated single character, without recursion: the number that fits is known beforehand."""

    def part(text: str, place: int, groups: Groups, follow: Follow) -> bool:
        count = 0
        while count < most and place + count < len(text) and test(text[place + count]):
            count += 1
        if mode == "+":
            return count >= least and follow(place + count, groups)
        counts = range(count, least - 1, -1) if mode == "" else range(least, count + 1)
        return any(follow(place + number, groups) for number in counts)

    return part


def _repeat(operand: Part, least: int, most: int, mode: str) -> Part:
    def part(text: str, place: int, groups: Groups, follow: Follow) -> bool:
        return turn(text, place, groups, follow, 0)

    def turn(text: str, place: int, groups: Groups, follow: Follow, count: int) -> bool:
        def again() -> bool:
            return count < most and operand(
                text,
                place,
                groups,
                # A turn that read nothing cannot be followed by another, or there would be no end.
                lambda after, inner: (
                    turn(text, after, inner, follow, count + 1)
                    if after != place or count < least
                    else follow(after, inner)
                ),
            )

        if count < least:
            return again()
        return (follow(place, groups) or again()) if mode == "?" else (again() or follow(place, groups))

    return _atomic(part) if mode == "+" else part


def _atomic(operand: Part) -> Part:
    def part(text: str, place: int, groups: Groups, follow: Follow) -> bool:
        end = _first_end(operand, text, place, groups)
        return end is not None and follow(*end)

    return part


def _first_end(operand: Part, text: str, place: int, groups: Groups) -> tuple[int, Groups] | None:
    ends: list[tuple[int, Groups]] = []

    def keep(after: int, inner: Groups) -> bool:
        ends.append((after, inner))
        return True

    return ends[0] if operand(text, place, groups, keep) else None


def _look_ahead(operand: Part, *, wanted: bool) -> Part:
    def part(text: str, place: int, groups: Groups, follow: Follow) -> bool:
        end = _first_end(operand, text, place, groups)
        if not wanted:
            return end is None and follow(place, groups)
        return end is not None and follow(place, end[1])

    return part


def _look_behind(operand: Part, *, wanted: bool) -> Part:
    def part(text: str, place: int, groups: Groups, follow: Follow) -> bool:
        found = any(operand(text, start, groups, lambda after, _: after == place) for start in range(place + 1))
        return found == wanted and follow(place, groups)

    return part


def _group(operand: Part, names: tuple[int | str, ...]) -> Part:
    def part(text: str, place: int, groups: Groups, follow: Follow) -> bool:
        return operand(
            text, place, groups, lambda after, inner: follow(after, inner | dict.fromkeys(names, (place, after)))
        )

    return part


def _back_reference(name: int | str, *, insensitive: bool) -> Part:
    def part(text: str, place: int, groups: Groups, follow: Follow) -> bool:
        if name not in groups:
            return False
        start, end = groups[name]
        said, here = text[start:end], text[place : place + end - start]
        if insensitive:
            said, here = "".join(map(java_pattern_fold, said)), "".join(map(java_pattern_fold, here))
        return said == here and follow(place + end - start, groups)

    return part


def _word_boundary(text: str, place: int) -> bool:
    def word(index: int) -> bool:
        return 0 <= index < len(text) and (text[index] == "_" or text[index].isalnum())

    return word(place - 1) != word(place)


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
        self.dot_all = False
        self.multiline = False
        self.comments = False
        self.group_count = 0

    def error(self, expected: str) -> EvaluationError:
        return EvaluationError(f"malformed regular expression [{self.pattern}]: expected {expected} at {self.place}")

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
        flags = self.insensitive, self.dot_all, self.multiline, self.comments
        parts = [self.row()]
        while self.take("|"):
            parts.append(self.row())
        self.insensitive, self.dot_all, self.multiline, self.comments = flags
        return parts[0] if len(parts) == 1 else _any_of(parts)

    def row(self) -> Part:
        parts: list[Part] = []
        while self.more() and not self.peek("|") and not self.peek(")"):
            if self.comments and self.skip_comment():
                continue
            if self.take("\\Q"):
                end = self.pattern.find("\\E", self.place)
                quoted = self.pattern[self.place : end if end >= 0 else len(self.pattern)]
                self.place = end + 2 if end >= 0 else len(self.pattern)
                parts.extend(_one(self.character(character)) for character in quoted)
            else:
                parts.append(self.repeated())
        return _in_a_row(parts)

    def skip_comment(self) -> bool:
        if self.pattern[self.place] in " \t\n\x0b\f\r":
            self.place += 1
            return True
        if self.take("#"):
            while self.more() and self.next() not in LINE_TERMINATORS:
                pass
            return True
        return False

    def repeated(self) -> Part:
        part = self.atom()
        while True:
            counts = self.counts()
            if counts is None:
                return part if not isinstance(part, _Character) else _one(part.test)
            mode = "+" if self.take("+") else "?" if self.take("?") else ""
            if isinstance(part, _Character):
                part = _repeat_character(part.test, *counts, mode)
            else:
                part = _repeat(part, *counts, mode)

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
                return _Character((lambda _: True) if self.dot_all else (lambda c: c not in LINE_TERMINATORS))
            case "^":
                return _place(self.line_start() if self.multiline else (lambda _, place: place == 0))
            case "$":
                return _place(self.line_end() if self.multiline else _before_final_break)
            case "\\":
                return self.escape()
            case "*" | "+" | "?":
                raise self.error("something to repeat before")
            case _:
                return _Character(self.character(character))

    def line_start(self) -> Callable[[str, int], bool]:
        return lambda text, place: place == 0 or (place < len(text) and text[place - 1] in LINE_TERMINATORS)

    def line_end(self) -> Callable[[str, int], bool]:
        return lambda text, place: place == len(text) or text[place] in LINE_TERMINATORS

    def group(self) -> Part:
        if not self.take("?"):
            self.group_count += 1
            return self.closed((self.group_count,))
        for sign, wanted in (("=", True), ("!", False)):
            if self.take(sign):
                return _look_ahead(self.closed(()), wanted=wanted)
            if self.take("<" + sign):
                return _look_behind(self.closed(()), wanted=wanted)
        if self.take(">"):
            return _atomic(self.closed(()))
        if self.take(":"):
            return self.closed(())
        if self.take("<"):
            self.group_count += 1
            return self.closed((self.group_count, self.until(">")))
        return self.flags()

    def closed(self, names: tuple[int | str, ...]) -> Part:
        part = self.alternatives()
        if not self.take(")"):
            raise self.error("')'")
        return _group(part, names) if names else part

    def flags(self) -> Part:
        before = self.insensitive, self.dot_all, self.multiline, self.comments
        on = True
        while (letter := self.next()) not in ":)":
            match letter:
                case "-":
                    on = False
                case "i":
                    self.insensitive = on
                case "s":
                    self.dot_all = on
                case "m":
                    self.multiline = on
                case "x":
                    self.comments = on
                case "u" | "U" | "d":
                    pass
                case _:
                    raise self.error("a flag before")
        if letter == ")":
            return _in_a_row([])
        part = self.closed(())
        self.insensitive, self.dot_all, self.multiline, self.comments = before
        return part

    def escape(self) -> Part | _Character:
        letter = self.next()
        match letter:
            case "b" | "B":
                return _place(lambda text, place: _word_boundary(text, place) == (letter == "b"))
            case "A" | "G":
                return _place(lambda _, place: place == 0)
            case "z":
                return _place(lambda text, place: place == len(text))
            case "Z":
                return _place(_before_final_break)
            case "R":
                return _any_of([_in_a_row([_one(lambda c: c == "\r"), _one(lambda c: c == "\n")]), _one(_CLASSES["v"])])
            case "k":
                if not self.take("<"):
                    raise self.error("'<'")
                return _back_reference(self.until(">"), insensitive=self.insensitive)
            case _ if letter in "123456789":
                return self.numbered_reference(letter)
            case _:
                self.place -= 1
                return _Character(self.escaped_class() or self.character(self.escaped_character()))

    def numbered_reference(self, digits: str) -> Part:
        while self.more() and self.pattern[self.place] in "0123456789":
            if int(digits + self.pattern[self.place]) > self.group_count:
                break
            digits += self.next()
        return _back_reference(int(digits), insensitive=self.insensitive)

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
        if name in _POSIX:
            return _POSIX[name]
        category = name.removeprefix("Is").removeprefix("general_category=").removeprefix("gc=")
        if category in {"Alphabetic", "Lowercase", "Uppercase", "Digit", "White_Space"}:
            tests = {"Alphabetic": str.isalpha, "Lowercase": str.islower, "Uppercase": str.isupper}
            return tests.get(category, str.isspace if category == "White_Space" else str.isdecimal)
        if len(category) in {1, 2} and category[0] in "LMNPSZC":
            return lambda c: unicodedata.category(c).startswith(category)
        raise self.error(f"a known property instead of {name}")

    def escaped_character(self) -> str:
        letter = self.next()
        match letter:
            case "x":
                digits = self.until("}") if self.take("{") else self.next() + self.next()
            case "u":
                digits = "".join(self.next() for _ in range(4))
            case "c":
                return chr(ord(self.next()) ^ 64)
            case "0":
                return self.octal()
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

    def octal(self) -> str:
        digits = ""
        while self.more() and self.pattern[self.place] in "01234567" and len(digits) < 3 and int(digits or "0", 8) < 32:
            digits += self.next()
        if not digits:
            raise self.error("octal digits")
        return chr(int(digits, 8))

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

    def __call__(self, text: str, place: int, groups: Groups, follow: Follow) -> bool:
        return _one(self.test)(text, place, groups, follow)
