"""Finds what installer packages smuggle in: a detection for ATT&CK T1546.016, and Elastic's EQL over log files.

import contraband

rules = contraband.load_rules("T1546.016")
for alert in contraband.scan(["evidence/"], rules):
    print(alert["kibana.alert.reason"])
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # as type checkers know it; `typing` itself would be a tenth of a start
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from contraband.detection.rules import Loaded
    from contraband.detection.scan import Paths
    from contraband.diagnostics import CompileError
    from contraband.engine import EngineError, Result, SearchError, search

__all__ = ["CompileError", "EngineError", "Result", "SearchError", "__version__", "load_rules", "scan", "search"]

__version__ = "0.1.0"


def load_rules(name: str | os.PathLike[str] = "T1546.016") -> Loaded:
    """The rules that a name stands for: a package (`T1546.016`), its published rule (`T1546.016/published`), a rule, a file or a folder.

    Files that are no rule, or a rule in another language, are listed in the result beside `rules`.
    """
    from contraband.detection.packages import load_named

    return load_named(os.fspath(name))


def scan(
    paths: Paths,
    rules: Loaded | None = None,
    **limits: Any,
) -> Iterator[dict[str, Any]]:
    """Alerts of rules over files, folders (or the bytes of a file), as they are found; each a dict with flat dotted keys.

    What the command line would say on stderr comes as warnings: rules that do not compile, files that could not be read, faults.
    Raises ValueError if there is no rule to run, and `EngineError` for limits that mean nothing.

    `limits` are those of `contraband.engine.ScanOptions`: `since`, `until`, `hosts`, `strict`, `source`, `host_name`.
    """
    import warnings

    from contraband.detection.scan import alerts, prepare
    from contraband.engine import ScanOptions

    prepared = prepare(load_rules() if rules is None else rules)
    for problem in prepared.problems:
        warnings.warn(str(problem), stacklevel=2)
    if not prepared.rules:
        raise ValueError("no rule was loaded: a scan without rules finds nothing")
    return alerts(prepared, paths, ScanOptions(**limits))


def __getattr__(name: str) -> Any:
    """The engine is loaded when it is first used: `contraband --version` does not need it."""
    if name in ("search", "EngineError", "Result", "SearchError"):
        from contraband import engine

        return getattr(engine, name)
    if name == "CompileError":
        from contraband.diagnostics import CompileError

        return CompileError
    raise AttributeError(f"module `contraband` has no attribute `{name}`")
