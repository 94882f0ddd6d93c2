"""Rules over telemetry: what `contraband scan` and `contraband.scan` do. Knows neither terminal nor output format."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from contraband.detection.compiled import Compiled, compile_rules, engine_rule
from contraband.detection.exceptions import Item, items_of_export, load_items
from contraband.detection.routing import routes
from contraband.detection.rules import Loaded, Problem, Rule, Severity
from contraband.engine import Engine, EngineOptions, Scan, ScanOptions


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rules ready to run: the engine that holds them, and what could not be loaded."""

    engine: Engine
    compiled: tuple[Compiled, ...]
    problems: tuple[Problem, ...]

    @property
    def rules(self) -> dict[str, Rule]:
        """The rules by id."""
        return {entry.rule.id: entry.rule for entry in self.compiled}


def prepare(
    loaded: Loaded,
    *,
    items: Sequence[Item] | None = (),
    min_severity: Severity | None = None,
    deprecated: bool = False,
    options: EngineOptions | None = None,
) -> Prepared:
    """Compile rules and load them. Those that do not compile are problems, the rest runs.

    `items` are exceptions beyond those that came with the rules; None applies no exceptions at all. Raises `InvalidException`.
    """
    chosen = [
        rule
        for rule in loaded.rules
        if (deprecated or not rule.deprecated) and (min_severity is None or rule.severity.rank >= min_severity.rank)
    ]
    compiled, problems = compile_rules(chosen, [] if items is None else [*own_exceptions(loaded), *items])
    options = replace(options or EngineOptions(), declarations=[route.as_data() for route in routes()])
    return Prepared(
        Engine([engine_rule(entry) for entry in compiled], options), compiled, (*loaded.problems, *problems)
    )


def own_exceptions(loaded: Loaded) -> Iterator[Item]:
    """The exceptions that came with rules: those of an export, and those in a rule's own folder, which are for it alone."""
    yield from items_of_export(loaded.exceptions)
    for rule in loaded.rules:
        if rule.path is None or rule.path.name != "rule.toml":
            continue
        path = rule.path.with_name("exceptions.toml")
        if path.exists():
            yield from (replace(item, rules=(rule.id,), list_id="") for item in load_items(path))


def start(
    prepared: Prepared, paths: Iterable[str | os.PathLike[str] | bytes], options: ScanOptions | None = None
) -> Scan:
    """Start reading; iterate over the result."""
    inputs = [path if isinstance(path, bytes) else os.fspath(path) for path in paths]
    return prepared.engine.scan(inputs, options)


def alerts(
    prepared: Prepared, paths: Iterable[str | os.PathLike[str] | bytes], options: ScanOptions | None = None
) -> Iterator[dict[str, Any]]:
    """The alerts, as they are found."""
    return start(prepared, paths, options).documents()
