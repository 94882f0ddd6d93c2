"""How `contraband scan --profile` shows what each rule took."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from contraband.cli.common import say
from contraband.detection.rules import Rule

MOST = 30
"""So many rules are shown; JSON has all of them."""


def report_profile(summary: Mapping[str, Any], rules: Mapping[str, Rule], *, as_json: bool) -> None:
    """The rules by the time in their conditions, on stderr: a table, or one line of JSON with all of them."""
    profile = summary.get("profile")
    if profile is None:
        return  # nothing was read
    took = sorted(profile["rules"].items(), key=lambda entry: (-entry[1]["nanoseconds"], entry[0]))
    if as_json:
        names = [{"rule_id": rule, "rule": rules[rule].name, **_of(rule, entry, summary)} for rule, entry in took]
        say(json.dumps({"profile": {"events": profile["events"], "reaching_ns": profile["reaching"], "rules": names}}))
        return
    total = sum(entry["nanoseconds"] for _, entry in took)
    say(
        f"profile: {profile['events']:,} events evaluated; {_milliseconds(profile['reaching'])} to find out which conditions to try, "
        f"{_milliseconds(total)} in the conditions of {len(took):,} of {len(rules):,} rules (all threads together)"
    )
    say("      time   share  evaluations  candidates   alerts  rule")
    for rule, entry in took[:MOST]:
        share = entry["nanoseconds"] / total if total else 0
        say(
            f"{_milliseconds(entry['nanoseconds']):>10}  {share:6.1%}  {entry['evaluations']:11,}  {entry['candidates']:10,}  "
            f"{summary['alerts'].get(rule, 0):7,}  {rules[rule].name}"
        )
    if len(took) > MOST:
        rest = sum(entry["nanoseconds"] for _, entry in took[MOST:])
        say(f"{_milliseconds(rest):>10}  {rest / total if total else 0:6.1%}  {len(took) - MOST:,} more rules")
    say("a term that several rules have counts for the first of them that asks for it")


def _of(rule: str, entry: Mapping[str, int], summary: Mapping[str, Any]) -> dict[str, int]:
    return {
        "time_ns": entry["nanoseconds"],
        "evaluations": entry["evaluations"],
        "candidates": entry["candidates"],
        "alerts": summary["alerts"].get(rule, 0),
    }


def _milliseconds(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e6:,.2f} ms"
