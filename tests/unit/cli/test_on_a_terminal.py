"""What commands print on terminals of 80, 120 and 200 columns: no line is wider but for code and single words."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import contraband
from contraband.cli import main
from contraband.detection.packages import load_package, package_path
from contraband.emulate import CommandResult, Run, load_emulations
from contraband.hunt import load_hunts
from contraband.output.terminal import Screen
from shared import contraband as program

ATOM = re.compile(r'(?:"""[^\n]*?"""|"(?:\\.|[^"\\])*"|`[^`]*`|\S)+')
STYLE = re.compile(r"\x1b\[[0-9;]*m")
LAB = "samples/linux-lab.deb-sh-install.defend_new.ndjson"
COMMANDS = [
    "show T1546.016",
    "show T1546.016 rule",
    "show T1546.016/published",
    "show T1546.016/linux-script-downloader",
    "show T1546.016/linux-descendant-downloads tuning",
    "show T1546.016 playbook",
    "show T1546.016 investigation",
    "show T1546.016 hunts",
    "show T1546.016/H1",
    "show T1546.016/H10",
    "show T1546.016 emulations",
    "show T1546.016 tuning",
    "show T1546.016 related",
    "hunt T1546.016 samples --only H1 --only H2",
    "emulate list",
    "emulate show T2",
    "coverage T1546.016/published windows-second-step-defense-impairment linux-hook-file macos-quiet-hidden-package",
    "coverage linux-script-downloader --telemetry samples",
    "test linux-script-downloader linux-build-step-descendant T1546.016/published",
    "lint linux-hook-file windows-soon-after-installer",
    "explain windows-second-step-task",
    f"explain linux-build-step {LAB} --line 15",
    f"explain linux-build-step-descendant {LAB}",
    "explain --rules T1546.016",
    f"explain --rules T1546.016 {LAB} --line 15",
]
# The folder that the package lies in, wherever a command is run.
PYTHONPATH = str(Path(contraband.__file__).parents[1])
WITH_COMMANDS = ("playbook", "investigation", "emulate show", "/H1")


class Terminal(io.StringIO):
    """A text stream that says it is one."""

    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch, width: int, command: str | list[str]) -> tuple[str, int]:
    """What a command writes to a terminal of so many columns, and its status."""
    output = Terminal()
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys, "stdout", output)
    with pytest.raises(SystemExit) as ended:
        main(command.split() if isinstance(command, str) else command)
    monkeypatch.undo()
    return output.getvalue(), int(ended.value.code or 0)


def piped(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, its output in a pipe."""
    done = program(*arguments, folder=folder, PYTHONPATH=PYTHONPATH)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_line_is_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch, width: int, command: str) -> None:
    text, status = on_terminal(monkeypatch, width, command)
    assert status == 0
    lines = STYLE.sub("", text).splitlines()
    assert len(lines) > 3
    code = any(part in command for part in WITH_COMMANDS)
    wide = [line for line in lines if len(line) > width and len(ATOM.findall(line)) > 1]
    assert [line for line in wide if not (code and line.startswith("    "))] == []


def test_a_real_terminal() -> None:
    pty = pytest.importorskip("pty")
    fcntl, struct, termios = pytest.importorskip("fcntl"), pytest.importorskip("struct"), pytest.importorskip("termios")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 72, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    script = "from contraband.cli import main; main(['show', 'T1546.016', 'related'])"
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=theirs,
        stdin=theirs,
        env={**environment, "PYTHONPATH": PYTHONPATH, "TERM": "xterm"},
    ) as process:
        os.close(theirs)
        read = b""
        try:
            while block := os.read(ours, 65536):
                read += block
        except OSError:
            pass  # Linux says so that the other side is closed
        os.close(ours)
    assert process.returncode == 0
    assert b"\x1b[1m" in read
    lines = STYLE.sub("", read.decode()).splitlines()
    assert 60 < max(map(len, lines)) <= 72


