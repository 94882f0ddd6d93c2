"""From a whole tree to a checked query: stages, join keys, limits and pipes, with Elasticsearch's rules for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from contraband.diagnostics import CompileError, Severity, Span
from contraband.eql import errors
from contraband.eql.analysis.checked import (
    Always,
    And,
    CheckedQuery,
    CompareOp,
    Comparison,
    Condition,
    FieldRef,
    JoinKey,
    Leaf,
    Literal,
    Never,
    Pipe,
    PipeKind,
    QueryKind,
    Stage,
)
from contraband.eql.analysis.conditions import condition_of
from contraband.eql.analysis.fold import Folder
from contraband.eql.analysis.resolve import Resolver, field_ref
from contraband.eql.analysis.static_types import NUMERIC
from contraband.eql.syntax import ast
from contraband.schema import Schema
from contraband.schema.types import FieldType, TypeFamily

SAMPLE_STAGES = 5
"""Elasticsearch's limit for the stages of a sample."""


def analyse(
    statement: ast.Statement,
    source: str,
    schema: Schema,
    *,
    timestamp_field: str = "@timestamp",
    tiebreaker_field: str | None = None,
    event_category_field: str = "event.category",
) -> CheckedQuery:
    """Check a tree against a schema. Raises `CompileError` with every finding.

    The three fields that a search names beside the query count as mapped even where the schema does not have them.
    """
    analyser = _Analyser(source, schema, event_category_field)
    checked = analyser.query(
        statement,
        timestamp=analyser.request_field(timestamp_field, FieldType.DATE),
        tiebreaker=None if tiebreaker_field is None else analyser.request_field(tiebreaker_field, FieldType.ANY),
    )
    findings = tuple(dict.fromkeys(analyser.findings))
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise CompileError(findings, source)
    return checked


