"""Answers that are too slow to ask of everyone at full size: held against a slower path and against python-eql on a slice. Untimed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benches import answers, corpus
from benches.cases import CONTRABAND, QUICK_EVENTS, Inputs, environment
from benches.corpus import DATA

SLOW = ("--strict", "--threads", "1", "--no-cache")
SLICE = 20_000


def _scan(path: Path, *more: str) -> Path:
    out = DATA / "run" / f"agreement-{abs(hash(more))}"
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("wb") as stream:
        argv = (*CONTRABAND, "scan", str(path), "--format", "ndjson", "--quiet", *more)
        subprocess.run(argv, stdout=stream, stderr=subprocess.DEVNULL, env=environment(), check=True)
    return out


def slow_path(inputs: Inputs) -> Iterator[str]:
    """The whole package, and all of Elastic's rules where they are: the same bytes with the filter off and on one thread."""
    rules: list[tuple[str, ...]] = [()]
    if inputs.elastic_rules:
        rules.append(("--rules", str(inputs.elastic_rules)))
    for kind in ("installer", "every"):
        path, _ = corpus.ensure(kind, SLICE, DATA)
        for given in rules:
            if _scan(path, *given).read_bytes() != _scan(path, *given, *SLOW).read_bytes():
                yield f"{kind}, {given or 'whole package'}: other alerts with the filter off and one thread"


def python_eql(inputs: Inputs) -> Iterator[str]:
    """Rule for rule the events that python-eql's engine finds; differences are told, not failed: the languages differ."""
    if not inputs.elastic_rules:
        return
    path, _ = corpus.ensure("every", QUICK_EVENTS, DATA)
    argv = (sys.executable, "-m", "benches.rivals.python_eql", str(path), str(inputs.elastic_rules))
    done = subprocess.run(argv, capture_output=True, env=environment(), check=True)
    theirs = json.loads(done.stdout)
    ours = answers.events_of_rules(_scan(path, "--rules", str(inputs.elastic_rules), "--deprecated", "--no-routing"))
    same = 0
    for rule, ids in sorted(theirs["hits"].items()):
        if set(ids) == ours.get(rule, set()):
            same += 1
        else:
            yield f"rule {rule}: python-eql {len(set(ids)):,} events, contraband {len(ours.get(rule, set())):,}"
    rate = QUICK_EVENTS / theirs["seconds"]
    yield f"{same} of {theirs['rules']} rules agree; {theirs['left_out']} left out; python-eql reads {rate:,.0f} events/s with them"
