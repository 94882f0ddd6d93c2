"""Comparing texts: wildcards, and the ways in which Lucene and Java treat case. Knows no fields."""

from __future__ import annotations

from functools import cache, lru_cache

from contraband.eql.analysis.checked import Fold
from contraband.eql.functions._text import folded, utf16

_BEYOND_CASE = 0x20000
"""No character from here on has case: these planes hold ideographs, marks and nothing."""

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
    places, any_place, everywhere = _places(text, fold, java)
    # Bit i: the pattern up to here fits the first i characters.
    reachable = 1
    for symbol in pattern:
        if symbol == "*":
            reachable = _run(reachable, any_place, everywhere)
        else:
            fitting = any_place if symbol == "?" else places.get(_case_out(symbol, fold), 0)
            reachable = (reachable & fitting) << 1
        if not reachable:
            return False
    return bool(reachable >> len(text))


@lru_cache(maxsize=1024)
def _places(text: str, fold: Fold, java: bool) -> tuple[dict[str, int], int, int]:
    """As bits: where each character stands, where one stands that `?` fits, and every place with the end."""
    places: dict[str, int] = {}
    for at, character in enumerate(text):
        folded_character = _case_out(character, fold)
        places[folded_character] = places.get(folded_character, 0) | 1 << at
    any_place = (1 << len(text)) - 1
    if java:
        any_place -= sum(1 << at for at, character in enumerate(text) if character in LINE_TERMINATORS)
    return places, any_place, (2 << len(text)) - 1


def _run(reachable: int, any_place: int, everywhere: int) -> int:
    """From each place on, over characters that `*` fits."""
    if any_place == everywhere >> 1:  # all of them: everything from the first place on
        return everywhere & -(reachable & -reachable)
    while (further := reachable | (reachable & any_place) << 1) != reachable:
        reachable = further
    return reachable


@lru_cache(maxsize=4096)
def _case_out(character: str, fold: Fold) -> str:
    match fold:
        case Fold.NONE | Fold.ASCII:
            return folded(character, fold)
        case Fold.UNICODE:
            return simple_fold(character)
        case Fold.JAVA:
            return java_pattern_fold(character)


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
    for code in range(_BEYOND_CASE):
        character = chr(code)
        target = simple_fold(character)
        if target != character:
            classes.setdefault(target, {target}).add(character)
    return {target: frozenset(members) for target, members in classes.items()}


def fold_variants(character: str) -> frozenset[str]:
    """All characters that equal this one under simple folding, itself included."""
    return fold_classes().get(simple_fold(character), frozenset((character,)))
