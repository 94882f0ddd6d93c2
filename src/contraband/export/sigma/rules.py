"""Sigma rules of ours: one document for each log source of a rule, and for a sequence one for each event and a correlation.

What has no form in Sigma is remarked and never left out in silence; what is only nearly the same is remarked and written into the rule
(`contraband.approximations`, a custom attribute that Sigma's tools pass over).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from contraband.detection.attack import AttackVersion, mapped
from contraband.detection.compiled import Compiled
from contraband.detection.exceptions import Item
from contraband.detection.rules import Rule
from contraband.eql.analysis import checked
from contraband.export.navigator import shortname
from contraband.export.sigma.detection import Detection, Inexpressible
from contraband.export.sigma.filters import excepted
from contraband.export.sigma.log_sources import Branch, branches
from contraband.export.sigma.taxonomy import MULTI_VALUED, Translation
from contraband.export.source import Exported, Remark

Document = dict[str, Any]
NAMESPACE = uuid.UUID("5b0c4a57-6d2f-5d5a-9a3e-0c6f5a1c1546")

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class SigmaRules:
    """What one rule of ours became: documents in the order in which they belong into one file, and what was not the same."""

    rule: Rule
    documents: tuple[Document, ...]
    remarks: tuple[Remark, ...]
    ecs_only: frozenset[str] = frozenset()
    """Fields that have no name in Sigma: only Elastic's backends know them."""


def export_sigma(rules: Iterable[Compiled], version: AttackVersion) -> tuple[list[Exported], list[Remark]]:
    """A file for each rule, and the remarks on all of them."""
    files: list[Exported] = []
    remarks: list[Remark] = []
    for compiled in rules:
        made = sigma_rules(compiled, version)
        remarks += made.remarks
        if made.documents:
            files.append(Exported(f"rules/{_file_name(made.rule)}.yml", to_yaml(made.documents)))
    return files, remarks


def sigma_rules(compiled: Compiled, version: AttackVersion) -> SigmaRules:
    """The Sigma documents of one rule; none of them if it cannot be expressed, with a remark that says why."""
    rule = compiled.rule
    try:
        if compiled.query.kind is checked.QueryKind.EVENT:
            documents, translations = _event(compiled, version)
        else:
            documents, translations = _sequence(compiled, version)
    except Inexpressible as error:
        return SigmaRules(rule, (), (Remark(rule.slug, str(error), lost=True),))
    ecs_only = frozenset(path for translation in translations for path in translation.ecs_only)
    approximations = sorted({text for translation in translations for text in translation.approximations})
    if ecs_only:
        approximations.append(f"kept as ECS, because Sigma has no name for it: {', '.join(sorted(ecs_only))}")
    for document in documents:
        document["contraband"] = _own(rule, approximations)
    remarks = tuple(Remark(rule.slug, text) for text in approximations)
    return SigmaRules(rule, tuple(documents), remarks, ecs_only)


def to_yaml(documents: Iterable[Document]) -> str:
    """Documents as one YAML stream, indented as SigmaHQ's are."""
    return "---\n".join(
        yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=140) for document in documents
    )


