"""The raw filter passes over nothing that a rule matches, however a line is spelled; and plain files come out the same in any ranges."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from contraband.engine import CompiledRule, Engine, EngineOptions
from contraband.eql import compile_query
from contraband.plan import lower

QUERIES = [
    'process where process.name : "msiexec.exe"',
    'process where process.name == "msiexec.exe" or process.executable : "?:\\\\Windows\\\\Installer\\\\MSI*.tmp"',
    'any where process.executable like~ "/usr/bin/dp*g"',
    'file where file.path : ("*\\\\Temp\\\\{*}\\\\*", "/etc/apt/apt.conf.d/*", "/tmp/*")',
    'any where startsWith~(process.name, "sk") or endsWith(process.name, "task")',
    'any where stringContains~(process.command_line, "<b>\'+sky")',
    'network where destination.port == 443 and not process.name : "sk*"',
    "any where dll.size > 3 and not dll.size > 100000",
    'any where not (process.name == null or process.name : ("msi*", "a*"))',
    'any where ?process.parent.args : ("*task", "true", "1*")',
    'any where custom.other : "12*" or custom.field : ("1.0e4", "12*", "tr*", "Infinity")',
    'any where process.name regex~ "skt[ks]+" and custom.field != null',
    'any where length(process.name) == 4 and process.name : ("?sk*", "*K")',
    'any where process.name : "caf\u00e9*sk"',
]

TEXTS = [
    "msiexec.exe", "MSIEXEC.EXE", "mSi", "C:\\Windows\\Installer\\MSI12.tmp", "/usr/bin/dpkg", "/USR/BIN/DPKG", "/tmp/x", "task",
    "C:\\Temp\\{1}\\x", "/etc/apt/apt.conf.d/x", "TA\u017fK", "s\u212a", "sk", "SKTS", "tas\u212a", "caf\u00e9 sk", "CAF\u00c9 sk",
    "<b>'+sky", "true", "12", "1.0e4", "a", "", "C:\\u006dsi", "\u0130sk", "xsk", "\ud83d\ude00k",
]  # fmt: skip

FIELDS = [
    "process.name",
    "process.executable",
    "process.command_line",
    "file.path",
    "process.parent.args",
    "custom.field",
    "process.pid",
]


def spelled(text: str, dice: random.Random) -> str:
    """The text as a JSON string, each character in any of its spellings."""
    out = []
    for letter in text:
        code = ord(letter)
        plain = {'"': '\\"', "\\": "\\\\"}.get(
            letter, letter if code >= 0x20 and not 0xD800 <= code < 0xE000 else f"\\u{code:04x}"
        )
        forms = [plain] * 12
        if code < 0x10000:
            forms += [f"\\u{code:04x}", f"\\u{code:04X}"]
        if letter == "/":
            forms += ["\\/"] * 3
        out.append(dice.choice(forms) if dice.random() < 0.3 else plain)
    return f'"{"".join(out)}"'


def value(dice: random.Random) -> str:
    match dice.randrange(8):
        case 0:
            return dice.choice(["12", "1.0e4", "10000", "true", "null", "1e999", "443", "-0"])
        case 1:
            return "[" + ", ".join(value(dice) for _ in range(dice.randrange(3))) + "]"
        case _:
            return spelled(dice.choice(TEXTS), dice)


def member(path: str, written: str, dice: random.Random) -> str:
    """`path` cut into objects at some of its dots."""
    segments = path.split(".")
    if len(segments) == 1 or dice.random() < 0.3:
        return f"{spelled(path, dice)}:{written}"
    cut = dice.randrange(1, len(segments))
    inner = member(".".join(segments[cut:]), written, dice)
    return f"{spelled('.'.join(segments[:cut]), dice)}: {{{inner}}}"


def line(dice: random.Random) -> str:
    members = [member("event.category", spelled(dice.choice(["process", "file", "network"]), dice), dice)]
    members += [member(dice.choice(FIELDS), value(dice), dice) for _ in range(dice.randrange(4))]
    if dice.random() < 0.3:
        members.append(member("dll.size", dice.choice(["5", '"7"', "5.5", "1e9", "null"]), dice))
    if dice.random() < 0.3:
        members.append(member("destination.port", dice.choice(["443", '"443"', "443.0"]), dice))
    dice.shuffle(members)
    text = "{" + ",".join(members) + "}"
    return f'{{"_id":"1","_source":{text}}}' if dice.random() < 0.2 else text


def corpus(seed: int) -> bytes:
    """More than the 64 KiB at the beginning of a file that are read in any case."""
    dice = random.Random(seed)
    padding = f'{{"event":{{"category":["x"]}},"padding":"{"y" * 900}"}}\n' * 80
    return (padding + "".join(line(dice) + "\n" for _ in range(6000))).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("number", range(len(QUERIES)))
def test_the_filter_passes_over_no_match(number: int) -> None:
    rules = [CompiledRule(id="r", plan=lower(compile_query(QUERIES[number])))]
    data = corpus(number)
    with_filter = Engine(rules, EngineOptions()).scan([data])
    without = Engine(rules, EngineOptions(filter=False)).scan([data])
    found, wanted = b"".join(with_filter), b"".join(without)
    assert found == wanted
    assert wanted.count(b"\n") >= 2, "the query must match something"


def test_all_rules_together_and_any_ranges_of_a_file(tmp_path: Path) -> None:
    rules = [CompiledRule(id=str(number), plan=lower(compile_query(query))) for number, query in enumerate(QUERIES)]
    path = tmp_path / "x.ndjson"
    path.write_bytes(
        b"\xef\xbb\xbf" + corpus(99) + b'{"broken"\n\n[1]\n' + line(random.Random(1)).encode("utf-8", "surrogatepass")
    )
    results = set()
    for options in [
        EngineOptions(threads=1, filter=False),
        EngineOptions(threads=2),
        EngineOptions(threads=2, chunk_size=77),
        # Without the process table, threads read a plain file in ranges.
        EngineOptions(threads=1, enrich=False),
        EngineOptions(threads=3, enrich=False, chunk_size=1000),
        EngineOptions(threads=2, enrich=False, chunk_size=77),
        EngineOptions(threads=2, enrich=False, chunk_size=1 << 30),
    ]:
        scan = Engine(rules, options).scan([str(path)])
        out = b"".join(scan)
        summary = scan.summary()
        results.add((out, str(summary["faults"]), summary["files"][0]["records"], summary["files"][0]["bytes"]))
    assert len(results) == 1
    [(out, faults, records, _)] = results
    assert out.count(b"\n") > 500
    assert records == 6083  # the blank line is none
    assert faults != "{}"


def test_a_selective_filter_passes_over_what_does_not_match() -> None:
    rules = [CompiledRule(id="r", plan=lower(compile_query(QUERIES[0])))]
    scan = Engine(rules, EngineOptions()).scan([corpus(5)])
    list(scan)
    [file] = scan.summary()["files"]
    assert file["skipped"] > 500
    assert file["skipped"] + file["parsed"] == file["records"]
