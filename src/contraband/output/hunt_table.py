"""What a hunt found, for people: the rarest group first, each with an example. Values are hostile input."""

from __future__ import annotations

from collections.abc import Iterator

from contraband.hunt import Found
from contraband.output.fields import plain
from contraband.output.terminal import Screen


def hunt_table(found: Found, most: int, screen: Screen) -> Iterator[str]:
    """The first `most` groups, two lines each, and how many more there are; nothing where nothing was found."""
    if not found.groups:
        return
    yield from screen.heading(f"{found.hunt.name}: {found.hunt.question}", f"{found.hunt.id} ", "   ")
    for group in found.groups[:most]:
        times = f"{group.count:6} {'time ' if group.count == 1 else 'times'}"
        hosts = f"{len(group.hosts)} {'host ' if len(group.hosts) == 1 else 'hosts'}"
        key = ", ".join(plain(value) for _, value in group.key)
        yield screen.fit(f"  {times} on {hosts}  {key}".rstrip())
        if group.example:
            yield screen.fit(f"         {plain(group.example)}")
    if (more := len(found.groups) - most) > 0:
        yield f"         {more} more groups (--most)"
