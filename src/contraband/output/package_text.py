"""A detection package to read, part by part: lines for a screen, or whole lines for a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from contraband.detection.exception_checks import path_of
from contraband.detection.exceptions import Item, load_items
from contraband.detection.rules import Rule
from contraband.emulate import Checked, Emulation
from contraband.hunt import Hunt
from contraband.output.terminal import Screen

Lines = Iterator[str]

_SIGNS = {
    "match": ("is", "is not"),
    "match_any": ("is one of", "is none of"),
    "wildcard": ("is like", "is not like"),
    "exists": ("exists", "does not exist"),
}
_ELSEWHERE = {"ES|QL": "In Elasticsearch (ES|QL)", "SQL": "On hosts (osquery's SQL)"}
_LEAST_NAME = 40
"""Columns that the name of a rule gets beside its short name; with fewer it goes below."""


def overview(package: str, rules: Sequence[Rule], hunts: int, emulations: int, screen: Screen) -> Lines:
    """Every rule on a line or two, by system, and the commands that show more."""
    yield from screen.heading(f"{package}: {len(rules)} rules, {hunts} hunts, {emulations} emulations")
    width = max(len(rule.slug) for rule in rules)
    for system, members in groupby(sorted(rules, key=_system), key=_system):
        own = list(members)
        yield ""
        yield screen.strong(f"{system} ({len(own)} rules)")
        for rule in own:
            yield from _line_of(rule, width, screen)
    yield ""
    yield screen.strong("To read more:")
    commands = {
        f"{package}/RULE": "one rule: why, query, exceptions",
        f"{package}/published": "the rule as published",
        f"{package} rule": "every rule with its query",
        f"{package} playbook": "the response, step by step",
        f"{package} investigation": "what to ask of an alert",
        f"{package} hunts": "questions to ask of telemetry",
        f"{package}/H1": "one hunt with its queries",
        f"{package} emulations": "harmless runs of the technique",
        f"{package} tuning": "what may be ordinary, and exceptions",
        f"{package} related": "detections next door",
        f"{package} page": "all of it as one page of Markdown",
    }
    size = max(map(len, commands))
    for command, what in commands.items():
        yield from screen.prose(what, f"  contraband show {command:{size}}  ")
    yield from screen.prose("`--alert FILE` fills the playbook and the investigation in from an alert.", "  ")


def _system(rule: Rule) -> str:
    tags = (str(tag) for tag in rule.document.get("tags", ()))
    return next((tag.removeprefix("OS: ") for tag in tags if tag.startswith("OS: ")), "Any system")


def _line_of(rule: Rule, width: int, screen: Screen) -> Lines:
    severity = str(rule.severity)
    first = f"  {severity:8} {rule.slug:{width}}  "
    if screen.width is not None and screen.width - len(first) < _LEAST_NAME:
        indent = " " * 11
        lines = [first.rstrip(), *screen.prose(rule.name, indent, indent)]
    else:
        lines = screen.prose(rule.name, first)
    yield lines[0].replace(severity, screen.colored(severity, severity), 1)
    yield from lines[1:]


def rule_text(rule: Rule, screen: Screen) -> Lines:
    """A rule: what it is called, how much it weighs, why it is there, its query."""
    yield from screen.heading(f"{rule.slug}: {rule.name}", "# ", "  ")
    yield screen.colored(
        f"{rule.severity}, risk {rule.risk_score}, confidence {rule.sidecar.confidence or 'unstated'}",
        str(rule.severity),
    )
    yield from _paragraphs(rule.sidecar.why, screen)
    yield ""
    yield from screen.eql(rule.query)
    yield ""


def whole_rule(rule: Rule, screen: Screen) -> Lines:
    """A rule with everything that lies beside it."""
    yield from rule_text(rule, screen)
    if rule.sidecar.confidence_basis:
        yield from screen.prose(rule.sidecar.confidence_basis, "Confidence rests on: ", "  ")
        yield ""
    yield from _bullets("Blind spots", rule.sidecar.blind_spots, screen)
    yield from _bullets("May be ordinary", map(str, rule.document.get("false_positives") or ()), screen)
    if rule.sidecar.sources:
        yield from screen.listed(rule.sidecar.sources, "Sources: ", "  ")
        yield ""
    yield from _exceptions([rule], screen)


def _paragraphs(text: str, screen: Screen) -> Lines:
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            yield ""
        yield from screen.prose(paragraph)


def _bullets(title: str, entries: Iterable[str], screen: Screen) -> Lines:
    given = list(entries)
    if not given:
        return
    yield screen.strong(f"{title}:")
    for entry in given:
        yield from screen.prose(entry.strip(), "- ", "  ")
    yield ""


def hunts_text(package: str, hunts: Iterable[Hunt], screen: Screen) -> Lines:
    """What each hunt asks, and how its answers are read."""
    for hunt in hunts:
        yield from screen.heading(hunt.name, f"{hunt.id:4} ")
        yield from screen.prose(hunt.question, "     ")
        yield from _answers(hunt, screen, "     ")
        yield ""
    yield from screen.prose(
        f"`contraband hunt {package} PATH…` runs them, `--only H1` one of them; `contraband show {package}/H1` has its queries."
    )


def hunt_text(package: str, hunt: Hunt, screen: Screen) -> Lines:
    """One hunt with its queries."""
    yield from screen.heading(hunt.name, f"# {hunt.id}: ", "  ")
    yield from screen.prose(hunt.question)
    yield ""
    yield from screen.prose(hunt.hypothesis, "hypothesis: ")
    yield from _answers(hunt, screen)
    yield from screen.listed(hunt.group_by, "grouped by: ")
    yield ""
    yield from screen.eql(hunt.eql)
    for language, query in hunt.elsewhere:
        yield ""
        yield screen.strong(f"{_ELSEWHERE.get(language, language)}:")
        yield from (f"    {line}".rstrip() for line in query.splitlines())
    yield ""
    yield from screen.prose(f"`contraband hunt {package} PATH… --only {hunt.id}` runs it.")


def _answers(hunt: Hunt, screen: Screen, indent: str = "") -> Lines:
    yield from screen.prose(hunt.normal, f"{indent}normal:     ")
    yield from screen.prose(hunt.suspicious, f"{indent}suspicious: ")


def emulations_text(emulations: Iterable[Emulation], screen: Screen) -> Lines:
    """What each emulation does."""
    for test in emulations:
        if screen.width is None:
            yield f"{test.id:5} {test.platform:8} {test.name}: {test.description}"
            continue
        yield from screen.heading(test.name, f"{test.id:5} {test.platform:8} ")
        for paragraph in test.description.split("\n\n"):
            yield from screen.prose(paragraph, " " * 15)
        yield ""
    if screen.width is not None:
        yield from screen.prose("`contraband emulate show T13` shows the commands of one.")


def emulation_list(emulations: Iterable[Emulation], screen: Screen) -> Lines:
    """One line an emulation, longer where the screen is narrow."""
    for test in emulations:
        yield from screen.prose(test.name, f"{test.id:5} {test.platform:8} {test.executor.name:10} ")


def emulation_text(test: Emulation, commands: Iterable[tuple[str, str]], screen: Screen) -> Lines:
    """An emulation, its commands as they are run, and what must be seen of it."""
    yield from screen.heading(f"{test.id}: {test.name}", "", "  ")
    yield from screen.prose(test.description)
    yield f"platform {test.platform}, {'administrator' if test.executor.elevation_required else 'any user'}"
    yield ""
    for purpose, text in commands:
        yield screen.strong(f"{purpose}:")
        yield from (f"    {line}".rstrip() for line in text.rstrip().splitlines())
    yield ""
    yield screen.strong(f"the package must alert: {test.verdict}")
    for signal in test.signals:
        if screen.width is None:
            yield f"  {signal.what}: {signal.eql}"
        else:
            yield from screen.prose(f"{signal.what}:", "  ", "    ")
            yield from screen.eql(signal.eql, "      ")


def checked_text(checked: Checked, screen: Screen) -> Lines:
    """What a recording shows of an emulation: each signal, the package's verdict, the published rule's where one is stated."""
    for result in checked.signals:
        yield from screen.prose(result.signal.what, f"{'seen' if result.seen else 'MISSING':8} {result.events:6}  ")
    verdict = f"the package says {checked.severity or 'nothing'}, expected {checked.emulation.verdict}"
    yield from screen.prose(verdict, f"{'alert' if checked.as_expected else 'WRONG':8} {checked.alerts:6}  ")
    if checked.emulation.published is not None:
        wrong = checked.published != checked.emulation.published
        fires = "fires" if checked.published else "does not fire"
        yield from screen.prose(f"the published rule {fires}", f"{'WRONG' if wrong else 'rule':8} {'':6}  ")


def tuning_text(rules: Sequence[Rule], screen: Screen) -> Lines:
    """What may be ordinary, each sentence once with the rules it is said of; then every exception, once with the rules that have it."""
    said: dict[str, list[str]] = {}
    for rule in rules:
        for sentence in rule.document.get("false_positives") or ():
            said.setdefault(str(sentence).strip(), []).append(rule.slug)
    if said:
        yield screen.strong("May be ordinary:")
    for sentence, slugs in sorted(said.items(), key=lambda entry: -len(entry[1])):
        yield from screen.prose(sentence, "- ", "  ")
        if len(rules) > 1:
            yield from _of(slugs, rules, screen)
    yield ""
    yield from _exceptions(rules, screen)


def _of(slugs: Sequence[str], rules: Sequence[Rule], screen: Screen) -> Lines:
    others = [rule.slug for rule in rules if rule.slug not in slugs]
    if not others:
        yield f"  of all {len(rules)} rules"
    elif len(others) < len(slugs):
        yield from screen.listed(others, f"  of {len(slugs)} rules, all but ", "    ")
    else:
        yield from screen.listed(slugs, "  of ", "    ")


def _exceptions(rules: Iterable[Rule], screen: Screen) -> Lines:
    found: dict[str, tuple[Item, list[str]]] = {}
    for rule in rules:
        path = path_of(rule)
        for item in load_items(path) if path else ():
            found.setdefault(repr((item.id, item.name, item.entries, item.meta)), (item, []))[1].append(rule.slug)
    if found:
        yield screen.strong("Exceptions that ship:")
    for item, slugs in found.values():
        yield from _exception(item, slugs, screen)
        yield ""


def _exception(item: Item, slugs: Sequence[str], screen: Screen) -> Lines:
    meta = item.meta or {}
    when = f"expires {item.expire_time[:10]}" if item.expire_time else f"review {meta.get('review')}"
    yield from screen.heading(f"{item.id}: {item.name} ({when})", "  ", "    ")
    yield from screen.listed(slugs, "    of:       ")
    yield from screen.prose(str(meta.get("reason")), "    why:      ")
    yield from screen.prose(str(meta.get("scope")), "    reaches:  ")
    for number, entry in enumerate(item.entries):
        yield from screen.prose(_entry(entry), "    and:      " if number else "    where:    ", " " * 16)
    yield from screen.prose(str(meta.get("silences")), "    silences: ")
    yield from screen.prose(f"{meta.get('must_alert')} must still alert", "    but:      ")


def _entry(entry: Mapping[str, Any]) -> str:
    excluded = entry.get("operator") == "excluded"
    kind = str(entry["type"])
    sign = _SIGNS[kind][excluded] if kind in _SIGNS else f"{'not ' if excluded else ''}{kind}"
    value = entry.get("value", "")
    shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"{entry['field']} {sign} {shown}".rstrip()


def related_text(table: Mapping[str, Any], screen: Screen) -> Lines:
    """Techniques next door, and Elastic's rules that see a part of the behaviour."""
    for entry in table.get("technique", ()):
        yield from screen.prose(f"{entry['name']}: {entry['why']}", f"{entry['id']:10} ")
    for entry in table.get("elastic_rule", ()):
        yield ""
        yield from screen.heading(f"{entry['name']} (Elastic)", "", "  ")
        yield from screen.prose(entry["sees"], "  sees:        ")
        yield from screen.prose(entry["falls_short"], "  falls short: ")
        for label in ("catches", "misses"):
            if cases := entry.get(label):
                named = (" of ".join(reversed(case.split("/"))) for case in cases)
                yield from screen.prose(", ".join(named), f"  {label + ':':12} ")
