"""What is run: for each group a file and the programs that answer the same question about it. Runs nothing."""

from __future__ import annotations

import os
import random
import shutil
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from benches import answers, audit, corpus, evtx
from benches.answers import Check
from benches.corpus import DATA, Truth

CONTRABAND = (sys.executable, "-m", "contraband")
PUBLISHED = "T1546.016/published"
PUBLISHED_RULE = corpus.DATA.parent.parent / "src/contraband/content/T1546.016/published/rule.toml"
OWN_RULES = Path(__file__).parent / "rules"
SAMPLE = "linux-lab.deb-sh-install.defend_new.ndjson"
QUICK_EVENTS = 2_000  # for python-eql with hundreds of rules


@dataclass(frozen=True)
class Case:
    """One program on one file. `inner` takes the seconds that the program says its query took, not those of the process.

    `rounds` are fewer for what takes minutes.
    """

    name: str
    argv: tuple[str, ...]
    check: Check
    events: int = 0
    size: int = 0
    inner: bool = False
    rounds: int | None = None


@dataclass(frozen=True)
class Group:
    """Cases that run alternately, so that a slow minute of the machine is everyone's."""

    name: str
    title: str
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Inputs:
    """What the machine has: sizes, and what lies outside the project and may be missing."""

    events: int
    large: int | None = None
    elastic_rules: Path | None = None
    evtx: Path | None = None
    evtx_dump: str | None = None
    only: frozenset[str] = frozenset()
    skipped: list[str] = field(default_factory=list)

    def tool(self, name: str) -> str | None:
        """The path of a program, or None, and the case that it belongs to is named as skipped."""
        found = shutil.which(name)
        if found is None:
            self.skipped.append(f"{name} is not installed")
        return found


def contraband(
    path: Path, *rules: str | Path, name: str, truth: Truth, check: Check, more: tuple[str, ...] = ()
) -> Case:
    """A scan, alerts as NDJSON."""
    given = tuple(part for rule in rules for part in ("--rules", str(rule)))
    argv = (*CONTRABAND, "scan", str(path), "--format", "ndjson", "--quiet", *given, *more)
    return Case(name, argv, check, truth.events, truth.bytes)


def rival(
    module: str,
    *arguments: str | Path,
    name: str,
    truth: Truth,
    check: Check,
    inner: bool = False,
    rounds: int | None = None,
) -> Case:
    """A script of `benches.rivals`."""
    argv = (sys.executable, "-m", f"benches.rivals.{module}", *map(str, arguments))
    return Case(name, argv, check, truth.events, truth.bytes, inner=inner, rounds=rounds)


def published(inputs: Inputs, events: int, *, large: bool = False) -> Group:
    """The published rule beside everyone who can answer it."""
    path, truth = corpus.ensure("mixed", events, DATA)
    right = answers.matches(truth)
    cases = [
        contraband(path, PUBLISHED, name="contraband, published rule", truth=truth, check=right),
        contraband(path, name="contraband, whole package", truth=truth, check=answers.always_the_same()),
        rival("duckdb_scan", "ids", path, name="DuckDB, query alone", truth=truth, check=right, inner=True),
    ]
    if not large:
        cases.append(rival("orjson_loop", path, name="orjson loop", truth=truth, check=right, rounds=1))
        cases.append(rival("python_eql", path, PUBLISHED_RULE, name="python-eql", truth=truth, check=right, rounds=1))
    if rg := inputs.tool("rg"):
        argv = (rg, "-c", "-i", "-F", "msiexec.exe", str(path))
        cases.append(
            Case(
                "ripgrep, lines with msiexec.exe", argv, answers.number(truth.literal_lines), truth.events, truth.bytes
            )
        )
    if wc := inputs.tool("wc"):
        cases.append(Case("wc -l", (wc, "-l", str(path)), answers.number(truth.events), truth.events, truth.bytes))
    suffix = "-large" if large else ""
    return Group(
        f"published{suffix}", f"Published rule over {truth.bytes / 1e6:,.0f} MB, {truth.events:,} events", tuple(cases)
    )


