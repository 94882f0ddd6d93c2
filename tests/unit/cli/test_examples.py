"""What the help texts and README.md show is run: every example ends well and gives something."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

import contraband
from contraband.cli import COMMANDS, cli
from contraband.detection.packages import samples_path

ROOT = Path(__file__).parents[3]
# The folder that the package lies in, wherever an example is run.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(contraband.__file__).parents[1])}
README = (ROOT / "README.md").read_text(encoding="utf-8")


def all_commands() -> dict[str, click.Command]:
    """Name to command, the commands below groups included."""
    found: dict[str, click.Command] = {}
    with click.Context(cli) as context:
        for name in COMMANDS:
            command = cli.get_command(context, name)
            assert command is not None
            found[name] = command
            if isinstance(command, click.Group):
                found |= {f"{name} {below}": each for below, each in command.commands.items()}
    return found


def examples(command: click.Command) -> list[str]:
    """The lines of a help text that start with the program's name, a backslash joining lines."""
    text = re.sub(r"\\\n\s*", "", command.help or "")
    return [line.strip() for line in text.splitlines() if line.strip().startswith("contraband ")]


EXAMPLES = [(name, example) for name, command in all_commands().items() for example in examples(command)]


def run(line: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """A line of a shell with our program, `|` and `>`, in a folder."""
    program = shlex.join([sys.executable, "-c", "from contraband.cli import main; main()"])
    shell = re.sub(r"(^|\| )contraband ", lambda match: f"{match[1]}{program} ", line)
    return subprocess.run(shell, shell=True, cwd=folder, env=ENVIRONMENT, capture_output=True, check=False, timeout=250)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with some evidence in it."""
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    for name in ("linux-lab.deb-sh-install.defend_new.ndjson", "endpoint-linux.benign-vendors-1.ndjson"):
        shutil.copy(samples_path() / name, evidence)
    return tmp_path


def test_every_command_has_an_example() -> None:
    assert {name.split()[0] for name, _ in EXAMPLES} == set(COMMANDS)


@pytest.mark.parametrize("name", dict.fromkeys(name.split()[0] for name, _ in EXAMPLES))
def test_examples_of_a_help_text(name: str, folder: Path) -> None:
    """The examples of one command, and of those below it, one after the other: a later one may read what an earlier one wrote."""
    for owner, example in EXAMPLES:
        if owner.split()[0] != name:
            continue
        before = set(folder.rglob("*"))
        ran = run(example, folder)
        assert ran.returncode == 0, f"{example}\n{ran.stderr.decode()}"
        written = {path for path in folder.rglob("*") if path.is_file() and path not in before and path.stat().st_size}
        assert ran.stdout or written, f"{example} shows nothing"


SHOWN = re.findall(r"^\| `(contraband [^`]*)`", README, re.MULTILINE)


def test_the_readme_names_every_command() -> None:
    assert {line.split()[1] for line in SHOWN} == set(COMMANDS)


@pytest.mark.parametrize("line", SHOWN)
def test_command_of_the_readme(line: str, folder: Path) -> None:
    ran = run(line, folder)
    assert ran.returncode == 0, ran.stderr.decode()
    assert ran.stdout


def test_python_of_the_readme(folder: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=ENVIRONMENT, capture_output=True, check=False, timeout=120
    )
    assert ran.returncode == 0, ran.stderr.decode()
    assert b"created medium alert" in ran.stdout


def test_make_targets_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z]+)", README))
    assert named
    assert named <= targets


def test_output_of_the_readme_is_what_a_scan_shows() -> None:
    """The alert that README.md shows, but for what the rule is called and rated: a scan of the file that it names gives it."""
    (block,) = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    (path,) = re.findall(r"from +(\S+), record", block)
    ran = run(f"contraband scan {path} --format table --quiet", ROOT)
    shown = [line.strip() for line in ran.stdout.decode().splitlines()]
    for line in block.strip().splitlines():
        if re.match(r"\s+(time|process|command|parent) ", line) or not line.startswith(" "):
            assert line.strip() in shown
