"""Random queries and events over one schema: small vocabularies, so that conditions hold often and stages overlap.

A case is made from its number alone, so a difference is found again by that number.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

SCHEMA = {
    "@timestamp": "date",
    "event.category": "keyword",
    "seq": "long",
    "k": "keyword",
    "a.k": "keyword",
    "w": "wildcard",
    "n": "long",
    "i": "integer",
    "u": "unsigned_long",
    "x": "double",
    "ok": "boolean",
    "d": "date",
    "dn": "date_nanos",
    "ip": "ip",
    "v": "version",
    "y": "any",
    "z": "any",
    "b.c.d": "keyword",
    "fl": "flattened",
    "ck": "constant_keyword",
    "sh": "short",
    "bt": "byte",
    "fo": "float",
    "hf": "half_float",
    "sf": "scaled_float",
    "df": "date",
}
FORMATS = {"df": "dd-MM-yyyy||yyyy/MM/dd HH:mm[:ss]||epoch_second"}
"""Date formats of the mapping's own."""
OWN_DATES = (
    "01-01-2024",
    "2024/01/01 00:00",
    "2024/01/01 00:00:01",
    "1704067201",
    "31-12-2023",
    "32-01-2024",
    "2024-01-01",
)
CATEGORIES = ("process", "file")
TEXTS = (
    *("", "a", "A", "b", "ab", "AB", "abc", "aXXb", "a*b", "a?b", "ba", "bab", "a\nb", "\\", "C:\\b\\a"),
    *("É", "é", "ß", "K", "k", "ſ", "s", "İ", "i", "😀", "a😀b", "\uff5e"),
    *("5", "5.0", "-3", "1e3", "0x1f", "true", "false", "10.0.0.1"),
    *(
        "\u0000",
        "a\u0000",
        "a\u0085b",
        "a\u2028b",
        "e\u0301",
        "\ufeff",
        "\u202eab",
        "\U0010ffff",
        "Σς",
        "ﬁ",
        "Ǆ",
        "ab" * 40,
    ),
    *("\t", '"', "'", "%", "a.b", "(a)", "[a]", "^a$", "`", "Å", "\u0345", "ÿ", "Ÿ", "µ", "ẞ"),
)
WILD = (
    *("??", "*?", "a*b*", "*ß*", "*\u0301", "?\n?", "(*)", "[a]", "*.b", "*\\"),
    "*",
    "?",
    "a*",
    "*b",
    "a?b",
    "*a*",
    "?*",
    "**",
    "A*B",
    "*É*",
    "a*b*c",
    "k",
    "*\\*",
    "1*",
    "?s",
    "*\n*",
)
REGEXES = (
    *("a.*", ".*b", "[a-z]+", "[^a]*", "a|b", "ab?c?", "(ab)+", "a{1,2}.*", "(a|b|ab)(c|bab)?", "a.?b", "[a-k]"),
    *("\\d+", "\\w*", "\\S+", "\\D", "\\W", "[^\\w]", "[\\W_]", "\\s*", "[kK]", "[É-é]", "5\\.0", "s", ".", "", "()"),
)
LUCENE_ONLY = ("~(ab)", "a.*&.*b", "<1-9>", "<00-10>", "<1-200>", "@", "#", '"a*b"', "~a", "a#", "@b", "^a$", "[^~]&.")
JAVA_ONLY = (
    "(?i)A.*",
    "\\p{L}+",
    "[a-z&&[^b]]+",
    "a\\<b|\\*",
    "^a.*$",
    "(?:a|(?<x>b))+",
    "\\Qa*\\Eb",
    "[^a-c]?.{1,3}?",
)
DATES = (
    *("2024-01-01T00:00:00Z", "2024-01-01T00:00:00.001Z", "2024-01-01T00:00:01Z", "2023-12-31T23:59:59.999Z"),
    *("2024-01-01", "2024", "2024-01-01T02:00:00+02:00", "2024-01-01T00:00:00.001000001Z", "1704067200000"),
)
ADDRESSES = ("10.0.0.1", "10.0.0.2", "192.168.1.1", "::1", "fe80::1", "::ffff:10.0.0.1", "2001:DB8::5")
BLOCKS = ("10.0.0.0/8", "10.0.0.1/32", "192.168.0.0/16", "::/0", "fe80::/10", "0.0.0.0/0", "10.0.0.2/31")
VERSIONS = (
    "1.0",
    "1.0.0",
    "1.2.3",
    "1.10.0",
    "1.2.3-alpha",
    "1.2.3-alpha.2",
    "1.2.3-alpha.10",
    "1.2.3+b1",
    "01.2",
    "x",
)
NUMBERS = ("0", "1", "2", "3", "5", "-1", "-3", "0.5", "2.0", "-0.0", "4.5", "9007199254740993", "9223372036854775807")
STAGE_FILTERS = (
    *("any where true", 'any where k == "a"', 'any where k : "A*"', 'any where k != "a"', 'any where k in ("a", "b")'),
    *(
        "any where n > 1",
        "any where n == 1",
        "any where ok",
        "any where not ok",
        "process where true",
        "file where true",
    ),
)
KEYS = (
    *("k", "n", "a.k", "?k", "?n", "ok", "?ok", "ip", "d", "x", "y", "?gone"),
    *("dn", "v", "w", "i", "u", "df", "b.c.d", "?fl", "sh", "hf", "?ip", "?d", "z"),
)


