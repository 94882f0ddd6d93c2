"""Why an event meets a condition or not: the tree of the condition, each term with the values that it met and whether it held."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contraband.eql.analysis.checked import Always, And, Condition, Leaf, Never, Not, Or
from contraband.eql.reference.conditions import Failed, Outcome, field_values, meets
from contraband.eql.reference.scalars import mentions
from contraband.eql.reference.values import text_of


def explain_event(condition: Condition, event: Mapping[str, object], source: str, depth: int = 0) -> Iterator[str]:
    """One line a term: a mark (`+` held, `-` did not, `!` could not be computed), the query's text, and the values of its fields."""
    outcome = meets(condition, event)
    mark = "!" if isinstance(outcome, Failed) else "+" if outcome is Outcome.MATCH else "-"
    pad = "  " * depth
    match condition:
        case And(operands=operands):
            yield f"{mark} {pad}all of"
        case Or(operands=operands):
            yield f"{mark} {pad}any of"
        case Not(operand=operand):
            yield f"{mark} {pad}not"
            operands = (operand,)
        case Leaf(test=test, span=span):
            values = []
            for field in dict.fromkeys((field.path, field.type) for field in mentions(test)):
                found = next(
                    field_values(event, mention) for mention in mentions(test) if (mention.path, mention.type) == field
                )
                shown = ", ".join(str(text_of(value)) for value in found) if found else "no value"
                values.append(f"{field[0]} = {shown}")
            text = " ".join(source[span.start : span.end].split())
            yield f"{mark} {pad}{text}    <- {'; '.join(values)}"
            return
        case Always():
            yield f"{mark} {pad}true"
            return
        case Never():
            yield f"{mark} {pad}never"
            return
    for operand in operands:
        yield from explain_event(operand, event, source, depth + 1)
