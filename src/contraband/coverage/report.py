"""Rules held against sources: which work, which only partly, which never, and the field that decides it."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from contraband.coverage.possible import Obstacle, Possibility, possibility
from contraband.coverage.sources import Source
from contraband.detection.compiled import Compiled
from contraband.eql.analysis.checked import CheckedQuery, Stage


class Verdict(StrEnum):
    """What a rule can do on a source."""

    WORKS = "works"
    """Everything that it asks for is there."""
    PARTLY = "partly"
    """It can fire, and some of its alternatives cannot, for want of a field."""
    NEVER = "never"
    """No event of the source can complete it."""
    ELSEWHERE = "-"
    """It is written for another platform."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One rule on one source."""

    rule: str  # its slug
    rule_name: str
    source: str
    platform: str
    verdict: Verdict
    fields: tuple[str, ...]  # the missing fields that decide it, or the index patterns that pass the source by
    reason: str
    added: tuple[str, ...]  # fields that it needs and only contraband's process table fills
    claimed: bool  # whether the rule's sidecar names the source

    @property
    def word(self) -> str:
        """The verdict as tables show it: `+` with the parents that contraband adds, `*` on a source that the rule names."""
        return self.verdict.value + ("+" if self.added else "") + ("*" if self.claimed else "")

    def as_data(self) -> dict[str, Any]:
        """As `coverage --format ndjson` prints it."""
        return {
            "rule": self.rule,
            "name": self.rule_name,
            "source": self.source,
            "platform": self.platform,
            "verdict": self.verdict.value,
            "fields": list(self.fields),
            "reason": self.reason,
            "added": list(self.added),
            "claimed": self.claimed,
        }


def coverage(rules: Iterable[Compiled], sources: Iterable[Source]) -> tuple[Cell, ...]:
    """Every rule on every source, rule by rule."""
    columns = tuple(sources)
    return tuple(_cell(entry, source) for entry in rules for source in columns)


def _cell(entry: Compiled, source: Source) -> Cell:
    rule = entry.rule
    claimed = source.name in rule.sidecar.sources
    best = _query(entry.query, source)

    def cell(verdict: Verdict, fields: tuple[str, ...], reason: str, added: tuple[str, ...] = ()) -> Cell:
        return Cell(rule.slug, rule.name, source.name, source.platform, verdict, fields, reason, added, claimed)

    if _elsewhere(best, source):
        return cell(Verdict.ELSEWHERE, (), f"asks for another platform than {source.platform}")
    # A document that names no shipper is offered to all rules.
    if rule.index and source.indices and not _is_read(rule.index, source):
        reason = "none of its index patterns holds the source's events"
        recorded = _shortfall(_query(entry.query, _as_recorded(source)))
        return cell(
            Verdict.NEVER,
            _fields(recorded) or rule.index,
            f"{reason}{f'; as recorded, {_reason(recorded)}' if recorded else ''}",
        )
    added = tuple(sorted({name for part in best for name in part.uses}))
    for part in best:
        if not part.true:
            missing = tuple(sorted(obstacle.field for obstacle in part.obstacles if obstacle.missing))
            return cell(Verdict.NEVER, missing or _fields(part.obstacles), _reason(part.obstacles))
    lost = frozenset(obstacle for part in best for obstacle in part.lost)
    if lost:
        return cell(Verdict.PARTLY, _fields(lost), f"some alternatives need {_list(_fields(lost))}", added)
    return cell(Verdict.WORKS, (), "", added)


def _query(query: CheckedQuery, source: Source) -> list[Possibility]:
    """For each stage that must be there, the most that any kind of event of the source can do for it."""
    return [_stage(stage, source) for stage in query.stages if not stage.missing]


def _shortfall(parts: list[Possibility]) -> frozenset[Obstacle]:
    return next((part.obstacles for part in parts if not part.true), frozenset())


def _as_recorded(source: Source) -> Source:
    """The source without what the process table adds: what a cluster has of it."""
    return replace(source, kinds=tuple(replace(kind, added=frozenset()) for kind in source.kinds))


def _stage(stage: Stage, source: Source) -> Possibility:
    options = [_with_keys(stage, possibility(stage.condition, kind), kind) for kind in source.kinds]
    able = [option for option in options if option.true]
    if able:
        # An alternative is lost only where every kind of event that could fill the stage loses it.
        lost = frozenset.intersection(*(option.lost for option in able))
        least = min(able, key=lambda option: (len(option.lost), len(option.uses)))
        return Possibility(True, least.false, frozenset(), lost, least.uses)
    return min(options, key=lambda option: (_by_value(option), len(option.obstacles)), default=Possibility(False, True))


def _with_keys(stage: Stage, found: Possibility, kind: Any) -> Possibility:
    lacking = frozenset(
        Obstacle(key.name)
        for key in stage.keys
        if not key.optional and (key.field is None or not kind.fills(key.field.path))
    )
    if not lacking:
        return found
    return Possibility(False, True, found.obstacles | lacking)


def _by_value(option: Possibility) -> int:
    """How many values stand in the way: a kind of event that is asked for and lacks a field tells more than one that is not meant."""
    return sum(not obstacle.missing for obstacle in option.obstacles)


def _elsewhere(parts: list[Possibility], source: Source) -> bool:
    return any(Obstacle("host.os.type", (source.platform,)) in part.obstacles for part in parts if not part.true)


def _is_read(patterns: Iterable[str], source: Source) -> bool:
    return any(fnmatch.fnmatchcase(index, pattern) for index in source.indices for pattern in patterns)


def _fields(obstacles: Iterable[Obstacle]) -> tuple[str, ...]:
    return tuple(sorted({obstacle.field for obstacle in obstacles}))


def _reason(obstacles: frozenset[Obstacle]) -> str:
    missing = [f"{obstacle.field} is never filled" for obstacle in obstacles if obstacle.missing]
    others = [f"{obstacle.field} is never what it asks for" for obstacle in obstacles if not obstacle.missing]
    return "; ".join(sorted(missing) or sorted(others)) or "its condition can never hold"


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names)


def by_platform(sources: Iterable[Source]) -> Iterator[tuple[str, tuple[Source, ...]]]:
    """The sources of each platform, in the order in which platforms appear."""
    given = tuple(sources)
    for platform in dict.fromkeys(source.platform for source in given):
        yield platform, tuple(source for source in given if source.platform == platform)
