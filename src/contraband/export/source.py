"""What is exported: a rule with its checked query, the exceptions that are its own, and where its package lies."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contraband.detection.attack import AttackVersion, threat
from contraband.detection.compiled import Compiled, compile_rules
from contraband.detection.faults import InvalidException
from contraband.detection.rules import Loaded, Problem, Rule
from contraband.detection.scan import own_exceptions
from contraband.export.metadata import unfit


@dataclass(frozen=True, slots=True)
class Exported:
    """One file of an export: its path below the output folder, with `/`, and its text."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Remark:
    """What an export had to leave out or to write in another way. `lost` means that the rule, or that part, is not in the export."""

    rule: str
    message: str
    lost: bool = False


def prepared(loaded: Loaded) -> tuple[tuple[Compiled, ...], tuple[Problem, ...]]:
    """Rules compiled with the exceptions in their own folders; problems for those that do not compile or whose metadata cannot be written out."""
    fit: list[Rule] = []
    items = list(own_exceptions(Loaded(exceptions=loaded.exceptions)))
    problems: list[Problem] = []
    for rule in loaded.rules:
        try:
            items += own_exceptions(Loaded(rules=(rule,)))
            problem = unfit(rule, exception_document(rule))
        except (InvalidException, ValueError) as error:
            problem = str(error)
        if problem is None:
            fit.append(rule)
        else:
            problems.append(Problem(rule.path, f"cannot be exported: {problem}", rule=rule.name))
    compiled, others = compile_rules(fit, items)
    return compiled, (*problems, *others)


def unplaced(rules: Iterable[Compiled], version: AttackVersion) -> Iterator[Remark]:
    """Techniques of which we do not know where ATT&CK v19 put them."""
    for compiled in rules:
        unknown: set[str] = set()
        threat(compiled.rule.document.get("threat") or (), version, unknown=unknown)
        if unknown:
            yield Remark(
                compiled.rule.slug,
                f"left with Stealth, as ATT&CK v19 calls TA0005, unchecked: {', '.join(sorted(unknown))}",
            )


def exception_document(rule: Rule) -> Mapping[str, Any]:
    """The rule's own `exceptions.toml`; empty if it has none."""
    if rule.path is None or rule.path.name != "rule.toml":
        return {}
    path = rule.path.with_name("exceptions.toml")
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def package_texts(rule: Rule) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The investigation guide and the playbook of the package that a rule lies in; empty outside of one."""
    above = rule.path.parents[1:3] if rule.path is not None and rule.path.name == "rule.toml" else ()
    folder = next((folder for folder in above if (folder / "investigation.toml").is_file()), None)
    return _toml(folder, "investigation.toml"), _toml(folder, "playbook.toml")


def _toml(folder: Path | None, name: str) -> Mapping[str, Any]:
    path = folder / name if folder is not None else None
    return tomllib.loads(path.read_text(encoding="utf-8")) if path is not None and path.is_file() else {}
