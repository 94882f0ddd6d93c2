"""The reference and the core agree on generated queries and events."""

from __future__ import annotations

import pytest

from differential.fuzz import run


@pytest.mark.parametrize("part", range(4))
def test_reference_and_core_agree(part: int) -> None:
    ran, differences = run(500, first=part * 1_000_000)
    assert ran == 500
    assert not differences, "\n\n".join(differences)
