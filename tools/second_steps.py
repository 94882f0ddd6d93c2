"""Writes the queries of the rules `windows-second-step-*` from those of the rules about what an installer starts itself.

    python tools/second_steps.py           writes them anew, after a rule that they are made of was changed
    python tools/second_steps.py --check   fails where one of them is not what it would be

Malware rarely acts from the installer's own child: a batch file, a script or the package's program stands between. Each of these rules asks
the grandchild what its model asks the child. Written by hand are `windows-installer-second-step`, from which the list of installers is taken,
and everything of a rule but its query.
"""

from __future__ import annotations

import re
import sys
import textwrap
import tomllib
from dataclasses import dataclass
from pathlib import Path

from contraband.eql.syntax import ast, parse

RULES = Path(__file__).resolve().parent.parent / "src/contraband/content/T1546.016/rules"
BY_HAND = "windows-installer-second-step"


@dataclass(frozen=True)
class Step:
    """A rule and what its second event is asked for."""

    name: str
    models: tuple[str, ...]
    further: str = ""
    """What it asks for beyond its models: a program two steps below an installer is more often the product itself."""


STEPS = (
    Step("windows-second-step-code-in-command", ("windows-installer-cradle", "windows-installer-encoded-powershell")),
    Step("windows-second-step-fetches", ("windows-installer-downloader", "windows-installer-decodes")),
    Step(
        "windows-second-step-proxy-execution",
        ("windows-installer-proxy-execution",),
        """\
/* the product's own runtime, started by the product itself: what it runs may lie with the user's data */
not (process.name : ("java.exe", "javaw.exe", "node.exe", "python*.exe") and process.executable : "?:\\\\Program Files*" and
     process.parent.executable : "?:\\\\Program Files*" and not process.parent.name : ("msiexec.exe", "node.exe", "python.exe"))""",
    ),
    Step("windows-second-step-odd-tool", ("windows-installer-odd-tool",)),
    Step("windows-second-step-defense-impairment", ("windows-installer-defense-impairment",)),
    Step(
        "windows-second-step-task",
        ("windows-engine-task",),
        """\
/* a program may register its own updater */
not (process.name : "schtasks.exe" and
     not process.command_line : ("*powershell*", "*pwsh*", "*wscript*", "*cscript*", "*mshta*", "*rundll32*",
       "*regsvr32*", "*\\\\Users\\\\Public\\\\*", "*PerfLogs*", "*/sc minute*"))""",
    ),
)

# A part of the list of installers, and shorter on purpose: what it leaves out raises a second alert of an act that the model's rule reports.
AN_INSTALLER_ITSELF = r"""
/* unless that is an installer itself: then the rule about the first step sees it */
not (process.parent.name : ("msiexec.exe", "MSI*.tmp", "*setup*.exe", "*install*.exe", "*.tmp", "choco.exe",
       "winget.exe", "ConfigurationRemotingServer.exe", "PsfLauncher*.exe") or
     process.parent.executable : ("*\\Temp\\{*}\\*", "*\\Temp\\WinGet\\*", "?:\\Users\\*\\Downloads\\*.exe") or
     ?process.parent.command_line : ("*\\Installer\\MSI*.tmp*", "*zzzzInvokeManagedCustomActionOutOfProc*",
       "*pip* install *", "*setup.py*install*", "*import*setuptools*"))""".strip()

_QUERY = re.compile(r"(?<=^query = ''')\n(?:.*?\n)?(?=''')", re.DOTALL | re.MULTILINE)


def query_of(step: Step) -> str:
    """The query of a rule of `STEPS`."""
    asked = [_asked(model) for model in step.models]
    content = asked[0] if len(asked) == 1 else "(" + " or\n".join(f"({one})" for one in asked) + ")"
    conditions = " and\n".join(filter(None, (content, step.further, AN_INSTALLER_ITSELF)))
    return f"""
sequence by host.id with maxspan=5m
  /* what an installer starts: a shell, a script, the package's own program */
  [process where host.os.type == "windows" and event.type == "start" and
{_indented(_installers())}] by process.pid
  /* and what that starts in its turn */
  [process where host.os.type == "windows" and event.type == "start" and
{_indented(conditions)}] by process.parent.pid
"""


def _installers() -> str:
    """What the first event of the rule that is written by hand asks for, as it stands there."""
    _, _, behind = _query(BY_HAND).partition('event.type == "start" and')
    return _dedented(behind[: behind.index("] by process.pid")].strip())


def _asked(model: str) -> str:
    """What a rule asks of a command: all that stands behind its list of installers."""
    query = _query(model)
    parsed = parse(query).query
    assert isinstance(parsed, ast.EventQuery)
    assert isinstance(parsed.filter.condition, ast.And)
    _system, _start, installers, *rest = parsed.filter.condition.operands
    assert rest, model
    behind = re.sub(r"\A[)\s]*and\s+", "", query[installers.span.end :])
    return f"/* as {model} of the first step */\n{_dedented(behind.strip())}"


def _dedented(text: str) -> str:
    first, _, rest = text.partition("\n")
    return f"{first}\n{textwrap.dedent(rest)}" if rest else first


def _indented(text: str) -> str:
    return textwrap.indent(text, "    ")


def _query(name: str) -> str:
    return str(tomllib.loads((RULES / name / "rule.toml").read_text(encoding="utf-8"))["rule"]["query"])


def main() -> None:
    """Write the queries, or check them."""
    checks = "--check" in sys.argv[1:]
    stale = []
    for step in STEPS:
        path = RULES / step.name / "rule.toml"
        before = path.read_text(encoding="utf-8")
        query = query_of(step)
        after = _QUERY.sub(lambda _, query=query: query, before, count=1)
        if after == before:
            continue
        stale.append(step.name)
        if not checks:
            path.write_text(after, encoding="utf-8")
    for name in stale:
        print(name)
    if stale and checks:
        sys.exit("these rules are not made of what they name: run python tools/second_steps.py")


if __name__ == "__main__":
    main()
