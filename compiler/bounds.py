"""Between which numbers a formula's results lie, by interval arithmetic over its tree.

    constant            itself
    attribute           its declared minimum and maximum, else everything of its type
    + - * / %, -x       the extremes of the operands' ends
    int(), double()     the operand's
    ?:                  the least and the greatest of both branches
    size(), parts       what they can give

Everything else is everything. Doubles are rounded to the nearest, which keeps order:
the result of two values never leaves the results of their ends. A formula may have no
answer, or answer NaN, for which no bounds hold; neither ranks an offer.

What is declared of an attribute is checked where values come in. A profile that was
stored before its attribute had these bounds may lie outside: whoever relies on them
first checks the slots of the contact that `ranges` names.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from math import ceil, floor, inf, isfinite, isnan
from typing import Any, Final, NamedTuple

from catalog_store.records import Attribute
from compiler.runtime.history import HISTORY_MAX
from compiler.runtime.tree import INT64_MAX, INT64_MIN, Node, Op, slot_of, walk
from compiler.schema import Schema
from compiler.types import strip


class Bounds(NamedTuple):
    """The closed interval from low to high; infinite where nothing is known."""

    low: float
    high: float


EVERYTHING: Final = Bounds(-inf, inf)
#: The parts of a timestamp in any zone; those of a duration are not bounded here.
_PARTS: Final = {
    # A zone can be a day ahead of the years 1 to 9999, or behind.
    "getFullYear": Bounds(0, 10_000),
    "getMonth": Bounds(0, 11),
    "getDate": Bounds(1, 31),
    "getDayOfMonth": Bounds(0, 30),
    "getDayOfWeek": Bounds(0, 6),
    "getDayOfYear": Bounds(0, 365),
    "getHours": Bounds(0, 23),
    "getMinutes": Bounds(0, 59),
    "getSeconds": Bounds(0, 59),
    "getMilliseconds": Bounds(0, 999),
}


def bounds(node: Node, schema: Schema) -> Bounds:
    """The bounds of a number's tree; EVERYTHING for what is no number."""
    type_ = strip(node.type)
    find = _BOUNDS.get(node.op)
    if type_ not in ("int", "double") or find is None:
        return EVERYTHING
    found = find(node, schema)
    return _whole(found) if type_ == "int" else found


#: Slot of the contact, least, greatest.
Range = tuple[int, float, float]


def ranges(root: Node, schema: Schema) -> Iterator[Range]:
    """What the bounds of a formula rely on: that slots of the contact lie within."""
    for node in walk(root):
        if node.op is Op.SLOT and slot_of(node)[0] == "contact":
            slot = slot_of(node)[1]
            declared = _declared(schema.contact[slot])
            if declared != EVERYTHING:
                yield slot, float(declared.low), float(declared.high)


def unbounded(node: Node, schema: Schema) -> Iterator[tuple[str, str]]:
    """Records and names of the attributes that a number depends on and that lack a
    minimum or a maximum."""
    if strip(node.type) not in ("int", "double"):
        return
    if node.op is Op.SLOT:
        record, _, name = slot_of(node)
        if not all(map(isfinite, _slot(node, schema))):
            yield record, name
    elif node.op in _OF_OPERANDS:
        for child in node.children:
            yield from unbounded(child, schema)


def _whole(found: Bounds) -> Bounds:
    """The ints within bounds; one outside 64 bits is no answer."""
    low = ceil(found.low) if isfinite(found.low) else INT64_MIN
    high = floor(found.high) if isfinite(found.high) else INT64_MAX
    return Bounds(*(min(max(end, INT64_MIN), INT64_MAX) for end in (low, high)))


def _constant(node: Node, schema: Schema) -> Bounds:
    value: Any = node.value
    # Null gives no answer, wherever a number is needed.
    return EVERYTHING if value is None else Bounds(value, value)


def _slot(node: Node, schema: Schema) -> Bounds:
    record, slot, _ = slot_of(node)
    attributes = schema.contact if record == "contact" else schema.context
    return _declared(attributes[slot])


def _declared(attribute: Attribute) -> Bounds:
    low, high = attribute.minimum, attribute.maximum
    return Bounds(-inf if low is None else low, inf if high is None else high)


