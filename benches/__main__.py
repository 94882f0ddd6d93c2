"""`make bench`: runs the groups, checks each answer, prints tables and targets; fails where an answer is wrong.

A missed target does not fail: a loaded machine would. `benches/README.md` has the results.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benches import agreement
from benches.answers import inner_times
from benches.cases import Case, Group, Inputs, environment, groups
from benches.corpus import DATA
from benches.measure import Times, run
from benches.targets import TARGETS

EVENTS = 300_000


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benches", description="Benchmarks of whole processes; each answer is checked."
    )
    parser.add_argument("--size", type=float, default=1, help="1: 300,000 events, 750 MB; 10 adds the file of 7.5 GB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--elastic-rules", type=Path, help="the folder `rules` of Elastic's detection-rules")
    parser.add_argument("--evtx", type=Path, help="an event log whose chunks are repeated to 64 MB")
    parser.add_argument("--evtx-dump", default=shutil.which("evtx_dump"), help="cargo install evtx")
    parser.add_argument("--only", action="append", default=[], metavar="GROUP", help="repeatable")
    parser.add_argument("--no-agreement", action="store_true", help="leave out the untimed comparison of slices")
    return parser.parse_args()


def measure(group: Group, rounds: int, wrong: list[str]) -> dict[str, tuple[Case, Times]]:
    """Run the cases in turn, one warming round first; note wrong answers."""
    folder = DATA / "run"
    folder.mkdir(parents=True, exist_ok=True)
    taken: dict[str, list[float]] = {case.name: [] for case in group.cases}
    peaks = dict.fromkeys(taken, 0)
    processor = dict.fromkeys(taken, float("inf"))
    for turn in range(rounds + 1):
        for case in group.cases:
            wanted = case.rounds or rounds
            if turn > wanted or (not turn and wanted == 1):  # what is timed once is not warmed either
                continue
            done = run(list(case.argv), folder, environment())
            problem = (
                f"ended with {done.status}: {done.errors.read_text()[-300:]}"
                if done.status
                else case.check(done.output)
            )
            if problem:
                wrong.append(f"{group.name}: {case.name}: {problem}")
                print("WRONG", wrong[-1], file=sys.stderr)
                continue
            seconds, used = inner_times(done.output) if case.inner else (done.seconds, done.processor)
            peaks[case.name] = max(peaks[case.name], done.peak)
            processor[case.name] = min(processor[case.name], used)
            if turn:
                taken[case.name].append(seconds)
    return {
        case.name: (case, Times(tuple(taken[case.name]), processor[case.name], peaks[case.name]))
        for case in group.cases
        if taken[case.name]
    }


def table(group: Group, results: dict[str, tuple[Case, Times]]) -> None:
    """One group as a Markdown table; ratios are to its first case."""
    print(f"\n### {group.title}\n")
    print(
        "| | median s | least–most s | processor s | events/s | MB/s | peak MB | time to the first's |\n|---|---:|---:|---:|---:|---:|---:|---:|"
    )
    first = next((taken for _, taken in results.values()), None)
    for name, (case, taken) in results.items():
        events = f"{case.events / taken.median:,.0f}" if case.events > 1 else ""
        speed = f"{case.size / taken.median / 1e6:,.0f}" if case.events != 1 and case.size else ""
        ratio = f"{taken.median / first.median:.2f}" if first else ""
        spread = f"{taken.least:.3f}–{taken.most:.3f}"
        print(
            f"| {name} | {taken.median:.3f} | {spread} | {taken.processor:.2f} | {events} | {speed} | {taken.peak / 1e6:,.0f} | {ratio} |",
            flush=True,
        )


def print_targets(results: dict[tuple[str, str], tuple[Case, Times]]) -> None:
    """Each target by the clock and by processor seconds.

    The clock decides; on a machine with other work the second is what tells programs apart. Rates there are of one processor.
    """
    used = {
        key: (case, Times((taken.processor,), taken.processor, taken.peak)) for key, (case, taken) in results.items()
    }
    print("\n### Targets\n\n| | target | by the clock | | by processor seconds | |\n|---|---:|---:|---|---:|---|")
    for target in TARGETS:
        try:
            values = target.measure(results), target.measure(used)
        except KeyError:
            continue  # a case did not run here
        sign = "≥" if target.at_least else "≤"
        told = (f"{value:,.2f} {target.unit} | {'met' if target.met(value) else '**missed**'}" for value in values)
        print(f"| {target.text} | {sign} {target.limit:,} {target.unit} | {' | '.join(told)} |", flush=True)


def machine() -> str:
    """Where and with what this ran."""
    cpu = Path("/proc/cpuinfo")
    model = (
        next(
            (line.partition(":")[2].strip() for line in cpu.read_text().splitlines() if line.startswith("model name")),
            "",
        )
        if cpu.exists()
        else platform.processor()
    )
    names = []
    for package in ("contraband", "duckdb", "eql", "orjson"):
        try:
            names.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            names.append(f"{package} from the source tree")
    for tool in ("rg", "ausearch", "evtx_dump"):
        if found := shutil.which(tool):
            done = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
            names.append((done.stdout or done.stderr).splitlines()[0])
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {model}, {os.cpu_count()} processors{load}; Python {platform.python_version()}; {', '.join(names)}."


def main() -> int:
    """Run what was asked for; 1 where an answer was wrong."""
    asked = arguments()
    inputs = Inputs(
        events=int(EVENTS * min(asked.size, 1)),
        large=int(EVENTS * asked.size) if asked.size > 1 else None,
        elastic_rules=asked.elastic_rules,
        evtx=asked.evtx,
        evtx_dump=asked.evtx_dump,
        only=frozenset(asked.only),
    )
    wrong: list[str] = []
    print(machine(), flush=True)
    results: dict[tuple[str, str], tuple[Case, Times]] = {}
    for group in groups(inputs):
        measured = measure(group, asked.rounds, wrong)
        table(group, measured)
        results.update({(group.name, name): value for name, value in measured.items()})
    print_targets(results)
    if not asked.no_agreement:
        wrong += agreement.slow_path(inputs)
        print("\nBeside python-eql, on a slice:", *agreement.python_eql(inputs), sep="\n- ")
    for line in inputs.skipped:
        print(f"- skipped: {line}")
    print(*(f"WRONG: {line}" for line in wrong), sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
