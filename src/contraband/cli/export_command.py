"""`contraband export`: rules for other programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from contraband.cli.common import fail, load, open_output, report_problems, say
from contraband.detection.attack import AttackVersion
from contraband.detection.compiled import Compiled
from contraband.export import (
    PLATFORMS,
    Exported,
    MissingExtra,
    Remark,
    export_elastic,
    export_kibana,
    export_navigator,
    export_platform,
    export_sigma,
    prepared,
    unplaced,
)

OURS = ("elastic", "kibana", "sigma", "navigator")


@click.command("export")
@click.argument("names", metavar="TARGET...", nargs=-1, required=True)
@click.option(
    "--to", "target", type=click.Choice((*OURS, *PLATFORMS)), required=True, help="What the rules are written for."
)
@click.option("-o", "--output", default="-", metavar="DIR", help="The folder to write to; `-` (not given) is stdout.")
@click.option(
    "--attack-version",
    type=click.Choice([version.value for version in AttackVersion]),
    help="ATT&CK of mappings and tags. Not given: 19 for Sigma and what is made from it, 18 (Kibana up to 9.4) for the others.",
)
@click.option("--strict", is_flag=True, help="Exit status 1 if any rule could not be expressed.")
def command(names: tuple[str, ...], target: str, output: str, attack_version: str | None, strict: bool) -> int:
    """Write rules out for other programs. TARGET is a package, a rule, a file or a folder.

    elastic: rule files in the layout of detection-rules. kibana: the NDJSON that Kibana imports, exceptions with it. navigator: a layer of
    ATT&CK. All others are made from the Sigma rules, by pySigma (the extra `sigma`); Defender and Sentinel are KQL.

    What a target cannot express is said on stderr, and in report.json in the output folder.

    \b
    Example:
      contraband export T1546.016 --to kibana > rules.ndjson
    """
    loaded = load(names)
    rules, problems = prepared(loaded)
    report_problems([*loaded.problems, *problems])
    if not rules:
        fail("no rule to export")
    version = AttackVersion(attack_version) if attack_version else _default_version(target)
    try:
        files, remarks = _export(target, rules, version, ", ".join(names))
    except MissingExtra as error:
        fail(str(error))
    remarks = [*remarks, *unplaced(rules, version)]
    _say_remarks(remarks)
    if not files:
        fail(f"none of {len(rules)} rules can be expressed for {target}")
    if output == "-":
        _write_stream(files, target)
    else:
        _write_folder(files, remarks, Path(output), target, version)
    lost = {remark.rule for remark in remarks if remark.lost}
    say(
        f"{len(rules) - len(lost)} of {len(rules)} rules exported to {target}, {len(files)} files, {len(remarks)} remarks"
    )
    return 1 if strict and lost else 0


def _say_remarks(remarks: Sequence[Remark]) -> None:
    """What was left out by itself, what is only nearly the same on one line a rule."""
    for remark in remarks:
        if remark.lost:
            say(f"left out: {remark.rule}: {remark.message}")
    for rule in dict.fromkeys(remark.rule for remark in remarks):
        nearly = [remark.message for remark in remarks if remark.rule == rule and not remark.lost]
        if nearly:
            say(f"note: {rule}: {'; '.join(nearly)}")


def _default_version(target: str) -> AttackVersion:
    return AttackVersion.V18 if target in ("elastic", "kibana", "navigator") else AttackVersion.V19


def _export(
    target: str, rules: Sequence[Compiled], version: AttackVersion, name: str
) -> tuple[list[Exported], Sequence[Remark]]:
    match target:
        case "elastic":
            return list(export_elastic(rules, version)), ()
        case "kibana":
            return [Exported("rules_export.ndjson", export_kibana(rules, version))], ()
        case "sigma":
            return export_sigma(rules, version)
        case "navigator":
            return [Exported("layer.json", export_navigator(rules, version, name=name))], ()
        case _:
            return export_platform(rules, target, version)


def _write_stream(files: Sequence[Exported], target: str) -> None:
    if len(files) > 1 and target == "elastic":
        fail(f"{len(files)} files cannot go to one stream: name a folder with --output")
    separator = "---\n" if target == "sigma" else ""
    with open_output("-") as stream:
        stream.write(separator.join(file.text for file in files).encode())


def _write_folder(
    files: Sequence[Exported], remarks: Sequence[Remark], folder: Path, target: str, version: AttackVersion
) -> None:
    report = {
        "target": target,
        "attack_version": str(version),
        "files": [file.path for file in files],
        "remarks": [_data(remark) for remark in remarks],
    }
    try:
        for file in (*files, Exported("report.json", json.dumps(report, indent=2, ensure_ascii=False) + "\n")):
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.text, encoding="utf-8")
    except OSError as error:
        fail(f"{error.filename or folder}: {error.strerror or error}")


def _data(remark: Remark) -> dict[str, Any]:
    return {"rule": remark.rule, "message": remark.message, "lost": remark.lost}