def _size(node: Node, schema: Schema) -> Bounds:
    walked = node.children[0]
    while walked.op in (Op.FILTER, Op.MAP):
        walked = walked.children[0]
    return Bounds(0, HISTORY_MAX if walked.op is Op.HISTORY else inf)


def _part(node: Node, schema: Schema) -> Bounds:
    assert isinstance(node.value, tuple)
    is_timestamp = strip(node.children[0].type) == "timestamp"
    return _PARTS[str(node.value[0])] if is_timestamp else EVERYTHING


def _branches(node: Node, schema: Schema) -> Bounds:
    then, otherwise = (bounds(child, schema) for child in node.children[1:])
    return Bounds(min(then.low, otherwise.low), max(then.high, otherwise.high))


def _negated(node: Node, schema: Schema) -> Bounds:
    operand = bounds(node.children[0], schema)
    return Bounds(-operand.high, -operand.low)


def _sum(node: Node, schema: Schema) -> Bounds:
    left, right = (bounds(child, schema) for child in node.children)
    if node.op is Op.SUB:
        right = Bounds(-right.high, -right.low)
    low, high = left.low + right.low, left.high + right.high
    # Of opposite infinities nothing is known.
    return Bounds(-inf if isnan(low) else low, inf if isnan(high) else high)


def _product(node: Node, schema: Schema) -> Bounds:
    # Zero times what may be infinite is zero, or NaN and no answer.
    return _extremes(_multiplied, node, schema, undefined=0)


def _quotient(node: Node, schema: Schema) -> Bounds:
    left, right = (bounds(child, schema) for child in node.children)
    is_double = strip(node.type) == "double"
    if right.low <= 0 <= right.high:
        if is_double:
            return EVERYTHING
        # By zero an int has no answer, and by anything else it does not grow.
        most = max(abs(left.low), abs(left.high))
        return Bounds(-most, most)
    if is_double:
        # Infinite by infinite is NaN; the other ends say what else there is.
        return _extremes(_divided, node, schema, undefined=None)
    return _extremes(_truncated, node, schema, undefined=None)


def _rest(node: Node, schema: Schema) -> Bounds:
    left, right = (bounds(child, schema) for child in node.children)
    most = max(abs(right.low), abs(right.high)) - 1
    # Of the left operand's sign, and no larger.
    low = max(left.low, -most) if left.low < 0 else 0
    return Bounds(low, min(left.high, most) if left.high > 0 else 0)


def _to_int(node: Node, schema: Schema) -> Bounds:
    operand = bounds(node.children[0], schema)
    low, high = (int(end) if isfinite(end) else end for end in operand)
    return Bounds(low, high)


def _to_double(node: Node, schema: Schema) -> Bounds:
    operand = bounds(node.children[0], schema)
    return Bounds(float(operand.low), float(operand.high))


def _extremes(
    operate: Callable[[Any, Any], float],
    node: Node,
    schema: Schema,
    undefined: float | None,
) -> Bounds:
    """The least and greatest results of the operands' ends.

    `undefined` stands for results that are NaN; None leaves them out.
    """
    left, right = (bounds(child, schema) for child in node.children)
    results = [operate(*ends) for ends in product(left, right)]
    known = list(_known(results, undefined))
    return Bounds(min(known), max(known)) if known else EVERYTHING


def _known(results: Iterable[float], undefined: float | None) -> Iterable[float]:
    for result in results:
        if not isnan(result):
            yield result
        elif undefined is not None:
            yield undefined


def _multiplied(left: float, right: float) -> float:
    return left * right


def _divided(left: float, right: float) -> float:
    return left / right


def _truncated(left: int, right: int) -> int:
    # Not values.divide, which refuses what leaves 64 bits.
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


_BOUNDS: Final[dict[Op, Callable[[Node, Schema], Bounds]]] = {
    Op.CONSTANT: _constant,
    Op.SLOT: _slot,
    Op.SIZE: _size,
    Op.PART: _part,
    Op.IF: _branches,
    Op.NEGATE: _negated,
    Op.ADD: _sum,
    Op.SUB: _sum,
    Op.MUL: _product,
    Op.DIV: _quotient,
    Op.MOD: _rest,
    Op.INT: _to_int,
    Op.DOUBLE: _to_double,
}

#: What is as large as its operands are.
_OF_OPERANDS: Final = _BOUNDS.keys() - {Op.CONSTANT, Op.SLOT, Op.SIZE, Op.PART}
