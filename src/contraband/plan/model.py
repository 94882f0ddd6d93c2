"""The plan as a value: plain, versioned data (`docs/plan-format.md`) that can be written, read again and printed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PLAN_VERSION = 1
"""The version of the format that this package writes and reads; the core states its own."""


class PlanError(ValueError):
    """A document that is no plan of this version."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One query as the core is given it."""

    document: Mapping[str, Any]

    def to_json(self) -> str:
        """The plan as one line of JSON."""
        return json.dumps(self.document, separators=(",", ":"), ensure_ascii=False)

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """(path, type) of each field that the plan names."""
        return tuple((field["path"], field["type"]) for field in self.document["fields"])


def read_plan(text: str) -> Plan:
    """The plan that `Plan.to_json` wrote. Raises `PlanError`."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise PlanError(f"expected a plan as JSON: {error}") from None
    version = document.get("version") if isinstance(document, dict) else None
    if version != PLAN_VERSION:
        raise PlanError(f"expected a plan of version {PLAN_VERSION}, found version {version!r}")
    return Plan(document)


def plan_text(plan: Plan) -> str:
    """The plan for people: one line a term, fields by name."""
    document = plan.document
    names = [field["path"] for field in document["fields"]]
    lines = [f"{document['kind']} query, plan version {document['version']}"]
    lines.extend(f"field {number}: {path} ({kind})" for number, (path, kind) in enumerate(plan.fields))
    if document["maxspan_ms"] is not None:
        lines.append(f"maxspan {document['maxspan_ms']} ms")
    stages = [(f"stage {number}", stage) for number, stage in enumerate(document["stages"], 1)]
    if document["until"] is not None:
        stages.append(("until", document["until"]))
    for title, stage in stages:
        lines.append(title + _traits(stage, names))
        lines.extend(_condition(stage["filter"], names, 1))
    lines.extend(f"{pipe['kind']} {pipe['count']}" for pipe in document["pipes"])
    return "\n".join(lines)


def _traits(stage: Mapping[str, Any], names: list[str]) -> str:
    keys = [
        ("?" if key["optional"] else "") + ("null" if key["field"] is None else names[key["field"]])
        for key in stage["keys"]
    ]
    by = f" by {', '.join(keys)}" if keys else ""
    missing = " (missing)" if stage["missing"] else ""
    runs = "" if stage["runs"] == 1 else f" with runs={stage['runs']}"
    return f"{missing}{by}{runs}:"


def _condition(condition: Mapping[str, Any], names: list[str], depth: int) -> Iterator[str]:
    ((kind, body),) = condition.items()
    pad = "  " * depth
    match kind:
        case "and" | "or":
            yield f"{pad}{kind}"
            for operand in body:
                yield from _condition(operand, names, depth + 1)
        case "not":
            yield f"{pad}not"
            yield from _condition(body, names, depth + 1)
        case "script":
            yield f"{pad}script {json.dumps(_named(body, names), ensure_ascii=False)}"
        case "always":
            yield f"{pad}{'always' if body else 'never'}"
        case _:
            rest = {name: value for name, value in body.items() if name != "field"}
            yield f"{pad}{kind} {names[body['field']]} {json.dumps(rest, ensure_ascii=False) if rest else ''}".rstrip()


def _named(scalar: object, names: list[str]) -> object:
    """A scalar with the numbers of its fields replaced by their names."""
    match scalar:
        case {"field": int(number)}:
            return {"field": names[number]}
        case dict():
            return {key: _named(value, names) for key, value in scalar.items()}
        case list():
            return [_named(value, names) for value in scalar]
        case _:
            return scalar
