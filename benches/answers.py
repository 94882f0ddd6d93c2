"""Reads what a run printed and says what is wrong with it: the right answer is known before. Times nothing."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from benches.corpus import Truth, digest

EVENT_ID = re.compile(rb"NbR\d{9}lZ\+\+\+\+[0-9a-f]{8}")
RULE = re.compile(rb'"kibana\.alert\.rule\.rule_id":"([^"]*)"')
ALERT = re.compile(rb'"kibana\.alert\.uuid":"([^"]*)"')
GROUP = re.compile(rb'"kibana\.alert\.group\.id":"([^"]*)"')

Check = Callable[[Path], str]


def event_ids(path: Path) -> set[str]:
    """The ids of all corpus events that a file mentions."""
    found: set[str] = set()
    with path.open("rb") as stream:
        for line in stream:
            found.update(item.decode() for item in EVENT_ID.findall(line))
    return found


def alerts(path: Path) -> dict[str, frozenset[bytes]]:
    """The alerts of each rule, by their ids, which follow from rule and events."""
    found: defaultdict[str, set[bytes]] = defaultdict(set)
    with path.open("rb") as stream:
        for line in stream:
            rule, alert = RULE.search(line), ALERT.search(line)
            if rule and alert:
                found[rule[1].decode()].add(alert[1])
    return {rule: frozenset(ids) for rule, ids in found.items()}


def events_of_rules(path: Path) -> dict[str, set[str]]:
    """The ids of the events that each rule alerts of, for event rules."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    with path.open("rb") as stream:
        for line in stream:
            rule, event = RULE.search(line), EVENT_ID.search(line)
            if rule and event:
                found[rule[1].decode()].add(event[0].decode())
    return dict(found)


def matches(truth: Truth) -> Check:
    """The planted events and no others, whatever the form of the output."""

    def check(path: Path) -> str:
        ids = event_ids(path)
        if len(ids) == truth.matches and digest(ids) == truth.digest:
            return ""
        return f"{len(ids):,} matches, not the {truth.matches:,} planted"

    return check


def sequences(expected: int) -> Check:
    """So many sequences, each with alerts of two events."""

    def check(path: Path) -> str:
        with path.open("rb") as stream:
            groups = [found[1] for line in stream if (found := GROUP.search(line))]
        count = len(set(groups))
        return "" if count == expected else f"{count:,} sequences, not the {expected:,} planted"

    return check


def number(expected: int) -> Check:
    """The first number printed."""

    def check(path: Path) -> str:
        found = re.search(rb"\d+", path.read_bytes())
        value = int(found[0]) if found else 0
        return "" if value == expected else f"{value:,}, not {expected:,}"

    return check


def lines(pattern: bytes, expected: int) -> Check:
    """So many lines that have `pattern`."""

    def check(path: Path) -> str:
        with path.open("rb") as stream:
            count = sum(pattern in line for line in stream)
        return "" if count == expected else f"{count:,} records, not {expected:,}"

    return check


def always_the_same() -> Check:
    """The same alerts in every run: where nobody else knows the answer, and another check holds it against a slower path."""
    first: list[dict[str, frozenset[bytes]]] = []

    def check(path: Path) -> str:
        found = alerts(path)
        if not first:
            first.append(found)
        return "" if found == first[0] else "other alerts than in the first run"

    return check


def growing(seen: dict[str, frozenset[bytes]], rules: Iterable[str]) -> Check:
    """Rule for rule the alerts that a smaller set of rules gave: more rules change nothing about the others. Adds to `seen`."""
    names = frozenset(rules)

    def check(path: Path) -> str:
        found = alerts(path)
        strangers = found.keys() - names
        if strangers:
            return f"alerts of rules that were not loaded: {', '.join(sorted(strangers))}"
        for rule in names & seen.keys():
            if found.get(rule, frozenset()) != seen[rule]:
                return f"other alerts of {rule} than with fewer rules"
        seen.update({rule: found.get(rule, frozenset()) for rule in names})
        return ""

    return check


def printed(text: str) -> Check:
    """Output that has `text`."""

    def check(path: Path) -> str:
        return "" if text.encode() in path.read_bytes() else f"no {text!r} in the output"

    return check


def records_read(counts: set[int]) -> Check:
    """As many records as everyone else who adds to `counts`: here from the summary on standard error, which lies beside the output."""

    def check(path: Path) -> str:
        found = re.search(rb"([\d,]+) records", path.with_name("stderr").read_bytes())
        return _agree(counts, int(found[1].replace(b",", b"")) if found else 0)

    return check


def records_written(counts: set[int]) -> Check:
    """As many records as everyone else who adds to `counts`: here a line each."""

    def check(path: Path) -> str:
        with path.open("rb") as stream:
            return _agree(counts, sum(line.startswith(b"{") for line in stream))

    return check


def _agree(counts: set[int], count: int) -> str:
    counts.add(count)
    return "" if len(counts) == 1 and count else f"numbers of records differ: {sorted(counts)}"


def inner_times(path: Path) -> tuple[float, float]:
    """What a rival took for the query alone: seconds by the clock, and of all processors together."""
    told = json.loads(path.read_bytes())
    return float(told["seconds"]), float(told["processor"])
