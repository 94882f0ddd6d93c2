"""`contraband export` as a person runs it: streams, folders, reports, exit status."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from contraband.cli.export_command import command
from contraband.cli.messages import Failure

UNWRITABLE = """
[rule]
name = "Two of a Kind"
rule_id = "0a3d3d2e-3f4f-4a0e-9a55-0d8f6f1f2b11"
type = "eql"
query = '''sequence by host.id [process where process.name : "a"] [process where process.name : "b"]'''
"""


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments], standalone_mode=False)


def test_published_rule_alone_as_sigma() -> None:
    done = run("T1546.016/published", "--to", "sigma")
    assert done.exception is None
    (document,) = yaml.safe_load_all(done.stdout)
    assert document["logsource"] == {"category": "process_creation"}
    assert "\\msiexec.exe" in document["detection"]["selection_parent"]["ParentImage|endswith"]
    assert "1 of 1 rules exported to sigma" in done.stderr


def test_one_stream_of_many_documents() -> None:
    done = run("linux-script-downloader", "linux-hook-shell-downloader", "--to", "sigma")
    documents = list(yaml.safe_load_all(done.stdout))
    assert len(documents) == 4
    assert [("correlation" in document) for document in documents].count(True) == 1


@pytest.mark.parametrize(("version", "expected"), [((), "18"), (("--attack-version", "19"), "19")])
def test_navigator_to_stdout(version: tuple[str, ...], expected: str) -> None:
    layer = json.loads(run("T1546.016", "--to", "navigator", *version).stdout)
    assert layer["versions"]["attack"] == expected
    assert layer["name"] == "T1546.016"


def test_folder_with_a_report(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(UNWRITABLE)
    out = tmp_path / "out"
    done = run("linux-script-downloader", tmp_path / "mine.toml", "--to", "sigma", "-o", out)
    assert done.return_value == 0
    report = json.loads((out / "report.json").read_text())
    assert report["files"] == ["rules/linux_script_downloader.yml"]
    assert (out / report["files"][0]).is_file()
    (lost,) = (remark for remark in report["remarks"] if remark["lost"])
    assert lost["rule"] == "mine"
    assert "maxspan" in lost["message"]
    assert "left out: mine: " in done.stderr
    assert "1 of 2 rules exported" in done.stderr
    assert (
        run("linux-script-downloader", tmp_path / "mine.toml", "--to", "sigma", "-o", out, "--strict").return_value == 1
    )


def test_nothing_to_write_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(UNWRITABLE)
    done = run(tmp_path / "mine.toml", "--to", "sigma")
    assert done.exception is not None
    assert "left out: mine" in done.stderr
    assert "none of 1 rules" in str(done.exception)


def test_several_rule_files_need_a_folder(tmp_path: Path) -> None:
    assert "--output" in str(run("T1546.016", "--to", "elastic").exception)
    done = run("T1546.016/published", "--to", "elastic")
    assert tomllib.loads(done.stdout)["rule"]["type"] == "eql"
    assert run("T1546.016", "--to", "elastic", "-o", tmp_path).return_value == 0
    assert (tmp_path / "rules/linux/persistence_linux_script_downloader.toml").is_file()


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    from contraband.export.sigma import platforms

    def missing(name: str) -> object:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(platforms.importlib, "import_module", missing)
    done = run("linux-script-downloader", "--to", "splunk")
    monkeypatch.undo()
    assert importlib.import_module is not missing
    assert "contraband[sigma]" in str(done.exception)


@pytest.mark.parametrize(
    ("metadata", "exceptions", "reason"),
    [
        ("threat = [{}]", "", "no tactic"),
        ('threat = "none"', "", "`threat` is no list"),
        ('threat = [{ tactic = { id = "TA0003", name = "Persistence" }, technique = "x" }]', "", "technique"),
        ('tags = "x"', "", "`tags` is no list"),
        ('version = "one"', "", "`version`"),
        ("", '[[exceptions]]\n[exceptions.container]\nlist_id = "x"\n', "lacks `name`"),
        ("", "[[exceptions]]\n[[exceptions.items]]\nname = 3\n", "entries"),
        ("", "exceptions = ", "exceptions.toml"),
    ],
)
@pytest.mark.parametrize("target", ["elastic", "kibana", "navigator", "sigma"])
def test_metadata_that_cannot_be_written_is_a_problem(
    tmp_path: Path, metadata: str, exceptions: str, reason: str, target: str
) -> None:
    folder = tmp_path / "rule"
    folder.mkdir()
    query = 'query = \'process where host.os.type == "linux" and process.name : "a"\''
    (folder / "rule.toml").write_text(f'[rule]\nname = "n"\ntype = "eql"\nrule_id = "r"\n{query}\n{metadata}\n')
    if exceptions:
        (folder / "exceptions.toml").write_text(exceptions)
    done = run(folder, "--to", target)
    assert isinstance(done.exception, Failure)
    assert "no rule to export" in str(done.exception)
    assert reason in done.stderr
