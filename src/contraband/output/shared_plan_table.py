"""How `contraband explain --rules` shows what rules share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from contraband.detection.shared_plan import RuleCost, SharedPlan
from contraband.output.terminal import Screen, grid

Lines = Iterator[str]


def shared_plan_table(plan: SharedPlan, most: int, screen: Screen) -> Lines:
    """The shared plan of some rules: `most` of each list."""
    yield from _counts(plan, screen)
    yield from _literals(plan, most, screen)
    yield ""
    yield from screen.heading(
        "terms, by the number of rules that have them (evaluated at most once an event)", "", "  "
    )
    yield "   rules  est. cost  term"
    for term in plan.terms[:most]:
        yield from screen.wide(_short(term.text), f"  {term.rules:6,}  {term.cost:9,}  ")
    yield from _more(len(plan.terms), most)
    yield ""
    what = "rules, by estimated cost (one hash look-up is 1; nothing was measured: `scan --profile` measures)"
    yield from screen.heading(what, "", "  ")
    rows = [
        (
            f"{rule.shared_cost:,.0f}",
            f"{rule.cost:,.0f}",
            str(rule.terms),
            str(rule.own_terms),
            rule.name,
            _reached(rule),
        )
        for rule in plan.rules[:most]
    ]
    yield from grid(("shared", "alone", "terms", "own", "rule", "terms over"), rows, screen, indent="  ")
    yield from _more(len(plan.rules), most)


def _short(text: str, most: int = 120) -> str:
    """A long list of constants is cut in its middle."""
    return text if len(text) <= most else f"{text[: most - 30]} … {text[-26:]}"


def _counts(plan: SharedPlan, screen: Screen) -> Lines:
    written = sum(term.rules for term in plan.terms)
    tried = sum(rule.always_tried for rule in plan.rules)
    yield f"{len(plan.rules):,} rules, {plan.fields:,} fields"
    yield f"{len(plan.terms):,} distinct terms; rule by rule it would be {written:,}"
    decided = f"{len(plan.rules) - tried:,} rules are decided by values of single fields"
    yield from screen.prose(f"{decided}, {tried:,} have a condition that is tried for every event", "", "  ")
    yield from screen.listed(plan.bucket_fields or ["nothing"], "buckets by ", "  ")


def _literals(plan: SharedPlan, most: int, screen: Screen) -> Lines:
    if plan.no_filter_because:
        yield from screen.prose(f"every line is read: {plan.no_filter_because}", "", "  ")
        return
    wanted = [*plan.literals, *(" and ".join(_some(part) for part in parts) for parts in plan.together)]
    yield (
        f"a line is read if it contains one of {len(wanted):,} things:"
        if wanted
        else "no line is read: no event meets a condition"
    )
    for one in wanted[:most]:
        yield from screen.wide(one, "  ", "    ")
    yield from _more(len(wanted), most)


def _some(texts: Sequence[str]) -> str:
    """A list of which a line needs one, cut short."""
    shown = " | ".join(texts[:_FEW])
    return shown if len(texts) <= _FEW else f"({shown} | {len(texts) - _FEW:,} more)"


_FEW = 3


def _more(count: int, most: int) -> Lines:
    if count > most:
        yield f"  … {count - most:,} more (--most)"


def _reached(rule: RuleCost) -> str:
    if rule.always_tried:
        return "every event"
    values: Counter[str] = Counter()
    for condition in rule.conditions:
        values.update(condition["tried_for_values_of"])
    return ", ".join(f"{count} {field.rpartition('.')[2]}" for field, count in values.items()) or "nothing"