def every(inputs: Inputs) -> Group:
    """A match on every line; the matching rows are written out."""
    path, truth = corpus.ensure("every", inputs.events, DATA)
    right = answers.matches(truth)
    out = DATA / "run" / "copy.json"
    return Group(
        "every",
        f"A match on every line, written out: {truth.bytes / 1e6:,.0f} MB",
        (
            contraband(path, PUBLISHED, name="contraband, alerts with the whole event", truth=truth, check=right),
            rival("duckdb_scan", "copy-rows", path, out, name="DuckDB, COPY of whole rows", truth=truth, check=lambda _: right(out), inner=True),
            rival("duckdb_scan", "copy", path, out, name="DuckDB, COPY of the rule's six columns", truth=truth, check=lambda _: right(out), inner=True),
        ),
    )  # fmt: skip


def rule_sets(folder: Path) -> dict[int, tuple[Path, frozenset[str]]]:
    """Folders with 1, 10, 100 and all EQL rules for Windows, then all EQL rules; each has the ones before. With the rules' ids."""
    found: dict[Path, str] = {}
    for file in sorted(folder.rglob("*.toml")):
        rule = tomllib.loads(file.read_text(encoding="utf-8")).get("rule", {})
        if rule.get("language") == "eql":
            found[file] = rule["rule_id"]
    windows = [file for file in found if file.parent.name == "windows"]
    random.Random(1546).shuffle(windows)
    sets: dict[int, tuple[Path, frozenset[str]]] = {}
    for count in (1, 10, 100, len(windows)):
        target = DATA / f"rules-{count}"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for file in windows[:count]:
            shutil.copyfile(file, target / file.name)
        sets[count] = (target, frozenset(found[file] for file in windows[:count]))
    sets[len(found)] = (folder, frozenset(found.values()))
    return sets


def curve(inputs: Inputs, kind: str) -> Group:
    """How the speed falls with the number of rules; loading is from the cache, as in any second run."""
    assert inputs.elastic_rules
    path, truth = corpus.ensure(kind, inputs.events, DATA)
    seen: dict[str, frozenset[bytes]] = {}
    cases = tuple(
        contraband(
            path, folder, name=f"contraband, {count:,} rules", truth=truth, check=answers.growing(seen, ids), more=("--deprecated",)
        )
        for count, (folder, ids) in rule_sets(inputs.elastic_rules).items()
    )  # fmt: skip
    return Group(f"rules-{kind}", f"Elastic's EQL rules over the corpus `{kind}`: {truth.bytes / 1e6:,.0f} MB", cases)


def loading(inputs: Inputs) -> Group:
    """Start-up, and the loading of rules: the same one file each time."""
    path, truth = corpus.ensure("mixed", 1, DATA)
    nothing = answers.always_the_same()
    cases = [
        Case("contraband --version", (*CONTRABAND, "--version"), answers.printed("contraband"), rounds=9),
        contraband(
            path,
            PUBLISHED,
            name="contraband, one small file, published rule",
            truth=truth,
            check=answers.matches(truth),
        ),
        contraband(path, name="contraband, one small file, whole package", truth=truth, check=nothing),
        contraband(
            path,
            name="contraband, one small file, whole package, no cache",
            truth=truth,
            check=nothing,
            more=("--no-cache",),
        ),
    ]
    if inputs.elastic_rules:
        same = answers.always_the_same()
        all_rules = inputs.elastic_rules
        cases += [
            contraband(path, all_rules, name="contraband, one event, 1,011 rules", truth=truth, check=same, more=("--deprecated",)),
            contraband(path, all_rules, name="contraband, one event, 1,011 rules, no cache", truth=truth, check=same, more=("--deprecated", "--no-cache")),
        ]  # fmt: skip
    return Group("start", "Start, and loading of rules", tuple(cases))


def sequences(inputs: Inputs) -> Group:
    """Every second event fills a stage."""
    path, truth = corpus.ensure("sequences", inputs.events, DATA)
    many, one = OWN_RULES / "sequence_many_keys.toml", OWN_RULES / "sequence_one_key.toml"
    return Group(
        "sequences",
        f"Every second event fills a stage of a sequence: {truth.bytes / 1e6:,.0f} MB",
        (
            contraband(
                path,
                PUBLISHED,
                name="contraband, published rule (no sequence)",
                truth=truth,
                check=answers.matches(truth),
            ),
            contraband(
                path,
                many,
                name="contraband, sequence of many keys",
                truth=truth,
                check=answers.sequences(truth.sequences),
            ),
            contraband(
                path,
                one,
                name="contraband, sequence of one key",
                truth=truth,
                check=answers.sequences(truth.sequences * 2),
            ),
        ),
    )


