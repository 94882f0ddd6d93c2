"""The whole package as one Markdown page: what is claimed, what was measured, and everything that an analyst needs beside it."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from contraband.coverage import Verdict as Reach
from contraband.coverage import by_platform, coverage, declared_sources
from contraband.detection.cases import Together, Truth, Verdict
from contraband.detection.compiled import compile_rules
from contraband.detection.packages import load_package, load_published, package_path
from contraband.detection.rules import Loaded, Rule
from contraband.detection.scan import own_exceptions
from contraband.detection.testing import Report, run
from contraband.emulate import load_emulations
from contraband.hunt import load_hunts
from contraband.investigate.guide import render_guide, render_playbook


def package_page(package: str) -> str:
    """The page of a package, ending in a newline. Runs the rules on all their cases; the same content gives the same page."""
    folder = package_path(package)
    published, ours = load_published(package), load_package(package)
    report = run(ours, beside=published)
    rules = (*published.rules, *ours.rules)
    parts = [
        _head(folder.name, len(ours.rules), report),
        _measured(report, rules),
        _coverage(rules),
        "## Rules\n",
        *(_rule(rule) for rule in rules),
        _exceptions(ours),
        _emulations(folder.name),
        _hunts(folder),
        _nested(render_playbook(_table(folder / "playbook.toml"), {})),
        _nested(render_guide(_table(folder / "investigation.toml"), {})),
        _related(_table(folder / "related.toml")),
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts if part)


def _head(package: str, count: int, report: Report) -> str:
    attacks = Counter(outcome.result for outcome in report.package if outcome.case.truth is Truth.ATTACK)
    benign = Counter(outcome.result for outcome in report.package if outcome.case.truth is Truth.BENIGN)
    return (
        f"# {package}: Installer Packages\n\n"
        f"<!-- Made by `contraband show {package} page`; a test keeps it true. -->\n\n"
        "An installer runs code of the package's author as root or SYSTEM (ATT&CK "
        f"[{package}](https://attack.mitre.org/techniques/{package.replace('.', '/')}/)). {count} rules look for what such code does; "
        "the rule as published stands beside them.\n\n"
        f"All rules together, on the cases that ship: {attacks[Together.CAUGHT]} of {attacks.total()} attacks raise an alert of medium or above "
        f"({attacks[Together.LOW]} a low one only); of {benign.total()} ordinary installations {benign[Together.CAUGHT]} do "
        f"({benign[Together.LOW]} a low one). Most cases are modelled, and the rules were written beside them: `contraband test` runs them, and yours.\n"
    )


def _measured(report: Report, rules: Sequence[Rule]) -> str:
    rows = []
    for rule in rules:
        own = [outcome for outcome in report.outcomes if outcome.rule.id == rule.id]
        counts = Counter(outcome.verdict for outcome in own)
        basis = Counter(str(outcome.case.basis) for outcome in own)
        cells = [counts[verdict] for verdict in (Verdict.CAUGHT, Verdict.MISSED, Verdict.FALSE_ALARM, Verdict.QUIET)]
        rows.append(
            (rule.slug, *map(str, cells), ", ".join(f"{count} {name}" for name, count in sorted(basis.items())))
        )
    heading = ("rule", "caught", "missed", "false alarms", "quiet", "basis")
    intro = (
        "Each rule on its own cases. *Missed* counts attacks of its subject that a rule is known not to see (its case says so), "
        "*false alarms* ordinary installations that it alerts on.\n"
    )
    return f"## Measured\n\n{intro}\n{_grid(heading, rows)}"


def _coverage(rules: Sequence[Rule]) -> str:
    compiled, _ = compile_rules(rules)
    cells = coverage(compiled, declared_sources())
    lines = [
        "## Sources",
        "",
        "Whether what a rule asks for is recorded at all. `*`: the rule names the source; `+`: with the parents that contraband adds to raw records.",
        "",
    ]
    for platform, sources in by_platform(declared_sources()):
        rows = []
        for rule in rules:
            own = {cell.source: cell for cell in cells if cell.rule == rule.slug}
            chosen = [own[source.name] for source in sources]
            if any(cell.verdict is not Reach.ELSEWHERE for cell in chosen):
                rows.append(
                    (
                        rule.slug,
                        *(cell.word for cell in chosen),
                    )
                )
        lines += [f"### {platform}", "", _grid(("rule", *(source.name for source in sources)), rows)]
    return "\n".join(lines)


def _rule(rule: Rule) -> str:
    lines = [
        f"### {rule.slug}",
        "",
        f"**{rule.name}**. Severity {rule.severity}, risk score {rule.risk_score}, confidence {rule.sidecar.confidence or 'not stated'}"
        f"{f' ({rule.sidecar.confidence_basis})' if rule.sidecar.confidence_basis else ''}.",
        "",
        rule.sidecar.why.strip(),
        "",
        "```eql",
        rule.query.strip(),
        "```",
        "",
        *_bullets("Blind spots", rule.sidecar.blind_spots),
        *_bullets("False positives", rule.document.get("false_positives") or ()),
    ]
    return "\n".join(lines)


def _exceptions(loaded: Loaded) -> str:
    items = list(own_exceptions(loaded))
    if not items:
        return ""
    rows = [
        (
            item.id,
            ", ".join(item.rules) or item.list_id or "all",
            _cell(str((item.meta or {}).get("reason", item.name))),
        )
        for item in items
    ]
    return f"## Exceptions\n\n{_grid(('exception', 'for', 'reason'), rows)}"


def _emulations(package: str) -> str:
    rows = [
        (
            test.id,
            test.platform,
            _cell(test.name),
            test.verdict,
            _cell("; ".join(signal.what for signal in test.signals)),
        )
        for test in load_emulations(package)
    ]
    intro = "Harmless and offline, in Atomic Red Team's form. `contraband emulate show ID` prints one, `emulate check ID RECORDING` judges a recording.\n"
    return f"## Emulations\n\n{intro}\n{_grid(('id', 'platform', 'test', 'least alert', 'signals'), rows)}"


def _hunts(folder: Path) -> str:
    lines = ["## Hunts", "", "`contraband hunt T1546.016 PATH…` runs them and ranks what they find by rarity.", ""]
    for hunt in load_hunts(folder):
        lines += [
            f"### {hunt.id}: {hunt.name}",
            "",
            hunt.question,
            "",
            f"- Normal: {hunt.normal}",
            f"- Suspicious: {hunt.suspicious}",
            "",
            "```eql",
            hunt.eql.strip(),
            "```",
            "",
        ]
    return "\n".join(lines)


def _related(table: Mapping[str, Any]) -> str:
    lines = ["## Related", ""]
    lines += [f"- {entry['id']} {entry['name']}: {entry['why']}" for entry in table.get("technique", ())]
    for entry in table.get("elastic_rule", ()):
        cases = [
            f" It {label} {', '.join(f'`{case}`' for case in entry[label])}."
            for label in ("catches", "misses")
            if label in entry
        ]
        lines.append(
            f"- Elastic's `{entry['name']}` sees: {entry['sees']} Falls short: {entry['falls_short']}{''.join(cases)}"
        )
    return "\n".join(lines)


def _nested(markdown: str) -> str:
    """A document as a section of the page: its headings one level deeper."""
    fenced = False
    lines = []
    for line in markdown.splitlines():
        fenced ^= line.startswith("```")
        lines.append(f"#{line}" if line.startswith("#") and not fenced else line)
    return "\n".join(lines)


def _bullets(title: str, entries: Iterable[str]) -> Iterator[str]:
    given = list(entries)
    if given:
        yield from (f"{title}:", "", *(f"- {entry}" for entry in given), "")


def _grid(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heading)} |", f"|{'---|' * len(heading)}", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _table(path: Path) -> Mapping[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
