"""What import-linter cannot see: who loads the compiled core, and that both halves speak of the same things."""

from __future__ import annotations

import re
from pathlib import Path

import contraband
from contraband import _core
from contraband.eql.functions import FUNCTIONS
from contraband.plan import PLAN_VERSION

SOURCE = Path(contraband.__file__).parent


def test_only_the_engine_imports_the_core() -> None:
    importers = {
        path.relative_to(SOURCE).parts[0]
        for path in SOURCE.rglob("*.py")
        if re.search(r"contraband\._core|from contraband import _core", path.read_text(encoding="utf-8"))
    }
    assert importers == {"engine"}


def test_only_the_command_line_reads_the_environment() -> None:
    readers = {
        path.relative_to(SOURCE).parts[0]
        for path in SOURCE.rglob("*.py")
        if re.search(r"os\.environ|os\.getenv|\bprint\(|sys\.exit", path.read_text(encoding="utf-8"))
        and "content" not in path.relative_to(SOURCE).parts
        and path != SOURCE / "__init__.py"  # prints in its example only
    }
    assert readers == {"cli"}


def test_both_halves_know_the_same_functions_and_plan() -> None:
    # The arithmetic functions are operators by the time a plan is made, so the core may know them or not.
    assert {name.lower() for name in FUNCTIONS} == {name.lower() for name in _core.function_names()}
    assert _core.PLAN_VERSION == PLAN_VERSION


def test_public_names_exist() -> None:
    assert all(getattr(contraband, name) is not None for name in contraband.__all__)
