"""A small rule repository in its owner's CI: the pre-commit hook, the GitHub Action, the pytest plug-in, `contraband test` with SigmaHQ cases."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml

from contraband.detection.packages import samples_path

ROOT = Path(__file__).resolve().parents[2]

QUERY = 'process where host.os.type == "linux" and event.type == "start" and process.name : "curl" and ?process.parent.args : "/var/lib/dpkg/info/*"'
RULE = f"""
[metadata]
creation_date = "2026/01/01"
maturity = "production"
updated_date = "2026/01/01"

[rule]
author = ["Somebody"]
description = "curl below a Debian script"
name = "Debian Script Downloads"
risk_score = 47
rule_id = "6a3d3d2e-3f4f-4a0e-9a55-0d8f6f1f2b11"
severity = "medium"
type = "eql"
language = "eql"
query = '''
{QUERY}
'''
"""
CASES = """
[[case]]
name = "a script that fetches"
telemetry = ["telemetry/attack.ndjson"]
source = "endpoint-linux"
truth = "attack"
basis = "captured"
why = "curl is a child of the script."

[[case]]
name = "an ordinary installation"
telemetry = ["telemetry/benign.ndjson"]
source = "endpoint-linux"
truth = "benign"
basis = "captured"
"""
INFO = """
id: 2c1f2a53-6a5e-4f0e-8a57-8c4dd4d4b9b1
description: curl below a Debian script
date: 2026-01-01
author: Somebody
rule_metadata:
  - id: 6a3d3d2e-3f4f-4a0e-9a55-0d8f6f1f2b11
    title: Debian Script Downloads
regression_tests_info:
  - name: positive
    type: json
    provider: endpoint
    match_count: {count}
    path: regression_data/curl/attack.ndjson
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One rule in a folder of its own, one as a loose file with its cases beside it."""
    folder = tmp_path / "rules" / "debian-script-downloads"
    (folder / "telemetry").mkdir(parents=True)
    (folder / "rule.toml").write_text(RULE)
    (folder / "cases.toml").write_text(CASES)
    (folder / "sidecar.toml").write_text('confidence = "medium"\nwhy = "w"\n')
    shutil.copy(samples_path() / "linux-lab.deb-sh-install.defend_new.ndjson", folder / "telemetry/attack.ndjson")
    shutil.copy(samples_path() / "linux-lab.benign-apt-1.defend_new.ndjson", folder / "telemetry/benign.ndjson")
    loose = tmp_path / "rules" / "loose.toml"
    loose.write_text(RULE.replace("6a3d3d2e", "7a3d3d2e").replace("Debian Script", "Loose Debian Script"))
    (tmp_path / "rules" / "loose.cases.toml").write_text(
        CASES.replace("telemetry/", "debian-script-downloads/telemetry/")
    )
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "contraband"
    program.write_text(f"#!{sys.executable}\nfrom contraband.cli import main\nmain()\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return tmp_path


def _environment(repository: Path, **more: str) -> dict[str, str]:
    path = f"{repository / 'bin'}{os.pathsep}{os.environ['PATH']}"
    modules = os.pathsep.join(filter(None, (str(ROOT / "src"), os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, "PATH": path, "PYTHONPATH": modules, **more}


def _run(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments, cwd=repository, env=_environment(repository), capture_output=True, text=True, check=False
    )


def _hook(repository: Path, *files: str) -> subprocess.CompletedProcess[str]:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert (hook["id"], hook["language"]) == ("contraband-lint", "python")
    return _run(repository, *hook["entry"].split(), *files)


def test_hook_lints_what_was_changed(repository: Path) -> None:
    (repository / "other.toml").write_text('[tool]\nname = "x"\n')
    folder = "rules/debian-script-downloads"
    done = _hook(repository, f"{folder}/rule.toml", f"{folder}/cases.toml", "rules/loose.toml", "other.toml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 EQL rules compile" in done.stderr
    assert _hook(repository, "other.toml").returncode == 0

    rule = repository / folder / "rule.toml"
    rule.write_text(RULE.replace("process.name :", "process.name !!"))
    done = _hook(repository, f"{folder}/rule.toml")
    assert done.returncode == 1
    assert re.search(r"^error: rules/debian-script-downloads/rule\.toml:\d+:\d+: ", done.stdout, re.MULTILINE)


def test_hook_follows_a_companion_to_its_rule(repository: Path) -> None:
    sidecar = repository / "rules/debian-script-downloads/sidecar.toml"
    assert _hook(repository, str(sidecar)).returncode == 0
    sidecar.write_text('confidence = "certain"\n')
    done = _hook(repository, str(sidecar))
    assert done.returncode == 1
    assert "confidence" in done.stdout


class Action:
    """The action's own steps, run as a runner would: in their order, outputs passed on, the installation left out."""

    def __init__(self, repository: Path) -> None:
        self.repository = repository
        self.document = yaml.safe_load((ROOT / "action.yml").read_text())
        self.text = ""
        self.summary = repository / "summary.md"

    def run(self, **inputs: str) -> int:
        values = {f"inputs.{name}": str(entry.get("default", "")) for name, entry in self.document["inputs"].items()}
        values |= {f"inputs.{name}": value for name, value in inputs.items()}
        values["github.action_path"] = str(ROOT)
        for step in self.document["runs"]["steps"]:
            if step["name"] == "Install":
                continue
            status = self._step(step, values)
            if status:
                return status
        return 0

    def _step(self, step: dict, values: dict[str, str]) -> int:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "inputs reach a script through the environment only"
        output = self.repository / "output.txt"
        output.write_text("")
        given = {
            name: re.sub(r"\$\{\{ (.*?) \}\}", lambda found: values[found[1]], text)
            for name, text in step["env"].items()
        }
        environment = _environment(
            self.repository,
            **given,
            RUNNER_TEMP=str(self.repository),
            GITHUB_OUTPUT=str(output),
            GITHUB_STEP_SUMMARY=str(self.summary),
        )
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(
            command, cwd=self.repository, env=environment, capture_output=True, text=True, check=False
        )
        self.text += done.stdout + done.stderr
        for line in output.read_text().splitlines():
            name, _, value = line.partition("=")
            values[f"steps.{step['id']}.outputs.{name}"] = value
        return done.returncode


