"""Generated queries over generated events: the reference and the core must agree. `python -m tests.differential.fuzz --cases 100000`."""

from __future__ import annotations

import argparse
import json
import random
from typing import Any

from contraband.diagnostics import CompileError
from contraband.engine import EngineOptions, SearchError, search
from contraband.eql import CheckedQuery, compile_query
from contraband.eql.reference import EvaluationError, evaluate
from contraband.schema import Schema

TYPES = {
    "@timestamp": "date",
    "event.category": "keyword",
    "k": "keyword",
    "w": "wildcard",
    "n": "long",
    "d": "double",
    "b": "boolean",
    "ip": "ip",
    "t": "date",
    "v": "version",
}
SCHEMA = Schema.from_types(TYPES)
TEXTS = ["", "a", "A", "ab", "aXb", "abc*", "1", "é", "É", "a b", "a\nb", "true", "1.0"]
DATES = ['"2026-01-01"', '"2026-01-01T10:00:00Z"', "0"]
VERSIONS = ['"1.2.0"', '"2.0"', '"x"']
ADDRESSES = ['"10.0.0.1"', '"10.0.0.0/8"']
TINY = EngineOptions(routing=False, chunk_size=1, read_size=7, threads=2)
PLAIN = EngineOptions(routing=False, filter=False, share=False, threads=1)


