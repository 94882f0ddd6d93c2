"""Compiled rule sets kept in a folder, so that a second run need not read, check and lower a thousand queries again.

An entry is found by the content of everything that decided it, and holds data only: nothing of it is executed. A damaged entry is as
good as none, and the whole folder can be deleted at any time. Knows neither where the folder is nor what a rule means.
`file_state` may know the name of an entry without reading what decided it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from zlib import crc32

from contraband import __version__
from contraband.detection.material import CONTENT
from contraband.engine import CORE_FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from contraband.detection.rules import Problem, Rule

FORMAT = 2
"""The layout of an entry: a line of numbers (`_HEAD`), then the sections that it gives the lengths of."""

MOST_ENTRIES = 24
MOST_BYTES = 256 << 20
_ABANDONED = 3600.0
"""Seconds after which an unfinished file is taken to be left over from a run that was killed."""

_HEAD = 256
"""Bytes of the first line, filled up with blanks: mark, format, key, checksums of what is needed and of the rules, how many rules there
are, and the lengths of the sections: rule set, what the core found out about it, declarations, problems, rules."""
_MARK = b"contraband-rules"

_PACKAGE = os.path.dirname(CONTENT)
_CODE = ("eql", "plan", "schema", "detection", "engine")


class Entry:
    """What loading a set of rules came to. `rules` reads each rule when it is asked for."""

    __slots__ = ("declarations", "problems", "rule_set", "rules", "stored")

    def __init__(
        self,
        rule_set: bytes,
        rules: Mapping[str, Rule],
        problems: Sequence[Problem],
        declarations: bytes,
        stored: bytes | None = None,
    ) -> None:
        self.rule_set = rule_set
        """As the core reads it (docs/plan-format.md)."""
        self.rules = rules
        self.problems = tuple(problems)
        self.declarations = declarations
        """JSON."""
        self.stored = stored
        """What the core found out about the rule set."""


def key_of(files: Iterable[str], options: Iterable[object]) -> str:
    """The name of the entry for rules in these files: their names and content, the options, and this version of contraband.

    OSError if a file cannot be read.
    """
    from hashlib import blake2b

    digest = blake2b(digest_size=20)
    for part in (FORMAT, __version__, _code_state(), *options):
        digest.update(repr(part).encode("utf-8", "surrogatepass") + b"\0")
    for file in (*data_files(), *files):
        with open(file, "rb") as opened:
            content = opened.read()
        digest.update(os.fsencode(file) + b"\0%d\0" % len(content))
        digest.update(content)
    return digest.hexdigest()


def read(folder: str, key: str, anew: Callable[[], Mapping[str, Rule]]) -> Entry | None:
    """The entry of this key, or None if there is none or it is damaged. `anew` gives the rules where these alone turn out to be damaged later."""
    path = _path(folder, key)
    try:
        with open(path, "rb", buffering=0) as file:
            mark, form, name, sums, count, *lengths = file.read(_HEAD).split()
            if (mark, int(form), name) != (_MARK, FORMAT, key.encode()):
                return None
            sections = [file.read(int(length)) for length in lengths]
            if len(sections) != 5 or [len(section) for section in sections] != list(map(int, lengths)) or file.read(1):
                return None
        *needed, rules = sections
        needed_sum, rules_sum = sums.split(b"-")
        if int(needed_sum) != _checksum(name, count, *lengths, *needed):
            return None
        rule_set, stored, declarations, problems = needed
        entry = Entry(
            rule_set,
            StoredRules(rules, int(rules_sum), int(count), anew),
            () if problems == b"[]" else _problems(problems),
            declarations,
            stored,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    used(path)
    return entry


def write(folder: str, key: str, entry: Entry) -> None:
    """Keep an entry. Where that is not possible nothing is kept, and nothing is lost."""
    try:
        content = _content(key, entry)
    except (TypeError, ValueError):
        return  # a rule document with values that JSON does not have, such as TOML's dates
    if put(_path(folder, key), content):
        prune(folder)


def put(path: str, content: bytes) -> bool:
    """Write a file of the folder; whether that was possible.

    The file gets its name when it is whole, so that runs beside this one see all of it or nothing.
    """
    import tempfile

    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="unfinished-", delete=False) as file:
            try:
                file.write(content)
                file.close()
                os.replace(file.name, path)
            except OSError:
                os.unlink(file.name)
                raise
    except OSError:
        return False
    return True


def used(path: str) -> None:
    """Note that a file was used: what was used last is kept longest."""
    try:
        os.utime(path)
    except OSError:
        return


def prune(folder: str, *, most_entries: int = MOST_ENTRIES, most_bytes: int = MOST_BYTES) -> None:
    """Delete the entries that were used longest ago, until the bounds hold, and what killed runs left behind."""
    import time
    from contextlib import suppress

    kinds: dict[str, list[tuple[float, int, str]]] = {".plan": [], ".state": []}
    with suppress(OSError), os.scandir(folder) as found:
        for file in found:
            with suppress(OSError):
                state = file.stat()
                kind = kinds.get(os.path.splitext(file.name)[1])
                if kind is not None:
                    kind.append((state.st_mtime, state.st_size, file.path))
                elif file.name.startswith("unfinished-") and time.time() - state.st_mtime > _ABANDONED:
                    os.unlink(file.path)
    for kept_files in kinds.values():
        kept = 0
        for number, (_, size, path) in enumerate(sorted(kept_files, reverse=True)):
            kept += size
            if number and (number >= most_entries or kept > most_bytes):
                with suppress(OSError):
                    os.unlink(path)


class StoredRules(Mapping[str, "Rule"]):
    """The rules of an entry by id, each read when it is asked for: a scan with a thousand rules shows the few that found something."""

    def __init__(self, section: bytes, checksum: int, count: int, anew: Callable[[], Mapping[str, Rule]]) -> None:
        self._section = section
        self._checksum = checksum
        self._count = count
        self._anew = anew
        self._known: Mapping[str, Rule] | None = None

    def _rules(self) -> Mapping[str, Rule]:
        if self._known is None:
            from contraband.detection.rule_documents import read_rules

            whole = crc32(self._section) == self._checksum
            self._known = read_rules(self._section) if whole else self._anew()
            self._section = b""
        return self._known

    def __getitem__(self, rule_id: str) -> Rule:
        return self._rules()[rule_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules())

    def __len__(self) -> int:
        return self._count


# ------------------------------------------------------------------------------------------------------------- the format


def _content(key: str, entry: Entry) -> bytes:
    from contraband.detection.rule_documents import written_problems, written_rules

    rules = written_rules(entry.rules)
    needed = (entry.rule_set, entry.stored or b"", entry.declarations, written_problems(entry.problems))
    name, count = key.encode(), b"%d" % len(entry.rules)
    lengths = [b"%d" % len(section) for section in (*needed, rules)]
    sums = b"%d-%d" % (_checksum(name, count, *lengths, *needed), crc32(rules))
    head = b" ".join((_MARK, b"%d" % FORMAT, name, sums, count, *lengths))
    return b"".join((head.ljust(_HEAD - 1), b"\n", *needed, rules))


def _checksum(*parts: bytes) -> int:
    checksum = 0
    for part in parts:
        checksum = crc32(b"%d " % len(part), checksum)
        checksum = crc32(part, checksum)
    return checksum


def _problems(section: bytes) -> tuple[Problem, ...]:
    from contraband.detection.rule_documents import read_problems

    return read_problems(section)


def _path(folder: str, key: str) -> str:
    return os.path.join(folder, f"{key}.plan")


# ---------------------------------------------------------------------------------------------------------------- the key


def data_files() -> tuple[str, ...]:
    """What decides every entry, beside the rules."""
    return (os.path.join(CONTENT, "schemas", "fields.csv"), os.path.join(CONTENT, "sources", "routing.toml"))


def code() -> Iterator[tuple[str, list[str]]]:
    """The folders and files of the code that makes entries: a version under development changes without a new number."""
    for name in _CODE:
        for folder, _, files in os.walk(os.path.join(_PACKAGE, name)):
            yield folder, [os.path.join(folder, file) for file in files if file.endswith(".py")]
    yield os.path.dirname(CORE_FILE), [CORE_FILE]


def _code_state() -> list[tuple[str, int, int]]:
    """Name, size and time of each."""
    found: list[tuple[str, int, int]] = []
    for _, files in code():
        for file in files:
            state = os.stat(file)
            found.append((os.path.relpath(file, _PACKAGE), state.st_size, state.st_mtime_ns))
    return sorted(found)
