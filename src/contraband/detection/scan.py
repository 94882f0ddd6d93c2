"""Rules over telemetry: what `contraband scan` and `contraband.scan` do. Knows neither terminal nor output format."""

from __future__ import annotations

import os

from contraband.detection import plan_cache
from contraband.detection.material import material_of
from contraband.engine import Engine, EngineError, EngineOptions

TYPE_CHECKING = (
    False  # what is needed for types, or on the way to an entry only, is not loaded for a run from the cache
)
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    from contraband.detection.exceptions import Item
    from contraband.detection.rules import Loaded, Problem, Rule
    from contraband.engine import Scan, ScanOptions

    Paths: TypeAlias = Iterable[str | os.PathLike[str] | bytes] | str | os.PathLike[str] | bytes
    """Files and folders by path, or the bytes of a file; one, or several."""


class Prepared:
    """Rules ready to run: the engine that holds them, the rules by id, and what could not be loaded."""

    __slots__ = ("engine", "problems", "rules")

    def __init__(self, engine: Engine, rules: Mapping[str, Rule], problems: tuple[Problem, ...]) -> None:
        self.engine = engine
        self.rules = rules
        self.problems = problems


def prepare(
    loaded: Loaded,
    *,
    items: Sequence[Item] | None = (),
    min_severity: str | None = None,
    deprecated: bool = False,
    options: EngineOptions | None = None,
) -> Prepared:
    """Compile rules and load them. Those that do not compile are problems, the rest runs.

    `items` are exceptions beyond those that came with the rules; None applies no exceptions at all. Raises `InvalidException`.
    """
    entry = _compile(loaded, items, min_severity, deprecated=deprecated)
    return _loaded(entry, options)


def prepare_named(
    names: Sequence[str],
    load: Callable[[Sequence[str]], Loaded],
    *,
    cache: str | os.PathLike[str] | None,
    items: Sequence[Item] | None = (),
    min_severity: str | None = None,
    deprecated: bool = False,
    options: EngineOptions | None = None,
) -> Prepared:
    """`prepare` of what `load` gives for names, taken from the folder `cache` where it lies there already.

    `load` is called only if it does not.
    """

    def compiled() -> plan_cache.Entry:
        return _compile(load(names), items, min_severity, deprecated=deprecated)

    if cache is None:
        return _loaded(compiled(), options)
    severity = None if min_severity is None else str(min_severity)
    return _kept(os.fspath(cache), names, (items, severity, deprecated), compiled, options)


def _kept(
    cache: str,
    names: Sequence[str],
    choices: tuple[object, ...],
    compiled: Callable[[], plan_cache.Entry],
    options: EngineOptions | None,
) -> Prepared:
    from contextlib import suppress

    from contraband.detection.file_state import FileState

    def key() -> str | None:
        try:
            files = (file for name in names for file in material_of(name))
            return plan_cache.key_of(files, (tuple(names), *choices))
        except OSError:
            return None  # loading says what is wrong

    def stored(key: str) -> Prepared | None:
        entry = plan_cache.read(cache, key, lambda: compiled().rules)
        try:
            return None if entry is None else _loaded(entry, options)
        except EngineError:
            return None  # made for another core: compile again

    state = FileState(cache, names, choices)
    known = state.key()
    if known is not None and (prepared := stored(known)) is not None:
        return prepared
    with suppress(OSError):  # as above
        state.look()
    before = key()
    prepared = None if before is None else stored(before)
    if prepared is None:
        entry = compiled()
        prepared = _loaded(entry, options)
        # A file that was changed meanwhile must not be remembered under its old content.
        if before is None or key() != before:
            return prepared
        entry.stored = prepared.engine.stored()
        plan_cache.write(cache, before, entry)
    if before is not None:
        state.keep(before)
    return prepared


def _compile(
    loaded: Loaded, items: Sequence[Item] | None, min_severity: str | None, *, deprecated: bool
) -> plan_cache.Entry:
    """Everything that need not be done twice for the same rules."""
    import json

    from contraband.detection.compiled import compile_rules, engine_rule
    from contraband.detection.routing import declarations
    from contraband.detection.rules import Severity
    from contraband.engine import rule_set_json

    least = -1 if min_severity is None else Severity(min_severity).rank
    chosen = [rule for rule in loaded.rules if (deprecated or not rule.deprecated) and rule.severity.rank >= least]
    compiled, problems = compile_rules(chosen, [] if items is None else [*own_exceptions(loaded), *items])
    return plan_cache.Entry(
        rule_set_json([engine_rule(entry) for entry in compiled]),
        {entry.rule.id: entry.rule for entry in compiled},
        (*loaded.problems, *problems),
        json.dumps(declarations()).encode(),
    )


def _loaded(entry: plan_cache.Entry, options: EngineOptions | None) -> Prepared:
    options = (options or EngineOptions()).declaring(entry.declarations)
    return Prepared(Engine.from_json(entry.rule_set, options, entry.stored), entry.rules, entry.problems)


def own_exceptions(loaded: Loaded) -> Iterator[Item]:
    """The exceptions that came with rules: those of an export, and those in a rule's own folder, which are for it alone."""
    from dataclasses import replace

    from contraband.detection.exceptions import items_of_export, load_items

    yield from items_of_export(loaded.exceptions)
    for rule in loaded.rules:
        if rule.path is None or rule.path.name != "rule.toml":
            continue
        path = rule.path.with_name("exceptions.toml")
        if path.exists():
            yield from (replace(item, rules=(rule.id,), list_id="") for item in load_items(path))


def start(prepared: Prepared, paths: Paths, options: ScanOptions | None = None) -> Scan:
    """Start reading; iterate over the result."""
    if isinstance(paths, str | bytes | os.PathLike):
        paths = [paths]  # one path is no list of letters
    inputs = [path if isinstance(path, bytes) else os.fspath(path) for path in paths]
    return prepared.engine.scan(inputs, options)


def alerts(prepared: Prepared, paths: Paths, options: ScanOptions | None = None) -> Iterator[dict[str, Any]]:
    """The alerts, as they are found."""
    return _documents(start(prepared, paths, options))


def _documents(scan: Scan) -> Iterator[dict[str, Any]]:
    yield from scan.documents()
    _warn(scan.summary())


def _warn(summary: Mapping[str, Any]) -> None:
    """What was not read, as warnings: a scan that passes over evidence in silence would look like one that found nothing."""
    import warnings

    files = summary["files"]
    for file in files:
        if file["error"]:
            warnings.warn(f"{file['path']}: {file['error']}", stacklevel=3)
        elif file["faults"]:
            warnings.warn(f"{file['path']}: {file['faults']} faults", stacklevel=3)
    if not any(file["parsed"] + file["skipped"] or file["error"] for file in files):
        warnings.warn("no event was read", stacklevel=3)
    elif missing := missing_hosts(summary):
        warnings.warn(missing, stacklevel=3)


_MOST_HOSTS = 5


def missing_hosts(summary: Mapping[str, Any]) -> str:
    """What to say of the hosts that a scan was limited to and that no event is of, and whose events there are; nothing where all have some."""
    hosts = summary.get("hosts")
    if not hosts:
        return ""
    from contraband.diagnostics import visible

    names, others = ([f"`{visible(name)}`" for name in hosts[key]] for key in ("missing", "others"))
    more = ", …" if len(others) > _MOST_HOSTS else ""
    there_are = f"; there are events of {', '.join(others[:_MOST_HOSTS])}{more}" if others else ""
    return f"no event is of host {', '.join(names)}{there_are}"
