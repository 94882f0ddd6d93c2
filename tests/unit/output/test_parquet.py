"""Parquet holds the same columns whatever came in, and every document whole."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from contraband.detection.packages import samples_path
from contraband.output import parquet as output

pyarrow = pytest.importorskip("pyarrow")
from pyarrow import parquet  # noqa: E402 - after the check that it is there


def _written(documents: list[dict]) -> object:
    stream = io.BytesIO()
    assert output.write_parquet(documents, stream) == len(documents)
    return parquet.read_table(io.BytesIO(stream.getvalue()))


def _convert(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "contraband", "convert", "--quiet", *arguments],
        capture_output=True,
        check=False,
        env=os.environ,
    )


def test_columns_do_not_depend_on_the_input() -> None:
    empty = _written([])
    odd = _written(
        [{"@timestamp": "never", "process": {"pid": "x", "name": ["a", "b"]}, "process.args": "one", "new.field": 1}]
    )
    assert empty.schema == odd.schema
    assert empty.num_rows == 0
    row = odd.to_pylist()[0]
    assert (row["@timestamp"], row["process.pid"], row["process.name"], row["process.args"]) == (
        None,
        None,
        "a",
        ["one"],
    )
    assert json.loads(row["document"])["new.field"] == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000_000),
        ("1970-01-01T00:00:00.123456789Z", 123_456_789),
        ("1970-01-01T01:00:00.5+01:00", 500_000_000),
        (1500, 1_500_000_000),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
        ("soon", None),
        (True, None),
        ("9999-01-01T00:00:00Z", None),
    ],
)
def test_dates(value: object, expected: int | None) -> None:
    assert output.nanoseconds(value) == expected


def test_values_are_found_nested_and_dotted() -> None:
    document = {"process": {"parent.name": "a"}, "process.parent": {"pid": 2}, "tags": [None, "x"]}
    assert output.values_at(document, "process.parent.name") == ["a"]
    assert output.values_at(document, "process.parent.pid") == [2]
    assert output.values_at(document, "tags") == ["x"]
    assert output.values_at(document, "host.name") == []


def test_several_groups_hold_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "ROWS", 3)
    table = _written([{"process": {"pid": number}} for number in range(8)])
    assert table["process.pid"].to_pylist() == list(range(8))


def test_the_command_loses_nothing(tmp_path: Path) -> None:
    sample = str(sorted(samples_path().glob("*.ndjson"))[0])
    path = tmp_path / "events.parquet"
    done = _convert(sample, "--to", "parquet", "-o", str(path))
    assert done.returncode == 0, done.stderr
    lines = _convert(sample).stdout.splitlines()
    documents = parquet.read_table(path)["document"].to_pylist()
    assert [json.loads(text) for text in documents] == [json.loads(line) for line in lines]
    assert documents


def test_what_was_converted_is_scanned_alike(tmp_path: Path) -> None:
    sample = str(sorted(samples_path().glob("linux-lab.deb-sh-install.defend_new*"))[0])
    path = tmp_path / "events.parquet"
    assert _convert(sample, "--to", "parquet", "-o", str(path)).returncode == 0
    again = tmp_path / "again.ndjson"
    again.write_text(
        "".join(text + "\n" for text in parquet.read_table(path)["document"].to_pylist()), encoding="utf-8"
    )
    command = [
        sys.executable,
        "-m",
        "contraband",
        "scan",
        "--quiet",
        "--format",
        "ndjson",
        "--fields",
        "kibana.alert.rule.name",
    ]
    runs = [subprocess.run([*command[:-2], str(name)], capture_output=True, check=False) for name in (sample, again)]
    names = [[json.loads(line)["kibana.alert.rule.name"] for line in run.stdout.splitlines()] for run in runs]
    assert names[0] == names[1] != []
