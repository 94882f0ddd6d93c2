"""What one function of the language is: signature, documentation, executed examples and reference meaning.

Knows nothing of trees, fields or events: a function sees the values of its arguments and gives a value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from contraband.eql.analysis.checked import ArithmeticOp, Fold
from contraband.schema.types import TypeFamily

Value: TypeAlias = bool | int | float | str | None
"""What a function is given and gives. Addresses and versions are their text, a date is its ISO text."""

Reference: TypeAlias = Callable[[tuple[Value, ...], Fold], Value]
"""The meaning: arguments as written (an omitted optional one is simply not there) and how case is treated."""

TEXT = frozenset({TypeFamily.STRING})
NUMBER = frozenset({TypeFamily.INTEGER, TypeFamily.DECIMAL})
INTEGER = frozenset({TypeFamily.INTEGER})
BOOLEAN = frozenset({TypeFamily.BOOLEAN})
ADDRESS = frozenset({TypeFamily.IP})
EVERYTHING = frozenset(TypeFamily) - {TypeFamily.UNSUPPORTED}


class EvaluationError(Exception):
    """A value that the function cannot take (`number("x")`, integer division by zero): the whole search fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter. `null` and fields of type `any` are accepted everywhere, so `accepts` does not name them."""

    name: str
    accepts: frozenset[TypeFamily]
    optional: bool = False
    repeated: bool = False
    """The last parameter may be given any number of times, at least once."""
    constant: bool = False
    """Only a constant is accepted (the networks of `cidrMatch`)."""


@dataclass(frozen=True, slots=True)
class Example:
    """An expression of constants and what it gives; printed in the documentation and run on every engine."""

    expression: str
    result: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function of the catalogue."""

    name: str
    """The canonical spelling; queries may use any letter case."""
    summary: str
    parameters: tuple[Parameter, ...]
    returns: TypeFamily
    """Where arguments are numbers and the result is one: DECIMAL if any argument is, else INTEGER (`arithmetic` says so)."""
    reference: Reference
    case_insensitive_allowed: bool = False
    arithmetic: ArithmeticOp | None = None
    """Set for `add` .. `modulo`, which are the operators under another name."""
    examples: tuple[Example, ...] = ()
    details: str = ""
    """Markdown for the reference page: edge cases, and where the rule was read."""

    @property
    def min_args(self) -> int:
        """The least number of arguments."""
        return sum(not parameter.optional for parameter in self.parameters)

    @property
    def max_args(self) -> int | None:
        """The greatest number of arguments; None when the last may be repeated."""
        return None if self.parameters and self.parameters[-1].repeated else len(self.parameters)
