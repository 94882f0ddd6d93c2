"""Other platforms, by pySigma's backends (the extra `sigma`). Which backend and pipeline, and what it cannot express.

A rule that tests fields without a name in Sigma goes to Elastic's backends only: elsewhere such a test would never be met.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from contraband.detection.attack import AttackVersion
from contraband.detection.compiled import Compiled
from contraband.detection.rules import Rule
from contraband.export.sigma.rules import Document, SigmaRules, sigma_rules
from contraband.export.sigma.taxonomy import PRODUCTS
from contraband.export.source import Exported, Remark


class MissingExtra(Exception):
    """pySigma or the backend is not installed."""


@dataclass(frozen=True, slots=True)
class Platform:
    """A backend of pySigma and how it is called."""

    title: str
    backend: str
    """`module:class`."""
    pipelines: tuple[str, ...] = ()
    """`module:function`, in their order; those that end in `@PRODUCT` for rules of that system only."""
    ending: str = "txt"
    comment: str = "// {}"
    output_format: str | None = None
    ecs: bool = False
    """Reads ECS: our own pipeline is used, and fields without a name in Sigma are known."""
    aliases: bool = False
    """Joins events by fields of different names."""
    unordered: bool = False
    """Has correlations, but none that asks for an order: a sequence becomes events near one another, in any order."""


_WINDOWS = "@windows"
_SYSMON = "sigma.pipelines.sysmon:sysmon_pipeline"
PLATFORMS = {
    "elastic-eql": Platform("Elastic EQL", "sigma.backends.elasticsearch:EqlBackend", ending="eql", ecs=True),
    "elastic-esql": Platform(
        "Elastic ES|QL", "sigma.backends.elasticsearch:ESQLBackend", ending="esql", ecs=True, unordered=True
    ),
    "elastic-lucene": Platform(
        "Elastic Lucene", "sigma.backends.elasticsearch:LuceneBackend", ending="lucene", comment="/* {} */", ecs=True
    ),
    "opensearch": Platform(
        "OpenSearch", "sigma.backends.opensearch:OpensearchLuceneBackend", ending="lucene", comment="/* {} */", ecs=True
    ),
    "splunk": Platform(
        "Splunk SPL",
        "sigma.backends.splunk:SplunkBackend",
        (
            f"{_SYSMON}{_WINDOWS}",
            "contraband.export.sigma.sysmon_linux:sysmon_linux_pipeline@linux",
            f"sigma.pipelines.splunk:splunk_windows_pipeline{_WINDOWS}",
        ),
        ending="spl",
        comment="```{}```",
        aliases=True,
        unordered=True,
    ),
    "defender": Platform(
        "Microsoft Defender XDR (KQL)",
        "sigma.backends.kusto:KustoBackend",
        ("sigma.pipelines.microsoftxdr:microsoft_xdr_pipeline",),
        ending="kql",
    ),
    "sentinel": Platform(
        "Microsoft Sentinel, ASIM (KQL)",
        "sigma.backends.kusto:KustoBackend",
        ("sigma.pipelines.sentinelasim:sentinel_asim_pipeline",),
        ending="kql",
    ),
    "crowdstrike": Platform(
        "CrowdStrike LogScale",
        "sigma.backends.crowdstrike:LogScaleBackend",
        ("sigma.pipelines.crowdstrike:crowdstrike_falcon_pipeline",),
        ending="cql",
    ),
    "secops": Platform(
        "Google SecOps (UDM search)",
        "sigma.backends.secops:SecOpsBackend",
        ("sigma.pipelines.secops:secops_udm_pipeline",),
        ending="udm",
    ),
    "sumologic": Platform(
        "Sumo Logic Cloud SIEM",
        "sigma.backends.sumologic:SumoLogicCSEBackend",
        ("sigma.pipelines.sumologic:sumologic_cse_pipeline",),
        ending="json",
        comment="",
    ),
    "qradar": Platform(
        "IBM QRadar AQL",
        "sigma.backends.QRadarAQL:QRadarAQLBackend",
        ("sigma.pipelines.QRadarAQL:QRadarAQL_fields_pipeline",),
        ending="aql",
        comment="-- {}",
    ),
}


def export_platform(
    rules: Iterable[Compiled], name: str, version: AttackVersion
) -> tuple[list[Exported], list[Remark]]:
    """A file of queries for each rule, and the remarks. Raises `MissingExtra`."""
    platform = PLATFORMS[name]
    files: list[Exported] = []
    remarks: list[Remark] = []
    for compiled in rules:
        made = sigma_rules(compiled, version)
        queries, refused = _queries(made, platform)
        lost = not queries
        remarks += [Remark(made.rule.slug, f"{platform.title}: {reason}", lost=lost) for reason in refused]
        remarks += [] if lost else _by_name_only(made, platform)
        if platform.unordered and not lost and any("correlation" in document for document in made.documents):
            remarks.append(
                Remark(
                    made.rule.slug,
                    f"{platform.title}: the order of the events is not asked for, and time is cut into fixed spans",
                )
            )
        remarks += [remark for remark in made.remarks if not (platform.ecs and "kept as ECS" in remark.message)]
        if lost:
            continue
        heading = f"{platform.comment.format(_heading(made.rule))}\n" if platform.comment else ""
        files.append(
            Exported(f"{made.rule.slug}.{platform.ending}", "".join(f"{heading}{query}\n\n" for query in queries))
        )
    return files, remarks


def _by_name_only(made: SigmaRules, platform: Platform) -> Iterator[Remark]:
    """Systems for which the platform has no log source in its pipelines."""
    bound = {entry.partition("@")[2] for entry in platform.pipelines if "@" in entry}
    products = {document["logsource"].get("product") for document in made.documents if "logsource" in document}
    for product in sorted(filter(None, products - bound if bound else ())):
        yield Remark(
            made.rule.slug,
            f"{platform.title}: no log source for {product}; add yours, the fields are as Sigma names them",
        )


def _heading(rule: Rule) -> str:
    return f"{rule.name} ({rule.id}, {rule.severity})"


class Refused(Exception):
    """A rule that a platform cannot express, with the reason."""


def _queries(made: SigmaRules, platform: Platform) -> tuple[list[str], list[str]]:
    """The queries of a rule, and why some or all are missing. A rule for no system in particular is converted for each."""
    queries: list[str] = []
    refused: list[str] = []
    for product, documents in _by_product(made.documents, platform):
        try:
            queries += convert(replace(made, documents=documents), platform)
        except Refused as error:
            refused.append(f"{product}: {error}" if product else str(error))
    return queries, refused


def _by_product(documents: tuple[Document, ...], platform: Platform) -> Iterator[tuple[str, tuple[Document, ...]]]:
    general = [document for document in documents if "product" not in document.get("logsource", {"product": ""})]
    if not documents:
        return
    if platform.ecs or not general:
        yield "", documents
        return
    for product in PRODUCTS:
        yield (
            product,
            tuple(
                {**document, "logsource": {**document["logsource"], "product": product}}
                if document in general
                else document
                for document in documents
            ),
        )


def convert(made: SigmaRules, platform: Platform) -> list[str]:
    """The queries of Sigma documents. Raises `Refused`, `MissingExtra`; empty if there is no Sigma rule to convert."""
    if not made.documents:
        return []
    if made.ecs_only and not platform.ecs:
        raise Refused(f"no name there for {', '.join(sorted(made.ecs_only))}")
    correlations = [document["correlation"] for document in made.documents if "correlation" in document]
    if not platform.aliases and any("aliases" in correlation for correlation in correlations):
        raise Refused("its backend joins events by fields of one name only")
    collect = _load("sigma.collection:SigmaCollection").from_dicts
    backend = _load(platform.backend)(processing_pipeline=_pipeline(platform, made))
    try:
        collection = collect([_given(document, platform) for document in made.documents])
        found = backend.convert(collection, platform.output_format)
    except Exception as error:  # backends raise whatever their code meets in a construct that they were not written for
        raise Refused(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}") from None
    return [found] if isinstance(found, str) else [str(query) for query in found]


def _pipeline(platform: Platform, made: SigmaRules) -> Any:
    if platform.ecs:
        from contraband.export.sigma.ecs import ecs_pipeline

        return ecs_pipeline(eql=platform.ending == "eql")
    products = {document["logsource"].get("product") for document in made.documents if "logsource" in document}
    pipeline = _load("sigma.processing.pipeline:ProcessingPipeline")()
    for entry in platform.pipelines:
        path, _, product = entry.partition("@")
        if not product or products == {product}:
            pipeline += _load(path)()
    return pipeline


def _given(document: Document, platform: Platform) -> Document:
    """A document as the backend gets it: without our own attribute, which some backends would write out."""
    own = {key: value for key, value in document.items() if key != "contraband"}
    if platform.unordered and "correlation" in own:
        own["correlation"] = {**own["correlation"], "type": "temporal"}
    return own


def _load(path: str) -> Any:
    module, _, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise MissingExtra(f"{error}; the extra is missing: pip install 'contraband[sigma]'") from None
