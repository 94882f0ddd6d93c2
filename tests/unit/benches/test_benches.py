"""The benchmark's questions are the same for everyone who is asked: on small corpora, all give the planted answer. Times nothing."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from benches import answers, audit, cases, corpus
from benches.measure import Times, run
from benches.rivals import duckdb_scan, predicate, python_eql
from benches.targets import TARGETS

import contraband

SIZES = {"mixed": 12_000, "installer": 12_000, "every": 400, "winlogbeat": 5_000}
QUERY = tomllib.loads(cases.PUBLISHED_RULE.read_text(encoding="utf-8"))["rule"]["query"]


@pytest.fixture(scope="module", params=list(SIZES))
def made(request, tmp_path_factory):
    """A small corpus of each kind, and its truth."""
    path = tmp_path_factory.mktemp("corpus") / f"{request.param}.ndjson"
    with path.open("wb") as stream:
        truth = corpus.write(request.param, SIZES[request.param], stream, processes=1)
    return path, truth


def _digest(ids):
    found = list(ids)
    assert len(found) == len(set(found))
    return len(found), corpus.digest(found)


def _documents(path: Path):
    return (json.loads(line) for line in path.read_bytes().splitlines())


def test_a_corpus_has_its_size_and_its_matches(made):
    path, truth = made
    assert path.stat().st_size == truth.bytes
    assert path.read_bytes().count(b"\n") == truth.events == SIZES[truth.kind]
    assert truth.matches == (truth.events if truth.kind == "every" else (truth.events + 3_749) // 7_500)
    assert 2_300 < truth.bytes / truth.events < 3_800


def test_the_core_finds_what_was_planted(made):
    path, truth = made
    found = contraband.search(QUERY, [path]).events
    assert _digest(event["event"]["id"] for event in found) == (truth.matches, truth.digest)


def test_the_predicate_finds_what_was_planted(made):
    path, truth = made
    ids = (document["event"]["id"] for document in _documents(path) if predicate.matches(document))
    assert _digest(ids) == (truth.matches, truth.digest)


def test_the_sql_finds_what_was_planted(made):
    path, truth = made
    rows = duckdb.sql(duckdb_scan.statement("ids", str(path), None)).fetchall()
    assert _digest(row[0] for row in rows) == (truth.matches, truth.digest)


def test_python_eql_finds_what_was_planted(made):
    path, truth = made
    hits: dict[str, list[str]] = {}
    (engine,), left_out = python_eql.engines(cases.PUBLISHED_RULE, hits)
    for document in _documents(path):
        engine.stream_event(python_eql.flatten(document))
    assert left_out == 0
    assert _digest(*hits.values()) == (truth.matches, truth.digest)


def test_lines_with_the_literal_are_counted(made):
    path, truth = made
    assert sum(b"msiexec.exe" in line.lower() for line in path.read_bytes().splitlines()) == truth.literal_lines


@pytest.mark.parametrize("task", ["copy", "copy-rows"])
def test_copied_rows_are_the_matches(tmp_path, task):
    path, out = tmp_path / "every.ndjson", tmp_path / "out.json"
    with path.open("wb") as stream:
        truth = corpus.write("every", 200, stream, processes=1)
    duckdb.sql(duckdb_scan.statement(task, str(path), str(out)))
    assert answers.matches(truth)(out) == ""
    if task == "copy-rows":
        first = json.loads(path.read_bytes().splitlines()[0])
        copied = {row["event"]["id"]: row for row in _documents(out)}
        assert copied[first["event"]["id"]] == first


def test_the_same_corpus_comes_out_in_parallel_and_again(tmp_path):
    for name, processes in (("one", 1), ("two", 2)):
        with (tmp_path / name).open("wb") as stream:
            corpus.write("installer", corpus.SHARD + 50, stream, processes=processes)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(("rule", "times"), [("sequence_many_keys", 1), ("sequence_one_key", 2)])
def test_sequences_are_completed_as_planted(tmp_path, rule, times):
    path = tmp_path / "sequences.ndjson"
    with path.open("wb") as stream:
        truth = corpus.write("sequences", 1_000, stream, processes=1)
    query = tomllib.loads((cases.OWN_RULES / f"{rule}.toml").read_text(encoding="utf-8"))["rule"]["query"]
    assert truth.sequences == 10
    assert len(contraband.search(query, [path]).sequences) == truth.sequences * times


def test_the_audit_log_has_the_planted_scripts(tmp_path):
    path = audit.ensure(2_000, tmp_path)
    found = contraband.search('process where process.args == "/var/lib/dpkg/info/vendor.postinst"', [path]).events
    assert len(found) == 2


def test_a_wrong_answer_is_seen(tmp_path):
    with (tmp_path / "every.ndjson").open("wb") as stream:
        truth = corpus.write("every", 20, stream, processes=1)
    lines = (tmp_path / "every.ndjson").read_bytes().splitlines(keepends=True)
    check = answers.matches(truth)
    out = tmp_path / "out"
    out.write_bytes(b"".join(lines))
    assert check(out) == ""
    out.write_bytes(b"".join(lines[1:]))
    assert check(out) == "19 matches, not the 20 planted"
    other = lines[0].replace(b"NbR000000000", b"NbR000000099")
    out.write_bytes(b"".join([other, *lines[1:]]))
    assert "not the 20 planted" in check(out)


def test_every_target_is_of_cases_that_exist(tmp_path, monkeypatch):
    monkeypatch.setattr(cases, "DATA", tmp_path)
    monkeypatch.setattr(cases.shutil, "which", lambda name: f"/usr/bin/{name}")
    rules = tmp_path / "elastic" / "windows"
    rules.mkdir(parents=True)
    for file in cases.OWN_RULES.glob("*.toml"):
        (rules / file.name).write_bytes(file.read_bytes())
    log = tmp_path / "log.evtx"
    log.write_bytes(b"ElfFile\0".ljust(4096, b"\0") + b"ElfChnk\0".ljust(65536, b"\0"))
    inputs = cases.Inputs(events=200, large=400, elastic_rules=rules.parent, evtx=log, evtx_dump="/usr/bin/evtx_dump")
    groups = cases.groups(inputs)
    results = {
        (group.name, case.name.replace("contraband, 2 rules", "contraband, 1,011 rules")): (
            replace(case, events=1, size=1),
            Times((1.0,), 1.0, 1),
        )
        for group in groups
        for case in group.cases
    }
    assert all(target.measure(results) is not None for target in TARGETS)
    names = [(group.name, case.name) for group in groups for case in group.cases if "rules" not in group.name]
    assert len(set(names)) == len(names)


def test_a_run_has_output_status_and_peak(tmp_path):
    done = run(["/bin/sh", "-c", "echo answer; exit 3"], tmp_path, {})
    assert (done.output.read_text(), done.status) == ("answer\n", 3)
    assert done.peak > 0
    assert done.seconds > 0
