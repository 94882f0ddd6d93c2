"""Raw records against the documents that Elastic's and go-libaudit's own code makes of them, field by field; where they differ on purpose,
`differences.toml` says why. The project's own recordings are held to their documents the same way, without any difference."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from contraband import _core
from shared import shared_path

HERE = Path(__file__).parent
CORPUS = HERE.parents[1] / "corpus"
DIFFERENCES = tomllib.loads((HERE / "differences.toml").read_text(encoding="utf-8"))
PLACES = {
    "pid": "process.pid",
    "ppid": "process.parent.pid",
    "exe": "process.executable",
    "comm": "process.name",
    "cwd": "process.working_directory",
    "ses": "auditd.session",
    "result": "auditd.result",
    "auid": "auditd.user.audit.id",
    "uid": "user.id",
    "gid": "user.group.id",
    "euid": "user.effective.id",
    "egid": "user.effective.group.id",
    "suid": "auditd.user.saved.id",
    "sgid": "auditd.user.saved.group.id",
    "fsuid": "auditd.user.filesystem.id",
    "fsgid": "auditd.user.filesystem.group.id",
}


def decode(source: str, data: bytes) -> list[dict[str, Any]]:
    return [json.loads(document[0]) for document in _core.decode(source, data, None)[0]]


def flat(document: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Dotted paths to values; lists are values."""
    fields: dict[str, Any] = {}
    for key, value in document.items():
        path = f"{above}.{key}" if above else key
        fields |= flat(value, path) if isinstance(value, dict) else {path: value}
    return fields


def different(theirs: dict[str, Any], ours: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    left, right = flat(theirs), flat(ours)
    return {
        path: (left.get(path), right.get(path))
        for path in sorted(left.keys() | right.keys())
        if left.get(path) != right.get(path)
    }


def pairs(name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Their document and ours, of one pair of Elastic's."""
    folder = shared_path("telemetry/public/groundtruth/elastic")
    match name:
        case "auditd":
            for theirs in json.loads((folder / "auditd-coalesced-execve.expected.json").read_text())["expected"]:
                (ours,) = decode("auditd", "\n".join(theirs["auditd"]["messages"]).encode())
                yield theirs, ours
        case "sysmon":
            collected = json.loads((folder / "sysmon-12-processcreate.collection.json").read_text())
            documents = decode("winlogbeat", "\n".join(map(json.dumps, collected)).encode())
            theirs = json.loads((folder / "sysmon-12-processcreate.ingest-expected.json").read_text())
            yield from zip(theirs, documents, strict=True)
        case "jamf":
            (ours,) = decode("eslogger", (folder / "jamf-esf-exec.input.log").read_bytes())
            yield json.loads((folder / "jamf-esf-exec.expected.json").read_text()), ours


@pytest.mark.parametrize("name", ["auditd", "sysmon", "jamf"])
def test_elastics_pairs_differ_only_where_it_is_said_why(name: str):
    reasons = DIFFERENCES[name]
    used = set()
    compared = 0
    for theirs, ours in pairs(name):
        compared += 1
        for path, values in different(theirs, ours).items():
            matching = {pattern for pattern in reasons if fnmatchcase(path, pattern)}
            assert matching, (path, values)
            used |= matching
    assert compared
    assert used == set(reasons), "a difference is listed that there is not"


def single_records() -> list[tuple[str, dict[str, Any]]]:
    folder = shared_path("telemetry/public/groundtruth/go-libaudit")
    return [
        (golden.name, record)
        for golden in sorted(folder.glob("*.log.golden"))
        for record in json.loads(golden.read_text())
    ]


def test_every_key_of_go_libaudits_single_records():
    records = single_records()
    assert len(records) > 10
    for name, record in records:
        kind, data = record["record_type"], record["data"]
        line = f"type={kind.upper()} msg={record['raw_msg']}"
        if kind in {"path", "cwd"}:
            # They say something of an event only beside its SYSCALL record.
            assert decode("auditd", line.encode()) == []
            head = record["raw_msg"].partition(")")[0]
            line = f"type=SYSCALL msg={head}): arch=c000003e syscall=2 success=yes exit=3 items=1 ppid=1 pid=2\n{line}"
        (document,) = decode("auditd", line.encode())
        fields = flat(document)
        if kind == "path":
            assert document["auditd"]["paths"] == [data], name
            continue
        for key, value in data.items():
            if key == "uid" and kind != "syscall":
                # Whose record it is depends on its kind: the golden events of whole records hold that (test_auditd.py).
                continue
            wanted = None if value == "unset" else int(value) if key in {"pid", "ppid"} else value
            if key.startswith("subj_"):
                place = f"auditd.user.selinux.{key.removeprefix('subj_')}"
            else:
                other = f"auditd.user.{key}.id" if key.endswith(("uid", "gid")) else f"auditd.data.{key}"
                place = PLACES.get(key, other)
            assert fields.get(place) == wanted, (name, kind, key)


@pytest.mark.parametrize(
    ("source", "raw", "expected"),
    [
        ("auditd", "auditd/deb-sh-install.audit.log", "auditd/deb-sh-install.expected.ndjson"),
        ("eslogger", "eslogger/benign_package.ndjson", "eslogger/benign_package.expected.ndjson"),
        ("eslogger", "eslogger/malicious_package.ndjson", "eslogger/malicious_package.expected.ndjson"),
        ("sysmon_linux", "sysmon_linux/deb-sh-install.syslog", "sysmon_linux/deb-sh-install.expected.ndjson"),
    ],
)
def test_the_own_recordings_give_their_documents(source: str, raw: str, expected: str):
    documents = decode(source, (CORPUS / raw).read_bytes())
    wanted = [json.loads(line) for line in (CORPUS / expected).read_text(encoding="utf-8").splitlines()]
    assert len(documents) == len(wanted) > 0
    for number, (theirs, ours) in enumerate(zip(wanted, documents, strict=True)):
        assert different(theirs, ours) == {}, number
