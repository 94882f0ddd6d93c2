"""`head`, `tail` and the size of the result: which of all results are kept. They stay in ascending order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from contraband.eql.analysis.checked import Pipe, PipeKind

Item = TypeVar("Item")


def limited(
    results: Sequence[Item], pipes: Sequence[Pipe], *, size: int | None, result_position: PipeKind
) -> list[Item]:
    """The results that remain.

    The size applies first, from the end that the first pipe names (else `result_position`); then each pipe applies to
    what the ones before it left.
    """
    kept = list(results)
    if size is not None:
        kept = _limit(kept, pipes[0].kind if pipes else result_position, size)
    for pipe in pipes:
        kept = _limit(kept, pipe.kind, pipe.count)
    return kept


def _limit(results: list[Item], kind: PipeKind, count: int) -> list[Item]:
    match kind:
        case PipeKind.HEAD:
            return results[:count]
        case PipeKind.TAIL:
            return results[max(len(results) - count, 0) :]
