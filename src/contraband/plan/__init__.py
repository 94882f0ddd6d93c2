"""From a checked query to the plan: the one thing that the core is given."""

from contraband.plan.lower import lower
from contraband.plan.model import PLAN_VERSION, Plan, PlanError, plan_text, read_plan

__all__ = ["PLAN_VERSION", "Plan", "PlanError", "lower", "plan_text", "read_plan"]
