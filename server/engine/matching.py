"""Which rows, or offers, match: one look into a table per attribute.

A set of rows is an integer with one bit per row. Every table is asked for the value
that the contact or the call has of its attribute, and what it returns is intersected;
then come the predicates that many rows share, each at most once per call. What remains
are the rows for which only their own residual predicates are open.
"""

from bisect import bisect_right

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
