"""`cidrMatch`: does an address lie in one of some networks?"""

from __future__ import annotations

from contraband.eql.analysis.checked import Fold
from contraband.eql.functions._address import parse_address, parse_block
from contraband.eql.functions._model import ADDRESS, TEXT, EvaluationError, Function, Parameter, Value
from contraband.schema.types import TypeFamily


def _cidr_match(arguments: tuple[Value, ...], _fold: Fold) -> Value:
    source, *networks = arguments
    address = parse_address(source) if isinstance(source, str) else None
    if address is None:
        return None
    return any(low <= address <= high for low, high in map(_block, networks))


def _block(network: Value) -> tuple[int, int]:
    block = parse_block(network) if isinstance(network, str) else None
    if block is None:
        raise EvaluationError(f"not a network: [{network}]")
    return block


FUNCTION = Function(
    name="cidrMatch",
    summary="True if the address lies in any of the networks.",
    parameters=(
        Parameter(name="source", accepts=ADDRESS),
        Parameter(name="network", accepts=TEXT, repeated=True, constant=True),
    ),
    returns=TypeFamily.BOOLEAN,
    reference=_cidr_match,
    details=(
        "IPv4 and IPv6; host bits in a network are tolerated. An IPv4 address also lies in IPv6 networks that hold its "
        "mapped form, as in Lucene."
    ),
)