class _Analyser:
    def __init__(self, source: str, schema: Schema, category_field: str) -> None:
        self._source = source
        self._schema = schema
        self._resolver = Resolver(source, schema)
        self._category_field = category_field
        self.findings = self._resolver.findings

    def request_field(self, name: str, default: FieldType) -> FieldRef:
        """A field that the search names beside the query."""
        found = self._schema.lookup(name)
        nowhere = Span(0, 0)
        return FieldRef(name, default, nowhere) if found is None else field_ref(found, nowhere)

    def query(self, statement: ast.Statement, *, timestamp: FieldRef, tiebreaker: FieldRef | None) -> CheckedQuery:
        until: Stage | None = None
        maxspan: int | None = None
        match statement.query:
            case ast.EventQuery(filter=event, span=span):
                kind = QueryKind.EVENT
                stages: tuple[Stage, ...] = (Stage(self._condition(event), (), missing=False, runs=1, span=span),)
            case ast.Sequence(keys=keys, maxspan_ms=maxspan, stages=written, until=end):
                kind = QueryKind.SEQUENCE
                stages, until = self._stages(keys, written, end)
                self._check_sequence(statement.query)
            case ast.Sample(keys=keys, stages=written):
                kind = QueryKind.SAMPLE
                stages, _ = self._stages(keys, written, None)
                self._check_sample(statement.query, stages)
        pipes = tuple(checked for pipe in statement.pipes if (checked := self._pipe(pipe)) is not None)
        return CheckedQuery(kind, stages, until, maxspan, pipes, timestamp, tiebreaker, statement.span)

    # ----------------------------------------------------------------------------------------------------- conditions

    def _condition(self, event: ast.EventFilter) -> Condition:
        folder = Folder(self._source)
        condition = condition_of(folder.fold(self._resolver.condition(event.condition)))
        self.findings.extend(folder.findings)
        if event.category is None or isinstance(condition, Never):
            return condition
        field = self.request_field(self._category_field, FieldType.KEYWORD)
        field = replace(field, span=event.category_span)
        constant = Literal(event.category, FieldType.KEYWORD, event.category_span)
        category = Leaf(Comparison(CompareOp.EQ, field, constant, event.category_span), event.category_span)
        match condition:
            case Always():
                return category
            case And(operands=operands):
                return And((category, *operands), event.span)
            case _:
                return And((category, condition), event.span)

    # --------------------------------------------------------------------------------------------------- stages and keys

    def _stages(
        self, keys: Sequence[ast.Expr], written: Sequence[ast.Stage], end: ast.Stage | None
    ) -> tuple[tuple[Stage, ...], Stage | None]:
        common = tuple(self._key(key) for key in keys)
        stages = tuple(self._stage(stage, common) for stage in written)
        until = None if end is None else self._stage(end, common)
        if stages:
            for other in (*stages[1:], *(() if until is None else (until,))):
                self._compare_keys(stages[0], other)
        return stages, until

    def _stage(self, stage: ast.Stage, common: tuple[JoinKey, ...]) -> Stage:
        keys = (*common, *(self._key(key) for key in stage.keys))
        return Stage(self._condition(stage.filter), keys, stage.missing, stage.runs, stage.span)

    def _key(self, expr: ast.Expr) -> JoinKey:
        text = self._source[expr.span.start : expr.span.end]
        if not isinstance(expr, ast.Field):
            self.findings.append(errors.unsupported_join_key(text, expr.span))
            return JoinKey(None, optional=True, name=text, span=expr.span)
        field = self._resolver.field(expr)
        return JoinKey(field if isinstance(field, FieldRef) else None, expr.optional, expr.name, expr.span)

    def _compare_keys(self, first: Stage, other: Stage) -> None:
        if len(first.keys) != len(other.keys):
            self.findings.append(errors.inconsistent_keys(len(first.keys), len(other.keys), other.span))
            return
        for one, two in zip(first.keys, other.keys, strict=True):
            if one.field is not None and two.field is not None and not _joinable(one.field.type, two.field.type):
                finding = errors.incompatible_keys(one.name, one.field.type, two.name, two.field.type, two.span)
                self.findings.append(finding)

    # ------------------------------------------------------------------------------------------------------------ limits

    def _check_sequence(self, sequence: ast.Sequence) -> None:
        count = sum(stage.runs for stage in sequence.stages)
        if count < 2:
            self.findings.append(errors.too_few_stages("sequence", count, sequence.span))
        missing = [stage for stage in sequence.stages if stage.missing]
        if missing and sequence.maxspan_ms is None:
            self.findings.extend(errors.missing_without_maxspan(stage.span) for stage in missing)
        if missing and len(missing) == len(sequence.stages):
            self.findings.append(errors.only_missing(sequence.span))

    def _check_sample(self, sample: ast.Sample, stages: tuple[Stage, ...]) -> None:
        if len(stages) < 2:
            self.findings.append(errors.too_few_stages("sample", len(stages), sample.span))
        if len(stages) > SAMPLE_STAGES:
            self.findings.append(errors.sample_too_long(len(stages), SAMPLE_STAGES, sample.span))
        if stages and not stages[0].keys:
            self.findings.append(errors.sample_without_key(sample.span))

    def _pipe(self, pipe: ast.Pipe) -> Pipe | None:
        if pipe.name not in ("head", "tail"):
            self.findings.append(errors.unsupported_pipe(pipe.name, pipe.name_span))
            return None
        if len(pipe.arguments) != 1:
            self.findings.append(errors.pipe_argument_count(pipe.name, len(pipe.arguments), pipe.span))
            return None
        argument = pipe.arguments[0]
        folder = Folder(self._source)
        folded = folder.fold(self._resolver.scalar(argument))
        self.findings.extend(folder.findings)
        count = folded.value if isinstance(folded, Literal) else None
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            text = self._source[argument.span.start : argument.span.end]
            self.findings.append(errors.pipe_argument(pipe.name, text, argument.span))
            return None
        return Pipe(PipeKind(pipe.name), count, pipe.span)


def _joinable(one: FieldType, two: FieldType) -> bool:
    families = {one.family, two.family}
    return len(families) == 1 or TypeFamily.ANY in families or families <= NUMERIC
