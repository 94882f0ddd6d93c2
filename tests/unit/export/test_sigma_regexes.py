"""Regular expressions on their way to Sigma and back: three engines must say the same of every text."""

from __future__ import annotations

import random
import re

import pytest

from contraband.detection.packages import load_package, load_published
from contraband.eql import walk
from contraband.eql.analysis import checked
from contraband.eql.analysis.checked import Fold, MatchKind
from contraband.eql.reference.lucene_regex import (
    Characters,
    Concatenation,
    Empty,
    Node,
    Repeat,
    Union,
    derivative,
    matches,
    nullable,
    parse,
)
from contraband.export import prepared
from contraband.export.sigma import regexes

# What stands in rules and reads differently in the two languages, and what must stay as it is.
ATOMS = (
    *("a", "s", "d", "w", "b", "n", " ", ".", ".*", "@", "/", "-", ":", "=", ",", "'", "]", "^", "$", "%", "!"),
    *(r"\\", r"\.", r"\"", r"\'", r"\&", r"\#", r"\@", r"\<", r"\~", r"\$", r"\^", r"\s", r"\S", r"\d", r"\w", r"\ ", r"\b", r"\n", r"\A"),
    *(r"\\s", r"\\d", r"\\\\w", r"\\\"", r"\\\s", r"\|", r"\[", r"\]", r"\(", r"\)", r"\*", r"\?", r"\+", r"\{", r"\}", r"\/"),
    *('["]', r"[\"]", r"""[\"']""", """["' ]""", r"[\\]", r"[^\\]", r"[^\\/]", r"[a-d\\s]", r"[\s\"]", r"[^\s]", "[&#@<>~]", "[-a]", "[]a]", "[^]a]"),
    *("[[a]", r"[\]a]", r"[\[a]", r"[$^]", r"[.*?+]", r"[a\-d]", r"[\a\b]", r"[\"\\]", r"[|]", "[(]"),
)  # fmt: skip
TEXTS = tuple("asdwbnA ./-:=,'\"]^$%!\\&#@<>~|[(){}*?+")
ALPHABET = (*TEXTS, *"éЖabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
SEEDS = range(40)


def _pattern(chance: random.Random, depth: int = 0) -> str:
    parts = []
    for _ in range(chance.randint(1, 4)):
        part = chance.choice(ATOMS)
        if depth < 2 and chance.random() < 0.25:
            part = f"({'|'.join(_pattern(chance, depth + 1) for _ in range(chance.randint(1, 3)))})"
        if part not in (".*", "@") and chance.random() < 0.3 and (len(part) == 1 or part[0] in "[(" or len(part) == 2):
            part += chance.choice(("?", "*", "+", "{2}", "{1,2}", "*?"))
        parts.append(part)
    return "".join(parts)


def _texts(pattern: str, chance: random.Random) -> list[str]:
    """Texts that fit, the same with one character more, less or another, and some of any kind."""
    fitting = [_fitting(parse(pattern, Fold.NONE), chance) for _ in range(5)]
    return [
        "",
        *fitting,
        *(_bent(text, chance) for text in fitting * 2),
        *("".join(chance.choices(TEXTS, k=3)) for _ in range(5)),
    ]


def _fitting(node: Node, chance: random.Random) -> str:
    """A text that fits the tree of an expression."""
    match node:
        case Empty():
            return ""
        case Concatenation():
            return _fitting(node.first, chance) + _fitting(node.second, chance)
        case Union():
            return _fitting(chance.choice(sorted(node.options, key=repr)), chance)
        case Repeat():
            most = node.least + 2 if node.most is None else node.most
            return "".join(_fitting(node.operand, chance) for _ in range(chance.randint(node.least, most)))
        case _:  # one character
            own = [chr(low) for low, _ in node.ranges] if isinstance(node, Characters) else []
            return chance.choice([one for one in (*ALPHABET, *own) if nullable(derivative(node, one))])


def _bent(text: str, chance: random.Random) -> str:
    place = chance.randrange(len(text) + 1)
    return text[:place] + chance.choice(("", *TEXTS)) + text[place + chance.randint(0, 1) :]


def _back(written: str) -> str:
    return regexes.lucene(written).replace(regexes.QUOTE, '"')


def _means_the_same(pattern: str, chance: random.Random) -> int:
    """Holds that an expression, what is written for it, and that read back match the same texts; gives how many of them match."""
    written = regexes.perl(pattern)
    searched, back = re.compile(written, re.DOTALL), _back(written)
    met = 0
    for text in _texts(pattern, chance):
        expected = matches(text, pattern, Fold.NONE)
        met += expected
        assert (searched.search(text) is not None) == expected, (pattern, written, text)
        assert matches(text, back, Fold.NONE) == expected, (pattern, written, back, text)
    return met


@pytest.mark.parametrize("seed", SEEDS)
def test_made_expressions_mean_the_same_in_perl_and_back_in_lucene(seed: int) -> None:
    chance = random.Random(seed)
    met = 0
    for _ in range(20):
        pattern = _pattern(chance)
        if chance.random() < 0.3:
            pattern = f"{pattern}|{_pattern(chance)}"
        met += _means_the_same(pattern, chance)
    assert met


@pytest.mark.parametrize(
    ("pattern", "written", "back"),
    [
        (r".*c:\\windows\\syswow64\\cmd.*", r".*c:\\windows\\syswow64\\cmd.*", r".*c:\\windows\\syswow64\\cmd.*"),
        (r"""[\"']?[a-z]:\\?[\"']? .*""", r"""^["']?[a-z]:\\?["']? .*""", r"""["']?[a-z]:\\?["']? .*"""),
        (r"\"?[a-z]+", '^"?[a-z]+$', r"\"?[a-z]+"),
        ("[^/@]+@x|y", "^([^/@]+.*x|y)$", "([^/@]+.*x|y)"),
        ("(a|b)c", "^(a|b)c$", "(a|b)c"),
        ("$x^", r"^\$x\^$", r"\$x\^"),
        (r"a\&b", "^a&b$", r"a\&b"),
        (r"\\.*", r"^\\.*", r"\\.*"),
        (r"x\.*", r"^x\.*$", r"x\.*"),
        (r"a\s+b", r"^a\s+b$", r"a\s+b"),
        (".* -e .*", ".* -e .*", ".* -e .*"),
    ],
)
def test_what_is_written_for_each_form(pattern: str, written: str, back: str) -> None:
    assert regexes.perl(pattern) == written
    assert _back(written) == back


def test_names_and_arguments_have_ends_of_their_own() -> None:
    assert regexes.perl("py.+", ends=regexes.NAME) == r"(^|[/\\])py.+$"
    assert regexes.perl("-o.", ends=regexes.ARGUMENT) == r"""(^|[\s"'])-o.($|[\s"'])"""
    assert _back(regexes.perl("py.+", ends=regexes.NAME)) == r"(.*[/\\])?py.+"
    assert _back(regexes.perl("-o.", ends=regexes.ARGUMENT)) == r"""(.*[ "'])?-o.([ "'].*)?"""


@pytest.mark.parametrize("pattern", ["a#", "a&b", "<1-9>x", "~a", 'a"b"', "a++", "a{2}?", "a+?b", "a*??"])
def test_what_only_lucene_says_is_refused(pattern: str) -> None:
    with pytest.raises(regexes.LuceneOnly):
        regexes.perl(pattern)


def test_every_expression_of_the_package_goes_and_comes_back() -> None:
    compiled, problems = prepared(load_package() + load_published())
    assert not problems
    patterns = {
        pattern
        for entry in compiled
        for match in walk.nodes(entry.query, checked.Match)
        if match.kind is MatchKind.REGEX
        for pattern in match.constants
    }
    assert len(patterns) > 80
    chance = random.Random(0)
    met = 0
    for pattern in sorted(patterns):
        met += _means_the_same(pattern, chance)
    assert met > 3 * len(patterns)
