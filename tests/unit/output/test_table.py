"""The table of alerts: each line ends where the screen does, by columns and not by characters."""

from __future__ import annotations

import re

import pytest

from contraband.diagnostics import columns_of
from contraband.output.table import write

STYLE = re.compile(r"\x1b\[[0-9;]*m")
ALERT = {
    "kibana.alert.severity": "high",
    "kibana.alert.rule.name": "A package script runs 下载器 " + "很长的名字" * 20,
    "contraband.rule.confidence": "medium",
    "kibana.alert.original_time": "2026-01-02T03:04:05Z",
    "host.name": "主机" * 50,
    "process.name": "curl",
    "process.command_line": "curl -o /tmp/" + "文件" * 60,
    "process.parent.command_line": "sh " + "e\N{COMBINING ACUTE ACCENT}" * 60,
    "contraband.origin.path": "日志.ndjson",
    "contraband.origin.record": 1,
}


@pytest.mark.parametrize("width", [40, 41, 80])
@pytest.mark.parametrize("color", [False, True])
def test_no_line_takes_more_columns_than_the_screen(width: int, color: bool) -> None:
    text = write([ALERT], rules={}, width=width, color=color)
    lines = STYLE.sub("", text).splitlines()
    columns = {line: sum(map(columns_of, line)) for line in lines}
    assert max(columns.values()) <= width
    cut = [line for line in lines if line.endswith("…")]
    assert len(cut) >= 3
    # A wide character that has only half its place is left out.
    assert all(columns[line] >= width - 1 for line in cut)
    assert ("\x1b[1;31mhigh    \x1b[0m A package script" in text) is color


def test_marks_take_no_column_of_their_own() -> None:
    text = write([ALERT], rules={}, width=100)
    # 20 columns stand before the value; "sh " and 60 letters fit although 123 characters do not.
    assert "e\N{COMBINING ACUTE ACCENT}" * 60 + "\n" in text