def winlogbeat(inputs: Inputs) -> Group:
    """Winlogbeat beside Endpoint: MB/s are compared, the events differ in size."""
    cases = []
    for kind in ("mixed", "winlogbeat"):
        path, truth = corpus.ensure(kind, inputs.events, DATA)
        cases.append(
            contraband(
                path, PUBLISHED, name=f"contraband, published rule, {kind}", truth=truth, check=answers.matches(truth)
            )
        )
        cases.append(
            contraband(path, name=f"contraband, whole package, {kind}", truth=truth, check=answers.always_the_same())
        )
    return Group("winlogbeat", "Winlogbeat NDJSON beside Endpoint NDJSON", tuple(cases))


def audit_log(inputs: Inputs) -> Group:
    """Raw auditd records; ausearch gets a tenth, for it is slow."""
    events = max(inputs.events // 3, 1_000)
    few = max(events // 10, 1_000)
    path, short = audit.ensure(events, DATA), audit.ensure(few, DATA)
    size = path.stat().st_size
    argv = (*CONTRABAND, "scan", str(path), "--format", "ndjson", "--quiet", "--source", "auditd", "--threads", "1")
    summed = (
        *CONTRABAND,
        "query",
        'process where process.name == "postinst" or process.args == "/var/lib/dpkg/info/vendor.postinst"',
        str(path),
        "--quiet",
    )
    scripts = sum(number % 1_000 == 500 for number in range(events))
    cases = [
        Case("contraband, whole package, one thread", argv, answers.always_the_same(), events, size),
        Case("contraband, whole package", argv[:-2], answers.always_the_same(), events, size),
        Case(
            "contraband query for the planted scripts", summed, answers.lines(b"vendor.postinst", scripts), events, size
        ),
    ]
    if ausearch := inputs.tool("ausearch"):
        check = answers.lines(b"type=SYSCALL", few)
        cases.append(
            Case(
                "ausearch -i (a tenth of the file)",
                (ausearch, "-i", "-if", str(short)),
                check,
                few,
                short.stat().st_size,
            )
        )
    return Group("audit", f"Raw audit.log, {size / 1e6:,.0f} MB", tuple(cases))


def event_log(inputs: Inputs) -> Group:
    """EVTX beside evtx_dump, the decoder's own tool, on two threads."""
    assert inputs.evtx
    assert inputs.evtx_dump
    path = evtx.grow(inputs.evtx, DATA / f"grown-{inputs.evtx.stem.replace(' ', '-')}.evtx", 64_000_000)
    size = path.stat().st_size
    counts: set[int] = set()
    scan = (*CONTRABAND, "scan", str(path), "--format", "ndjson")
    return Group(
        "evtx",
        f"EVTX, {size / 1e6:,.0f} MB (chunks of {inputs.evtx.name} repeated)",
        (
            Case("contraband, whole package", scan, answers.records_read(counts), 0, size),
            Case(
                "evtx_dump -o jsonl -t 2",
                (inputs.evtx_dump, "-o", "jsonl", "-t", "2", str(path)),
                answers.records_written(counts),
                0,
                size,
            ),
        ),
    )


def groups(inputs: Inputs) -> list[Group]:
    """All groups that can run here; what cannot is added to `inputs.skipped`."""
    makers = {
        "published": lambda: published(inputs, inputs.events),
        "every": lambda: every(inputs),
        "start": lambda: loading(inputs),
        "sequences": lambda: sequences(inputs),
        "winlogbeat": lambda: winlogbeat(inputs),
        "audit": lambda: audit_log(inputs),
    }
    if inputs.large:
        large = inputs.large
        makers["published-large"] = lambda: published(inputs, large, large=True)
    if inputs.elastic_rules:
        makers["rules-mixed"] = lambda: curve(inputs, "mixed")
        makers["rules-installer"] = lambda: curve(inputs, "installer")
    else:
        inputs.skipped.append("Elastic's rules: no --elastic-rules PATH")
    if inputs.evtx and inputs.evtx_dump:
        makers["evtx"] = lambda: event_log(inputs)
    else:
        inputs.skipped.append("EVTX: no --evtx FILE, or no evtx_dump (cargo install evtx)")
    return [make() for name, make in makers.items() if not inputs.only or name in inputs.only]


def environment() -> dict[str, str]:
    """The children's environment: this project first on Python's path."""
    root = Path(__file__).parent.parent
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(root), str(root / "src"))),
        "XDG_CACHE_HOME": str(DATA / "cache"),
    }
