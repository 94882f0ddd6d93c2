"""The compiled core, loaded and run: the only package that knows it."""

from contraband._core import PLAN_VERSION as CORE_PLAN_VERSION
from contraband._core import decode, function_names, source_names
from contraband.engine.options import EngineOptions, ScanOptions
from contraband.engine.rule_set import CompiledRule, rule_set_json
from contraband.engine.scan import Engine, EngineError, Scan
from contraband.engine.search import Result, SearchError, search

__all__ = [
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
