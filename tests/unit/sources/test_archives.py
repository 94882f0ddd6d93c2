"""An archive is a folder: its files have their host, their order, and their alerts' identities."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from contraband.detection.routing import declarations
from contraband.engine import CompiledRule, Engine, EngineOptions, ScanOptions
from contraband.eql import compile_query
from contraband.plan import lower

LOG = Path(__file__).parents[2] / "corpus" / "auditd" / "deb-sh-install.audit.log"


def alerts(path: Path) -> list[tuple[Any, ...]]:
    rule = CompiledRule("started", lower(compile_query("process where process.parent.name != null")))
    engine = Engine([rule], EngineOptions(routing=False, declarations=declarations()))
    found = engine.scan([str(path)], ScanOptions()).documents()
    names = ("kibana.alert.uuid", "host.name", "process.name", "process.parent.name")
    return [tuple(alert[name] for name in names) for alert in found]


def zipped(target: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target


def pieces() -> dict[str, bytes]:
    lines = LOG.read_bytes().splitlines(keepends=True)
    third = len(lines) // 3
    parts = lines[:third], lines[third : 2 * third], lines[2 * third :]
    names = "audit.log.2", "audit.log.1", "audit.log"
    return {name: b"".join(part) for name, part in zip(names, parts, strict=True)}


def test_a_rotated_log_in_an_archive_is_one_stream(tmp_path: Path) -> None:
    folder = tmp_path / "web1"
    folder.mkdir()
    for name, content in pieces().items():
        (folder / name).write_bytes(content)
    whole = tmp_path / "whole" / "web1"
    whole.mkdir(parents=True)
    (whole / "audit.log").write_bytes(LOG.read_bytes())
    archive = zipped(tmp_path / "evidence.zip", {f"case/web1/{name}": content for name, content in pieces().items()})
    assert alerts(whole)
    assert {host for _, host, *_ in alerts(whole)} == {"web1"}
    assert alerts(folder) == alerts(whole)
    assert alerts(archive) == alerts(whole)


def test_archives_of_two_hosts_do_not_merge(tmp_path: Path) -> None:
    hosts = set()
    for host in ("web1", "web2"):
        found = alerts(zipped(tmp_path / f"{host}.zip", {"audit.log": LOG.read_bytes()}))
        hosts |= {name for _, name, *_ in found}
    assert hosts == {"web1", "web2"}


def test_the_same_evidence_in_another_folder_has_the_same_identities(tmp_path: Path) -> None:
    def identities(name: str) -> list[Any]:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "audit.log").write_bytes(LOG.read_bytes())
        return [identity for identity, *_ in alerts(folder)]

    assert identities("one") == identities("two")