@pytest.mark.parametrize("part", ["playbook", "investigation"])
def test_code_of_a_document_can_be_copied(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    whole = piped("show", "T1546.016", part).stdout.splitlines()
    shown = STYLE.sub("", on_terminal(monkeypatch, 80, f"show T1546.016 {part}")[0])
    lines = shown.splitlines()
    commands = [line for line in whole if line.startswith("    ")]
    assert len(commands) > 15
    assert [line for line in commands if line not in lines] == []
    spans = re.findall(r"`[^`]+`", "\n".join(whole))
    assert [span for span in spans if span not in shown] == []
    assert " ".join(shown.split()) == " ".join("\n".join(whole).split())


def test_the_overview_tells_how_to_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    text, _ = on_terminal(monkeypatch, 80, "show T1546.016")
    plain = STYLE.sub("", text)
    assert all(re.search(rf"^  \S+ +{re.escape(rule.slug)}$", plain, re.MULTILINE) for rule in load_package().rules)
    named = re.findall(r"^  contraband (show \S+(?: [a-z]+)?)  ", plain, re.MULTILINE)
    assert len(named) == 11
    for command in named:
        if not command.endswith(" page"):
            ran = command.replace("RULE", load_package().rules[0].slug)
            assert on_terminal(monkeypatch, 80, ran)[1] == 0, ran


def test_one_rule_is_shown_by_its_name() -> None:
    shown = piped("show", "T1546.016/linux-descendant-downloads")
    assert shown.returncode == 0
    assert shown.stdout.startswith("# linux-descendant-downloads: Descendant of a Package Script")
    assert shown.stdout.count("\n# ") == 0
    assert "Exceptions that ship:" in shown.stdout
    assert piped("show", "linux-descendant-downloads").stdout == shown.stdout
    published = piped("show", "T1546.016/published").stdout
    assert published.startswith("# published: Installer Packages (as published)\n")
    wrong = piped("show", "T1546.016/linux-descendant-download")
    assert wrong.returncode == 2
    assert "`linux-descendant-downloads`" in wrong.stderr
    part = piped("show", "T1546.016/published", "playbook")
    assert part.returncode == 2
    assert "contraband show T1546.016 playbook" in part.stderr


def test_one_hunt_is_shown_with_its_queries() -> None:
    for hunt in load_hunts(package_path("T1546.016")):
        shown = piped("show", f"T1546.016/{hunt.id.lower()}").stdout
        assert shown.startswith(f"# {hunt.id}: {hunt.name}\n{hunt.question}\n")
        assert f"\n{hunt.eql.strip()}\n" in shown
        for _, query in hunt.elsewhere:
            assert all(f"\n    {line}".rstrip() in shown for line in query.splitlines())
    queries = "".join(piped("show", f"T1546.016/{name}").stdout for name in ("H1", "H2"))
    assert "Elasticsearch (ES|QL):" in queries
    assert "osquery's SQL):" in queries
    wrong = piped("show", "T1546.016/H99")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "there is no hunt H99; there are H1, " in wrong.stderr
    assert "contraband show T1546.016 playbook" in piped("show", "T1546.016/H1", "playbook").stderr


def test_tuning_says_each_thing_once() -> None:
    lines = piped("show", "T1546.016", "tuning").stdout.splitlines()
    sentences = [line for line in lines if line.startswith("- ")]
    assert len(sentences) == len(set(sentences)) > 1
    heads = [line for line in lines if re.match(r"  \S", line) and "(review" in line]
    assert len(heads) == len(set(heads)) > 5
    assert not any(" not is " in line for line in lines)
    assert any(" is not like " in line for line in lines)


@pytest.mark.parametrize("rules", [False, True])
def test_lint_without_a_name_says_what_to_give(tmp_path: Path, rules: bool) -> None:
    if rules:
        (tmp_path / "rule.toml").write_text("", encoding="utf-8")
    ran = piped("lint", folder=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ("contraband lint ." in ran.stderr) is rules
    assert "contraband lint T1546.016" in ran.stderr


def test_messages_are_wrapped_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    from contraband.cli.common import say

    errors = Terminal()
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys, "stderr", errors)
    say("  a message that is longer than the terminal is wide")
    assert errors.getvalue().splitlines() == ["  a message that is longer than the", "    terminal is wide"]


def test_an_explained_event_cannot_write_to_the_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    event = {"event": {"category": "process"}, "process": {"name": "a\x1b[2Jb\nc", "command_line": "x " * 90 + "\x07"}}
    path = tmp_path / "event.json"
    path.write_text(json.dumps(event), encoding="utf-8")
    query = 'process where process.name == "curl" and process.command_line : ("*one*", "*two*", "*three*", "*four*")'
    sequence = f"sequence with maxspan=1m [{query}] [any where true]"
    for arguments in (["explain", query], ["explain", sequence], ["explain", "--rules", "T1546.016"]):
        shown = STYLE.sub("", on_terminal(monkeypatch, 80, [*arguments, str(path)])[0])
        assert not re.search(r"[\x00-\x09\x0b-\x1f]", shown)
        assert "a␛[2Jb␊c" in shown
        whole = piped(*arguments, str(path)).stdout
        assert not re.search(r"[\x00-\x09\x0b-\x1f]", whole)
        assert "a␛[2Jb␊c" in whole
        assert [line for line in shown.splitlines() if len(line) > 80 and len(ATOM.findall(line)) > 1] == []
        assert max(map(len, whole.splitlines())) > 180


def test_a_recording_is_judged_within_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    text, status = on_terminal(monkeypatch, 38, f"emulate check T13 {LAB}")
    assert status == 1
    assert text.splitlines()[1:3] == ["MISSING       0  The script starts", "                 curl"]
    whole = piped("emulate", "check", "T13", LAB).stdout.splitlines()
    assert whole[1] == "MISSING       0  The script starts curl"
    assert " ".join(text.split()) == " ".join("\n".join(whole).split())


def test_what_an_emulation_printed_is_shown_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    from contraband.cli import emulate_command

    printed = "Reading database ...\nUnpacking " + "x" * 60 + "\n  done"
    now = datetime(2026, 1, 2, tzinfo=UTC)
    run = Run(load_emulations("T1546.016")[0], now, now, (CommandResult("run", "true", 0, printed),))
    monkeypatch.setattr(emulate_command, "run_in_scratch", lambda test, *, record: run)
    errors = Terminal()
    monkeypatch.setattr(sys, "stderr", errors)
    text, status = on_terminal(monkeypatch, 40, "emulate run T13 --scratch")
    assert status == 0
    assert errors.getvalue() == f"run: status 0\n{printed}\n"
    assert len(text.splitlines()) == 1


def test_no_colour_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" in on_terminal(monkeypatch, 80, "show T1546.016")[0]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in on_terminal(monkeypatch, 80, "show T1546.016")[0]
    assert Screen(80).strong("x") == "x"
