"""Templates filled in from an alert: flat or nested fields, and values that an attacker chose."""

from __future__ import annotations

import tomllib

import pytest

from contraband.detection.packages import package_path
from contraband.investigate.guide import fill, render_guide, render_playbook

STEP = {
    "title": "Look",
    "why": "Because.",
    "checks": [],
    "commands": {"linux": ["dpkg -S {{process.executable}}"], "windows": ["Get-Item {{process.executable}}"]},
}


@pytest.mark.parametrize(
    "alert",
    [
        {"process.parent.name": "dpkg"},
        {"process": {"parent": {"name": "dpkg"}}},
        {"process.parent": {"name": "dpkg"}},
        {"_id": "1", "_source": {"process": {"parent.name": "dpkg"}}},
    ],
)
def test_a_field_is_found_however_the_alert_is_cut(alert: dict[str, object]) -> None:
    assert fill("by {{process.parent.name}}", alert) == "by dpkg"


def test_a_field_that_the_alert_lacks_is_named() -> None:
    assert fill("{{process.pid}}", {"host.name": "a"}) == "<no process.pid>"
    assert fill("{{process.pid}}", {}) == "<process.pid>"


def test_a_value_stays_one_word_of_a_command() -> None:
    text = render_playbook(
        {"title": "T", "summary": "S", "step": [STEP]}, {"process.executable": "/tmp/a'; rm -rf $(x)\n`y`"}
    )
    assert "    dpkg -S '/tmp/a'\"'\"'; rm -rf $(x)  y '" in text
    assert "    Get-Item '/tmp/a''; rm -rf $(x)  y '" in text


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("4711", "4711"),
        ('sh -c "a b"', '"sh -c \\"a b\\""'),
        ("C:\\a\\b.exe", '"C:\\\\a\\\\b.exe"'),
        ("a or b:*", '"a or b:*"'),
    ],
)
def test_a_value_stays_one_value_of_a_query(value: str, written: str) -> None:
    question = {"title": "Q", "ask": "A", "true_positive": "T", "false_positive": "F", "commands": {}}
    pivot = {"label": "Same", "field": "process.command_line", "value": "{{process.command_line}}"}
    guide = {"title": "T", "summary": "S", "question": [{**question, "investigate": [pivot]}]}
    text = render_guide(guide, {"process.command_line": value})
    assert f"`process.command_line : {written}`" in text


def test_only_the_commands_of_the_alerts_system_are_given() -> None:
    playbook = {"title": "T", "summary": "S", "step": [STEP]}
    one = render_playbook(playbook, {"host": {"os": {"type": "windows"}}})
    assert ("Windows:" in one, "Linux:" in one) == (True, False)
    both = render_playbook(playbook, {"host.os.type": "unknown"})
    assert ("Windows:" in both, "Linux:" in both) == (True, True)
    guide = tomllib.loads((package_path("T1546.016") / "investigation.toml").read_text(encoding="utf-8"))
    for system, shown in (("windows", "(windows)"), ("linux", "(linux)"), ("macos", "(darwin)")):
        text = render_guide(guide, {"host.os.type": system})
        assert shown in text
        assert "(all)" in text
        assert all(f"({other})" not in text for other in {"windows", "linux", "darwin"} - {shown[1:-1]})


def test_an_ordinary_value_is_not_quoted() -> None:
    text = render_playbook({"title": "T", "summary": "S", "step": [STEP]}, {"process.executable": "/usr/bin/curl"})
    assert "    dpkg -S /usr/bin/curl\n" in text


def test_the_package_s_own_texts_fill_in() -> None:
    alert = {"host": {"name": "web-1"}, "process": {"pid": 42, "name": "curl", "parent": {"name": "sh"}}}
    folder = package_path("T1546.016")
    playbook = render_playbook(tomllib.loads((folder / "playbook.toml").read_text(encoding="utf-8")), alert)
    guide = render_guide(tomllib.loads((folder / "investigation.toml").read_text(encoding="utf-8")), alert)
    assert "web-1" in playbook
    assert "42" in playbook
    assert "sh started curl" in guide
    assert "{{" not in playbook + guide
