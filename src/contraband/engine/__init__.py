"""The compiled core, loaded and run: the only package that knows it."""

from __future__ import annotations

from contraband import _core
from contraband._core import PLAN_VERSION as CORE_PLAN_VERSION
from contraband._core import decode, function_names, source_names
from contraband.engine.options import EngineOptions, ScanOptions
from contraband.engine.scan import Engine, EngineError, Scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contraband.engine.query import Result, SearchError, search
    from contraband.engine.rule_set import CompiledRule, rule_set_json

CORE_FILE = _core.__file__
"""Where the core lies."""

__all__ = [
    "CORE_FILE",
    "CORE_PLAN_VERSION",
    "CompiledRule",
    "Engine",
    "EngineError",
    "EngineOptions",
    "Result",
    "Scan",
    "ScanOptions",
    "SearchError",
    "decode",
    "function_names",
    "rule_set_json",
    "search",
    "source_names",
]


def __getattr__(name: str) -> object:
    """What a rule set that is compiled already does not need is loaded when it is first used."""
    if name in ("CompiledRule", "rule_set_json"):
        from contraband.engine import rule_set

        return getattr(rule_set, name)
    if name in ("Result", "SearchError", "search"):
        from contraband.engine import query

        return getattr(query, name)
    raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
