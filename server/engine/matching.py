"""Which rows, or offers, match: one look into a table per attribute.

A set of rows is an integer with one bit per row. Every table is asked for the value
that the contact or the call has of its attribute, and what it returns is intersected;
then come the predicates that many rows share, each at most once per call. What remains
are the rows for which only their own residual predicates are open.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from compiler.runtime.interpreter import Slots
from compiler.runtime.values import MISSING
from server.engine.eligibility import Conditions
from server.engine.live_index import LiveRowSet, LiveTables


def survivors(row_set: LiveRowSet, candidates: int, conditions: Conditions) -> int:
    """Those of a set of rows that match but for their residual conditions."""
    candidates = _look_up(row_set.contact, candidates, conditions.contact)
    candidates = _look_up(row_set.context, candidates, conditions.context)
    for number, rows in row_set.shared:
        if candidates & rows and not conditions.holds(number):
            candidates &= ~rows
    return candidates


def _look_up(tables: LiveTables, candidates: int, slots: Slots) -> int:
    missing = MISSING
    for slot, cuts, classes, null, absent in tables.ordered:
        value = slots[slot]
        if value is missing:
            candidates &= absent
        elif value is None:
            candidates &= null
        else:
            candidates &= classes[bisect_right(cuts, value)]
    for slot, of_value, other, null, absent in tables.of_values:
        value = slots[slot]
        if value is missing:
            candidates &= absent
        elif value is None:
            candidates &= null
        else:
            candidates &= of_value.get(value, other)
    return candidates


#: Bits looked at first; the next stretch is twice as long, and so on. The best three
#: of 3 % of rows stand among the first 128 more often than not.
_STRETCH_BITS = 128


def ascending(rows: int, first: int = 0) -> Iterator[int]:
    """The numbers of the bits of a set, lowest first, as far as anybody asks.

    `first` is added to each.

    PERF: taking the lowest bit off a set of 10,000 rows takes 1.4 us, and 11 us of one
    of 100,000. The best rows stand lowest: a stretch of low bits is cheap to cut off,
    its digits are cheap to search, and stretches that double in length reach the end
    of any set in a few steps.
    """
    stretch = _STRETCH_BITS
    while rows:
        low = rows & ((1 << stretch) - 1)
        if low:
            digits = bin(low)[:1:-1]
            row = digits.find("1")
            while row >= 0:
                yield first + row
                row = digits.find("1", row + 1)
        rows >>= stretch
        first += stretch
        stretch *= 2


def set_of(members: Iterable[int], size: int) -> int:
    """The set of some of `size` numbers."""
    bits = bytearray((size + 7) // 8)
    for member in members:
        bits[member >> 3] |= 1 << (member & 7)
    return int.from_bytes(bits, "little")
