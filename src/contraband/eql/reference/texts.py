"""Comparing texts: wildcards, and the ways in which Lucene and Java treat case. Knows no fields."""

from __future__ import annotations

from functools import cache

from contraband.eql.analysis.checked import Fold
from contraband.eql.functions._text import folded, utf16

LINE_TERMINATORS = frozenset("\n\r\u0085\u2028\u2029")
"""What `.` of a Java regular expression does not match."""


def equal(text: str, constant: str, fold: Fold) -> bool:
    """Whether the texts are the same under a fold."""
    match fold:
        case Fold.NONE | Fold.ASCII:
            return folded(text, fold) == folded(constant, fold)
        case Fold.UNICODE:
            return list(map(simple_fold, text)) == list(map(simple_fold, constant))
        case Fold.JAVA:
            return [_java_unit(unit) for unit in utf16(text)] == [_java_unit(unit) for unit in utf16(constant)]


def wildcard(text: str, pattern: str, fold: Fold, *, java: bool) -> bool:
    """Whether the whole text fits a pattern in which `*` is any run and `?` exactly one code point.

    `java`: the text is a function's result, so a Java pattern is run, whose `*` and `?` stop at a line break.
    """
    # reachable[i]: the pattern up to here fits the first i characters.
    reachable = [True] + [False] * len(text)
    for symbol in pattern:
        if symbol == "*":
            following, held = [], False
            for place, here in enumerate(reachable):
                held = here or (held and _steps_over(text[place - 1], java=java))
                following.append(held)
        else:
            following = [False]
            for here, character in zip(reachable, text, strict=False):
                fits = _steps_over(character, java=java) if symbol == "?" else _same(character, symbol, fold)
                following.append(here and fits)
        reachable = following
    return reachable[-1]


def _steps_over(character: str, *, java: bool) -> bool:
    return not (java and character in LINE_TERMINATORS)


def _same(character: str, other: str, fold: Fold) -> bool:
    match fold:
        case Fold.NONE | Fold.ASCII:
            return folded(character, fold) == folded(other, fold)
        case Fold.UNICODE:
            return simple_fold(character) == simple_fold(other)
        case Fold.JAVA:
            return java_pattern_fold(character) == java_pattern_fold(other)


def simple_upper(character: str) -> str:
    """Java's `Character.toUpperCase`: the one-character mapping, where Python has the full one."""
    for candidate in (character.upper(), character.title()):
        if len(candidate) == 1:
            return candidate
    return character


def simple_lower(character: str) -> str:
    """Java's `Character.toLowerCase`: the one-character mapping."""
    lower = character.lower()
    return lower if len(lower) == 1 else lower[0]  # U+0130 alone has two, and its simple mapping is the first


def java_pattern_fold(character: str) -> str:
    """What CASE_INSENSITIVE with UNICODE_CASE compares: the lower case of the upper case."""
    return simple_lower(simple_upper(character))


def _java_unit(unit: int) -> str:
    """What `compareToIgnoreCase` compares, unit by unit: halves of pairs have no case."""
    return java_pattern_fold(chr(unit))


def simple_fold(character: str) -> str:
    """Unicode's simple case folding of one code point."""
    for candidate in (character.casefold(), character.lower()):
        if len(candidate) == 1:
            return candidate
    return character


@cache
def fold_classes() -> dict[str, frozenset[str]]:
    """For each folded character, all characters that fold to it, where there are several."""
    classes: dict[str, set[str]] = {}
    for code in range(0x110000):
        character = chr(code)
        target = simple_fold(character)
        if target != character:
            classes.setdefault(target, {target}).add(character)
    return {target: frozenset(members) for target, members in classes.items()}


def fold_variants(character: str) -> frozenset[str]:
    """All characters that equal this one under simple folding, itself included."""
    return fold_classes().get(simple_fold(character), frozenset((character,)))
