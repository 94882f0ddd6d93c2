"""Which log sources of Sigma a condition is about: its categories and systems, and what is left to test in each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from contraband.diagnostics import Span
from contraband.eql.analysis import checked
from contraband.eql.analysis.checked import CompareOp, MatchKind
from contraband.eql.walk import nodes
from contraband.export.sigma.detection import Inexpressible
from contraband.export.sigma.taxonomy import CATEGORIES, IMPLIED_FIELDS, PRODUCTS


@dataclass(frozen=True, slots=True)
class Branch:
    """A part of a condition that is about one log source, without the tests that say only this."""

    category: str
    product: str | None
    condition: checked.Condition
    dropped: tuple[str, ...] = ()
    """Fields whose tests were left to the log source although they said more than it does."""


def branches(condition: checked.Condition) -> list[Branch]:
    """One for each log source. Raises `Inexpressible` if the category is none of Sigma's, or is not decided."""
    found = [branch for operands in _alternatives(_operands(condition)) for branch in _branches(operands, condition)]
    if not found:
        raise Inexpressible("no log source of Sigma could meet the condition")
    together: dict[tuple[str, str | None], Branch] = {}
    for branch in found:
        key = (branch.category, branch.product)
        together[key] = _either(together[key], branch) if key in together else branch
    return list(together.values())


def _either(first: Branch, second: Branch) -> Branch:
    """Two alternatives that are about the same log source."""
    condition = checked.Or((first.condition, second.condition), first.condition.span)
    return replace(first, condition=condition, dropped=tuple(sorted({*first.dropped, *second.dropped})))


def _operands(condition: checked.Condition) -> tuple[checked.Condition, ...]:
    return condition.operands if isinstance(condition, checked.And) else (condition,)


def _alternatives(operands: tuple[checked.Condition, ...]) -> list[tuple[checked.Condition, ...]]:
    """Where the category is only decided inside an `or`, one list of operands for each of its alternatives."""
    if _values(operands, "event.category") is not None:
        return [operands]
    for position, operand in enumerate(operands):
        if not isinstance(operand, checked.Or):
            continue
        inner = [_operands(part) for part in operand.operands]
        if all(_values(part, "event.category") for part in inner):
            rest = operands[:position] + operands[position + 1 :]
            return [rest + part for part in inner]
    raise Inexpressible("its events are of any category, and Sigma's log sources are of one")


def _branches(operands: tuple[checked.Condition, ...], whole: checked.Condition) -> Iterator[Branch]:
    products: tuple[str | None, ...] = tuple(_values(operands, "host.os.type") or ()) or (None,)
    for category in _values(operands, "event.category") or ():
        if category not in CATEGORIES:
            raise Inexpressible(f"Sigma has no log source for events of category `{category}`")
        left, dropped = _left_over(operands, category)
        condition = _without_foreign(checked.And(tuple(left), whole.span), category)
        if isinstance(condition, checked.Never):
            continue
        if isinstance(condition, checked.Always):
            raise Inexpressible("nothing is tested beyond the log source")
        for product in products:
            if product is not None and product not in PRODUCTS:
                raise Inexpressible(f"Sigma has no log source for the system `{product}`")
            yield Branch(CATEGORIES[category], product, condition, dropped)


def _left_over(
    operands: tuple[checked.Condition, ...], category: str
) -> tuple[list[checked.Condition], tuple[str, ...]]:
    rest: list[checked.Condition] = []
    dropped: set[str] = set()
    for operand in operands:
        path = _implied(operand)
        if path is None:
            rest.append(operand)
        elif path in ("event.type", "event.action") and category != "process":
            dropped.add(path)
    return rest, tuple(sorted(dropped))


def _implied(condition: checked.Condition) -> str | None:
    """The field of a test (or of several by `and`, `or`, `not`) that only says what kind of event it is."""
    match condition:
        case checked.Not():
            return _implied(condition.operand)
        case checked.Leaf():
            found = _constants(condition.test)
            return found[0] if found is not None and found[0] in IMPLIED_FIELDS else None
        case checked.And() | checked.Or():
            paths = {_implied(operand) for operand in condition.operands}
            return next(iter(paths)) if len(paths) == 1 else None
        case _:
            return None


def _values(operands: tuple[checked.Condition, ...], path: str) -> list[str] | None:
    """The values that a field must have by these operands; None if none of them decides it."""
    for operand in operands:
        parts = operand.operands if isinstance(operand, checked.Or) else (operand,)
        listed = [_constants(part.test) if isinstance(part, checked.Leaf) else None for part in parts]
        if all(found is not None and found[0] == path for found in listed):
            return list(dict.fromkeys(value for found in listed if found for value in found[1]))
    return None


def _constants(scalar: checked.Scalar) -> tuple[str, list[str]] | None:
    match scalar:
        case checked.Comparison(
            op=CompareOp.EQ, left=checked.FieldRef(path=path), right=checked.Literal(value=str(value))
        ):
            return path, [value]
        case checked.Membership(subject=checked.FieldRef(path=path), constants=literals):
            return path, [str(literal.value) for literal in literals]
        case checked.Match(subject=checked.FieldRef(path=path), kind=MatchKind.EQUALS, constants=constants):
            return path, list(constants)
        case _:
            return None


# Fields that only events of one category have; in others a test of them is never met.
_OWN_FIELDS = {"file": "file.", "registry": "registry.", "library": "dll.", "network": "destination."}


def _without_foreign(condition: checked.Condition, category: str) -> checked.Condition:
    """The condition as events of one category meet it: tests of what only other categories have are never met."""
    span = condition.span
    match condition:
        case checked.Leaf(test=test):
            paths = [reference.path for reference in nodes(test, checked.FieldRef)]
            foreign = [start for own, start in _OWN_FIELDS.items() if own != category]
            if any(path.startswith(start) for path in paths for start in foreign):
                return checked.Always(span) if isinstance(test, checked.NullTest) else checked.Never(span)
            return condition
        case checked.Not(operand=operand):
            match _without_foreign(operand, category):
                case checked.Always():
                    return checked.Never(span)
                case checked.Never():
                    return checked.Always(span)
                case inner:
                    return checked.Not(inner, span)
        case checked.And(operands=operands):
            return _folded(operands, category, span, every=True)
        case checked.Or(operands=operands):
            return _folded(operands, category, span, every=False)
        case _:
            return condition


def _folded(operands: tuple[checked.Condition, ...], category: str, span: Span, *, every: bool) -> checked.Condition:
    decides, neutral = (checked.Never, checked.Always) if every else (checked.Always, checked.Never)
    inner = [_without_foreign(operand, category) for operand in operands]
    if any(isinstance(one, decides) for one in inner):
        return decides(span)
    rest = tuple(one for one in inner if not isinstance(one, neutral))
    if not rest:
        return neutral(span)
    if len(rest) == 1:
        return rest[0]
    return checked.And(rest, span) if every else checked.Or(rest, span)
