"""`contraband show`: the detection package, to read."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from contraband.cli.common import DEFAULT_RULES, fail, load, report_problems, screen, show
from contraband.detection.packages import UnknownRules, load_package, load_published, package_path
from contraband.emulate import load_emulations
from contraband.hunt import Hunt, load_hunts
from contraband.investigate.guide import render_guide, render_playbook
from contraband.output.package_text import (
    emulations_text,
    hunt_text,
    hunts_text,
    overview,
    related_text,
    rule_text,
    tuning_text,
    whole_rule,
)
from contraband.output.terminal import markdown

_HUNT = re.compile(r"H[0-9]+[a-z]?", re.IGNORECASE)
PARTS = ["rule", "playbook", "investigation", "hunts", "emulations", "tuning", "related", "page"]


@click.command("show")
@click.argument("name", metavar="PACKAGE|RULE|HUNT")
@click.argument("part", type=click.Choice(PARTS), required=False)
@click.option(
    "--alert",
    metavar="FILE",
    help="Fill the playbook or the guide in from an alert (a file with one JSON document, or an alert and its events as `scan` writes them).",
)
def command(name: str, part: str | None, alert: str | None) -> int:
    """Read the package: its rules, the response playbook, the investigation guide, hunts, emulations. Or one rule: T1546.016/RULE; or one hunt: T1546.016/H1.

    \b
    Examples:
      contraband show T1546.016 playbook
      contraband show T1546.016/linux-script-downloader
    """
    try:
        folder = package_path(name)
    except UnknownRules:
        if (hunt := _hunt(name)) is None:
            _rules(name, part)
        elif part not in (None, "hunts"):
            _belongs_to_a_package(part, "a hunt")
        else:
            show(hunt_text(name.partition("/")[0], hunt, screen()))
        return 0
    package, to, values = folder.name, screen(), _alert(alert)
    match part:
        case None:
            hunts, emulations = load_hunts(folder), load_emulations(package)
            show(overview(package, load_package(package).rules, len(hunts), len(emulations), to))
        case "rule":
            for rule in (*load_published(package).rules, *load_package(package).rules):
                show(rule_text(rule, to))
        case "playbook":
            show([markdown(render_playbook(_toml(folder / "playbook.toml"), values), to)])
        case "investigation":
            show([markdown(render_guide(_toml(folder / "investigation.toml"), values), to)])
        case "hunts":
            show(hunts_text(package, load_hunts(folder), to))
        case "emulations":
            show(emulations_text(load_emulations(package), to))
        case "tuning":
            show(tuning_text(load_package(package).rules, to))
        case "page":
            from contraband.output.page import package_page

            click.echo(markdown(package_page(package), to), nl=False)
        case _:
            _related(folder)
    return 0


def _rules(name: str, part: str | None) -> None:
    """Rules by name: of the package, or the user's own by their path."""
    loaded = load((name,))
    if part not in (None, "rule", "tuning"):
        _belongs_to_a_package(part, "a rule")
    report_problems(loaded.problems)
    if not loaded.rules:
        fail(f"{name}: no rule was found")
    if part == "tuning":
        show(tuning_text(loaded.rules, screen()))
        return
    for rule in loaded.rules:
        show(whole_rule(rule, screen()))


def _belongs_to_a_package(part: str, other: str) -> NoReturn:
    fail(f"`{part}` belongs to a package, not to {other}: contraband show {DEFAULT_RULES} {part}")


def _hunt(name: str) -> Hunt | None:
    """The hunt of a package that `T1546.016/H1` names; None where it is no such name."""
    package, _, wanted = name.partition("/")
    if not _HUNT.fullmatch(wanted) or Path(name).exists():
        return None
    try:
        hunts = load_hunts(package_path(package))
    except UnknownRules:
        return None
    found = next((hunt for hunt in hunts if hunt.id.lower() == wanted.lower()), None)
    return found or fail(f"there is no hunt {wanted}; there are {', '.join(hunt.id for hunt in hunts)}")


def _related(folder: Path) -> None:
    path = folder / "related.toml"
    if not path.exists():
        fail("the package has no list of related detections")
    show(related_text(_toml(path), screen()))


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
