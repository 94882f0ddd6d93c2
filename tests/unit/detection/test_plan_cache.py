"""The cache of compiled rules: the same answer with it and without it, whatever happens to its folder."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from contraband.cli.cache import cache_folder
from contraband.detection import plan_cache
from contraband.detection.packages import load_many, package_path, samples_path
from contraband.detection.rules import Severity
from contraband.detection.scan import Prepared, prepare_named, start
from contraband.engine import Engine, EngineOptions
from shared import shared_path

SAMPLE = str(samples_path() / "linux-lab.deb-sh-install.defend_new.ndjson")

RULE = """
[rule]
rule_id = "{id}"
name = "{id}"
query = 'process where process.name == "{name}"'
severity = "low"
risk_score = 21
language = "eql"
"""


def alerts(prepared: Prepared) -> bytes:
    return b"".join(start(prepared, [SAMPLE]))


class Loads:
    """Loads rules and counts how often it was asked to."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, names):
        self.count += 1
        return load_many(names)


def test_a_second_run_loads_nothing_and_finds_the_same(tmp_path: Path) -> None:
    load = Loads()
    first = prepare_named(["T1546.016"], load, cache=tmp_path)
    second = prepare_named(["T1546.016"], load, cache=tmp_path)
    without = prepare_named(["T1546.016"], load, cache=None)
    assert load.count == 2  # the first, and the one without a cache
    assert alerts(first) == alerts(second) == alerts(without) != b""
    assert dict(second.rules) == dict(first.rules)  # whole rules, sidecars and paths included


def test_options_content_and_names_make_entries_of_their_own(tmp_path: Path) -> None:
    load = Loads()
    rules = tmp_path / "rules"
    rules.mkdir()
    file = rules / "one.toml"
    file.write_text(RULE.format(id="one", name="curl"))
    (rules / "broken.toml").write_text('[rule]\nname = "x"\nrule_id = "x"\nlanguage = "eql"\nquery = "nonsense"\n')
    cache = tmp_path / "cache"

    def found(**options: object) -> tuple[int, int]:
        prepared = prepare_named([str(rules)], load, cache=cache, **options)
        return len(alerts(prepared).splitlines()), len(prepared.rules)

    matched, count = found()
    assert matched > 0
    assert count == 1
    assert found(min_severity=Severity.HIGH) == (0, 0)
    file.write_text(RULE.format(id="one", name="nothing-of-this-name"))
    assert found() == (0, 1)
    (rules / "two.toml").write_text(RULE.format(id="two", name="curl"))
    assert found() == (matched, 2)
    assert load.count == 4
    problems = prepare_named([str(rules)], load, cache=cache).problems
    assert load.count == 4
    assert [problem.path for problem in problems] == [rules / "broken.toml"]


def test_what_lies_beside_a_rule_counts_too(tmp_path: Path) -> None:
    load = Loads()
    folder = tmp_path / "rules" / "one"
    folder.mkdir(parents=True)
    (folder / "rule.toml").write_text(RULE.format(id="one", name="curl"))
    cache = tmp_path / "cache"
    assert prepare_named([str(folder)], load, cache=cache).rules["one"].sidecar.confidence == ""
    (folder / "sidecar.toml").write_text('confidence = "high"\n')
    assert prepare_named([str(folder)], load, cache=cache).rules["one"].sidecar.confidence == "high"


