"""The audit log against the documents that Elastic's own code makes of it, and against damage."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from contraband import _core
from shared import shared_path

CORPUS = Path(__file__).parents[2] / "corpus" / "auditd"
SAMPLE = CORPUS / "deb-sh-install.audit.log"


def decode(data: bytes) -> tuple[list[dict[str, Any]], list[tuple[Any, ...]]]:
    documents, faults = _core.decode("auditd", data, None)
    return [json.loads(document[0]) for document in documents], list(faults)


def value(document: Any, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(document, dict) or key not in document:
            return None
        document = document[key]
    return document


def test_the_corpus_gives_its_expected_documents():
    expected = [json.loads(line) for line in (CORPUS / "deb-sh-install.expected.ndjson").read_text().splitlines()]
    documents, faults = decode(SAMPLE.read_bytes())
    assert documents == expected
    assert faults == []


def golden_cases() -> list[tuple[str, str, dict[str, Any]]]:
    yaml = pytest.importorskip("yaml")
    folder = shared_path("telemetry/public/groundtruth/go-libaudit")
    cases = []
    for inputs in sorted(folder.glob("*.yaml")):
        golden = {
            case["test_name"]: case["event"] for case in json.loads(inputs.with_suffix(".json.golden").read_text())
        }
        cases += [(name, text, golden[name]) for name, text in yaml.safe_load(inputs.read_text())["tests"].items()]
    assert len(cases) > 30
    return cases


def expected_fields(event: dict[str, Any]) -> dict[str, Any]:
    """The document's fields, renamed as Auditbeat renames those of the coalesced event."""
    summary, process = event["summary"], event.get("process", {})
    fields = {
        "auditd.message_type": event["record_type"],
        "auditd.result": event.get("result"),
        "auditd.session": None if event["session"] in {"unset", ""} else event["session"],
        "auditd.paths": event.get("paths"),
        "auditd.user.selinux": value(event, "user.selinux"),
        "auditd.summary.how": summary.get("how"),
        "event.action": summary.get("action"),
        "event.sequence": event["sequence"],
        "event.category": value(event, "ecs.event.category") or [event["category"]],
        "event.type": value(event, "ecs.event.type"),
        "tags": event.get("tags"),
        "network.direction": value(event, "network.direction"),
        "process.pid": int(process["pid"]) if "pid" in process else None,
        "process.parent.pid": int(process["ppid"]) if "ppid" in process else None,
        "process.executable": process.get("exe"),
        "process.name": process.get("name"),
        "process.title": process.get("title"),
        "process.working_directory": process.get("cwd"),
        "process.args": process.get("args"),
    }
    for part in ("actor.primary", "actor.secondary", "object.type", "object.primary", "object.secondary"):
        fields[f"auditd.summary.{part}"] = value(summary, part)
    for key, datum in event.get("data", {}).items():
        place = "socket." + key.removeprefix("socket_") if key.startswith("socket_") else key
        fields[f"auditd.data.{place}"] = int(datum) if key == "argc" else datum
    for key, datum in (event.get("file") or {}).items():
        fields[("auditd.file." if key == "selinux" else "file.") + key] = datum
    for side in ("source", "destination"):
        for key, datum in (event.get(side) or {}).items():
            fields[f"{side}.{key}"] = int(datum) if key == "port" else datum
    return fields


def test_every_field_of_the_golden_events():
    for name, text, event in golden_cases():
        (document,), _ = decode(text.encode())
        for path, wanted in expected_fields(event).items():
            assert value(document, path) == wanted, (name, path)
        unexpected = set(document["auditd"].get("data", {})) - {"socket"} - set(event.get("data", {}))
        assert not unexpected, name


def test_order_of_records_does_not_matter():
    folder = shared_path("telemetry/public/groundtruth/go-libaudit")
    ordered, _ = decode((folder / "normal.log").read_bytes())
    shuffled, _ = decode((folder / "out_of_order.log").read_bytes())
    paths = "auditd.paths"
    for left, right in zip(ordered, shuffled, strict=True):
        by_item = lambda path: path["item"]  # noqa: E731
        assert sorted(value(left, paths) or [], key=by_item) == sorted(value(right, paths) or [], key=by_item)
        assert left["process"] == right["process"]


