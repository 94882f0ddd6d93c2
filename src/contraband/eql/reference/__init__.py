"""The slow, obviously right evaluator of a checked query. The core is held to it."""

from contraband.eql.functions import EvaluationError
from contraband.eql.reference.search import FoundSequence, Result, evaluate

__all__ = ["EvaluationError", "FoundSequence", "Result", "evaluate"]
