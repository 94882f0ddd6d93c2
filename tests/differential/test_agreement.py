"""Reference and core agree on generated queries over generated events. `make fuzz` tries many more."""

from __future__ import annotations

from collections import Counter

from .compare import Verdict, report, run
from .generator import make_case

CASES = 2_500


def test_reference_and_core_agree() -> None:
    counts: Counter[Verdict] = Counter()
    for number in range(CASES):
        case = make_case(number)
        verdict = run(case).verdict
        counts[verdict] += 1
        assert verdict is not Verdict.DIFFERENT, report(number, case)
    # The comparison says something only while most cases are queries that run, and many find something.
    assert counts[Verdict.REJECTED] < CASES / 20
    assert counts[Verdict.FOUND] > CASES / 5
    assert counts[Verdict.FAILED] > 0