def test_every_measured_execution_of_the_lab_is_found():
    folder = shared_path("telemetry/linux-lab")
    logs = sorted(folder.glob("*.audit.log*"))
    assert logs

    def identity(document: dict[str, Any]) -> tuple[Any, ...]:
        process = document["process"]
        plain = ("pid", "name", "executable", "working_directory")
        return (
            document["@timestamp"],
            *(process.get(key) for key in plain),
            process["parent"]["pid"],
            tuple(process.get("args", ())),
        )

    for log in logs:
        opener = gzip.open if log.suffix == ".gz" else open
        suffix = ".gz" if log.suffix == ".gz" else ""
        name = log.name.removesuffix(suffix).removesuffix(".audit.log")
        with opener(log, "rb") as file:
            documents, faults = decode(file.read())
        found = {
            identity(d) for d in documents if d["event"]["action"] == "executed" and d["event"]["outcome"] == "success"
        }
        with opener(folder / f"{name}.auditd.ndjson{suffix}", "rb") as lines:
            measured = [json.loads(line) for line in lines]
        wanted = {identity(d) for d in measured if d["event"]["action"] == "executed"}
        assert wanted <= found, log.name
        assert faults == [], log.name


HEAD = "msg=audit(1795491264.724:7):"
SYSCALL = (
    f"type=SYSCALL {HEAD} arch=c000003e syscall=59 success=yes exit=0 ppid=1 pid=2 auid=1000 uid=0 gid=0 "
    'comm="sh" exe="/usr/bin/dash" key=(null)'
)


def test_arguments_in_pieces_and_in_hexadecimal():
    execve = (
        f'type=EXECVE {HEAD} argc=4 a0="sh" a1_len=8 a1[0]=61622063\n'
        f"type=EXECVE {HEAD} a1[1]=64202265\n"
        f'type=EXECVE {HEAD} a2=C3A9 a3=""\n'
    )
    (document,), faults = decode(f"{SYSCALL}\n{execve}type=PROCTITLE {HEAD} proctitle=7368002D63\n".encode())
    assert document["process"]["args"] == ["sh", 'ab cd "e', "é", ""]
    assert document["process"]["title"] == "sh -c"
    assert faults == []


def test_a_missing_argument_is_told_and_not_guessed():
    (document,), faults = decode(f'{SYSCALL}\ntype=EXECVE {HEAD} argc=3 a0="sh" a2="x"\n'.encode())
    assert document["process"]["args"] == ["sh"]
    assert [fault[0] for fault in faults] == ["incomplete audit event"]


@pytest.mark.parametrize(
    ("saddr", "expected"),
    [
        ("020000507F0000010000000000000000", {"ip": "127.0.0.1", "port": 80}),
        ("0A0001BB00000000" + "0" * 31 + "1" + "00000000", {"ip": "::1", "port": 443}),
        ("01002F72756E2F780000", {"path": "/run/x"}),
    ],
)
def test_socket_addresses(saddr, expected):
    call = SYSCALL.replace("syscall=59", "syscall=42")
    (document,), _ = decode(f"{call}\ntype=SOCKADDR {HEAD} saddr={saddr}\n".encode())
    assert document["destination"] == expected
    assert document["event"]["action"] == "connected-to"


def test_nodes_keep_events_of_one_number_apart():
    lines = [f"node={node} {SYSCALL.replace('pid=2', f'pid={pid}')}" for node, pid in (("a", 3), ("b", 4))]
    documents, _ = decode("\n".join(lines).encode())
    assert [(d["host"]["name"], d["process"]["pid"]) for d in documents] == [("a", 3), ("b", 4)]


def test_a_record_spliced_into_another_is_found_and_told():
    first = SYSCALL[:60]
    second = SYSCALL.replace(":7)", ":8)")
    documents, faults = decode(f"{first}{second}\n".encode())
    assert [d["event"]["sequence"] for d in documents] == [7, 8]
    assert ("spliced audit record", 0) in [(fault[0], fault[-1]) for fault in faults]


def test_a_line_of_thousands_of_records_is_no_recursion():
    documents, faults = decode(b"type=X msg=audit(1.000:1): " * 30_000)
    assert documents == []
    assert faults[-1][0] == "incomplete audit event"
    assert max(len(fault[1]) for fault in faults) < 200


@pytest.mark.parametrize("seed", range(60))
def test_damage_costs_only_what_it_hits(seed):
    good = SAMPLE.read_bytes()
    chance = random.Random(seed)
    at = chance.randrange(1000, len(good) - 1000)
    match chance.choice(("flip", "cut", "splice", "zero")):
        case "flip":
            damaged = good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :]
        case "cut":
            damaged = good[:at]
        case "splice":
            damaged = good[:at] + good[at + chance.randrange(1, 900) :]
        case _:
            damaged = good[:at] + bytes(512) + good[at:]
    whole, _ = decode(good)
    before = {d["event"]["sequence"]: d for d in whole}
    documents, _ = decode(damaged)
    intact = [d for d in documents if before.get(d["event"]["sequence"]) == d]
    # An event has at most nine records here, and the damage touches at most a few lines in two or three events.
    limit = len(good[:at].split(b"msg=audit(")) // 9 if at == len(damaged) else len(whole) - 4
    assert len(intact) >= limit
