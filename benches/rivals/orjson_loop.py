"""Read every line with orjson, ask the predicate: the loop that one writes first. `python -m benches.rivals.orjson_loop FILE`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import orjson

from benches.rivals.predicate import matches


def main() -> None:
    """Print the ids of the matches."""
    began = time.perf_counter()
    with Path(sys.argv[1]).open("rb") as stream:
        documents = map(orjson.loads, stream)
        ids = [document["event"]["id"] for document in documents if matches(document)]
    print(orjson.dumps({"seconds": time.perf_counter() - began, "ids": ids}).decode())


if __name__ == "__main__":
    main()
