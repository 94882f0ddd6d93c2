"""Rules × sources: what each rule can do with what each source records."""

from contraband.coverage.observed import Observed, observed_sources
from contraband.coverage.report import Cell, Verdict, by_platform, coverage
from contraband.coverage.sources import EventKind, Source, declared_sources

__all__ = [
    "Cell",
    "EventKind",
    "Observed",
    "Source",
    "Verdict",
    "by_platform",
    "coverage",
    "declared_sources",
    "observed_sources",
]
