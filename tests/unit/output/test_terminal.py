"""Text on screens of any width: nothing is lost, and only what cannot be broken is wider."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from contraband.detection.packages import load_package, load_published
from contraband.detection.rules import Problem
from contraband.eql import parse
from contraband.eql.syntax.printer import print_statement
from contraband.hunt.hunts import Found, Group, Hunt
from contraband.output.findings import findings
from contraband.output.hunt_table import hunt_table
from contraband.output.terminal import WHOLE, Screen, below, grid, markdown

RULES = (*load_published().rules, *load_package().rules)


@pytest.mark.parametrize("width", [30, 80, 120])
def test_a_broken_query_means_the_same(width: int) -> None:
    broken = 0
    for rule in RULES:
        text = "\n".join(Screen(width).eql(rule.query))
        assert print_statement(parse(text)) == print_statement(parse(rule.query)), rule.slug
        broken += text != rule.query.strip()
    assert broken > len(RULES) // 2


@pytest.mark.parametrize(
    "query",
    [
        'any where a == "one two   three four" and b == """five "six" seven""" and `odd name` == "\\" and \\\\"',
        'any where a == "b" // and c == "d" and e == "f" and g == "h"\n and i == "j"',
        'any where a == "b" // see /* or "this\n and c == "d" /* and */ and a_long_name.of_a_field == "e"',
        'any where a == "b" /* one comment that\n goes on "here */ and c == "d"',
        'any where a : ("/var/*", "*/etc", "http://x/*") and /* "quoted, and a back-quote ` */ b == "c"',
    ],
)
def test_what_must_stay_together_does(query: str) -> None:
    text = "\n".join(Screen(20).eql(query))
    assert print_statement(parse(text)) == print_statement(parse(query))
    assert Screen(20).eql(query, "  ")[0].startswith("  any where")
    assert "\n".join(WHOLE.eql(query)) == query


def test_prose_hangs_and_keeps_its_code() -> None:
    lines = Screen(30).prose("Look at the thing, then run `a b c d e f g h` and see.", "why: ")
    assert lines == ["why: Look at the thing, then", "     run `a b c d e f g h` and", "     see."]
    assert Screen(30).prose("x" * 40, "a: ") == ["a: " + "x" * 40]
    assert WHOLE.prose("one two\nthree", "a: ") == ["a: one two", "three"]
    assert max(map(len, Screen(200).prose("word " * 100))) <= 100
    assert Screen(24).prose("one two three four", "  a long beginning:  ") == [
        "  a long beginning:  one",
        "      two three four",
    ]
    assert Screen(80).prose("", "normal: ") == ["normal:"]


def test_a_table_gets_narrower_step_by_step() -> None:
    headings = ("rule", "some-source", "count", "what it says")
    rows = [("a-rule-name", "works", "12", "one two three four five six"), ("a-rule-name", "never", "3", "seven")]
    assert grid(headings, rows, Screen(60)) == [
        "rule         some-source  count  what it says",
        "a-rule-name  works           12  one two three four five six",
        "a-rule-name  never            3  seven",
    ]
    assert grid(headings, rows, Screen(53)) == [
        "rule         some-   count  what it says",
        "             source",
        "a-rule-name  works      12  one two three four five",
        "                            six",
        "a-rule-name  never       3  seven",
    ]
    assert (
        grid(headings, rows, Screen(40))
        == below(headings, rows, Screen(40))
        == [
            "rule",
            "  some-   count  what it says",
            "  source",
            "a-rule-name",
            "  works      12  one two three four five",
            "                 six",
            "  never       3  seven",
        ]
    )
    assert grid(headings, rows, Screen(24))[:2] == ["a-rule-name", "  some-source: works"]
    assert len(grid(headings, rows, WHOLE)) == 3


def test_markdown_keeps_its_code() -> None:
    text = (
        "<!-- made -->\n# A heading\n\nA paragraph of\nseveral words that go on and on.\n\n- An item that is longer than the screen is\n- Another\n\n"
        "Linux:\n\n    a command | that is --longer 'than  the' screen > is\n\n```eql\nprocess where true and also something == \"a  b\"\n```\n\n"
        "```\n# no heading that is longer than  all\n```\n\n"
        "| a | b |\n|---|---|\n| 1 | x \\| y |\n"
    )
    shown = markdown(text, Screen(30, color=True)).splitlines()
    assert shown[0] == "\x1b[1m# A heading\x1b[0m"
    assert "A paragraph of several words" in shown
    assert shown[shown.index("- An item that is longer than") + 1] == "  the screen is"
    assert "    a command | that is --longer 'than  the' screen > is" in shown
    start = shown.index("```eql")
    assert shown[start + 1 : start + 4] == ["process where true and also", '    something == "a  b"', "```"]
    assert "# no heading that is longer than  all" in shown
    assert shown[-1] == "1  x | y"
    assert markdown(text, WHOLE) == text


def test_findings_lie_below_their_file(tmp_path: Path) -> None:
    path = tmp_path / "rules" / "r.toml"
    found = [
        ("error", Problem(None, "no place", rule="Some rule")),
        ("error", Problem(path, "something is wrong with what stands here", 7, 12)),
        ("warning", Problem(path, "a doubt")),
    ]
    assert list(findings(found, Screen(40), base=tmp_path)) == [
        "Some rule",
        "    error    no place",
        "",
        str(Path("rules", "r.toml")),
        "  7:12  error    something is wrong with",
        "             what stands here",
        "        warning  a doubt",
    ]
    assert list(findings(found, WHOLE, base=tmp_path)) == [f"{kind}: {problem}" for kind, problem in found]


def test_what_a_hunt_finds_cannot_write_to_the_terminal() -> None:
    hunt = Hunt("H1", "Name", "Question?", "", "", ("process.name",), "")
    groups = tuple(
        Group((("process.name", name),), 1, {"h"}, example="\x1b[2Jcurl\n" + "x" * 90)
        for name in ("a\x1b[31m", "b", "界" * 60)
    )
    lines = list(hunt_table(Found(hunt, groups, {}), 2, Screen(40)))
    assert not re.search(r"[\x00-\x1f]", "".join(lines))
    assert all(len(line) <= 40 for line in lines)
    assert lines[1].startswith("       1 time  on 1 host   a")
    assert lines[-1] == "         1 more groups (--most)"
    wide = Screen(40).fit("界" * 60)
    assert wide == "界" * 19 + "…"