class Generator:
    """One random source of queries and events."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def events(self) -> list[dict[str, Any]]:
        return [self.event() for _ in range(self.chance.randrange(1, 9))]

    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = {"event": {"category": self.chance.choice(["process", "file", ["process", "file"]])}}
        if self.chance.random() < 0.95:
            event["@timestamp"] = self.chance.randrange(0, 4000, 500)
        for name, values in (
            ("k", TEXTS),
            ("w", TEXTS),
            ("n", [0, 1, 2, -3, 7, "2", 2.7]),
            ("d", [0.5, 1.0, -2.25, 3]),
            ("b", [True, False]),
            ("ip", ["10.0.0.1", "::1", "192.168.1.7"]),
            ("t", ["2026-01-01", "2026-01-01T10:00:00Z", 0]),
            ("v", ["1.0.0", "1.10.0", "2.0", "x"]),
        ):
            if self.chance.random() < 0.7:
                many = self.chance.random() < 0.25
                event[name] = (
                    [self.chance.choice([*values, None]) for _ in range(3)] if many else self.chance.choice(values)
                )
        return event

    def text(self) -> str:
        return json.dumps(self.chance.choice(TEXTS), ensure_ascii=False)

    def pattern(self) -> str:
        return json.dumps(
            self.chance.choice(["a*", "*b", "*", "a?b", "??", "A*", "é", "*X*", "a\n*", "1"]), ensure_ascii=False
        )

    def string(self, depth: int) -> str:
        pick = self.chance.randrange(7 if depth else 3)
        inner = depth - 1
        match pick:
            case 0 | 1:
                return self.chance.choice(["k", "w", "?k", "?unmapped"])
            case 2:
                return self.text()
            case 3:
                return f"concat({self.string(inner)}, {self.string(inner)})"
            case 4:
                return (
                    f"substring({self.string(inner)}, {self.chance.randrange(-2, 3)}, {self.chance.randrange(-1, 4)})"
                )
            case 5:
                return f"between{self.tilde()}({self.string(inner)}, {self.text()}, {self.text()})"
            case _:
                return f"string({self.number(inner)})"

    def number(self, depth: int) -> str:
        pick = self.chance.randrange(6 if depth else 3)
        inner = depth - 1
        match pick:
            case 0 | 1:
                return self.chance.choice(["n", "d", "?n"])
            case 2:
                return str(self.chance.choice([0, 1, 2, 7, 0.5, 1.0]))
            case 3:
                return f"length({self.string(inner)})"
            case 4:
                return f"({self.number(inner)} {self.chance.choice('+-*/%')} {self.number(inner)})"
            case _:
                return f"indexOf{self.tilde()}({self.string(inner)}, {self.text()})"

    def tilde(self) -> str:
        return self.chance.choice(["", "~"])

    def leaf(self) -> str:
        compare = self.chance.choice(["==", "!=", "<", "<=", ">", ">="])
        match self.chance.randrange(14):
            case 0:
                return f"{self.string(2)} {compare} {self.text()}"
            case 1:
                return f"{self.number(2)} {compare} {self.chance.choice([0, 1, 2, -3, 1.5])}"
            case 2:
                return f"{self.string(1)} : ({self.pattern()}, {self.pattern()})"
            case 3:
                return f"{self.string(1)} {self.chance.choice(['like', 'like~'])} {self.pattern()}"
            case 4:
                return f"{self.string(1)} {self.chance.choice(['in', 'in~'])} ({self.text()}, {self.text()})"
            case 5:
                return f"{self.chance.choice(['startsWith', 'endsWith', 'stringContains'])}{self.tilde()}({self.string(1)}, {self.text()})"
            case 6:
                return f"{self.chance.choice(['k', 'n', 'b', 't', '?unmapped', 'concat(k, w)'])} {self.chance.choice(['==', '!='])} null"
            case 7:
                return (
                    f'cidrMatch(ip, "10.0.0.0/8", "::/64") {self.chance.choice(["", "== true", "== false", "!= true"])}'
                )
            case 8:
                return self.chance.choice(["b", "not b", "b == true", "b != true", "b == false"])
            case 9:
                pattern = self.chance.choice(["a.*", "[a-c]+", "a|b", "(?:x", "~a", "a&ab?", "<0-9>", ".?", "A"])
                return (
                    f"{self.chance.choice(['k', 'w'])} {self.chance.choice(['regex', 'regex~'])} {json.dumps(pattern)}"
                )
            case 10:
                return f"t {compare} {self.chance.choice(DATES)}"
            case 11:
                return f"v {compare} {self.chance.choice(VERSIONS)}"
            case 12:
                return f"n {self.chance.choice(['in', 'not in'])} (1, 2, 7)"
            case _:
                return f"ip {self.chance.choice(['==', '!='])} {self.chance.choice(ADDRESSES)}"

    def condition(self, depth: int) -> str:
        pick = self.chance.randrange(5) if depth else 0
        match pick:
            case 0 | 1:
                return self.leaf()
            case 2:
                return f"not ({self.condition(depth - 1)})"
            case 3:
                return f"({self.condition(depth - 1)} and {self.condition(depth - 1)})"
            case _:
                return f"({self.condition(depth - 1)} or {self.condition(depth - 1)})"

    def filter(self) -> str:
        condition = "true" if self.chance.random() < 0.3 else self.condition(1)
        return f"[{self.chance.choice(['process', 'file', 'any'])} where {condition}]"

    def query(self) -> str:
        kind = self.chance.random()
        if kind < 0.6:
            pipe = self.chance.choice(["", "", "", " | head 2", " | tail 2", " | head 3 | tail 1"])
            return f"{self.chance.choice(['process', 'any'])} where {self.condition(3)}{pipe}"
        by = self.chance.choice(["k", "n", "?k", "?unmapped", "k, n", "ip"])
        if kind < 0.7:
            return f"sample by {by} {self.filter()} {self.filter()}"
        span = self.chance.choice(["", " with maxspan=1s", " with maxspan=500ms"])
        stages = [
            self.filter() + self.chance.choice(["", "", " with runs=2"]) for _ in range(self.chance.randrange(2, 4))
        ]
        if span and self.chance.random() < 0.4:
            at = self.chance.randrange(len(stages) + 1)
            stages.insert(at, "!" + self.filter())
        until = f" until {self.filter()}" if self.chance.random() < 0.3 else ""
        keys = f" by {by}" if self.chance.random() < 0.8 else ""
        return f"sequence{keys}{span} {' '.join(stages)}{until}"


def difference(query: CheckedQuery, events: list[dict[str, Any]], options: EngineOptions) -> str | None:
    """How the core differs from the reference, if it does."""
    try:
        found = evaluate(query, events)
        expected: Any = (
            [events[number] for number in found.events],
            [
                (sequence.join_keys, [None if n is None else events[n] for n in sequence.events])
                for sequence in found.sequences
            ],
        )
    except EvaluationError:
        expected = "failed"
    try:
        result = search(query, events, options=options)
        got: Any = (result.events, result.sequences)
    except SearchError:
        got = "failed"
    return None if got == expected else f"expected {expected}\ngot      {got}"


def run(cases: int, first: int = 0) -> tuple[int, list[str]]:
    """How many cases ran, and the differences found."""
    ran = 0
    seed = first
    differences: list[str] = []
    while ran < cases and len(differences) < 10:
        generator = Generator(seed)
        seed += 1
        text, events = generator.query(), generator.events()
        try:
            query = compile_query(text, SCHEMA)
        except CompileError:
            continue
        ran += 1
        for options in (PLAIN, TINY):
            found = difference(query, events, options)
            if found is not None:
                differences.append(f"seed {seed - 1}: {text}\nevents {json.dumps(events, ensure_ascii=False)}\n{found}")
                break
    return ran, differences


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    arguments = parser.parse_args()
    ran, differences = run(arguments.cases, arguments.first)
    print("\n\n".join(differences))
    print(f"{ran} queries, {len(differences)} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    raise SystemExit(main())
