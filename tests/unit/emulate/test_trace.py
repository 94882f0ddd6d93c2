"""From strace's lines to events: forks, scripts, interrupted calls, files, and text that must not be taken for a call."""

from __future__ import annotations

from pathlib import Path

from contraband.emulate.trace import events_of_trace, resolve_program


def _hex(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def _exec(pid: int, time: str, path: str, *args: str, result: str = "= 0") -> str:
    listed = ", ".join(f'"{_hex(argument)}"' for argument in args)
    return f'{pid} {time} execve("{_hex(path)}", [{listed}], ["{_hex("A=]1")}"]) {result}'


def _events(*lines: str, scripts: dict[str, tuple[str, tuple[str, ...]]] | None = None) -> list[dict]:
    return events_of_trace(
        lines, host="lab", user="0", folder="/", resolve=lambda path: (scripts or {}).get(path, (path, ()))
    )


def test_a_child_has_its_parent_and_a_script_its_interpreter() -> None:
    first, second = _events(
        _exec(1, "1700000000.5", "/usr/bin/dpkg", "dpkg", "-i", "x.deb"),
        "1 1700000000.6 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD) = 2",
        _exec(2, "1700000000.7", "/var/lib/dpkg/info/x.postinst", "/var/lib/dpkg/info/x.postinst", "configure", ""),
        scripts={"/var/lib/dpkg/info/x.postinst": ("/usr/bin/dash", ("/bin/sh", "/var/lib/dpkg/info/x.postinst"))},
    )
    assert "parent" not in first["process"]
    assert first["@timestamp"] == "2023-11-14T22:13:20.500Z"
    assert second["process"]["name"] == "dash"
    assert second["process"]["args"] == ["/bin/sh", "/var/lib/dpkg/info/x.postinst", "configure", ""]
    assert second["process"]["parent"]["command_line"] == "dpkg -i x.deb"
    assert second["process"]["parent"]["entity_id"] == first["process"]["entity_id"]


def test_an_interrupted_call_is_joined_and_a_failed_one_is_none() -> None:
    events = _events(
        _exec(1, "1.0", "/bin/sh", "sh"),
        "1 1.1 vfork( <unfinished ...>",
        _exec(2, "1.2", "/opt/curl", "curl", result="= -1 ENOENT (No such file or directory)"),
        _exec(2, "1.3", "/usr/bin/curl", "curl"),
        "1 1.4 <... vfork resumed>) = 2",
        _exec(2, "1.5", "/usr/bin/wget", "wget"),
    )
    assert [event["process"]["name"] for event in events] == ["sh", "curl", "wget"]
    # Also of what ran before the parent's call came back.
    assert [event["process"]["parent"]["name"] for event in events[1:]] == ["sh", "sh"]


def test_files_are_named_whole() -> None:
    made, renamed, linked = _events(
        f'1 1.0 openat(AT_FDCWD<{_hex("/etc")}>, "{_hex("cron.d/x")}", O_WRONLY|O_CREAT|O_TRUNC, 0644) = 3<{_hex("/etc/cron.d/x")}>',
        f'1 1.1 rename("{_hex("/tmp/a.dpkg-new")}", "{_hex("/tmp/a")}") = 0',
        f'1 1.2 symlinkat("{_hex("../x.service")}", AT_FDCWD<{_hex("/etc/systemd")}>, "{_hex("wants/x.service")}") = 0',
    )
    assert (made["event"]["action"], made["file"]["path"]) == ("creation", "/etc/cron.d/x")
    assert (renamed["event"]["action"], renamed["file"]["path"]) == ("rename", "/tmp/a")
    assert renamed["file"]["Ext"]["original"]["path"] == "/tmp/a.dpkg-new"
    assert linked["file"]["path"] == "/etc/systemd/wants/x.service"


def test_a_changed_user_is_the_user_of_what_follows() -> None:
    (event,) = _events("1 1.0 setresuid(42, 42, 42) = 0", _exec(1, "1.1", "/usr/bin/id", "id"))
    assert event["user"]["id"] == "42"


def test_text_that_is_no_call_is_passed_over() -> None:
    assert (
        _events("", "strace: Process 7 attached", "1 1.0 +++ exited with 0 +++", "1 1.1 <... execve resumed>) = 0")
        == []
    )


def test_a_script_names_its_interpreter(tmp_path: Path) -> None:
    script = tmp_path / "postinst"
    script.write_text("#!/bin/sh -e\ntrue\n", encoding="utf-8")
    program, before = resolve_program(str(script))
    assert program == str(Path("/bin/sh").resolve())
    assert before == ("/bin/sh", "-e", str(script))
    assert resolve_program(str(tmp_path / "gone")) == (str(tmp_path / "gone"), ())
