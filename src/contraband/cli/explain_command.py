"""`contraband explain`: what a rule compiles to, and why it matches an event or not."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from contraband.cli.common import compile_error, fail, load
from contraband.detection.compiled import compile_rule
from contraband.detection.rules import Rule
from contraband.diagnostics import CompileError
from contraband.engine import Engine
from contraband.eql import CheckedQuery, compile_query, parse
from contraband.eql.reference.explain import explain_event
from contraband.eql.syntax import print_statement, tokenise
from contraband.plan import lower, plan_text

STAGES = ["tokens", "tree", "checked", "plan", "filter"]


@click.command("explain")
@click.argument("rule", metavar="RULE")
@click.argument("event", metavar="[EVENT]", required=False)
@click.option("--stage", type=click.Choice(STAGES), help="Print one form only.")
def command(rule: str, event: str | None, stage: str | None) -> int:
    """Show what a rule (or a query in quotes) compiles to; with an event (a file with one JSON document, or -), why it matches or not.

    \b
    Example:
      contraband explain T1546.016/published --stage plan
    """
    try:
        text, compiled = _query(rule)
        if event is not None:
            text_of_event = sys.stdin.read() if event == "-" else Path(event).read_text(encoding="utf-8")
            document = json.loads(text_of_event)
            for number, part in enumerate(compiled.stages, 1):
                if len(compiled.stages) > 1:
                    click.echo(f"stage {number}:")
                for line in explain_event(part.condition, document, text):
                    click.echo(line)
            return 0
        for name in [stage] if stage else STAGES[1:]:
            if not stage:
                click.echo(f"--- {name}")
            click.echo(_stage(name, text, compiled))
    except CompileError as error:
        compile_error(error, rule)
    except (OSError, ValueError) as error:
        fail(f"{event}: {error}")
    return 0


def _query(name: str) -> tuple[str, CheckedQuery]:
    """The text and the checked query of a rule, or of a query given as such."""
    if " where " in name:
        return name, compile_query(name)
    loaded = load((name,))
    if len(loaded.rules) != 1:
        fail(f"`{name}` stands for {len(loaded.rules)} rules; explain takes one")
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
            import pprint

            return pprint.pformat(compiled, width=140)
        case "plan":
            return plan_text(lower(compiled))
        case _:
            from contraband.engine import CompiledRule

            found = Engine([CompiledRule("query", lower(compiled))]).explain()
            if found["no_filter_because"]:
                return f"every line is read: {found['no_filter_because']}"
            return "a line is read if it contains one of:\n  " + "\n  ".join(found["literals"])