@pytest.mark.parametrize("damage", [b"", b"\0" * 4096, b"{}\n{}\n", None])
def test_a_damaged_entry_is_compiled_again(tmp_path: Path, damage: bytes | None) -> None:
    expected = alerts(prepare_named(["T1546.016"], load_many, cache=tmp_path))
    (entry,) = tmp_path.glob("*.plan")
    content = bytearray(entry.read_bytes())
    content[len(content) // 2] ^= 1
    entry.write_bytes(bytes(content) if damage is None else damage)
    load = Loads()
    assert alerts(prepare_named(["T1546.016"], load, cache=tmp_path)) == expected
    assert load.count == 1
    prepare_named(["T1546.016"], load, cache=tmp_path)
    assert load.count == 1  # repaired


def test_rules_that_alone_are_damaged_are_read_again_when_they_are_asked_for(tmp_path: Path) -> None:
    first = prepare_named(["T1546.016"], load_many, cache=tmp_path)
    (entry,) = tmp_path.glob("*.plan")
    content = bytearray(entry.read_bytes())
    content[-100] ^= 1
    entry.write_bytes(bytes(content))
    load = Loads()
    second = prepare_named(["T1546.016"], load, cache=tmp_path)
    assert load.count == 0
    assert alerts(second) == alerts(first)
    assert len(second.rules) == len(first.rules)
    assert load.count == 0
    assert dict(second.rules) == dict(first.rules)
    assert load.count == 1


def test_every_byte_of_an_entry_counts(tmp_path: Path) -> None:
    rules = tmp_path / "one.toml"
    rules.write_text(RULE.format(id="one", name="curl"))
    cache = tmp_path / "cache"
    first = prepare_named([str(rules)], load_many, cache=cache)
    (entry,) = cache.glob("*.plan")
    content = entry.read_bytes()
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 0x04
        entry.write_bytes(bytes(damaged))
        kept = plan_cache.read(str(cache), entry.stem, lambda: first.rules)
        if kept is not None:
            assert (kept.rule_set in content, len(kept.rules), dict(kept.rules)) == (True, 1, dict(first.rules)), place
    for length in range(0, len(content), 7):
        entry.write_bytes(content[:length])
        assert plan_cache.read(str(cache), entry.stem, dict) is None
    entry.write_bytes(content + b" ")
    assert plan_cache.read(str(cache), entry.stem, dict) is None


def test_what_the_core_found_out_about_other_rules_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(RULE.format(id="one", name="nothing-of-this-name"))
    (tmp_path / "two.toml").write_text(RULE.format(id="two", name="curl"))
    caches = [tmp_path / "cache-1", tmp_path / "cache-2"]
    for rules, cache in zip(("one.toml", "two.toml"), caches, strict=True):
        prepare_named([str(tmp_path / rules)], load_many, cache=cache)
    (one,), (two,) = (list(cache.glob("*.plan")) for cache in caches)
    other = plan_cache.read(str(caches[0]), one.stem, dict)
    mine = plan_cache.read(str(caches[1]), two.stem, dict)
    assert mine is not None
    assert other is not None
    options = EngineOptions(declarations=mine.declarations)
    expected = b"".join(Engine.from_json(mine.rule_set, options).scan([SAMPLE]))
    assert expected
    for stored in (mine.stored, other.stored, b"", b"{}", b"nonsense", (mine.stored or b"")[:-9]):
        engine = Engine.from_json(mine.rule_set, options, stored)
        assert b"".join(engine.scan([SAMPLE])) == expected
        assert engine.stored() == mine.stored


def test_an_entry_under_the_name_of_another_is_not_believed(tmp_path: Path) -> None:
    prepare_named(["T1546.016"], load_many, cache=tmp_path)
    (entry,) = tmp_path.glob("*.plan")
    other = entry.with_name("0" * 40 + ".plan")
    entry.rename(other)
    assert plan_cache.read(str(tmp_path), "0" * 40, dict) is None


def test_a_folder_that_cannot_be_written_loses_nothing(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    assert alerts(prepare_named(["T1546.016"], load_many, cache=file / "below"))


def test_concurrent_runs_see_whole_entries(tmp_path: Path) -> None:
    expected = alerts(prepare_named(["T1546.016"], load_many, cache=None))
    answers: list[bytes] = []

    def work() -> None:
        for _ in range(3):
            answers.append(alerts(prepare_named(["T1546.016"], load_many, cache=tmp_path)))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [expected] * 9
    assert {path.suffix for path in tmp_path.iterdir()} <= {".plan", ".state"}
    assert len(list(tmp_path.glob("*.plan"))) == 1


def test_the_folder_stays_within_its_bounds(tmp_path: Path) -> None:
    for number in range(6):
        path = tmp_path / f"{number}.plan"
        path.write_bytes(b"x" * 100)
        os.utime(path, (number, number))
    left = tmp_path / "unfinished-1"
    left.write_bytes(b"")
    os.utime(left, (0, 0))
    plan_cache.prune(str(tmp_path), most_entries=4, most_bytes=350)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["3.plan", "4.plan", "5.plan"]


def test_where_the_folder_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert Path(cache_folder() or "") == tmp_path / "contraband" / "rules"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Path(cache_folder() or "") == tmp_path / ".cache" / "contraband" / "rules"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert Path(cache_folder() or "") == tmp_path / "Library" / "Caches" / "contraband" / "rules"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert Path(cache_folder() or "") == tmp_path / "contraband" / "Cache" / "rules"


def test_a_run_from_the_cache_does_not_load_the_language(tmp_path: Path) -> None:
    program = (
        "import sys; from contraband.cli import cli; cli.main(['scan', '--quiet', sys.argv[1]], standalone_mode=False);"
        "print(sorted(m for m in sys.modules if m.startswith(('contraband.eql', 'contraband.plan', 'contraband.schema'))),"
        "file=sys.stderr)"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    loaded = [
        subprocess.run([sys.executable, "-c", program, SAMPLE], capture_output=True, check=True, env=environment).stderr
        for _ in range(2)
    ]
    assert b"contraband.eql.syntax.parser" in loaded[0]
    assert loaded[1].strip() == b"[]"


def test_elastic_rules_from_the_cache(tmp_path: Path) -> None:
    rules = str(shared_path("elastic-rules/rules"))
    load = Loads()
    first = prepare_named([rules], load, cache=tmp_path)
    second = prepare_named([rules], load, cache=tmp_path)
    assert load.count == 1
    assert list(first.rules) == list(second.rules)
    assert first.engine.explain() == second.engine.explain()


def test_the_package_has_no_rule_outside_its_material() -> None:
    from contraband.detection.material import material_of

    files = set(map(Path, material_of("T1546.016")))
    assert set((package_path("T1546.016") / "rules").glob("*/rule.toml")) <= files
