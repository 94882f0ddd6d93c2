"""What a scan read and found, and what could not be used, on stderr."""

from __future__ import annotations

from contraband.cli.messages import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from contraband.detection.rules import Problem


def report_problems(problems: Iterable[Problem], *, most: int = 20) -> None:
    """Problems of rules, on stderr."""
    listed = list(problems)
    for problem in listed[:most]:
        say(f"warning: {problem}")
    if len(listed) > most:
        say(f"warning: {len(listed) - most} more rules with problems")


def report_faults(summary: Mapping[str, Any]) -> None:
    """What could not be read, on stderr: the first few faults of a kind, then how many more."""
    _report_errors(summary["files"])
    for path, kinds in summary["faults"].items():
        for kind, found in kinds.items():
            for record, offset, message in found["first"]:
                say(f"warning: {path}: record {record}, byte {offset}: {kind}: {message}")
            if found["count"] > len(found["first"]):
                say(f"warning: {path}: {found['count'] - len(found['first'])} more of kind: {kind}")


def report_summary(
    summary: Mapping[str, Any], seconds: float, *, rules: int | None = None, quiet: bool = False
) -> None:
    """What a scan read and found, on stderr; without a number of rules it was one query, which finds results and not alerts."""
    report_faults(summary)
    if quiet:
        return
    files = summary["files"]
    _report_files(files)
    records = sum(file["records"] for file in files)
    skipped = sum(file["skipped"] for file in files)
    size = sum(file["bytes"] for file in files)
    faults = sum(file["faults"] for file in files)
    alerts = sum(summary["alerts"].values())
    for rule, count in summary["failed"].items():
        say(f"warning: rule {rule} could not be computed for {count} events")
    if summary["excepted"]:
        say(f"{sum(summary['excepted'].values())} alerts left out by exceptions")
    if summary["without_time"]:
        say(f"{summary['without_time']} events without a timestamp can be part of no sequence")
    if summary["unseen"] and records and rules is not None:
        say(f"{len(summary['unseen'])} of {rules} rules could see nothing: no event of their indices, host and time")
    if (plain := summary["sources"].get("ecs")) and rules is not None:
        say(f"{plain:,} events of ECS from no sensor that is known; those without an index were offered to all rules")
    unknown = summary["sources"].get("unknown")
    if unknown and rules is not None:
        say(f"{unknown:,} events of unknown source; those without an index were offered to all rules")
        for event in summary["unclaimed"]:
            say(f"  {event['path']}: record {event['record']}, byte {event['offset']}: {event['reason']}")
    found = f"{alerts:,} results" if rules is None else f"{alerts:,} alerts of {rules} rules"
    say(
        f"{len(files)} files, {records:,} events ({skipped:,} passed over unread), {size / 1e6:,.1f} MB, {faults} faults, "
        f"{found} in {seconds:.2f} s"
    )


MOST_ERRORS = 5
"""So many files with the same error are named; more are counted."""

MOST_FILES = 12
"""So many files are listed one by one; of more, those that were recognised as the same are counted."""


def _report_errors(files: list[dict[str, Any]]) -> None:
    failed = [file for file in files if file["error"]]
    for error in dict.fromkeys(file["error"] for file in failed):
        same = [file["path"] for file in failed if file["error"] == error]
        for path in same[:MOST_ERRORS]:
            say(f"error: {path}: {error}")
        if len(same) > MOST_ERRORS:
            say(f"error: {len(same) - MOST_ERRORS} more files: {error}")


def _report_files(files: list[dict[str, Any]]) -> None:
    read = [file for file in files if not file["error"] or file["records"]]
    if len(read) <= MOST_FILES:
        for file in read:
            say(f"  {file['path']}: {file['recognised']}, {file['records']:,} records")
        return
    for kind in sorted({file["recognised"] for file in read}):
        same = [file for file in read if file["recognised"] == kind]
        say(f"  {len(same)} files recognised as {kind}: {sum(file['records'] for file in same):,} records")
