"""The command lines that need no parser: `--version`, and `scan` with options that are written out. Loading click and what it loads takes longer
than reading a small file.

Whatever is not plainly right is left to click, which knows help, short forms and what is wrong.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

FLAGS = {
    "--no-exceptions": "no_exceptions",
    "--no-routing": "no_routing",
    "--no-enrich": "no_enrich",
    "--strict": "strict",
    "--allow-empty": "allow_empty",
    "--deprecated": "deprecated",
    "--sorted": "is_sorted",
    "--profile": "profile",
    "--profile-json": "profile_json",
    "--no-cache": "no_cache",
    "--quiet": "quiet",
}
VALUES = {
    "--format": "form",
    "-o": "output",
    "--output": "output",
    "--from": "since",
    "--to": "until",
    "--min-severity": "min_severity",
    "--fail-on": "fail_on",
    "--source": "source",
    "--host-name": "host_name",
    "--threads": "threads",
}
REPEATED = {"--rules": "names", "--host": "hosts", "--exceptions": "exception_folders"}
FORMS = ("table", "ndjson", "csv", "sarif", "timesketch")


def run(arguments: Sequence[str]) -> int | None:
    """The exit status, or None for what click has to read."""
    if list(arguments) == ["--version"]:
        return _version()
    if not arguments or arguments[0] != "scan":
        return None
    given = scan_options(arguments[1:])
    if given is None:
        return None
    from contraband.cli.scanning import scan

    return scan(**given)


def _version() -> int:
    from contraband.cli.messages import show
    from contraband.cli.version import versions

    show(versions())
    return 0


def scan_options(arguments: Sequence[str]) -> dict[str, Any] | None:
    """What `scanning.scan` is called with; None where anything is not plain."""
    options: dict[str, Any] = {}
    paths: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if not argument.startswith("-") or argument == "-":
            paths.append(argument)
        elif argument in FLAGS:
            options[FLAGS[argument]] = True
        else:
            name, joined, value = argument.partition("=") if argument.startswith("--") else (argument, "", "")
            value = value if joined else next(rest, "")
            if not value or value.startswith("-"):
                return None
            if name in REPEATED:
                options.setdefault(REPEATED[name], []).append(value)
            elif name in VALUES and VALUES[name] not in options:
                options[VALUES[name]] = value
            else:
                return None
    return _checked(options, paths)


def _checked(options: dict[str, Any], paths: list[str]) -> dict[str, Any] | None:
    from contraband.detection.severities import SEVERITIES

    if not paths or "" in paths:
        return None
    for name, choices in (("form", FORMS), ("min_severity", SEVERITIES), ("fail_on", SEVERITIES)):
        if name in options and options[name] not in choices:
            return None
    if "threads" in options:
        if not (options["threads"].isascii() and options["threads"].isdecimal()):
            return None
        options["threads"] = int(options["threads"])
    for name in REPEATED.values():
        if name in options:
            options[name] = tuple(options[name])
    return {**options, "given": tuple(paths)}
