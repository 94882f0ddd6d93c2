"""`docs/T1546.016.md` is what the package says today. `pytest --accept` (`make accept`) writes it anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from contraband.output.page import package_page

PAGE = Path(__file__).parents[3] / "docs" / "T1546.016.md"


def test_the_page_is_true(request: pytest.FixtureRequest) -> None:
    made = package_page("T1546.016")
    if request.config.getoption("--accept"):
        PAGE.write_text(made, encoding="utf-8", newline="\n")
    assert PAGE.read_text(encoding="utf-8") == made, "run `make accept` and review the difference"


def test_it_carries_every_rule_and_part() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for heading in (
        "## Measured",
        "## Sources",
        "## Rules",
        "## Emulations",
        "## Hunts",
        "## Related",
        "### published",
    ):
        assert f"\n{heading}\n" in text
    assert text.count("```") % 2 == 0
