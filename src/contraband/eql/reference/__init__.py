"""The slow, obviously right evaluator of a checked query. The core is held to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contraband.eql.functions import EvaluationError

if TYPE_CHECKING:
    from contraband.eql.reference.search import FoundSequence, Result, evaluate

__all__ = ["EvaluationError", "FoundSequence", "Result", "evaluate"]


def __getattr__(name: str) -> Any:
    """Analysis reads patterns and dates with modules of this package; the evaluator itself is loaded when something is evaluated."""
    if name in ("FoundSequence", "Result", "evaluate"):
        from contraband.eql.reference import search

        return getattr(search, name)
    raise AttributeError(f"module `contraband.eql.reference` has no attribute `{name}`")
