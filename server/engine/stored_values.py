"""What a space keeps with a proposition, beside what every proposition has."""

from math import isfinite

from contact_store.records import STORED_BYTES_MAX, Proposition, StoredValue
from server.engine.call import Call
from server.engine.eligibility import Conditions
from server.engine.live_offers import LiveSpace

#: Code points of a text that is kept; the rest is cut off.
TEXT_MAX = 200
#: More than a name and a number take when they are encoded, without the name.
_VALUE_BYTES = 12


def stored_values(
    call: Call,
    space: LiveSpace,
    proposition: Proposition,
    expressions: tuple[tuple[str, int], ...],
) -> dict[str, StoredValue]:
    """The results of a space's expressions, as far as they can be stored.

    Left out is what has no answer or is not finite, and what no longer fits.
    """
    conditions = Conditions(call)
    conditions.enter(space)
    values: dict[str, StoredValue] = {}
    left_bytes = STORED_BYTES_MAX - _VALUE_BYTES
    for name, number in expressions:
        value = conditions.value_of(number, proposition)
        if value is None or (isinstance(value, float) and not isfinite(value)):
            continue
        size_bytes = len(name) + _VALUE_BYTES
        if isinstance(value, str):
            value = value[:TEXT_MAX]
            size_bytes += len(value.encode())
        if size_bytes <= left_bytes:
            left_bytes -= size_bytes
            values[name] = value
    return values
