"""Are exceptions right? What each must state, and what they do to the cases of the rule that they are for.

An exception is a promise: that it leaves out what it was written for, and that an attacker who knows it gains nothing. Both are run, on
cases that the exception itself names. Reads no clock: the day comes from the caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path

from contraband.detection.cases import Case, InvalidCases, Outcome, Truth, cases_of
from contraband.detection.exceptions import Item, load_items
from contraband.detection.faults import InvalidException
from contraband.detection.rules import Loaded, Problem, Rule
from contraband.detection.testing import run

_STATED = ("reason", "scope", "silences", "must_alert")
# Fields that hold a name alone. Whoever writes the package chooses them, so an exception that looks at nothing else lets anybody in.
_NAMES = {
    "process.name",
    "process.parent.name",
    "process.Ext.effective_parent.name",
    "file.name",
    "user.name",
    "host.name",
    "rule.name",
    "process.pe.original_file_name",
}


def faults(rules: Iterable[Rule]) -> Iterator[Problem]:
    """Each exception beside a rule that must not be used: what it lacks, and what running it shows.

    Runs the cases of the rules that have exceptions, once with and once without them.
    """
    excepted = [(rule, path) for rule in rules if (path := path_of(rule)) is not None]
    sound: list[tuple[Rule, Path, tuple[Item, ...]]] = []
    for rule, path in excepted:
        try:
            items = load_items(path)
            cases_of(rule)
        except (InvalidException, InvalidCases) as error:
            yield Problem(path, str(error))
            continue
        stated = [problem for item in items for problem in _unstated(item, path)]
        yield from stated
        if not stated:
            sound.append((rule, path, items))
    yield from _run(sound)


def overdue(rules: Iterable[Rule], today: date) -> Iterator[Problem]:
    """Exceptions whose expiry or review date has passed."""
    for rule in rules:
        path = path_of(rule)
        for item in _readable(path):
            for what, day in (("expired", item.expire_time), ("was to be looked at", (item.meta or {}).get("review"))):
                if path is not None and (moment := _day(day)) is not None and moment < today:
                    yield Problem(path, f"exception `{item.id}` {what} on {moment}")


def path_of(rule: Rule) -> Path | None:
    """Where a rule's own exceptions lie, if it has any."""
    if rule.path is None or rule.path.name != "rule.toml":
        return None
    path = rule.path.with_name("exceptions.toml")
    return path if path.exists() else None


def _readable(path: Path | None) -> tuple[Item, ...]:
    try:
        return load_items(path) if path else ()
    except InvalidException:
        return ()  # `faults` says so


def _unstated(item: Item, path: Path) -> Iterator[Problem]:
    meta = item.meta or {}
    for key in _STATED:
        if not meta.get(key):
            yield Problem(path, f"exception `{item.id}` has no {key} (`meta.{key}`)")
    if not item.expire_time and not meta.get("review"):
        yield Problem(path, f"exception `{item.id}` has neither `expire_time` nor a review date (`meta.review`)")
    for key, value in (("expire_time", item.expire_time), ("meta.review", meta.get("review"))):
        if value and _day(value) is None:
            yield Problem(path, f"exception `{item.id}`: `{key}` is no date: {value}")
    if set(_fields(item.entries)) <= _NAMES:
        yield Problem(
            path, f"exception `{item.id}` rests on names alone: add a signer, a path, or what the command line says"
        )


def _fields(entries: Iterable[Mapping[str, object]], prefix: str = "") -> Iterator[str]:
    for entry in entries:
        inner = entry.get("entries")
        if isinstance(inner, list):
            yield from _fields(inner, f"{prefix}{entry['field']}.")
        elif entry.get("operator", "included") == "included":
            yield prefix + str(entry["field"])


def _day(value: object) -> date | None:
    try:
        return datetime.fromisoformat(str(value)).date() if value else None
    except ValueError:
        return None


def _run(sound: list[tuple[Rule, Path, tuple[Item, ...]]]) -> Iterator[Problem]:
    if not sound:
        return
    loaded = Loaded(rules=tuple(rule for rule, _, _ in sound))
    without = _by_case(run(loaded, items=None, as_package=False).outcomes)
    with_them = _by_case(run(loaded, as_package=False).outcomes)
    for rule, path, items in sound:
        cases = {case.name: case for case in cases_of(rule)}
        for name, case in cases.items():
            key = (rule.id, name)
            if case.truth is Truth.ATTACK and without.get(key) and not with_them.get(key):
                yield Problem(path, f"the exceptions silence the attack case `{name}`")
        for item in items:
            for message in _broken_promises(item, rule, cases, without, with_them):
                yield Problem(path, f"exception `{item.id}`: {message}")


def _by_case(outcomes: Iterable[Outcome]) -> dict[tuple[str, str], int]:
    return {(outcome.rule.id, outcome.case.name): outcome.alerts for outcome in outcomes}


def _broken_promises(
    item: Item,
    rule: Rule,
    cases: Mapping[str, Case],
    without: Mapping[tuple[str, str], int],
    with_them: Mapping[tuple[str, str], int],
) -> Iterator[str]:
    meta = item.meta or {}
    silenced, hiding = str(meta["silences"]), str(meta["must_alert"])
    for name, truth in ((silenced, Truth.BENIGN), (hiding, Truth.ATTACK)):
        if name not in cases:
            yield f"`{name}` is no case of the rule"
        elif cases[name].truth is not truth:
            yield f"the case `{name}` is expected to be {truth}"
    if silenced in cases and not without.get((rule.id, silenced)):
        yield f"`{silenced}` raises no alert that it could silence"
    elif silenced in cases and with_them.get((rule.id, silenced)):
        yield f"it does not silence `{silenced}`"
    if hiding in cases and not with_them.get((rule.id, hiding)):
        yield f"`{hiding}` must alert in spite of it, and does not"
