"""`contraband explain`: what a rule compiles to, why it matches events or not, and what a set of rules shares."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from contraband.cli.common import compile_error, fail, load, paths, report_problems, say, screen, show
from contraband.detection.compiled import compile_rule, compile_rules
from contraband.detection.rules import Rule
from contraband.diagnostics import CompileError
from contraband.engine import CompiledRule, Engine
from contraband.eql import CheckedQuery, compile_query, parse
from contraband.eql.analysis.checked import QueryKind
from contraband.eql.analysis.printer import print_checked
from contraband.eql.reference.explain import tell
from contraband.eql.syntax import print_statement, tokenise
from contraband.output.explanation import condition_text, form_text, nearest_text, search_text
from contraband.plan import lower, plan_text

STAGES = ["tokens", "tree", "checked", "plan", "filter"]


@click.command("explain")
@click.argument("given", metavar="[RULE] [EVENTS]", nargs=-1)
@click.option(
    "--rules",
    "names",
    multiple=True,
    metavar="NAME",
    help="Instead of RULE, a package, folder or file: what its rules share, or with EVENTS which of them are nearest; repeatable.",
)
@click.option("--stage", type=click.Choice(STAGES), help="Print one form only.")
@click.option("--line", type=click.IntRange(1), metavar="N", help="Only the event on this line of EVENTS.")
@click.option(
    "--most", type=click.IntRange(1), default=20, show_default=True, help="So many rules or terms are listed."
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(
    given: tuple[str, ...], names: tuple[str, ...], stage: str | None, line: int | None, most: int, as_json: bool
) -> int:
    """Show what a rule (or a query in quotes) compiles to. With EVENTS (a file of ECS documents as JSON, one a line, or -): why it matches or not.

    For a sequence or sample EVENTS are taken together: which stages each can fill, with which key, and why they do not complete it. `contraband
    convert` makes ECS of other formats.

    \b
    Examples:
      contraband explain T1546.016/published --stage plan
      contraband explain 'process where process.name == "env"' samples/linux-lab.deb-sh-install.defend_new.ndjson --line 1
      contraband explain --rules T1546.016
      contraband explain --rules T1546.016 samples/linux-lab.deb-sh-install.defend_new.ndjson --line 15
    """
    if len(given) > (1 if names else 2) or not (given or names):
        raise click.UsageError("expected RULE and perhaps EVENTS, or --rules NAME and perhaps EVENTS")
    try:
        if names:
            return _rules(names, _events(given[0], line) if given else None, most, as_json=as_json)
        rule = given[0]
        text, compiled = _query(rule)
        if len(given) == 2:
            _explain_events(compiled, text, _events(given[1], line), as_json=as_json)
            return 0
        shown = {name: _stage(name, text, compiled) for name in ([stage] if stage else STAGES[1:])}
        if as_json:
            click.echo(_json(shown))
            return 0
        to = screen()
        for name, form in shown.items():
            if not stage:
                click.echo(to.strong(f"--- {name}"))
            show(form_text(form, to))
    except CompileError as error:
        compile_error(error, given[0])
    return 0


# ------------------------------------------------------------------------------------------------------------------ events


def _events(path: str, line: int | None) -> list[tuple[int, Mapping[str, Any]]]:
    """(number of the line, document) of each event: JSON documents one a line, one over several lines, or an array of them."""
    try:
        if path == "-":
            content = sys.stdin.buffer.read()
        else:
            content = Path(paths([path])[0]).read_bytes()
        text = content.decode("utf-8-sig")
        events = list(_documents(text))
    except OSError as error:
        fail(f"{path}: {error.strerror or error}")
    except (ValueError, RecursionError) as error:
        fail(f"{path}: {error}")
    if line is not None:
        events = [event for event in events if event[0] == line]
        if not events:
            fail(f"{path}: no event on line {line}")
    if not events:
        fail(f"{path}: no event in it")
    return events


def _documents(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        whole = json.loads(text)
    except ValueError:
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                try:
                    yield number, _document(json.loads(line), number)
                except json.JSONDecodeError as error:
                    raise ValueError(f"line {number}: not JSON: {error.msg}") from None
        return
    for number, document in enumerate(whole if isinstance(whole, list) else [whole], 1):
        yield number, _document(document, number)


def _document(value: object, number: int) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"line {number}: expected a JSON object")
    return value


def _explain_events(
    query: CheckedQuery, text: str, events: Sequence[tuple[int, Mapping[str, Any]]], *, as_json: bool
) -> None:
    if query.kind is not QueryKind.EVENT:
        _explain_together(query, text, events, as_json=as_json)
        return
    for line, event in events:
        told = tell(query.stages[0].condition, event, text)
        if as_json:
            click.echo(_json({"line": line, **told.as_data()}))
            continue
        if len(events) > 1:
            click.echo(f"line {line}:")
        show(condition_text(told, screen()))


def _explain_together(
    query: CheckedQuery, text: str, events: Sequence[tuple[int, Mapping[str, Any]]], *, as_json: bool
) -> None:
    """What a sequence or sample makes of all events; of a single one also each stage, term by term."""
    from contraband.eql.reference.explain_search import tell_search

    told = tell_search(query, [event for _, event in events], text)
    parts = [tell(stage.condition, events[0][1], text) for stage in query.stages] if len(events) == 1 else []
    if as_json:
        terms = {"terms": [part.as_data() for part in parts]} if parts else {}
        click.echo(_json({**told.as_data(), "lines": [line for line, _ in events], **terms}))
        return
    for number, part in enumerate(parts, 1):
        click.echo(f"stage {number}:")
        show(condition_text(part, screen()))
    show(search_text(told, screen()))


# ------------------------------------------------------------------------------------------------------------ many rules


def _rules(
    names: Sequence[str], events: list[tuple[int, Mapping[str, Any]]] | None, most: int, *, as_json: bool
) -> int:
    loaded = load(names)
    compiled, problems = compile_rules(loaded.rules)
    report_problems((*loaded.problems, *problems))
    if not compiled:
        fail("no rule was loaded")
    if events is None:
        from contraband.detection.shared_plan import shared_plan
        from contraband.output.shared_plan_table import shared_plan_table

        plan = shared_plan(compiled)
        if as_json:
            click.echo(_json(plan.as_data()))
        else:
            show(shared_plan_table(plan, most, screen()))
        return 0
    from contraband.detection.nearest import nearest

    for line, event in events:
        near = nearest(compiled, event)
        if as_json:
            click.echo(_json({"line": line, "rules": [entry.as_data() for entry in near[:most]]}))
            continue
        if len(events) > 1:
            click.echo(f"line {line}:")
        show(nearest_text(near, most, screen()))
    if not as_json:
        say("index patterns and exceptions are not looked at")
    return 0


# ---------------------------------------------------------------------------------------------------------------- one rule


def _query(name: str) -> tuple[str, CheckedQuery]:
    """The text and the checked query of a rule, or of a query given as such."""
    if " where " in name:
        return name, compile_query(name)
    loaded = load((name,))
    if len(loaded.rules) != 1:
        fail(f"`{name}` stands for {len(loaded.rules)} rules; give one, or --rules {name}")
    rule: Rule = loaded.rules[0]
    return rule.query, compile_rule(rule)


def _stage(name: str, text: str, compiled: CheckedQuery) -> str:
    match name:
        case "tokens":
            tokens, _ = tokenise(text)
            return "\n".join(
                f"{token.start}-{token.end} {token.kind} {text[token.start : token.end]}".rstrip() for token in tokens
            )
        case "tree":
            return print_statement(parse(text))
        case "checked":
            return print_checked(compiled)
        case "plan":
            return plan_text(lower(compiled))
        case _:
            found = Engine([CompiledRule("query", lower(compiled))]).explain()
            if found["no_filter_because"]:
                return f"every line is read: {found['no_filter_because']}"
            return _literals(found["literals"], found["literals_together"])


def _literals(alone: list[str], together: list[list[list[str]]]) -> str:
    """What the raw filter searches for, as a sentence and a list."""
    lines = ["a line is read if it contains, in any case and as JSON writes it, one of:"] if alone or together else []
    lines += [f"  {literal}" for literal in alone]
    lines += ["  " + "  and  ".join(" | ".join(part) for part in parts) for parts in together]
    return "\n".join(lines or ["no line is read: no event meets the condition"])


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
