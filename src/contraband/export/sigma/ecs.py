"""The way back: a pySigma pipeline that turns our Sigma rules into ECS, as Elastic Defend, Beats and `contraband convert` write it.

pySigma's own pipelines for Windows keep Winlogbeat's `winlog.event_data` names for half of the fields, and there is none for Linux; so the
mapping is the inverse of `taxonomy`. It also repairs what the Elasticsearch backends write that Elasticsearch refuses or reads in another
way: `field:true` in EQL, anchors and flags in regular expressions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sigma.correlations import SigmaCorrelationRule
from sigma.processing.conditions import LogsourceCondition
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline, QueryPostprocessingItem
from sigma.processing.postprocessing import QueryPostprocessingTransformation
from sigma.processing.transformations import AddConditionTransformation, FieldMappingTransformation
from sigma.processing.transformations.base import ValueTransformation
from sigma.rule import SigmaRule
from sigma.types import SigmaNumber, SigmaRegularExpression, SigmaString, SigmaType

from contraband.export.sigma import regexes
from contraband.export.sigma.taxonomy import CATEGORIES, FIELDS, NUMBERS_OF_KEYWORDS, PRODUCTS

# What events of a log source are, beyond their category: (field, value, whether it is excluded).
_EVENTS: dict[str, tuple[tuple[str, str, bool], ...]] = {
    "process_creation": (("event.type", "start", False), ("event.action", "fork", True)),
    "file_event": (("event.type", "deletion", True),),
    "network_connection": (("event.type", "end", True),),
    "registry_set": (),
    "image_load": (),
}


def fields_of_ecs() -> dict[str, str]:
    """Sigma's field names and the ECS fields that they were made of."""
    return {name: path for fields in FIELDS.values() for path, name in fields.items()}


def ecs_pipeline(*, eql: bool = False) -> ProcessingPipeline:
    """The pipeline for Elastic's backends; with `eql` for the EQL backend, whose regular expressions and constants need repair."""
    items = [
        ProcessingItem(
            AddConditionTransformation({"host.os.type": product}), rule_conditions=[LogsourceCondition(product=product)]
        )
        for product in PRODUCTS
    ]
    # Each item needs a condition of its own: pySigma binds it to the pipeline.
    for ours, category in CATEGORIES.items():
        for path, value, excluded in (("event.category", ours, False), *_EVENTS[category]):
            adds = AddConditionTransformation({path: value}, negated=excluded)
            items.append(ProcessingItem(adds, rule_conditions=[LogsourceCondition(category=category)]))
    items.append(ProcessingItem(KeywordTransformation()))
    if eql:
        items.append(ProcessingItem(LuceneRegexTransformation()))
    names: dict[str | None, str | list[str]] = {}
    names.update(fields_of_ecs())
    items.append(ProcessingItem(FieldMappingTransformation(names)))
    repair = [QueryPostprocessingItem(EqlRepair())] if eql else []
    return ProcessingPipeline(name="contraband ECS", priority=20, items=items, postprocessing_items=repair)


@dataclass
class KeywordTransformation(ValueTransformation):
    """A number in Sigma that is a keyword in ECS, such as `EventID`, as text."""

    def apply_value(self, field: str | None, val: SigmaType) -> SigmaString | None:
        """The number as text."""
        return SigmaString(str(val.number)) if field in NUMBERS_OF_KEYWORDS and isinstance(val, SigmaNumber) else None


@dataclass
class LuceneRegexTransformation(ValueTransformation):
    """An expression that is searched for, as one that matches a whole value: what Elasticsearch's `regex` does."""

    def apply_value(self, field: str | None, val: SigmaType) -> SigmaRegularExpression | None:
        """The expression with its ends spelled out and without flags: the backend writes `regex~`."""
        return (
            SigmaRegularExpression(regexes.lucene(str(val.regexp))) if isinstance(val, SigmaRegularExpression) else None
        )


@dataclass
class EqlRepair(QueryPostprocessingTransformation):
    """What the EQL backend writes and Elasticsearch does not accept, put right; texts are left as they are but for their escapes.

    `field:true`, `field:4` and `field like~ (1, 2)` (`:` and `like~` are for text alone); `\\/`, `\\*` and `\\?` in a text; a quotation mark in an expression;
    `by  with runs=N` after a sequence whose events are all named.
    """

    def apply(self, rule: SigmaRule | SigmaCorrelationRule, query: Any) -> Any:
        """The query as Elasticsearch reads it."""
        super().apply(rule, query)
        if not isinstance(query, str):
            return query
        return _PARTS.sub(_repaired, re.sub(r"\] by +with runs=\d+$", "]", query.rstrip()))


_NUMBER = r"-?\d+(?:\.\d+)?"
_PARTS = re.compile(
    rf'(?P<text>"(?:\\.|[^"\\])*")|(?P<field>[\w.@]+):(?P<constant>true|false|{_NUMBER})(?=[\s)\]]|$)'
    rf"|(?P<listed>[\w.@]+) like~ (?P<numbers>\({_NUMBER}(?:, {_NUMBER})*\))"
)


def _repaired(found: re.Match[str]) -> str:
    if found["field"]:
        return f"{found['field']} == {found['constant']}"
    if found["listed"]:
        return f"{found['listed']} in {found['numbers']}"
    return re.sub(r"\\(.)", _unescaped, found["text"]).replace(regexes.QUOTE, '\\"')


def _unescaped(pair: re.Match[str]) -> str:
    """An escape that EQL does not know. It has none for a literal asterisk either: `?` stands for any one character."""
    match pair[1]:
        case "/":
            return "/"
        case "*" | "?":
            return "?"
        case _:
            return pair[0]