class _Dumper(yaml.SafeDumper):
    """Lists are indented below their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _event(compiled: Compiled, version: AttackVersion) -> tuple[list[Document], list[Translation]]:
    found = branches(compiled.query.stages[0].condition)
    documents: list[Document] = []
    translations: list[Translation] = []
    for branch in found:
        suffix = "" if len(found) == 1 else f"{branch.category}/{branch.product}"
        document, translation = _base(compiled, branch, version, suffix=suffix)
        documents.append(document)
        translations.append(translation)
    return documents, translations


def _base(
    compiled: Compiled, branch: Branch, version: AttackVersion, *, suffix: str, name: str = ""
) -> tuple[Document, Translation]:
    """One Sigma rule. With a `name` it is an event of a correlation, which raises no alert of its own."""
    rule = compiled.rule
    translation = Translation(branch.category, branch.product)
    if branch.dropped:
        translation.approximations.add(f"{', '.join(branch.dropped)} is left to the log source {branch.category}")
    detection = Detection(translation).document(_with_exceptions(branch, compiled.exceptions, translation))
    source = {"category": branch.category, **({"product": branch.product} if branch.product else {})}
    head = _head(rule, version, suffix=suffix)
    if suffix:
        head["title"] = f"{rule.name} ({' '.join(part for part in suffix.split('/') if part != 'None')})"
    body = {"logsource": source, "detection": detection, "falsepositives": _false_positives(rule)}
    level = "informational" if name else str(rule.severity)
    return {**head, **({"name": name} if name else {}), **body, "level": level}, translation


def _with_exceptions(branch: Branch, items: Iterable[Item], translation: Translation) -> checked.Condition:
    """The condition without what the exceptions for its system leave out."""
    condition = branch.condition
    chosen = [item for item in items if not (item.os_types and branch.product) or branch.product in item.os_types]
    filters = [excepted(item, translation.approximations) for item in chosen]
    if not filters:
        return condition
    operands = condition.operands if isinstance(condition, checked.And) else (condition,)
    return checked.And((*operands, *(checked.Not(one, condition.span) for one in filters)), condition.span)


def _sequence(compiled: Compiled, version: AttackVersion) -> tuple[list[Document], list[Translation]]:
    query = compiled.query
    _refuse(query)
    stages = [branches(stage.condition) for stage in query.stages]
    for found in stages:
        if len({branch.category for branch in found}) > 1:
            raise Inexpressible("an event of the sequence may be of several categories")
    documents: list[Document] = []
    translations: list[Translation] = []
    products = [branch.product for branch in stages[0]]
    for product in products:
        chosen = [next((one for one in found if one.product == product), None) for found in stages]
        if None in chosen:
            raise Inexpressible("its events are not all of one system")
        made, used = _correlated(compiled, [one for one in chosen if one], version, several=len(products) > 1)
        documents += made
        translations += used
    return documents, translations


def _refuse(query: checked.CheckedQuery) -> None:
    """What correlations of Sigma do not have."""
    if query.kind is checked.QueryKind.SAMPLE:
        raise Inexpressible("a sample: Sigma's `temporal` asks for a time span, which a sample does not have")
    if query.until is not None:
        raise Inexpressible("`until`")
    if any(stage.missing for stage in query.stages):
        raise Inexpressible("a missing event (`![…]`)")
    if any(stage.runs != 1 for stage in query.stages):
        raise Inexpressible("`with runs`")
    if query.maxspan_ms is None:
        raise Inexpressible("a sequence without `maxspan`: a correlation needs a time span")
    if query.maxspan_ms % 1000:
        raise Inexpressible("a `maxspan` that is no whole number of seconds")
    keys = {key.field.path for stage in query.stages for key in stage.keys if key.field is not None}
    if arrays := sorted(keys & MULTI_VALUED):
        raise Inexpressible(f"a join on {', '.join(arrays)}, which holds several values: Sigma groups by single ones")
    if any(key.field is None or key.optional for stage in query.stages for key in stage.keys):
        raise Inexpressible("a join key that may be missing (`?field`)")


def _correlated(
    compiled: Compiled, chosen: list[Branch], version: AttackVersion, *, several: bool
) -> tuple[list[Document], list[Translation]]:
    rule = compiled.rule
    system = f"{chosen[0].product}" if several else ""
    names = [f"{_file_name(rule)}{'_' + system if system else ''}_{number}" for number in range(1, len(chosen) + 1)]
    bases = [
        _base(compiled, branch, version, suffix=f"{system or 'event'}/{number}", name=name)
        for number, (branch, name) in enumerate(zip(chosen, names, strict=True), 1)
    ]
    translations = [translation for _, translation in bases]
    group_by, aliases = _join(compiled.query, names, translations)
    maxspan = (compiled.query.maxspan_ms or 0) // 1000
    correlation: Document = {"type": "temporal_ordered", "rules": names}
    if aliases:
        correlation["aliases"] = aliases
    if group_by:
        correlation["group-by"] = group_by
    correlation["timespan"] = f"{maxspan // 60}m" if maxspan % 60 == 0 else f"{maxspan}s"
    head = _head(rule, version, suffix=system)
    if system:
        head["title"] = f"{rule.name} ({system})"
    tail = {"correlation": correlation, "falsepositives": _false_positives(rule), "level": str(rule.severity)}
    return [*(document for document, _ in bases), {**head, **tail}], translations


def _join(
    query: checked.CheckedQuery, names: list[str], translations: list[Translation]
) -> tuple[list[str], Mapping[str, Mapping[str, str]]]:
    """The fields to group by, and an alias where events are joined by fields of different names."""
    group_by: list[str] = []
    aliases: dict[str, dict[str, str]] = {}
    for keys in zip(*(stage.keys for stage in query.stages), strict=True):
        fields = [
            translation.name(key.field.path)
            for key, translation in zip(keys, translations, strict=True)
            if key.field is not None
        ]
        if len(set(fields)) == 1:
            group_by.append(fields[0])
            continue
        alias = f"join_{len(aliases) + 1}"
        aliases[alias] = dict(zip(names, fields, strict=True))
        group_by.append(alias)
    return group_by, aliases


def _head(rule: Rule, version: AttackVersion, *, suffix: str) -> Document:
    document = rule.document
    keeps = not suffix and _UUID.fullmatch(rule.id)
    identity = rule.id if keeps else str(uuid.uuid5(NAMESPACE, f"sigma/{rule.id}/{suffix}"))
    head: Document = {
        "title": rule.name,
        "id": identity,
        **({"related": [{"id": rule.id, "type": "derived"}]} if suffix and _UUID.fullmatch(rule.id) else {}),
        "status": "experimental" if rule.sidecar.confidence == "low" else "test",
        "description": str(document.get("description", rule.name)),
        "references": list(map(str, document.get("references") or ())),
        "author": ", ".join(map(str, document.get("author") or ())),
        "date": str(rule.metadata.get("creation_date", "")).replace("/", "-"),
        "modified": str(rule.metadata.get("updated_date", "")).replace("/", "-"),
        "tags": _tags(rule, version),
    }
    return {key: value for key, value in head.items() if value not in ("", [])}


def _tags(rule: Rule, version: AttackVersion) -> list[str]:
    entries = list(mapped(rule.document.get("threat") or (), version))
    tactics = dict.fromkeys(f"attack.{shortname(entry)}" for entry in entries)
    techniques = dict.fromkeys(f"attack.{entry.technique.lower()}" for entry in entries)
    return [*tactics, *techniques]


def _false_positives(rule: Rule) -> list[str]:
    return list(map(str, rule.document.get("false_positives") or ())) or ["Unknown"]


def _own(rule: Rule, approximations: list[str]) -> Document:
    own: Document = {"rule": rule.slug}
    if rule.sidecar.confidence:
        own["confidence"] = rule.sidecar.confidence
    if approximations:
        own["approximations"] = approximations
    return own


def _file_name(rule: Rule) -> str:
    return "".join(mark if mark.isalnum() else "_" for mark in rule.slug.lower())