def test_action_passes_and_writes_junit(repository: Path) -> None:
    action = Action(repository)
    assert action.run(rules="rules", junit="out.xml") == 0, action.text
    suites = ElementTree.parse(repository / "out.xml").getroot()
    cases = list(suites.iter("testcase"))
    assert len(cases) >= 4
    assert not list(suites.iter("failure"))
    assert "verdicts as expected" in action.summary.read_text()


def test_action_fails_at_the_end_with_annotations(repository: Path) -> None:
    rule = repository / "rules/debian-script-downloads/rule.toml"
    rule.write_text(RULE.replace('"curl"', '"nothing"').replace("process.parent.args", "process.parent.argz"))
    (repository / "rules/broken.toml").write_text(
        RULE.replace("process.name :", "process.name !!").replace("6a3d", "8a3d")
    )
    action = Action(repository)
    assert action.run(rules="rules", junit="out.xml") == 1
    assert re.search(r"^::error file=rules/broken\.toml,line=\d+,col=\d+::", action.text, re.MULTILINE)
    assert re.search(
        r"^::warning file=rules/debian-script-downloads/rule\.toml,line=\d+,col=\d+::", action.text, re.MULTILINE
    )
    assert "::error::contraband lint ended with status 1" in action.text
    assert "::error::contraband test ended with status 1" in action.text
    assert list(ElementTree.parse(repository / "out.xml").getroot().iter("failure"))


def test_action_installs_what_it_says() -> None:
    (step,) = (
        step for step in yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"] if step["name"] == "Install"
    )
    for version, expected in (("0.1.0", "contraband==0.1.0"), ("", "/somewhere")):
        script = 'python() { printf "%s\\n" "$@"; }\n' + step["run"]
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            env={**os.environ, "VERSION": version, "SOURCE": "/somewhere"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.splitlines()[-1] == expected
        assert done.stdout.splitlines()[:3] == ["-m", "pip", "install"]


def _pytest(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    plugin = () if _installed() else ("-p", "contraband.pytest_plugin")
    return _run(repository, sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *plugin, *arguments)


def _installed() -> bool:
    from importlib.metadata import entry_points

    return any(entry.name == "contraband" for entry in entry_points(group="pytest11"))


def test_plugin_makes_each_case_a_test(repository: Path) -> None:
    done = _pytest(repository, "-v", "rules")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rules/debian-script-downloads/cases.toml::a script that fetches PASSED" in done.stdout
    assert "rules/loose.cases.toml::an ordinary installation PASSED" in done.stdout
    assert "4 passed" in done.stdout


def test_plugin_fails_with_the_reason(repository: Path) -> None:
    folder = repository / "rules/debian-script-downloads"
    (folder / "rule.toml").write_text(RULE.replace('"curl"', '"nothing"'))
    done = _pytest(repository, "rules")
    assert done.returncode == 1
    assert "expected an alert, found 0. curl is a child of the script." in done.stdout
    assert "Traceback" not in done.stdout
    assert "1 failed, 3 passed" in done.stdout

    (folder / "rule.toml").write_text(RULE.replace("process.name :", "process.name !!"))
    assert "contraband lint" in _pytest(repository, "rules").stdout
    (folder / "cases.toml").write_text(CASES.replace("telemetry/attack", "telemetry/none"))
    done = _pytest(repository, "rules")
    assert done.returncode == 2
    assert "there is no telemetry" in done.stdout


def test_sigma_cases_run_beside_our_own(repository: Path) -> None:
    data = repository / "regression_data" / "curl"
    data.mkdir(parents=True)
    shutil.copy(samples_path() / "linux-lab.deb-sh-install.defend_new.ndjson", data / "attack.ndjson")
    (data / "info.yml").write_text(INFO.format(count=1))
    done = _run(repository, "contraband", "test", "rules", "--sigma", str(data / "info.yml"))
    assert done.returncode == 0, done.stdout + done.stderr
    (data / "info.yml").write_text(INFO.format(count=3))
    done = _run(repository, "contraband", "test", "rules", "--sigma", str(data / "info.yml"))
    assert done.returncode == 1
    assert "positive" in done.stdout
