"""The shipped schema, and what a mapping makes of fields."""

from __future__ import annotations

from typing import Any

import pytest

from contraband.diagnostics import CompileError
from contraband.eql import compile_query
from contraband.schema import FieldType, Schema, shipped_fields, shipped_version
from contraband.schema.date_formats import DateFormatError, read_formats
from contraband.schema.schema import SchemaError


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("process.pid", FieldType.LONG),
        ("process.Ext.token.integrity_level_name", FieldType.KEYWORD),
        ("process.Ext.relative_file_creation_time", FieldType.DOUBLE),
        ("winlog.event_data.TargetUserName", FieldType.KEYWORD),
        ("winlog.event_data.NotInAnyList", FieldType.KEYWORD),
        ("winlog.process.pid", FieldType.LONG),
        ("auditd.data.a0", FieldType.KEYWORD),
        ("auditd.data.items", FieldType.LONG),
        ("auditd.data.daddr", FieldType.IP),
        ("sysmon.file.is_executable", FieldType.BOOLEAN),
        ("nowhere.at.all", FieldType.ANY),
    ],
)
def test_types_of_shipped_fields(name: str, kind: FieldType) -> None:
    field = Schema.open().lookup(name)
    assert field is not None
    assert field.type is kind
    assert Schema.open().known(name) is (kind is not FieldType.ANY)


def test_the_sources_are_named() -> None:
    for source in (
        "ECS 9.4.0",
        "endpoint (elastic/endpoint-package ",
        "windows (",
        "system (",
        "auditd_manager (",
        "sysmon_linux (",
    ):
        assert source in shipped_version()
    assert len(shipped_fields()) > 3_800


def test_a_text_is_compared_by_its_keyword_sub_field() -> None:
    schema = Schema.from_mapping(
        {
            "properties": {
                "whole": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
                "lower": {"type": "text", "fields": {"raw": {"type": "keyword", "normalizer": "lowercase"}}},
                "twice": {"type": "text", "fields": {"a": {"type": "keyword"}, "b": {"type": "wildcard"}}},
                "words": {"type": "match_only_text"},
                "folded": {"type": "keyword", "normalizer": "lowercase"},
            }
        }
    )
    fields = {name: schema.lookup(name) for name in ("whole", "lower", "twice", "words", "folded")}
    assert {name: bool(field and field.inexact) for name, field in fields.items()} == {
        "whole": False,
        "lower": True,
        "twice": True,
        "words": True,
        "folded": True,
    }
    assert fields["whole"] is not None
    assert fields["whole"].type is FieldType.KEYWORD


def test_fields_below_a_nested_one_are_nested() -> None:
    nested = {
        "type": "nested",
        "properties": {"name": {"type": "keyword"}, "deep": {"properties": {"x": {"type": "long"}}}},
    }
    schema = Schema.from_mapping({"properties": {"user": nested}})
    for name in ("user", "user.name", "user.deep.x"):
        field = schema.lookup(name)
        assert field is not None
        assert field.type is FieldType.NESTED


def test_several_indices_are_merged() -> None:
    one = {"mappings": {"properties": {"day": {"type": "date", "format": "dd-MM-yyyy"}, "a": {"type": "long"}}}}
    two = {"mappings": {"properties": {"day": {"type": "date"}, "b": {"type": "ip"}}}}
    schema = Schema.from_mapping({"one": one, "two": two})
    day, only = schema.lookup("day"), schema.lookup("b")
    assert day is not None
    assert only is not None
    assert len(day.formats) == 3
    assert only.type is FieldType.IP


def test_date_formats_that_are_not_understood() -> None:
    for text in ("", "nonsense", "yyyy-QQ", "yyyy[-MM", "'open", "yyyy]", "MMMMM"):
        with pytest.raises(DateFormatError):
            read_formats(text)
    with pytest.raises(SchemaError, match="`day`: `n` in `nonsense`"):
        Schema.from_mapping({"properties": {"day": {"type": "date", "format": "nonsense"}}})


def test_a_field_of_two_types_cannot_be_asked_about() -> None:
    def index(**kinds: str) -> dict[str, Any]:
        return {"mappings": {"properties": {name: {"type": kind} for name, kind in kinds.items()}}}

    schema = Schema.from_mapping(
        {
            "b": index(pid="long", name="keyword", user="keyword"),
            "a": index(pid="keyword", name="wildcard"),
            "c": {
                "mappings": {"properties": {"pid": {"type": "long"}, "user": {"properties": {"id": {"type": "long"}}}}}
            },
        }
    )
    compile_query('any where name == "x"', schema)
    for query, reason in (
        (
            "any where pid == 4",
            "[pid] due to ambiguities being mapped as [2] incompatible types: [keyword] in [a], [long] in [b, c]",
        ),
        ("sequence by pid [any where true] [any where true]", "[pid] due to ambiguities"),
        ('any where user == "x"', "[2] incompatible types: [keyword] in [b], [object] in [c]"),
    ):
        with pytest.raises(CompileError) as caught:
            compile_query(query, schema)
        assert {error.code for error in caught.value.diagnostics} == {"E214"}
        assert reason in caught.value.diagnostics[0].message
