"""Values that could make a condition true: what it compares with, and beside it.

A comparison with a constant changes its answer only at the constant, so that one value
of each side is enough to try.
"""

import math
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, cast

from catalog_store.records import Attribute, AttributeType
from compiler.runtime.times import DURATION_MAX, TIMESTAMP_MAX, TIMESTAMP_MIN
from compiler.runtime.tree import INT64_MAX, INT64_MIN, Op, Tree, walk
from compiler.runtime.values import MISSING
from server.engine.explanation.found_values import Place

#: Values tried for one attribute, the nearest to what it has now.
CANDIDATES_MAX = 256
#: Constants looked at in one condition.
CONSTANTS_MAX = 1_024
#: JSON numbers are doubles: a call cannot send larger ints.
_CONTEXT_INT_MAX = 2**53
_RANGES = {
    AttributeType.INT: (INT64_MIN, INT64_MAX),
    AttributeType.TIMESTAMP: (TIMESTAMP_MIN, TIMESTAMP_MAX),
    AttributeType.DURATION: (-DURATION_MAX, DURATION_MAX),
}
#: Tried beside each constant of a double, before the very next double.
_STEPS = (0.01, 1.0)


def candidates(
    attribute: Attribute, place: Place, today: Any, trees: Iterable[Tree]
) -> Iterator[Any]:
    """Values worth trying, the nearest to today's first; today's is not among them.

    MISSING is last: it is for conditions that want the attribute absent.
    """
    constants = _constants(attribute.type, trees)
    for value in _near(attribute, constants, today)[:CANDIDATES_MAX]:
        if _may_be(attribute, place, value) and not _same(value, today):
            yield value
    # A list is never null, and a stored profile has no null.
    if place.record == "context" and not attribute.type.startswith("list("):
        yield None
    if not attribute.required:
        yield MISSING


def _near(attribute: Attribute, constants: list[Any], today: Any) -> list[Any]:
    """Without duplicates, the nearest first where values have a distance."""
    type_ = attribute.type
    if type_.startswith("list("):
        return _lists(constants, today)
    match type_:
        case AttributeType.BOOL:
            return [True, False]
        case AttributeType.STRING:
            return list(dict.fromkeys([*constants, _other(constants)]))
        case AttributeType.DOUBLE:
            return _doubles(constants, today)
        case _:
            ints = {near for c in constants for near in (c - 1, c, c + 1)} or {0, 1}
            return _by_distance(ints, today)


def _doubles(constants: list[float], today: Any) -> list[float]:
    keys = sorted(set(constants)) or [0.0]
    plain = {c + side * step for c in keys for step in _STEPS for side in (-1, 1)}
    plain.update(keys)
    plain.update((low + high) / 2 for low, high in pairwise(keys))
    last = [math.nextafter(c, to) for c in keys for to in (-math.inf, math.inf)]
    # The next double is nearest, and nothing that anybody would write down.
    return [*_by_distance(plain, today), *_by_distance(set(last) - plain, today)]


def _by_distance(values: Iterable[Any], today: Any) -> list[Any]:
    if isinstance(today, int | float) and math.isfinite(today):
        return sorted(values, key=lambda value: (abs(value - today), value))
    return sorted(values)


def _lists(constants: list[Any], today: Any) -> list[Any]:
    """Today's list with one element more or less, one element alone, none."""
    is_list = isinstance(today, tuple | list)
    known = tuple(cast(list[Any], today)) if is_list else ()
    more = [(*known, constant) for constant in constants if constant not in known]
    fewer = [
        (*known[:index], *known[index + 1 :])
        for index, element in enumerate(known)
        if element in constants
    ]
    return [*more, *fewer, *((constant,) for constant in constants), ()]


def _other(strings: list[str]) -> str:
    """A text that is none of these."""
    text = "other"
    while text in strings:
        text += "_"
    return text


def _constants(type_: AttributeType, trees: Iterable[Tree]) -> list[Any]:
    """Of the attribute's type, or of its elements', in the order they are written."""
    plain = type_[len("list(") : -1] if type_.startswith("list(") else str(type_)
    found: dict[Any, None] = {}
    for tree in trees:
        for node in walk(tree.root):
            if node.op is Op.CONSTANT and len(found) < CONSTANTS_MAX:
                values = node.value if isinstance(node.value, tuple) else (node.value,)
                found.update((v, None) for v in values if _is(plain, v, node.type))
    return [float(v) if plain == "double" else v for v in found]


def _is(type_: str, value: Any, node_type: str) -> bool:
    """Whether a constant says something of values of a type."""
    match type_:
        case "string":
            return isinstance(value, str)
        case "bool":
            return isinstance(value, bool)
        case "int":
            return isinstance(value, int) and _plain(node_type) == "int"
        case "double":
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return (
                is_number
                and _plain(node_type) in ("int", "double")
                and math.isfinite(value)
            )
        case _:
            return isinstance(value, int) and _plain(node_type) == type_


def _plain(node_type: str) -> str:
    """`list(int?)` and `int?` -> `int`."""
    return node_type.removeprefix("list(").removesuffix(")").removesuffix("?")


def _may_be(attribute: Attribute, place: Place, value: Any) -> bool:
    """Whether a profile or a call could hold the value."""
    if isinstance(value, str | bool | tuple):
        return True
    if not math.isfinite(value):
        return False
    low, high = _RANGES.get(attribute.type, (-math.inf, math.inf))
    if place.record == "context" and attribute.type is AttributeType.INT:
        low, high = -_CONTEXT_INT_MAX, _CONTEXT_INT_MAX
    if attribute.minimum is not None:
        low = max(low, attribute.minimum)
    if attribute.maximum is not None:
        high = min(high, attribute.maximum)
    return low <= value <= high


def _same(value: Any, today: Any) -> bool:
    return today is not MISSING and type(value) is type(today) and value == today
