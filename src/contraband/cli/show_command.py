"""`contraband show`: the detection package, to read."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from contraband.cli.common import fail
from contraband.detection.exception_checks import path_of
from contraband.detection.exceptions import Item, load_items
from contraband.detection.packages import UnknownRules, load_package, load_published, package_path
from contraband.investigate.guide import render_guide, render_playbook

PARTS = ["rule", "playbook", "investigation", "hunts", "emulations", "tuning", "related", "page"]


@click.command("show")
@click.argument("package")
@click.argument("part", type=click.Choice(PARTS), required=False)
@click.option(
    "--alert",
    metavar="FILE",
    help="Fill the playbook or the guide in from an alert (a file with one JSON document, or an alert and its events as `scan` writes them).",
)
def command(package: str, part: str | None, alert: str | None) -> int:
    """Read the package: its rules, the response playbook, the investigation guide, hunts, emulations.

    \b
    Example:
      contraband show T1546.016 playbook
    """
    try:
        folder = package_path(package)
    except UnknownRules as error:
        fail(str(error))
    values = _alert(alert)
    match part:
        case None:
            _overview(folder, package)
        case "rule":
            for rule in (*load_published(package).rules, *load_package(package).rules):
                click.echo(
                    f"# {rule.name} ({rule.slug})\n{rule.severity}, risk {rule.risk_score}, confidence {rule.sidecar.confidence or 'unstated'}"
                )
                click.echo(f"{rule.sidecar.why.strip()}\n\n{rule.query.strip()}\n")
        case "playbook":
            click.echo(render_playbook(_toml(folder / "playbook.toml"), values))
        case "investigation":
            click.echo(render_guide(_toml(folder / "investigation.toml"), values))
        case "hunts":
            _hunts(folder)
        case "emulations":
            from contraband.emulate import load_emulations

            for test in load_emulations(folder.name):
                click.echo(f"{test.id:5} {test.platform:8} {test.name}: {test.description}")
        case "tuning":
            _tuning(package)
        case "page":
            from contraband.output.page import package_page

            click.echo(package_page(package), nl=False)
        case _:
            _related(folder)
    return 0


def _overview(folder: Path, package: str) -> None:
    rules = load_package(package).rules
    click.echo(f"{folder.name}: {len(rules)} rules, {len(list((folder / 'hunts').glob('*.toml')))} hunts\n")
    for rule in rules:
        click.echo(f"{rule.severity!s:8} {rule.slug:40} {rule.name}")
    click.echo(f"\nparts: {', '.join(PARTS)}")


def _hunts(folder: Path) -> None:
    for path in sorted((folder / "hunts").glob("*.toml")):
        hunt = _toml(path)
        ours = hunt["contraband"]
        click.echo(
            f"{ours['id']:4} {hunt['hunt']['name']}\n     {ours['question']}\n     normal: {ours['normal']}\n     not: {ours['suspicious']}\n"
        )


def _tuning(package: str) -> None:
    for rule in load_package(package).rules:
        lines = list(rule.document.get("false_positives", ()))
        path = path_of(rule)
        items = load_items(path) if path else ()
        click.echo(f"{rule.slug}: {' '.join(map(str, lines))}" if lines else rule.slug)
        for item in items:
            click.echo(_exception_text(item))


def _exception_text(item: Item) -> str:
    meta = item.meta or {}
    when = f"expires {item.expire_time[:10]}" if item.expire_time else f"review {meta.get('review')}"
    entries = "\n".join(f"        {_entry_text(entry)}" for entry in item.entries)
    return (
        f"    exception {item.id}: {item.name} ({when})\n"
        f"      why: {meta.get('reason')}\n      reaches: {meta.get('scope')}\n{entries}\n"
        f"      silences {meta.get('silences')}; {meta.get('must_alert')} must still alert"
    )


def _entry_text(entry: Mapping[str, Any]) -> str:
    sign = {"match": "is", "match_any": "is one of", "wildcard": "is like", "exists": "exists"}.get(
        entry["type"], entry["type"]
    )
    value = entry.get("value", "")
    shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    no = "not " if entry.get("operator") == "excluded" else ""
    return f"{entry['field']} {no}{sign} {shown}".rstrip()


def _related(folder: Path) -> None:
    path = folder / "related.toml"
    if not path.exists():
        fail("the package has no list of related detections")
    table = _toml(path)
    for entry in table.get("technique", ()):
        click.echo(f"{entry['id']:10} {entry['name']}: {entry['why']}")
    for entry in table.get("elastic_rule", ()):
        click.echo(f"\n{entry['name']} (Elastic)\n  sees: {entry['sees']}\n  falls short: {entry['falls_short']}")


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _alert(path: str | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        documents = _documents(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        fail(f"{path}: {error}")
    if not documents or not documents[0] or not all(isinstance(document, dict) for document in documents):
        fail(f"{path}: expected an alert as one JSON document")
    return _with_last_event(documents[0], documents[1:])


def _documents(text: str) -> list[Any]:
    """One document over any number of lines, as Kibana shows it, or one a line, as `scan` writes them."""
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def _with_last_event(alert: dict[str, Any], others: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A sequence's alert has only what its events have in common: the last of its events, where it follows, gives the rest."""
    group = alert.get("kibana.alert.group.id")
    events = [other for other in others if group is not None and other.get("kibana.alert.group.id") == group]
    last: dict[str, Any] = max(events, key=lambda event: int(event.get("kibana.alert.group.index", 0)), default={})
    return {**last, **alert}
