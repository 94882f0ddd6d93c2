"""`python -m tests.differential.fuzz --cases N`: reference and core on N generated cases, each difference at its smallest."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from .compare import Verdict, report, run
from .generator import make_case


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000, help="how many cases")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--stop-after", type=int, default=10, help="differences to show before giving up")
    options = parser.parse_args()
    counts: Counter[Verdict] = Counter()
    started = time.monotonic()
    for number in range(options.first, options.first + options.cases):
        case = make_case(number)
        verdict = run(case).verdict
        counts[verdict] += 1
        if verdict is Verdict.DIFFERENT:
            print(f"\n--- {report(number, case)}", flush=True)
            if counts[Verdict.DIFFERENT] >= options.stop_after:
                break
    lines = [f"{count:6} {verdict.value}" for verdict, count in counts.items()]
    print(f"\n{counts.total()} cases in {time.monotonic() - started:.0f} s", *lines, sep="\n")
    return 1 if counts[Verdict.DIFFERENT] else 0


if __name__ == "__main__":
    sys.exit(main())
