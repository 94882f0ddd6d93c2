"""The state of shipped files: an entry is found by it only while every file is what it was."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from contraband.detection import file_state, material, plan_cache
from contraband.detection.file_state import FileState

pytestmark = pytest.mark.skipif(os.name != "posix", reason="only where a system has a time of change")

NAMES = ("T1546.016",)


@pytest.fixture
def content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of some of the shipped rules that may be changed."""
    copied = tmp_path / "content"
    rules = sorted((Path(material.CONTENT) / "T1546.016" / "rules").iterdir())[:6]
    parts = [*(f"T1546.016/rules/{folder.name}" for folder in rules), "T1546.016/published", "sources"]
    for part in parts:
        shutil.copytree(Path(material.CONTENT) / part, copied / part)
    (copied / "schemas").mkdir()
    (copied / "schemas" / "fields.csv").write_text("# some fields\nname,type\n")
    for module in (file_state, material, plan_cache):
        monkeypatch.setattr(module, "CONTENT", str(copied))
    monkeypatch.setattr(file_state, "SETTLED", 0)
    return copied


def kept(tmp_path: Path, names: tuple[str, ...] = NAMES, options: object = ()) -> Callable[[], str | None]:
    """Keeps a key as a run does; gives what asks for it as a later run does."""
    state = FileState(str(tmp_path / "cache"), names, options)
    state.look()
    state.keep("key")
    return lambda: FileState(str(tmp_path / "cache"), names, options).key()


def rewritten(path: Path) -> None:
    """Other content of the same size, with the same times as far as a program can set them."""
    before = path.stat()
    text = path.read_bytes()
    path.write_bytes(text.swapcase())
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def replaced(path: Path) -> None:
    """Another file in its place, with the same size and time."""
    before = path.stat()
    other = path.with_name("other")
    other.write_bytes(path.read_bytes().swapcase())
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a rule is written anew": lambda content: rewritten(a_rule(content)),
    "a rule is replaced": lambda content: replaced(a_rule(content)),
    "a rule is gone": lambda content: a_rule(content).unlink(),
    "a rule is added": lambda content: shutil.copytree(a_rule(content).parent, a_rule(content).parent.with_name("new")),
    "exceptions are added": lambda content: a_rule(content).with_name("exceptions.toml").write_text(""),
    "a sidecar is written anew": lambda content: rewritten(next(content.rglob("sidecar.toml"))),
    "the published rule changes": lambda content: rewritten(content / "T1546.016" / "published" / "rule.toml"),
    "a package is added": lambda content: shutil.copytree(content / "T1546.016", content / "T9999"),
    "the schema changes": lambda content: rewritten(content / "schemas" / "fields.csv"),
    "the sources change": lambda content: rewritten(content / "sources" / "routing.toml"),
}


def a_rule(content: Path) -> Path:
    return sorted((content / "T1546.016" / "rules").glob("*/rule.toml"))[3]


def test_nothing_has_changed(content: Path, tmp_path: Path) -> None:
    assert kept(tmp_path)() == "key"


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_noticed(content: Path, tmp_path: Path, change: str) -> None:
    key = kept(tmp_path)
    time.sleep(0.02)  # a change of the same tick is what `SETTLED` is for
    CHANGES[change](content)
    assert key() is None


def test_code_counts(content: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "lower.py").write_text("old")
    monkeypatch.setattr(plan_cache, "_PACKAGE", str(tmp_path))
    monkeypatch.setattr(plan_cache, "_CODE", ("code",))
    key = kept(tmp_path)
    assert key() == "key"
    time.sleep(0.02)
    (code / "lower.py").write_text("new")
    assert key() is None


def test_what_has_not_settled_is_not_kept(content: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_state, "SETTLED", 2_000_000_000)
    a_rule(content).write_text("just now")
    assert kept(tmp_path)() is None
    assert not (tmp_path / "cache").exists()


def test_names_and_options_have_states_of_their_own(content: Path, tmp_path: Path) -> None:
    kept(tmp_path)
    cache = str(tmp_path / "cache")
    assert FileState(cache, NAMES, (True,)).key() is None
    assert FileState(cache, ("T1546.016/published",), ()).key() is None
    (state,) = (tmp_path / "cache").iterdir()
    other = FileState(cache, ("T1546.016/published",), ())
    state.rename(other._path)
    assert other.key() is None  # under the name of another


def test_rules_of_a_user_are_read_each_time(content: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = kept(tmp_path)
    assert key() == "key"
    monkeypatch.chdir(tmp_path)
    (tmp_path / NAMES[0]).mkdir()  # the name is a path now
    assert key() is None
    assert kept(tmp_path, (str(a_rule(content)),))() is None


def test_a_damaged_state_is_as_good_as_none(content: Path, tmp_path: Path) -> None:
    key = kept(tmp_path)
    (state,) = (tmp_path / "cache").iterdir()
    whole = state.read_bytes()
    for damaged in (b"", b"1\nx", whole[:-1], whole[:20] + b"x" + whole[21:], whole.replace(b"key", b"yek")):
        state.write_bytes(damaged)
        assert key() is None
    state.write_bytes(whole)
    assert key() == "key"
