"""The entry of shipped rules without reading them again: its key is kept with the state that every file was in when it was read.

The content decides (`plan_cache.key_of`); what is kept here only says that it is still what it was. A file counts as unchanged while
its inode, size, time of modification and time of change are the same: the system sets the last of these at each write, rename and
change of the other times, and no program can set it. So it is done only where a system has such a time, and only for files of the
installation; rules of a user's own are read each time. Changes of one moment could share one time: a state is kept once the newest of
its times has passed. Folders are among the files, so that one that is added or taken away is noticed.
"""

from __future__ import annotations

import os
from zlib import crc32

from contraband.detection import plan_cache
from contraband.detection.material import CONTENT, exists, material_of, package_ids, rule_folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SETTLED = 2_000_000_000
"""Nanoseconds after which a time has passed: of the file systems in use FAT has the coarsest times, two seconds."""

_FORMAT = b"contraband-state 1"


class FileState:
    """What is known of the files behind some names and options, before and after they are read."""

    def __init__(self, folder: str, names: Sequence[str], options: object) -> None:
        # Several installations may share a folder.
        request = repr((CONTENT, tuple(names), options)).encode("utf-8", "surrogatepass")
        self._request = b"%d" % len(request) + b" " + request.replace(b"\0", b"\\0")
        self._path = os.path.join(folder, f"{crc32(request):08x}.state")
        self._names = names
        self._before: list[bytes] | None = None

    def key(self) -> str | None:
        """The key of the entry, if nothing has changed since it was kept."""
        try:
            if not self._can_tell():
                return None
            with open(self._path, "rb", buffering=0) as file:
                checksum, _, content = file.read().partition(b"\n")
            if int(checksum) != crc32(content):
                return None
            mark, request, key, paths, states = content.split(b"\n\0")
            if (mark, request) != (_FORMAT, self._request):
                return None
            if b"\n".join(map(_state, paths.split(b"\0"))) != states:
                return None
        except (OSError, ValueError):
            return None
        plan_cache.used(self._path)
        return key.decode("ascii")

    def look(self) -> None:
        """Note the state of all files: before they are read, so that what changes meanwhile is another state."""
        self._before = None
        if self._can_tell():
            self._before = list(map(os.fsencode, _files(self._names)))
            self._states = b"\n".join(map(_state, self._before))

    def _can_tell(self) -> bool:
        """Whether the system has such times, and no name is a path of the user's own."""
        return os.name == "posix" and not any(map(exists, self._names))

    def keep(self, key: str) -> None:
        """Keep the key with the state that `look` found, if it has settled."""
        import time

        if self._before is None or max(map(_newest, self._states.split(b"\n"))) > time.time_ns() - SETTLED:
            return
        parts = (_FORMAT, self._request, key.encode("ascii"), b"\0".join(self._before), self._states)
        content = b"\n\0".join(parts)
        plan_cache.put(self._path, b"%d\n" % crc32(content) + content)


def _files(names: Sequence[str]) -> Iterator[str]:
    """Everything that a key depends on, and the folders that it lies in."""
    yield CONTENT
    for package in package_ids():
        yield os.path.join(CONTENT, package)
        yield os.path.join(CONTENT, package, "rules")
        yield from rule_folders(package)
        published = os.path.join(CONTENT, package, "published")
        if exists(published):
            yield published
    for name in names:
        yield from material_of(name)
    yield from plan_cache.data_files()
    for folder, files in plan_cache.code():
        yield folder
        yield from files


def _state(path: bytes) -> bytes:
    state = os.stat(path)
    return b"%d %d %d %d %d" % (state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino, state.st_mode)


def _newest(state: bytes) -> int:
    return max(map(int, state.split(b" ")[:2]))