@dataclass(frozen=True)
class Case:
    """One query over one list of events."""

    query: str
    events: list[dict[str, Any]]
    options: dict[str, Any] = field(default_factory=dict)
    tiebreaker: str | None = None

    def smaller(self) -> list[Case]:
        """Cases with one event, or one value of an event, less."""
        fewer = [replace(self, events=self.events[:at] + self.events[at + 1 :]) for at in range(len(self.events))]
        for at, event in enumerate(self.events):
            for name in event:
                less = {key: value for key, value in event.items() if key != name}
                fewer.append(replace(self, events=[*self.events[:at], less, *self.events[at + 1 :]]))
        return fewer

    def __str__(self) -> str:
        lines = [f"query      {self.query}", f"options    {self.options} tiebreaker={self.tiebreaker}"]
        return "\n".join([*lines, *(json.dumps(event) for event in self.events)])


def make_case(number: int) -> Case:
    """The case of this number."""
    return Maker(random.Random(number)).case()


class Maker:
    """Makes one case from one source of random numbers."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def one(self, *choices: Any) -> Any:
        return self.dice.choice(choices)

    def case(self) -> Case:
        kind = self.dice.choices(["event", "sequence", "sample"], [5, 4, 1])[0]
        query = {"event": self.event_query, "sequence": self.sequence, "sample": self.sample}[kind]()
        options: dict[str, Any] = {}
        if self.chance(0.3):
            options["size"] = self.dice.randrange(0, 5)
        if self.chance(0.3):
            options["result_position"] = self.one("head", "tail")
        if kind == "sample":
            options["max_samples_per_key"] = self.dice.randrange(1, 4)
        events = [self.event(kind) for _ in range(self.dice.randrange(1, 8 if kind == "event" else 20))]
        return Case(query, events, options, self.one(None, "seq", "seq", "k", "x", "d", "y", "v"))

    # ------------------------------------------------------------------------------------------------------- queries

    def event_query(self) -> str:
        return f"{self.filter(3)}{self.pipes()}"

    def pipes(self) -> str:
        if self.chance(0.75):
            return ""
        count = self.one(1, 1, 2, 3)
        return "".join(f" | {self.one('head', 'tail')} {self.dice.randrange(0, 6)}" for _ in range(count))

    def filter(self, depth: int) -> str:
        return f"{self.one('any', 'any', 'any', *CATEGORIES)} where {self.condition(depth)}"

    def stage_filter(self) -> str:
        return self.one(*STAGE_FILTERS) if self.chance(0.8) else self.filter(2)

    def keys(self, count: int) -> str:
        return ", ".join(self.one(*KEYS) for _ in range(count))

    def sequence(self) -> str:
        total = self.one(0, 0, 1, 1, 2)
        stage_keys = "" if total == 0 or self.chance(0.6) else self.keys(1)
        common = self.keys(total - 1 if stage_keys else total)
        maxspan = self.one("", "", "1ms", "2ms", "1s", "5s", "1m")
        missing_allowed = bool(maxspan) and self.chance(0.5)
        stages = " ".join(self.stage(stage_keys, missing_allowed) for _ in range(self.one(2, 2, 3, 4)))
        until = f" until [{self.stage_filter()}]{self.by(stage_keys)}" if self.chance(0.3) else ""
        head = f"sequence{self.by(common)}" + (f" with maxspan={maxspan}" if maxspan else "")
        return f"{head} {stages}{until}{self.pipes()}"

    def by(self, keys: str) -> str:
        return f" by {keys}" if keys else ""

    def stage(self, keys: str, missing_allowed: bool) -> str:
        mark = "!" if missing_allowed and self.chance(0.4) else ""
        runs = f" with runs={self.dice.randrange(1, 4)}" if self.chance(0.15) else ""
        return f"{mark}[{self.stage_filter()}]{self.by(keys)}{runs}"

    def sample(self) -> str:
        count = self.one(2, 2, 3, 4, 5)
        if self.chance(0.2):
            alike = self.one(
                ("k", "?k", "a.k", "w", "b.c.d", "fl"), ("n", "i", "sh", "x", "?n"), ("d", "dn", "df", "?d")
            )
            by = [self.one(*alike) for _ in range(count)]
            return "sample " + " ".join(f"[{self.stage_filter()}] by {key}" for key in by)
        stages = " ".join(f"[{self.stage_filter()}]" for _ in range(count))
        return f"sample by {self.keys(self.one(1, 1, 2))} {stages}"

    # ---------------------------------------------------------------------------------------------------- conditions

    def condition(self, depth: int) -> str:
        if depth == 0 or self.chance(0.35):
            return self.leaf()
        match self.dice.randrange(6):
            case 0 | 1:
                return f"({self.condition(depth - 1)} and {self.condition(depth - 1)})"
            case 2 | 3:
                return f"({self.condition(depth - 1)} or {self.condition(depth - 1)})"
            case 4:
                return f"not {self.condition(depth - 1)}"
            case _:
                return f"({self.condition(depth - 1)}) {self.one('==', '!=')} {self.one('true', 'false')}"

    def leaf(self) -> str:
        makers: list[Callable[[], str]] = [self.date_leaf, self.address_leaf, self.version_leaf, self.boolean_leaf]
        makers += [self.null_leaf, self.any_leaf, self.optional_leaf, *[self.text_leaf, self.number_leaf] * 2]
        makers += [self.function_leaf] * 3
        return self.dice.choice(makers)()

    def plain_leaf(self) -> str:
        """A leaf over fields of the simplest types, among them what seldom stands in a query."""
        match self.dice.randrange(12):
            case 0:
                constant = self.one("(1 == 1)", "(1 == 2)", "(not true)", 'startsWith("ab", "a")', "true", "false")
                sides = [f"({self.plain_leaf()})", constant]
                self.dice.shuffle(sides)
                return f" {self.one('==', '!=')} ".join(sides)
            case 1:
                sides = [self.one("k", "n", "?gone", 'concat(k, "a")', "(n + 1)", '"a"', "(n > 1)", "ok"), "?gone"]
                self.dice.shuffle(sides)
                return f" {self.one('==', '!=')} ".join(sides)
            case 2:
                inner = f"{self.plain_leaf()} {self.one('and', 'or')} {self.plain_leaf()}"
                return self.one(f"({inner}) == null", f'string({inner}) : "t*"', f"(not ({inner})) != null")
            case 3:
                return self.one(self.boolean_leaf, self.null_leaf, self.optional_leaf)()
            case 4 | 5:
                return self.text_test(self.one("k", "a.k", "w", "?k", "b.c.d", "`b`.c.`d`"), field=True)
            case 6 | 7:
                return self.number_test(self.one("n", "x", "?n", "?x"))
            case _:
                return self.function_leaf()

    def text(self, *pool: str) -> str:
        return json.dumps(self.dice.choice(pool or TEXTS), ensure_ascii=False)

    def texts(self, *pool: str) -> str:
        return ", ".join(self.text(*pool) for _ in range(self.dice.randrange(1, 4)))

    def text_test(self, subject: str, *, field: bool) -> str:
        regexes = (*REGEXES, *LUCENE_ONLY) if field else (*REGEXES, *JAVA_ONLY)
        match self.dice.randrange(7):
            case 0:
                return f"{subject} {self.one('==', '!=', '<', '<=', '>', '>=')} {self.text()}"
            case 1 | 2:
                return f"{subject} : ({self.texts(*WILD, *TEXTS)})"
            case 3:
                return f"{subject} {self.one('like', 'like~')} ({self.texts(*WILD)})"
            case 4:
                return f"{subject} {self.one('in', 'in~', 'not in', 'not in~')} ({self.texts()})"
            case 5:
                return f"{subject} {self.one('regex', 'regex~')} ({self.texts(*regexes)})"
            case _:
                return f"{self.text()} == {subject}"

    def text_leaf(self) -> str:
        return self.text_test(self.one("k", "a.k", "w", "?k", "b.c.d", "fl", "ck", "`b`.c.`d`"), field=True)

    def number(self) -> str:
        return self.dice.choice(NUMBERS)

    def number_test(self, subject: str) -> str:
        match self.dice.randrange(4):
            case 0:
                return f"{subject} {self.one('in', 'not in')} ({self.number()}, {self.number()})"
            case 1:
                return f"{self.number()} {self.one('==', '<', '>=')} {subject}"
            case _:
                return f"{subject} {self.one('==', '!=', '<', '<=', '>', '>=')} {self.number()}"

    def number_leaf(self) -> str:
        return self.number_test(self.one("n", "i", "u", "x", "?n", "sh", "bt", "fo", "hf", "sf"))

    def date_leaf(self) -> str:
        if self.chance(0.25):
            return f"df {self.one('==', '!=', '<', '<=', '>', '>=')} {self.text(*OWN_DATES[:5])}"
        if self.chance(0.15):
            return f"{self.one('d', 'dn')} {self.one('in', 'not in')} ({self.texts(*DATES)})"
        constant = self.one(self.text(*DATES), "1704067200000", "1704067200001")
        return f"{self.one('d', 'dn', '@timestamp')} {self.one('==', '!=', '<', '<=', '>', '>=')} {constant}"

    def address_leaf(self) -> str:
        if self.chance(0.5):
            return f"cidrMatch(ip, {self.texts(*BLOCKS)})"
        if self.chance(0.3):
            return f"ip in ({self.texts(*ADDRESSES)})"
        return f"ip {self.one('==', '!=', '<', '>=')} {self.text(*ADDRESSES)}"

    def version_leaf(self) -> str:
        return f"v {self.one('==', '!=', '<', '<=', '>', '>=')} {self.text(*VERSIONS)}"

    def boolean_leaf(self) -> str:
        return self.one("ok", "not ok", "ok == true", "ok == false", "ok != true", "ok != false", "true", "false")

    def null_leaf(self) -> str:
        subject = self.one(*SCHEMA, "?gone", f"({self.function()})", f"({self.arithmetic(1)})")
        return self.one(f"{subject} == null", f"{subject} != null", f"null == {subject}")

    def any_leaf(self) -> str:
        subject = self.one("y", "z")
        if self.chance(0.3):
            return self.number_test(subject)
        if self.chance(0.2):
            return f"{subject} == {self.one('true', 'false')}"
        return self.text_test(subject, field=True)

    def optional_leaf(self) -> str:
        return self.text_test(self.one("?gone", "?a.gone"), field=True)

    # ----------------------------------------------------------------------------------------------------- functions

    def function_leaf(self) -> str:
        match self.dice.randrange(6):
            case 4:
                return f"{self.predicate()} {self.one('==', '!=')} {self.one('true', 'false')}"
            case 5:
                return f"{self.number_function()} {self.one('in', 'not in')} ({self.number()}, {self.number()})"
            case 0:
                return self.predicate()
            case 1:
                return self.text_test(self.text_function(), field=False)
            case 2:
                return self.number_test(self.number_function())
            case _:
                return f"{self.arithmetic(2)} {self.one('==', '!=', '<', '>')} {self.number()}"

    def function(self) -> str:
        return self.one(self.predicate, self.text_function, self.number_function)()

    def tilde(self) -> str:
        return self.one("", "~")

    def text_argument(self, depth: int = 1) -> str:
        if depth and self.chance(0.2):
            return self.text_function(depth - 1)
        rare = self.one("null", "?gone", "b.c.d", "fl", "z", "string(n)", "?k")
        return self.one("k", "k", "a.k", "w", "y", self.text(), rare if self.chance(0.3) else "k")

    def predicate(self) -> str:
        name = self.one("startsWith", "endsWith", "stringContains")
        return (
            f"{name}{self.tilde()}({self.text_argument()}, {self.one(self.text(), self.text(), self.text_argument())})"
        )

    def text_function(self, depth: int = 1) -> str:
        argument = self.text_argument(depth)
        match self.dice.randrange(4):
            case 0:
                left, right = self.text("a", "b", "A", "X", "", "😀", "É"), self.text("b", "B", "a", "", "ß")
                if self.chance(0.2):
                    left, right = self.one("k", "a.k", "null", left), self.one("w", "null", right)
                return f"between{self.tilde()}({argument}, {left}, {right}{self.one('', ', true', ', false')})"
            case 1:
                more = self.one(
                    "n", "x", "ok", "d", "ip", "v", "k", "y", self.text(), "5", "true", "df", "hf", "u", "0.1", "dn"
                )
                last = f", {self.one('k', 'n', self.text(), '1e7')}" if self.chance(0.2) else ""
                return f"concat({argument}, {more}{last})"
            case 2:
                end = self.one("", f", {self.dice.randrange(-4, 5)}", ", null")
                return f"substring({argument}, {self.one('0', '1', '-1', '-2', '2', 'n', 'null')}{end})"
            case _:
                return f"string({self.one('n', 'x', 'ok', 'd', 'dn', 'ip', 'v', 'k', 'y', 'z', 'u', 'df', 'fo', 'sf', 'bt', 'fl')})"

    def number_function(self) -> str:
        match self.dice.randrange(4):
            case 0:
                return f"length({self.text_argument()})"
            case 1:
                part, start = self.text("a", "b", "B", "", "é"), self.one("", ", 1", ", -1", ", n", ", null")
                return f"indexOf{self.tilde()}({self.text_argument()}, {part}{start})"
            case 2:
                source = self.one(self.text("5", "-3", "0x1f", "17", "1e3"), "string(n)", "string(x)", "k")
                return f"number({source}{self.one('', ', 16', ', 10', ', null', ', 8')})"
            case _:
                name = self.one("add", "subtract", "multiply", "divide", "modulo")
                return f"{name}({self.arithmetic(1)}, {self.arithmetic(1)})"

    def arithmetic(self, depth: int) -> str:
        if depth == 0 or self.chance(0.3):
            rare = "null" if self.chance(0.05) else "n"
            return self.one("n", "i", "x", "n", "x", "y", "u", self.number().lstrip("-"), "length(k)", rare)
        if self.chance(0.1):
            return f"-({self.arithmetic(depth - 1)})"
        return f"({self.arithmetic(depth - 1)} {self.one('+', '-', '*', '/', '%')} {self.arithmetic(depth - 1)})"

    # -------------------------------------------------------------------------------------------------------- events

    def event(self, kind: str) -> dict[str, Any]:
        event: dict[str, Any] = {}
        if self.chance(0.95):
            event["@timestamp"] = self.timestamp()
        if self.chance(0.8):
            event["seq"] = self.dice.randrange(0, 4)
        if self.chance(0.9):
            event["event.category"] = self.several(CATEGORIES)
        for name, values in self.values(kind).items():
            if self.chance(0.7 if name in ("k", "n") else 0.4):
                event[name] = self.several(values)
        if "a.k" in event and self.chance(0.5):
            inner = {"k": event.pop("a.k")}
            event["a"] = self.one(inner, [inner, {"j": 1}])
            if self.chance(0.2):
                event["a.k"] = self.one(*TEXTS[:6])
        if "b.c.d" in event and self.chance(0.7):
            value = event.pop("b.c.d")
            event |= self.one(
                {"b": {"c": {"d": value}}},
                {"b.c": {"d": value}},
                {"b": {"c.d": value}},
                {"b": [{"c": [{"d": value}, {"d": "b"}]}, None, {"c": 5}]},
                {"b": {"c": {"d": value}, "c.d": "a"}},
            )
        return event

    def values(self, kind: str) -> dict[str, tuple[Any, ...]]:
        # Sequences and samples need values that come back; conditions need strange ones.
        few = kind != "event"
        return {
            "k": ("a", "a", "b", "ab") if few else TEXTS,
            "a.k": ("a", "b") if few else TEXTS,
            "w": TEXTS,
            "n": (1, 1, 2) if few else (0, 1, 2, 3, -1, "2", 1.9, 5),
            "i": (0, 1, 5, 2147483647, 2147483648, "3.7"),
            "u": (0, 1, 18446744073709551615, 9223372036854775807, -1),
            "x": (0.5, 2.0, -0.0, 0.0, 4.5, 1e22, 1e-7, 3, "0.5", 123456.789),
            "ok": (True, False, "true", "false", ""),
            "d": (*DATES, 1704067200000),
            "dn": (*DATES, 1704067200000),
            "ip": (*ADDRESSES, "no address"),
            "v": VERSIONS,
            "y": (*TEXTS, 1, 5, 2.5, True, False, -0.0, 1e22),
            "z": (*TEXTS, 1, 5, 2.5, True, False),
            "gone": ("a",),
            "b.c.d": ("a", "b") if few else TEXTS,
            "fl": ("a", "b", 1) if few else (*TEXTS, 1, 1.5, True),
            "ck": ("a",) if few else TEXTS[:8],
            "sh": (1, 2) if few else (0, 1, 2, 5, 32767, 32768, "1.5"),
            "bt": (0, 1, 5, 127, 128, -128),
            "fo": (0.5, 0.1, 2, 1e10, "4.5", 3.4e39),
            "hf": (0.5, 2.0, 4.5) if few else (0.5, 0.1, 2, 65504, 4.5, 70000),
            "sf": (0.5, 2, 4.5, 5.0),
            "df": (*OWN_DATES, 1704067200),
        }

    def timestamp(self) -> Any:
        millis = self.one(0, 0, 1, 1, 2, 3, 1000, 1001, 2000, 5000, 5001, 60000)
        text = f"2024-01-01T00:0{millis // 60000}:{millis // 1000 % 60:02}.{millis % 1000:03}Z"
        return self.one(1704067200000 + millis, text)

    def several(self, values: tuple[Any, ...]) -> Any:
        match self.dice.randrange(12):
            case 0:
                return [self.one(*values), self.one(*values)]
            case 1:
                first, second, third = (self.one(*values) for _ in range(3))
                return self.one([], [None], None, [None, first], [[first], [second, third]])
            case _:
                return self.one(*values)
