"""What the core is loaded with: plans, and what each rule's alerts carry. Knows no rule file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contraband.plan import Plan


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """One rule as the core needs it."""

    id: str
    plan: Plan
    index: tuple[str, ...] = ()
    alert: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    exceptions: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """(identifier, condition in the numbers of the plan's fields) of each exception."""

    def document(self) -> dict[str, Any]:
        """As `docs/plan-format.md` has it."""
        return {
            "id": self.id,
            "plan": self.plan.document,
            "index": list(self.index),
            "alert": dict(self.alert),
            "reason": self.reason,
            "exceptions": [{"id": name, "condition": condition} for name, condition in self.exceptions],
        }


def rule_set_json(rules: Sequence[CompiledRule]) -> bytes:
    """The rule set as the core reads it."""
    from contraband.plan import PLAN_VERSION  # lowering and EQL come with it, which a stored rule set does not need

    document = {"version": PLAN_VERSION, "rules": [rule.document() for rule in rules]}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
