"""ATT&CK mappings of rules: v18 as the rule files carry them, and v19 by the table of what changed (`content/attack/v19.toml`).

Knows the shape of Elastic's `threat` entries (framework, technique, sub-technique, tactic) and nothing else of a rule.
Source: https://attack.mitre.org/resources/versions/.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from contraband.detection.packages import content_path

FRAMEWORK = "MITRE ATT&CK"
SPLIT_TACTIC = "TA0005"
"""Defense Evasion, whose techniques v19 distributed over Stealth (same id) and Defense Impairment."""


class AttackVersion(StrEnum):
    """The versions that rules can be written out for."""

    V18 = "18"
    V19 = "19"


class UnknownTechnique(Exception):
    """A mapping of which the table of changes does not say what became of it."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """One technique under one tactic, the finest that the rule names."""

    technique: str
    name: str
    tactic: str
    tactic_name: str

    @property
    def parent(self) -> str:
        """The technique of a sub-technique; itself otherwise."""
        return self.technique.partition(".")[0]


@dataclass(frozen=True, slots=True)
class _Changes:
    tactics: Mapping[str, str]
    moved: Mapping[str, str]
    stays: frozenset[str]
    replaced: Mapping[str, Mapping[str, Any]]


@cache
def _changes() -> _Changes:
    table = tomllib.loads((content_path() / "attack" / "v19.toml").read_text(encoding="utf-8"))
    return _Changes(
        tactics={entry["id"]: entry["name"] for entry in (*table["renamed_tactic"], *table["new_tactic"])},
        moved={entry["technique"]: entry["tactic"] for entry in table["moved"]},
        stays=frozenset(table["stays"]["techniques"]),
        replaced={entry["technique"]: entry for entry in table["replaced"]},
    )


def threat(
    entries: Sequence[Mapping[str, Any]], version: AttackVersion, *, unknown: set[str] | None = None
) -> list[dict[str, Any]]:
    """The `threat` entries of a rule for a version of ATT&CK.

    Where v19 needs a decision that the table lacks, the technique stays with its tactic's id (Stealth) and is added to `unknown`; without such a set
    this raises `UnknownTechnique`.
    """
    if version is AttackVersion.V18:
        return [dict(entry) for entry in entries]
    promoted: dict[str, dict[str, Any]] = {}
    for entry in entries:
        for part in _promoted(entry, unknown):
            known = promoted.setdefault(part["tactic"]["id"] + part["framework"], part)
            if known is not part:
                _merge(known, part)
    return list(promoted.values())


def mapped(entries: Sequence[Mapping[str, Any]], version: AttackVersion = AttackVersion.V18) -> Iterator[Mapped]:
    """The finest technique of each `threat` entry; techniques that the table of changes lacks as `threat` leaves them."""
    seen: set[tuple[str, str]] = set()
    for entry in threat(entries, version, unknown=set()):
        tactic = entry.get("tactic", {})
        for technique in entry.get("technique", ()):
            for part in technique.get("subtechnique") or (technique,):
                key = (str(part["id"]), str(tactic.get("id", "")))
                if key not in seen:
                    seen.add(key)
                    yield Mapped(key[0], str(part["name"]), key[1], str(tactic.get("name", "")))


def _promoted(entry: Mapping[str, Any], unknown: set[str] | None) -> Iterator[dict[str, Any]]:
    """An entry of v18 as entries of v19: one for each tactic that its techniques now belong to."""
    if entry.get("framework") != FRAMEWORK or entry.get("tactic", {}).get("id") != SPLIT_TACTIC:
        yield dict(entry)
        return
    if not entry.get("technique"):
        yield _entry(SPLIT_TACTIC, [])
    for technique in entry.get("technique", ()):
        for tactic, part in _technique(technique, unknown):
            yield _entry(tactic, [part])


def _technique(technique: Mapping[str, Any], unknown: set[str] | None) -> Iterator[tuple[str, dict[str, Any]]]:
    changes = _changes()
    inner = technique.get("subtechnique", ())
    replaced = [part for part in inner if part["id"] in changes.replaced]
    for part in replaced:
        change = changes.replaced[part["id"]]
        yield change["tactic"], _reference(change["by"]["id"], change["by"]["name"])
    rest = [dict(part) for part in inner if part not in replaced]
    if replaced and not rest:
        return
    own = str(technique["id"])
    if own not in changes.moved and own not in changes.stays:
        if unknown is None:
            raise UnknownTechnique(
                f"{own} is mapped to {SPLIT_TACTIC}, which ATT&CK v19 has split, and content/attack/v19.toml does not say where it went"
            )
        unknown.add(own)
    yield changes.moved.get(own, SPLIT_TACTIC), {**technique, **({"subtechnique": rest} if rest else {})}


def _reference(technique: str, name: str) -> dict[str, Any]:
    path = technique.replace(".", "/")
    return {"id": technique, "name": name, "reference": f"https://attack.mitre.org/techniques/{path}/"}


def _entry(tactic: str, techniques: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "framework": FRAMEWORK,
        "tactic": {
            "id": tactic,
            "name": _changes().tactics[tactic],
            "reference": f"https://attack.mitre.org/tactics/{tactic}/",
        },
        "technique": techniques,
    }


def _merge(known: dict[str, Any], part: Mapping[str, Any]) -> None:
    """Techniques of the same tactic into one entry, each once."""
    known["technique"] = [dict(technique) for technique in known.get("technique", ())]
    for technique in part.get("technique", ()):
        same = next((own for own in known["technique"] if own["id"] == technique["id"]), None)
        if same is None:
            known["technique"].append(dict(technique))
            continue
        have = [dict(inner) for inner in same.get("subtechnique", ())]
        new = [inner for inner in technique.get("subtechnique", ()) if inner["id"] not in {own["id"] for own in have}]
        if have or new:
            same["subtechnique"] = [*have, *map(dict, new)]
