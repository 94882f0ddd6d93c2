"""Larger event logs from given ones: whole chunks of an EVTX repeated behind one file header. Decodes no record.

Layout: https://github.com/libyal/libevtx/blob/main/documentation/Windows%20XML%20Event%20Log%20(EVTX).asciidoc
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

HEADER = 4096
CHUNK = 65536


def chunks(data: bytes) -> list[bytes]:
    """The chunks of one log."""
    pieces = (data[at : at + CHUNK] for at in range(HEADER, len(data), CHUNK))
    return [piece for piece in pieces if piece.startswith(b"ElfChnk\0") and len(piece) == CHUNK]


def grow(source: Path, target: Path, size: int) -> Path:
    """Repeat the chunks of `source` until `target` has at least `size` bytes; made anew only where it is not there."""
    if target.exists():
        return target
    data = source.read_bytes()
    found = chunks(data)
    if not found:
        raise ValueError(f"{source}: no whole chunk")
    times = max(1, -(-size // (len(found) * CHUNK)))
    header = bytearray(data[:HEADER])
    count = min(len(found) * times, 0xFFFF)
    struct.pack_into("<Q", header, 16, count - 1)
    struct.pack_into("<H", header, 42, count)
    struct.pack_into("<I", header, 120, 0)  # neither dirty nor full
    struct.pack_into("<I", header, 124, zlib.crc32(bytes(header[:120])))
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as stream:
        stream.write(header)
        for number in range(count):
            stream.write(found[number % len(found)])
    return target
