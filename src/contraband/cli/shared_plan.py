"""How `contraband explain --rules` shows what rules share."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import click

from contraband.detection.compiled import Compiled
from contraband.detection.shared_plan import RuleCost, SharedPlan, shared_plan


def show_shared_plan(compiled: Sequence[Compiled], most: int, *, as_json: bool) -> None:
    """The shared plan of these rules on standard output: `most` of each list, all of them in JSON."""
    plan = shared_plan(compiled)
    if as_json:
        click.echo(json.dumps(plan.as_data(), ensure_ascii=False))
        return
    _show_counts(plan)
    _show_literals(plan, most)
    click.echo("\nterms, by the number of rules that have them (evaluated at most once an event)")
    click.echo("   rules  est. cost  term")
    for term in plan.terms[:most]:
        click.echo(f"  {term.rules:6,}  {term.cost:9,}  {short(term.text)}")
    _more(len(plan.terms), most)
    click.echo("\nrules, by estimated cost (one hash look-up is 1; nothing was measured: `scan --profile` measures)")
    click.echo("  shared   alone  terms  own  terms over        rule")
    for rule in plan.rules[:most]:
        click.echo(
            f"  {rule.shared_cost:6,.0f}  {rule.cost:6,.0f}  {rule.terms:5}  {rule.own_terms:3}  {_reached(rule):16}  {rule.name}"
        )
    _more(len(plan.rules), most)


def short(text: str, most: int = 120) -> str:
    """A long list of constants is cut in its middle."""
    return text if len(text) <= most else f"{text[: most - 30]} … {text[-26:]}"


def _show_counts(plan: SharedPlan) -> None:
    written = sum(term.rules for term in plan.terms)
    tried = sum(rule.always_tried for rule in plan.rules)
    click.echo(f"{len(plan.rules):,} rules, {plan.fields:,} fields")
    click.echo(f"{len(plan.terms):,} distinct terms; rule by rule it would be {written:,}")
    click.echo(
        f"{len(plan.rules) - tried:,} rules are decided by values of single fields, {tried:,} have a condition that is tried for every event"
    )
    click.echo(f"buckets by {', '.join(plan.bucket_fields) or 'nothing'}")


def _show_literals(plan: SharedPlan, most: int) -> None:
    if plan.no_filter_because:
        click.echo(f"every line is read: {plan.no_filter_because}")
        return
    wanted = [*plan.literals, *(" and ".join(_some(part) for part in parts) for parts in plan.together)]
    click.echo(
        f"a line is read if it contains one of {len(wanted):,} things:"
        if wanted
        else "no line is read: no event meets a condition"
    )
    for one in wanted[:most]:
        click.echo(f"  {one}")
    _more(len(wanted), most)


def _some(texts: Sequence[str]) -> str:
    """A list of which a line needs one, cut short."""
    shown = " | ".join(texts[:_FEW])
    return shown if len(texts) <= _FEW else f"({shown} | {len(texts) - _FEW:,} more)"


_FEW = 3


def _more(count: int, most: int) -> None:
    if count > most:
        click.echo(f"  … {count - most:,} more (--most)")


def _reached(rule: RuleCost) -> str:
    if rule.always_tried:
        return "every event"
    values: Counter[str] = Counter()
    for condition in rule.conditions:
        values.update(condition["tried_for_values_of"])
    return ", ".join(f"{count} {field.rpartition('.')[2]}" for field, count in values.items()) or "nothing"
