"""What the help texts and README.md show is run: every example ends well and gives something."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from contraband.cli import COMMANDS, cli
from contraband.detection.packages import samples_path

ROOT = Path(__file__).parents[3]
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
    return subprocess.run(shell, shell=True, cwd=folder, capture_output=True, check=False, timeout=250)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with some evidence in it, and alerts of an earlier scan."""
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    for name in ("linux-lab.deb-sh-install.defend_new.ndjson", "endpoint-linux.benign-vendors-1.ndjson"):
        shutil.copy(samples_path() / name, evidence)
    ran = run("contraband scan evidence -o alerts.ndjson --quiet", tmp_path)
    assert ran.returncode == 0, ran.stderr.decode()
    alert = (tmp_path / "alerts.ndjson").read_text(encoding="utf-8").partition("\n")[0]
    (tmp_path / "alert.json").write_text(alert, encoding="utf-8")
    return tmp_path


def test_every_command_has_an_example() -> None:
    groups = {name for name in COMMANDS}
    assert {name.split()[0] for name, _ in EXAMPLES} == groups


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_example_of_a_help_text(name: str, example: str, folder: Path) -> None:
    assert example.startswith(f"contraband {name.split()[0]}")
    before = {path: path.stat().st_size for path in folder.rglob("*")}
    ran = run(example, folder)
    assert ran.returncode == 0, ran.stderr.decode()
    written = {path for path in folder.rglob("*") if path.is_file() and path not in before and path.stat().st_size}
    assert ran.stdout or written, "the example shows nothing"


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
    ran = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr.decode()
    assert b"created medium alert" in ran.stdout


def test_make_targets_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z]+)", README))
    assert named
    assert named <= targets


def test_output_of_the_readme_is_what_a_scan_shows() -> None:
    """The block of text in README.md: each line of it comes out of a scan of the samples."""
    (block,) = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    ran = run(f"contraband scan {shlex.quote(str(samples_path()))} --format table --quiet", ROOT)
    shown = [line.strip() for line in ran.stdout.decode().splitlines()]
    for line in block.strip().splitlines():
        if "from     " not in line:  # the path depends on the place
            assert any(one.startswith(line.strip()) for one in shown), line
