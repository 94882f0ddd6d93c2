"""The catalogue: sixteen functions, one file each. The order is that of the reference page."""

from __future__ import annotations

from contraband.eql.functions import (
    add,
    between,
    cidr_match,
    concat,
    divide,
    ends_with,
    index_of,
    length,
    modulo,
    multiply,
    number,
    starts_with,
    string_,
    string_contains,
    substring,
    subtract,
)
from contraband.eql.functions._model import EvaluationError, Example, Function, Parameter, Reference, Value

FUNCTIONS: dict[str, Function] = {
    module.FUNCTION.name: module.FUNCTION
    for module in (
        add,
        between,
        cidr_match,
        concat,
        divide,
        ends_with,
        index_of,
        length,
        modulo,
        multiply,
        number,
        starts_with,
        string_,
        string_contains,
        substring,
        subtract,
    )
}
"""By canonical name."""

__all__ = ["FUNCTIONS", "EvaluationError", "Example", "Function", "Parameter", "Reference", "Value"]
