"""A checked query, printed: what the analysis decided, a line a term."""

from __future__ import annotations

import pytest

from contraband.detection.compiled import compile_rules
from contraband.detection.packages import load_named
from contraband.eql import compile_query
from contraband.eql.analysis.printer import print_checked
from contraband.schema import Schema
from shared import shared_path

SCHEMA = Schema.from_types(
    {
        "@timestamp": "date",
        "seq": "long",
        "event.category": "keyword",
        "name": "keyword",
        "command": "wildcard",
        "pid": "long",
        "size": "double",
        "when": "date",
        "ip": "ip",
        "flag": "boolean",
    }
)

CASES = [
    (
        'process where name == "a" and not name != "b"',
        """
event, ordered by @timestamp:date
stage 1
  all of
    event.category:keyword == "process"
    name:keyword == "a"
    name:keyword == "b"
""",
    ),
    (
        'any where name : ("a*", "b") or command like~ "X?" or name regex "[a-z]+" or name in~ ("x", "y")',
        """
event, ordered by @timestamp:date
stage 1
  any of
    name:keyword equals "b" [fold ascii]
    name:keyword is like "a*" [fold ascii]
    command:wildcard is like "X?" [fold ascii]
    name:keyword fits regex "[a-z]+"
    name:keyword equals any of ("x", "y") [fold ascii]
""",
    ),
    (
        'any where length(name) + 2 * pid > -3.5 and ip == "10.0.0.0/8" and when < "2026-01-01" and pid in (1, 2)',
        """
event, ordered by @timestamp:date
stage 1
  all of
    (length(name:keyword) + (2 * pid:long)) > -3.5
    ip:ip == "10.0.0.0/8"
    when:date < date(2026-01-01T00:00:00.000Z to 2026-01-01T23:59:59.999999999Z)
    pid:long in any of (1, 2)
""",
    ),
    (
        'any where ?nothing == "x" or flag or pid == null',
        """
event, ordered by @timestamp:date
stage 1
  any of
    flag:boolean
    pid:long is null
""",
    ),
    (
        'any where endsWith~(concat(name, "x"), command) and add(pid, 1) in (2, 3) and (pid + 1 > 2 or flag) != null',
        """
event, ordered by @timestamp:date
stage 1
  all of
    endsWith(concat(name:keyword, "x"), command:wildcard) [fold java]
    (pid:long + 1) in any of (2, 3)
    not
      (((pid:long + 1) > 2) or flag:boolean) is null
""",
    ),
    (
        "sequence by name, ?nothing with maxspan=1m [any where pid == 1] with runs=2 ![any where true] [any where false] "
        "until [any where flag] | tail 3",
        """
sequence, ordered by @timestamp:date, seq:long, maxspan 60000 ms
stage 1 by name:keyword, ?null runs 2
  pid:long == 1
stage 2 missing by name:keyword, ?null
  always
stage 3 by name:keyword, ?null
  never
until by name:keyword, ?null
  flag:boolean
tail 3
""",
    ),
]


@pytest.mark.parametrize(("query", "expected"), CASES, ids=range(len(CASES)))
def test_printed(query: str, expected: str) -> None:
    tiebreaker = "seq" if query.startswith("sequence") else None
    printed = print_checked(compile_query(query, SCHEMA, tiebreaker_field=tiebreaker))
    assert printed == expected.strip("\n")


def test_every_rule_of_elastic_can_be_printed() -> None:
    compiled, problems = compile_rules(load_named(str(shared_path("elastic-rules/rules"))).rules)
    assert not problems
    for entry in compiled:
        printed = print_checked(entry.query)
        assert printed.count("stage ") >= len(entry.query.stages)
        assert "object at 0x" not in printed
