from __future__ import annotations

import json
from pathlib import Path

import pytest

from contraband.detection import toml_text
from contraband.detection.compiled import compile_rules
from contraband.detection.exceptions import Fields, Item, condition
from contraband.detection.faults import InvalidException
from contraband.detection.packages import UnknownRules, load_named, load_package
from contraband.detection.rules import load, load_file
from contraband.schema import FieldType
from shared import shared_path

RULE = """[rule]
name = "Test"
rule_id = "5d9e1a31-7d1c-4f3c-8c09-6f3b3a0d8f11"
language = "eql"
type = "eql"
severity = "low"
risk_score = 21
query = '''
{query}
'''
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_every_eql_rule_of_elastic_loads_and_compiles() -> None:
    loaded = load(shared_path("elastic-rules/rules"))
    assert len(loaded.rules) == 1011
    assert loaded.passed_over == {"esql": 209, "kuery": 737, "lucene": 1, "machine_learning": 106}
    assert not loaded.problems
    compiled, problems = compile_rules(loaded.rules)
    assert (len(compiled), problems) == (1011, ())


def test_positions_of_a_query_are_those_of_the_file() -> None:
    for rule in load(shared_path("elastic-rules/rules/linux")).rules:
        assert rule.path is not None
        text = rule.path.read_bytes().decode()
        table = toml_text.offsets(text, toml_text.values(text)["rule.query"])
        assert [text[offset] for offset in table[:-1]] == list(rule.query)


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ('"a\\tb"', "a\tb"),
        ('"""\na\\\n   b"""', "ab"),
        ("'''\na'b'''", "a'b"),
        ('"\\u00e9x"', "éx"),
        ("'''a''''", "a'"),
    ],
)
def test_offsets_of_every_kind_of_string(literal: str, value: str) -> None:
    text = f"# query = 1\n[rule]\nquery = {literal}\nname = 'x'\n"
    found = toml_text.values(text)
    offsets = toml_text.offsets(text, found["rule.query"])
    assert len(offsets) == len(value) + 1
    assert text[offsets[0]] in (value[0], "\\")
    assert found["rule.name"].start == text.index("'x'")


def test_an_error_in_a_query_is_placed_in_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "rule_a.toml", RULE.format(query="process where\n  process.name === 1"))
    _, problems = compile_rules(load_file(path).rules)
    assert [(problem.path, problem.line, problem.column) for problem in problems] == [(path, 10, 18)]


def test_a_folder_keeps_what_is_valid_and_names_the_rest(tmp_path: Path) -> None:
    write(tmp_path, "a.toml", RULE.format(query="any where true"))
    write(tmp_path, "b.toml", "[rule\n")
    write(tmp_path, "c.toml", "[tool]\nx = 1\n")
    loaded = load(tmp_path)
    assert [rule.slug for rule in loaded.rules] == ["a"]
    assert [(problem.path, problem.line) for problem in loaded.problems] == [(tmp_path / "b.toml", 1)]
    assert loaded.passed_over == {"no rule": 1}


def test_a_kibana_export_brings_its_exceptions(tmp_path: Path) -> None:
    rule = {
        "rule_id": "r",
        "name": "R",
        "type": "eql",
        "language": "eql",
        "query": "any where true",
        "severity": "high",
        "risk_score": 73,
    }
    item = {
        "item_id": "i",
        "list_id": "l",
        "name": "I",
        "entries": [{"field": "user.name", "type": "match", "operator": "included", "value": "x"}],
    }
    other = {"rule_id": "k", "name": "K", "type": "query", "language": "kuery", "query": "*"}
    lines = [rule, other, item, {"exported_count": 2}]
    path = write(tmp_path, "rules_export.ndjson", "\n".join(map(json.dumps, lines)))
    loaded = load_file(path)
    assert [entry.id for entry in loaded.rules] == ["r"]
    assert loaded.passed_over == {"kuery": 1}
    assert [entry["item_id"] for entry in loaded.exceptions] == ["i"]


def test_an_export_in_a_folder_is_told_from_telemetry_by_its_content(tmp_path: Path) -> None:
    rule = {"rule_id": "one", "name": "One", "type": "eql", "language": "eql", "query": "any where true"}
    write(tmp_path, "from-kibana.ndjson", json.dumps(rule))
    write(
        tmp_path,
        "rule-telemetry.ndjson",
        '{"@timestamp": "2026-01-01T00:00:00Z", "kibana": {"alert": {"rule_id": "x"}}}',
    )
    loaded = load(tmp_path)
    assert ([found.id for found in loaded.rules], loaded.problems) == (["one"], ())


def test_the_endpoint_dialect_is_refused_with_the_reason(tmp_path: Path) -> None:
    text = "[rule]\nid = 'x'\nname = 'E'\nos_list = ['windows']\nquery = 'process where descendant of [process where true]'\n"
    loaded = load_file(write(tmp_path, "e.toml", text))
    _, problems = compile_rules(loaded.rules)
    assert "Elastic Endpoint's own dialect" in problems[0].message
    assert "`descendant of`" in problems[0].message


def test_two_rules_of_one_id_are_a_problem(tmp_path: Path) -> None:
    write(tmp_path, "a.toml", RULE.format(query="any where true"))
    write(tmp_path, "b.toml", RULE.format(query="any where false"))
    loaded = load(tmp_path)
    assert len(loaded.rules) == 1
    assert "is taken by" in loaded.problems[0].message


def test_a_rule_of_the_package_is_found_by_its_folder_its_id_and_its_name() -> None:
    rule = load_package().rules[0]
    for name in (rule.slug, rule.id, rule.name, f"T1546.016/{rule.slug}"):
        assert [entry.id for entry in load_named(name).rules] == [rule.id]
    with pytest.raises(UnknownRules, match="a similar name exists"):
        load_named(rule.slug[:-1])


def fields(**types: FieldType) -> Fields:
    return Fields([], lambda path: types.get(path.replace(".", "_"), FieldType.KEYWORD))


def test_entries_of_an_exception_are_joined_by_and() -> None:
    entries = (
        {"field": "a", "type": "match", "operator": "included", "value": "x"},
        {"field": "b", "type": "wildcard", "operator": "excluded", "value": "y*"},
        {"field": "c", "type": "exists", "operator": "included"},
        {
            "field": "d",
            "type": "nested",
            "entries": [{"field": "e", "type": "match_any", "operator": "included", "value": ["1", "2"]}],
        },
    )
    numbered = fields()
    assert condition(Item("i", "I", entries), numbered) == {
        "and": [
            {"text": {"field": 0, "kind": "equals", "fold": "none", "constants": ["x"]}},
            {"not": {"text": {"field": 1, "kind": "wildcard", "fold": "none", "constants": ["y*"]}}},
            {"not": {"missing": {"field": 2}}},
            {"text": {"field": 3, "kind": "equals", "fold": "none", "constants": ["1", "2"]}},
        ]
    }
    assert [entry["path"] for entry in numbered.entries] == ["a", "b", "c", "d.e"]


def test_an_exception_expires_for_events_and_not_by_the_clock() -> None:
    item = Item("i", "I", ({"field": "a", "type": "match", "value": "x"},), expire_time="2026-01-01T00:00:00Z")
    assert condition(item, fields(**{"@timestamp": FieldType.DATE}))["and"][1] == {
        "compare": {"field": 1, "op": "<", "constant": {"date": {"first": [1767225600, 0], "last": [1767225600, 0]}}}
    }


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"field": "a", "type": "list", "operator": "included"}, "value list"),
        ({"field": "a", "type": "match", "operator": "maybe", "value": "x"}, "operator `maybe`"),
        ({"field": "a", "type": "fuzzy", "value": "x"}, "entry of type `fuzzy`"),
        ({"field": "a", "type": "match"}, "lacks 'value'"),
    ],
)
def test_an_exception_that_cannot_be_applied_says_why(entry: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidException, match=reason):
        condition(Item("item-1", "I", (entry,)), fields())
