"""Rules × sources: the verdict and the field that decides it, held against the declared table and against telemetry."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.shared import shared_path

from contraband.coverage import EventKind, Source, Verdict, coverage, declared_sources, observed_sources
from contraband.detection.compiled import Compiled, compile_rules
from contraband.detection.packages import load_package, load_published, samples_path
from contraband.detection.rules import Rule, Severity
from contraband.eql import compile_query
from contraband.output.navigator import coverage_layer


def _rule(query: str, *index: str) -> Compiled:
    rule = Rule("id", "name", query, Severity.LOW, 21, index, {}, {}, None, "rule")
    return Compiled(rule, compile_query(query))


def _source(*fields: str, added: tuple[str, ...] = (), indices: tuple[str, ...] = ()) -> Source:
    values = {"host.os.type": ("linux",), "event.category": ("process",), "event.type": ("start", "end")}
    kind = EventKind("process", values, frozenset(fields), frozenset(added))
    return Source("made", "made", "linux", indices, (kind,), {})


@pytest.mark.parametrize(
    ("query", "verdict", "fields"),
    [
        ('process where process.name == "sh"', Verdict.WORKS, ()),
        ('process where process.parent.name == "dpkg"', Verdict.NEVER, ("process.parent.name",)),
        ('process where process.name == "sh" or process.parent.name == "x"', Verdict.PARTLY, ("process.parent.name",)),
        ('process where not process.parent.name == "dpkg"', Verdict.WORKS, ()),
        ("process where process.parent.name != null", Verdict.NEVER, ("process.parent.name",)),
        ("process where process.parent.name == null", Verdict.WORKS, ()),
        ('process where event.type == "change"', Verdict.NEVER, ("event.type",)),
        ('process where event.type : "ST*"', Verdict.WORKS, ()),
        ('file where process.name == "sh"', Verdict.NEVER, ("event.category",)),
        ('process where host.os.type == "windows"', Verdict.ELSEWHERE, ()),
        (
            'process where (host.os.type == "windows" and process.pe.original_file_name == "x") or process.name == "a"',
            Verdict.WORKS,
            (),
        ),
        ("process where length(process.parent.name) > 3", Verdict.NEVER, ("process.parent.name",)),
        ('process where concat(process.name, process.parent.name) == "ab"', Verdict.WORKS, ()),
        (
            "sequence by process.entity_id [process where true] [process where true]",
            Verdict.NEVER,
            ("process.entity_id",),
        ),
        ("sequence by ?process.entity_id [process where true] [process where true]", Verdict.WORKS, ()),
        ("sequence with maxspan=1m [process where true] ![file where true] [process where true]", Verdict.WORKS, ()),
    ],
)
def test_the_field_that_decides(query: str, verdict: Verdict, fields: tuple[str, ...]) -> None:
    (cell,) = coverage([_rule(query)], [_source("process.name")])
    assert (cell.verdict, cell.fields) == (verdict, fields), cell.reason


def test_a_rule_that_reads_other_indices_never_sees_the_source() -> None:
    (cell,) = coverage([_rule("process where true", "winlogbeat-*")], [_source(indices=("auditbeat-default",))])
    assert "index patterns" in cell.reason
    assert (cell.verdict, cell.fields) == (Verdict.NEVER, ("winlogbeat-*",))


def test_what_only_the_process_table_fills_is_named() -> None:
    source = _source("process.name", added=("process.parent.name",))
    (cell,) = coverage([_rule('process where process.parent.name == "dpkg"')], [source])
    assert (cell.verdict, cell.added) == (Verdict.WORKS, ("process.parent.name",))


def test_the_published_rule_can_never_fire_on_what_auditd_records() -> None:
    compiled, _ = compile_rules(load_published().rules)
    cells = {cell.source: cell for cell in coverage(compiled, declared_sources())}
    assert cells["auditd"].verdict is Verdict.NEVER
    assert "process.parent.name is never filled" in cells["auditd"].reason
    assert cells["auditd"].claimed
    assert cells["endpoint-windows"].verdict is Verdict.WORKS


def test_no_rule_of_the_package_claims_a_source_on_which_it_can_never_fire() -> None:
    compiled, _ = compile_rules(load_package().rules)
    cells = coverage(compiled, declared_sources())
    assert [
        (cell.rule, cell.source, cell.reason) for cell in cells if cell.claimed and cell.verdict is Verdict.NEVER
    ] == []


def test_every_rule_of_the_package_works_somewhere() -> None:
    compiled, _ = compile_rules(load_package().rules)
    works = {cell.rule for cell in coverage(compiled, declared_sources()) if cell.verdict is Verdict.WORKS}
    assert {entry.rule.slug for entry in compiled} == works


def test_nothing_is_filled_that_the_table_does_not_declare() -> None:
    declared = {source.name: source for source in declared_sources()}
    telemetry = [str(samples_path())]
    undeclared = [
        (entry.source.name, kind.name, field)
        for entry in observed_sources(telemetry)
        if entry.source.name in declared
        for kind in entry.source.kinds
        for field in kind.fields | kind.added
        if not field.startswith(("contraband.", "t1546."))
        and not any(known.fills(field) for known in declared[entry.source.name].kinds)
    ]
    assert undeclared == []


def test_telemetry_says_what_was_really_filled(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    event = {
        "event": {"category": "process", "type": ["start"], "module": "sysmon"},
        "host": {"os": {"type": "windows"}},
    }
    bare = event | {"process": {"name": "a.exe"}}
    path.write_text(json.dumps(event) + "\n" + json.dumps(bare) + "\n", encoding="utf-8")
    (entry,) = observed_sources([str(path)])
    assert (entry.source.name, entry.events, entry.filled["process.name"]) == ("winlogbeat-sysmon", 2, 1)
    (cell,) = coverage([_rule('process where process.parent.name == "msiexec.exe"')], [entry.source])
    assert (cell.verdict, cell.fields) == (Verdict.NEVER, ("process.parent.name",))


def test_raw_auditd_of_the_lab_is_named_and_lacks_nothing_that_the_table_declares_missing() -> None:
    path = shared_path("telemetry/linux-lab") / "deb-sh-install.audit.log"
    (entry,) = observed_sources([str(path)])
    assert entry.source.name == "auditd"
    declared = next(source for source in declared_sources() if source.name == "auditd")
    filled = {
        field
        for kind in entry.source.kinds
        for field in kind.fields | kind.added
        if not field.startswith("contraband.")
    }
    assert [field for field in sorted(filled) if not any(kind.fills(field) for kind in declared.kinds)] == []


def test_the_layer_scores_a_technique_by_the_best_that_a_rule_can_do() -> None:
    compiled, _ = compile_rules(load_published().rules)
    layer = coverage_layer([entry.rule for entry in compiled], coverage(compiled, declared_sources()))
    assert layer["versions"]["layer"] == "4.5"
    scores = {entry["techniqueID"]: entry["score"] for entry in layer["techniques"]}
    assert scores["T1546.016"] == 100
