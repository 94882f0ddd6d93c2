"""Text to tree and back."""

import re
import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contraband.diagnostics import CompileError, Span, line_and_column, render_all
from contraband.eql import compile_query
from contraband.eql.syntax import parse, print_statement
from shared import shared_path

ROOT = Path(__file__).parents[3]
WORDS = [
    *[
        "process",
        "any",
        "where",
        "sequence",
        "sample",
        "by",
        "with",
        "maxspan",
        "=",
        "1m",
        "runs",
        "until",
        "[",
        "![",
        "]",
        "(",
        ")",
        "not",
        "and",
        "or",
        "in",
        "in~",
        ":",
        "like~",
    ],
    *[
        "==",
        "!=",
        "<",
        "+",
        "-",
        "*",
        "/",
        "%",
        "?",
        ".",
        ",",
        "|",
        "head",
        "length",
        "concat~",
        "host.id",
        "null",
        "true",
    ],
    *['"a"', '"""b"""', "'c'", "1", "1.5", "5s", "`d e`", "//", "/*", "*/", "é", "\t", "\n"],
]


@pytest.mark.parametrize(
    "query",
    [
        'process where not (a == 1 or b : ("x", "y*")) and -c + 2 * (3 - d) > 4',
        r'any where f == "\t\"\\\u{1f600}" or `a b`.`sequence` regex~ """\d"x""""',
        "sequence by a, ?b with maxspan=90s [any where true] by c with runs=3 ![any where x in (1, 2)] by c "
        "until [any where false] by c | head 5 | tail 2",
        "sample by a [any where (x not in (1)) == true] [`b` where true]".replace("`b`", '"b c"'),
    ],
)
def test_printing_is_a_fixed_point(query: str) -> None:
    tree = parse(query)
    printed = print_statement(tree)
    assert parse(printed) == tree
    assert print_statement(parse(printed)) == printed


def test_every_published_rule_compiles_and_prints() -> None:
    folder = shared_path("elastic-rules/rules")
    texts = [text for path in sorted(folder.rglob("*.toml")) if 'language = "eql"' in (text := path.read_text("utf-8"))]
    queries = [tomllib.loads(text)["rule"]["query"] for text in texts]
    assert len(queries) == 1011
    started = time.process_time()
    for query in queries:
        compile_query(query)
    assert time.process_time() - started < 15  # 1 s on the machine where it was measured; a slip in complexity shows
    for tree in map(parse, queries):
        assert parse(print_statement(tree)) == tree


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)))
def test_any_text_gives_a_query_or_findings_within_it(text: str) -> None:
    try:
        compile_query(text)
    except CompileError as error:
        assert error.diagnostics
        for finding in error.diagnostics:
            assert finding.span is None or 0 <= finding.span.start <= finding.span.end <= len(text)
        assert render_all(error.diagnostics, text)


@pytest.mark.parametrize("text", ["(", "not ", "-", "length(", "[", "/*", "1+", "a.", "x in ("])
def test_absurd_nesting_is_an_error(text: str) -> None:
    with pytest.raises(CompileError):
        parse("process where " + text * 100_000)


def test_length_costs_no_depth() -> None:
    tree = parse("process where " + " or ".join(f"a == {number}" for number in range(20_000)))
    assert parse(print_statement(tree)) == tree


@pytest.mark.parametrize("before", ["", "\t", "é", "日本", "\t日\té", "e\u0301"])
def test_marks_stand_below_the_text(before: str) -> None:
    text = f'any where x == "{before}" and nope~ true'.replace("\\t", "\t")
    with pytest.raises(CompileError) as caught:
        parse(text)
    finding = caught.value.diagnostics[0]
    assert finding.span is not None
    assert line_and_column(text, finding.span.start) == (1, finding.span.start + 1)
    lines = caught.value.render().splitlines()
    assert len(re.findall(r"\^+", lines[4])) == 1
    assert "\t" not in lines[3]


def test_several_findings_in_one_run() -> None:
    with pytest.raises(CompileError) as caught:
        parse("sequence with maxspan=5 [any where a = 1] [any where ] [any where b[0] == 'x'] with runs=0 | ")
    codes = [finding.code for finding in caught.value.diagnostics]
    assert codes == ["E103", "E008", "E001", "E009", "E006", "E106", "E001"]
    assert all(isinstance(finding.span, Span) for finding in caught.value.diagnostics)


def test_every_code_is_documented_and_has_a_spec_case() -> None:
    codes = set(re.findall(r'"""(E\d{3}):', (ROOT / "src/contraband/eql/errors.py").read_text("utf-8")))
    assert codes == {path.stem for path in (ROOT / "docs/errors").glob("E*.md")}
    specs = "".join(path.read_text("utf-8") for path in (ROOT / "tests/spec/errors").glob("*.md"))
    assert codes == set(re.findall(r"^error\[(E\d{3})\]", specs, re.MULTILINE))
