"""Conditions over one attribute and constants, as sets of values that pass.

Such a condition cannot tell values apart that lie between the same two of its
constants. So its domain falls into few classes: each constant, each gap between two of
them, null, and absence. One value of each class is put to the interpreter, and its
answer holds for the whole class: no second account of what CEL means is kept here.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from compiler.runtime.interpreter import EvaluationError, evaluate
from compiler.runtime.tree import INT64_MAX, INT64_MIN, Node, Op, Tree, slot_of, walk
from compiler.runtime.values import MISSING

#: Constants of one condition; a longer list is looked up by the rule itself.
CONSTANTS_MAX = 1_024

#: Types whose values have an order that a table can be searched by.
ORDERED_TYPES = frozenset({"int", "double", "timestamp", "duration"})
#: Of conditions that only ask whether an attribute is there.
ANY_TYPE = "any"
_TYPES = ORDERED_TYPES | {"string", "bool", ANY_TYPE}

_COMPARISONS = frozenset({Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE, Op.IN})
_EQUALITIES = frozenset({Op.EQ, Op.NE, Op.IN})
_CONNECTIVES = frozenset({Op.AND, Op.OR, Op.NOT, Op.IF, Op.SEGMENT})


class AttributeTest(NamedTuple):
    """What a condition says of every value of its attribute.

    For ordered types `passes` has `2 * len(keys) + 1` entries: the gap below the first
    key, the first key, the gap above it, and so on. For others it has one for each key,
    and one more for all other values.
    """

    record: str
    slot: int
    #: Without the `?` of types that may be null.
    type: str
    #: Sorted when the type is ordered.
    keys: tuple[Any, ...]
    passes: tuple[bool, ...]
    passes_null: bool
    passes_absent: bool

    def passes_value(self, value: Any) -> bool:
        """Whether a value passes."""
        if self.type not in ORDERED_TYPES:
            place = self.keys.index(value) if value in self.keys else len(self.keys)
            return self.passes[place]
        place = bisect_left(self.keys, value)
        found = place < len(self.keys) and self.keys[place] == value
        return self.passes[2 * place + found]

    def passes_above(self, value: Any) -> bool:
        """Whether the values just above one pass; None is below all. Ordered only."""
        place = 0 if value is None else bisect_right(self.keys, value)
        return self.passes[2 * place]


class Answers(NamedTuple):
    """What the interpreter says for each class of values."""

    passes: tuple[bool, ...]
    passes_null: bool
    passes_absent: bool


#: Answers by shape: of conditions that differ only in their constants.
KnownAnswers = dict[Any, Answers]


def attribute_test(
    condition: Node, tree: Tree, known: KnownAnswers | None = None
) -> AttributeTest | None:
    """What a conjunct of a tree says of one attribute; None when it says more.

    `tree` gives the sources of its segments. Answers are taken from `known`, and added.
    """
    nodes = tuple(walk(condition))
    reads = [node for node in nodes if node.op in (Op.SLOT, Op.PRESENT)]
    if len({node.value for node in reads}) != 1:
        return None
    record, slot, _ = slot_of(reads[0])
    types = {node.type.removesuffix("?") for node in reads if node.op is Op.SLOT}
    # A condition that only asks whether the attribute is there says nothing of types.
    type_ = types.pop() if types else ANY_TYPE
    if type_ not in _TYPES or not _is_plain(condition, type_):
        return None
    keys = _keys(nodes, type_)
    if keys is None:
        return None
    # PERF: 20 us where the shape is known, and 53 us where it is not: most of the
    # conditions of a catalog differ in their constants only.
    known = {} if known is None else known
    values = tuple(_representatives(keys, type_))
    places = {key: place for place, key in enumerate(keys)}
    # Gaps in which there is no value are put to the interpreter all the same.
    gaps = tuple(place for place, value in enumerate(values) if value in places)
    shape = type_, gaps, _shape(condition, places)
    answers = known.get(shape)
    if answers is None:
        ask = _Question(Tree(tree.sources, condition), record, slot)
        answers = Answers(tuple(map(ask, values)), ask(None), ask(MISSING))
        known[shape] = answers
    return AttributeTest(record, slot, type_, keys, *answers)


def _is_plain(node: Node, type_: str) -> bool:
    """Whether only comparisons of the attribute itself with constants decide."""
    if node.op in (Op.PRESENT, Op.SLOT):
        return node.op is Op.PRESENT or type_ == "bool"
    if node.op is Op.CONSTANT:
        return isinstance(node.value, bool)
    if node.op in _CONNECTIVES:
        return all(_is_plain(child, type_) for child in node.children)
    allowed = _COMPARISONS if type_ in ORDERED_TYPES else _EQUALITIES
    if node.op not in allowed:
        return False
    left, right = node.children
    if node.op is Op.IN:
        return left.op is Op.SLOT and right.op is Op.CONSTANT
    return {left.op, right.op} <= {Op.SLOT, Op.CONSTANT}


def _keys(nodes: Iterable[Node], type_: str) -> tuple[Any, ...] | None:
    """The constants that tell values apart; None when there are too many."""
    constants: set[Any] = {True, False} if type_ == "bool" else set()
    for node in nodes:
        if node.op not in _COMPARISONS:
            continue
        for child in node.children:
            if child.op is Op.CONSTANT:
                value = child.value
                constants |= set(value) if isinstance(value, tuple) else {value}
    constants.discard(None)
    if len(constants) > CONSTANTS_MAX:
        return None
    if any(isinstance(c, float) and math.isnan(c) for c in constants):
        return None
    return tuple(sorted(constants))


def _shape(node: Node, places: Mapping[Any, int]) -> Any:
    """A plain condition with its keys' places for its constants.

    Comparisons tell values apart by their order alone, so that conditions of one type
    and shape give the same answers for the same classes.
    """
    if node.op is not Op.CONSTANT:
        return node.op, *[_shape(child, places) for child in node.children]
    value = node.value
    if isinstance(value, tuple):
        return tuple(map(places.get, value))
    # `true` as a condition is no key, and must not be taken for the place of one.
    return str(value) if isinstance(value, bool) else places.get(value)


def _representatives(keys: tuple[Any, ...], type_: str) -> Iterator[Any]:
    """One value of each class, in the order of `AttributeTest.passes`."""
    if type_ not in ORDERED_TYPES:
        yield from keys
        yield from _other(keys, type_)
        return
    if not keys:
        yield 0.0 if type_ == "double" else 0
        return
    yield _beside(keys[0], type_, up=False)
    for key in keys:
        yield key
        yield _beside(key, type_, up=True)


def _other(keys: tuple[Any, ...], type_: str) -> Iterator[Any]:
    # A bool has no other value; its entry is never looked up.
    yield "".join(keys) + "other" if type_ == "string" else True


def _beside(key: Any, type_: str, *, up: bool) -> Any:
    """The next value above or below a key.

    Where the next value is the next key, the gap is empty and its entry never counts.
    """
    if type_ == "double":
        return math.nextafter(key, math.inf if up else -math.inf)
    return min(key + 1, INT64_MAX) if up else max(key - 1, INT64_MIN)


class _Question:
    """Puts values to a condition; an error is not a pass."""

    def __init__(self, tree: Tree, record: str, slot: int) -> None:
        self._tree = tree
        self._record = record
        self._before = (MISSING,) * slot

    def __call__(self, value: Any) -> bool:
        slots = (*self._before, value)
        contact, context = (slots, ()) if self._record == "contact" else ((), slots)
        try:
            return evaluate(self._tree, contact, context) is True
        except EvaluationError:
            return False
