"""The project's targets for speed and memory, each as a ratio or a limit over measured cases. Measures nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benches.cases import Case
from benches.measure import Times

Results = Mapping[tuple[str, str], tuple[Case, Times]]


@dataclass(frozen=True)
class Target:
    """`measure` gives the value from all results, or fails with KeyError where a case did not run."""

    text: str
    measure: Callable[[Results], float]
    limit: float
    unit: str
    at_least: bool = True

    def met(self, value: float) -> bool:
        """Whether a measured value is good enough."""
        return value >= self.limit if self.at_least else value <= self.limit


def times(group: str, fast: str, slow: str) -> Callable[[Results], float]:
    """How many times the median of `slow` the case `fast` is."""
    return lambda results: results[group, slow][1].median / results[group, fast][1].median


def rate(group: str, name: str) -> Callable[[Results], float]:
    """Events a second."""

    def measure(results: Results) -> float:
        case, taken = results[group, name]
        return case.events / taken.median

    return measure


def megabytes(group: str, name: str) -> Callable[[Results], float]:
    """Megabytes a second."""

    def measure(results: Results) -> float:
        case, taken = results[group, name]
        return case.size / taken.median / 1e6

    return measure


def seconds(group: str, name: str, less: str | None = None) -> Callable[[Results], float]:
    """The median, or its difference to another case's."""

    def measure(results: Results) -> float:
        taken = results[group, name][1].median
        return taken - (results[group, less][1].median if less else 0.0)

    return measure


def peak(group: str, name: str) -> Callable[[Results], float]:
    """Peak memory in megabytes."""
    return lambda results: results[group, name][1].peak / 1e6


PUBLISHED, PACKAGE, DUCKDB = "contraband, published rule", "contraband, whole package", "DuckDB, query alone"
ALL_RULES = "contraband, 1,011 rules"
SMALL = "contraband, one small file, published rule"
ALERTS, ROWS, COLUMNS = (
    "contraband, alerts with the whole event",
    "DuckDB, COPY of whole rows",
    "DuckDB, COPY of the rule's six columns",
)
PLAIN = "contraband, published rule (no sequence)"

TARGETS = (
    Target("7.5 GB: published rule beside DuckDB", times("published-large", PUBLISHED, DUCKDB), 3, "×"),
    Target("7.5 GB: whole package beside DuckDB", times("published-large", PACKAGE, DUCKDB), 2, "×"),
    Target("7.5 GB: peak memory, whole package", peak("published-large", PACKAGE), 300, "MB", at_least=False),
    Target("750 MB: published rule beside DuckDB", times("published", PUBLISHED, DUCKDB), 1.8, "×"),
    Target("750 MB: published rule beside python-eql", times("published", PUBLISHED, "python-eql"), 15, "×"),
    Target("A match on every line, beside DuckDB copying whole rows", times("every", ALERTS, ROWS), 1, "×"),
    Target("A match on every line, beside DuckDB copying six columns", times("every", ALERTS, COLUMNS), 1, "×"),
    Target("contraband --version", seconds("start", "contraband --version"), 0.15, "s", at_least=False),
    Target("One small file", seconds("start", SMALL), 0.35, "s", at_least=False),
    Target("1,011 rules over the Endpoint file", rate("rules-mixed", ALL_RULES), 250_000, "events/s"),
    Target("1,011 rules, 5 % installer activity", rate("rules-installer", ALL_RULES), 100_000, "events/s"),
    Target("1,011 rules: peak memory", peak("rules-installer", ALL_RULES), 500, "MB", at_least=False),
    Target("Loading 1,011 rules", seconds("start", "contraband, one event, 1,011 rules, no cache", SMALL), 2.5, "s", at_least=False),
    Target("Loading 1,011 rules from the cache", seconds("start", "contraband, one event, 1,011 rules", SMALL), 0.3, "s", at_least=False),
    Target("Sequence of many keys beside the published rule", times("sequences", "contraband, sequence of many keys", PLAIN), 0.2, "×"),
    Target("Sequence of one key beside the published rule", times("sequences", "contraband, sequence of one key", PLAIN), 0.2, "×"),
    Target(
        "Winlogbeat beside Endpoint, MB/s",
        lambda r: megabytes("winlogbeat", f"{PUBLISHED}, winlogbeat")(r) / megabytes("winlogbeat", f"{PUBLISHED}, mixed")(r),
        1,
        "×",
    ),
    Target("audit.log, one core", megabytes("audit", "contraband, whole package, one thread"), 150, "MB/s"),
    Target(
        "audit.log beside ausearch -i, MB/s",
        lambda r: megabytes("audit", PACKAGE)(r) / megabytes("audit", "ausearch -i (a tenth of the file)")(r),
        20,
        "×",
    ),
    Target("EVTX, whole package beside evtx_dump", times("evtx", PACKAGE, "evtx_dump -o jsonl -t 2"), 1, "×"),
)  # fmt: skip
