"""EQL: text to checked query, and what a checked query means. Knows no file, no rule and no compiled core."""

from __future__ import annotations

from contraband.eql.analysis.checked import CheckedQuery
from contraband.eql.analysis.queries import analyse
from contraband.eql.syntax import parse
from contraband.schema import Schema

__all__ = ["CheckedQuery", "analyse", "compile_query", "parse"]


def compile_query(
    text: str,
    schema: Schema | None = None,
    *,
    timestamp_field: str = "@timestamp",
    tiebreaker_field: str | None = None,
    event_category_field: str = "event.category",
) -> CheckedQuery:
    """Parse and check a query; without a schema every field counts as mapped. Raises `CompileError` with every finding."""
    return analyse(
        parse(text),
        text,
        Schema.open() if schema is None else schema,
        timestamp_field=timestamp_field,
        tiebreaker_field=tiebreaker_field,
        event_category_field=event_category_field,
    )
