"""Command lines that are read without click: read alike, and with the same output and status."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contraband.cli import quick
from contraband.cli.commands import cli
from contraband.cli.scanning import scan
from contraband.detection.packages import samples_path
from contraband.detection.rules import Severity
from contraband.detection.severities import SEVERITIES
from shared import contraband

SAMPLE = str(samples_path() / "linux-lab.deb-sh-install.defend_new.ndjson")
COMMAND = cli.get_command(click.Context(cli), "scan")


def by_click(arguments: list[str]) -> dict[str, object] | None:
    assert COMMAND is not None
    try:
        return COMMAND.make_context("scan", list(arguments)).params
    except (click.ClickException, click.exceptions.Exit):
        return None


def test_every_option_is_known_with_its_kind() -> None:
    assert COMMAND is not None
    flags, values, repeated, choices = {}, {}, {}, {}
    for parameter in COMMAND.params:
        if not isinstance(parameter, click.Option) or parameter.name == "help":
            continue
        kind = flags if parameter.is_flag else repeated if parameter.multiple else values
        kind.update(dict.fromkeys(parameter.opts, parameter.name))
        if isinstance(parameter.type, click.Choice):
            choices[parameter.name] = tuple(parameter.type.choices)
    assert (flags, values, repeated) == (quick.FLAGS, quick.VALUES, quick.REPEATED)
    assert choices == {"form": quick.FORMS, "min_severity": SEVERITIES, "fail_on": SEVERITIES}
    assert tuple(map(str, Severity)) == SEVERITIES
    defaults = scan.__kwdefaults__
    given = by_click(["x"])
    assert given is not None
    assert {name: value for name, value in given.items() if name != "given"} == defaults


WORDS = st.sampled_from(
    [
        *quick.FLAGS,
        *quick.VALUES,
        *quick.REPEATED,
        *("a", "b.ndjson", "-", "--", "", "table", "high", "ndjson", "3", "-1", "٣", "03", "--threads=2", "--threads="),
        *(
            "--format=csv",
            "--rules=x",
            "--rules=",
            "-ox",
            "-o=x",
            "--quiet=1",
            "--help",
            "-h",
            "--unknown",
            "--format=x",
        ),
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(WORDS, max_size=6))
def test_what_is_read_is_what_click_reads(arguments: list[str]) -> None:
    mine = quick.scan_options(arguments)
    if mine is None:
        return
    theirs = by_click(arguments)
    assert theirs is not None
    assert {**scan.__kwdefaults__, **mine} == theirs


@pytest.mark.parametrize(
    "arguments",
    [["a"], ["a", "b", "--rules", "x", "--rules=y"], ["--format", "csv", "-o", "f", "-"], ["a", "--threads", "2"]],
)
def test_plain_lines_are_read(arguments: list[str]) -> None:
    assert quick.scan_options(arguments) is not None


def test_what_is_not_plain_is_left_to_click() -> None:
    for arguments in ([], ["--help"], ["scan", "--help"], ["scan"], ["scan", "a", "--form", "csv"], ["lint", "a"]):
        assert quick.run(arguments) is None


@pytest.mark.parametrize("form", ["ndjson", "table"])
def test_a_run_from_the_cache_loads_little(form: str) -> None:
    # A table is made from documents, which are read as JSON.
    unwanted = {"click", "dataclasses", "pathlib", "typing", "hashlib", "tomllib", "shutil"}
    unwanted |= {"re", "json"} if form == "ndjson" else set()
    program = (
        "import sys; from contraband.cli import quick; quick.run(['scan', *sys.argv[1:]]); "
        "print(*sys.modules, file=sys.stderr)"
    )
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-S", "-c", program, SAMPLE, "--quiet", "--format", form],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    assert set(done.stderr.decode().split()) & unwanted == set()


def test_output_and_status_are_those_of_click(tmp_path: Path) -> None:
    by_quick = contraband("scan", SAMPLE, "--quiet")
    # An abbreviated option is none of those that are read quickly, and this spelling is.
    assert (
        by_quick.stdout
        == contraband(
            "scan",
            SAMPLE,
            "--quiet",
            "--",
        ).stdout
        != b""
    )
    assert contraband("scan", SAMPLE, "--quiet", "--fail-on", "low").returncode == 1
    assert contraband("scan", SAMPLE, "--fail-on", "low", "-o/dev/null").returncode == 1
    for arguments in (["no-such-file"], [SAMPLE, "--rules", "no-such-rule"], [SAMPLE, "--from", "yesterday"]):
        quickly, slowly = contraband("scan", "--quiet", *arguments), contraband("scan", "--quiet", *arguments, "--")
        assert (quickly.returncode, quickly.stderr, quickly.stdout) == (2, slowly.stderr, slowly.stdout)
    output = tmp_path / "alerts"
    assert contraband("scan", SAMPLE, "-o", output).returncode == 0
    assert output.read_bytes() == by_quick.stdout


def test_all_output_is_written_before_the_end() -> None:
    program = f"{sys.executable} -c 'from contraband.cli import main; main()' scan --quiet {SAMPLE}"
    slow = subprocess.run(
        ["bash", "-c", f"{program} | (sleep 0.5; cat) | md5sum; {program} | md5sum"], capture_output=True, check=True
    )
    first, second = slow.stdout.split()[::2]
    assert first == second
    for way in (program, f"{program} --", program.replace("scan --quiet", "convert --to ndjson")):
        full = subprocess.run(["bash", "-c", f"{way} > /dev/full"], capture_output=True, check=False, text=True)
        assert full.returncode == 2
        assert full.stderr.splitlines()[-1] == "Error: the output could not be written: No space left on device"
        assert "Traceback" not in full.stderr
    closed = subprocess.run(["bash", "-c", f"{program} 2>&-"], capture_output=True, check=False)
    assert closed.returncode == 0
