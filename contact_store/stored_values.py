"""What may be stored with a proposition: a few named values, of bounded size."""

from collections.abc import Mapping
from math import isfinite

import msgspec

from contact_store.records import STORED_BYTES_MAX, StoredValue
from contact_store.slots import INT_MAX, INT_MIN

_encode = msgspec.msgpack.Encoder().encode


def check_stored(stored: Mapping[str, StoredValue]) -> None:
    """Raise ValueError naming every value that cannot be stored."""
    wrong = [
        f"stored {name!r}: {reason}"
        for name, value in stored.items()
        if (reason := _reason(name, value))
    ]
    # What is wrong above may not be encodable.
    if not wrong and (size_bytes := len(_encode(stored))) > STORED_BYTES_MAX:
        wrong.append(f"stored: {size_bytes} bytes of at most {STORED_BYTES_MAX}")
    if wrong:
        raise ValueError("; ".join(wrong))


def _reason(name: object, value: object) -> str | None:
    if not isinstance(name, str) or not _is_text(name):
        return "its name is not text"
    # Exactly these types: a subclass may be encoded as anything.
    if type(value) is bool:
        return None
    if type(value) is int:
        return None if INT_MIN <= value <= INT_MAX else "outside 64 bits"
    if type(value) is float:
        return None if isfinite(value) else "not finite"
    if type(value) is str:
        return None if _is_text(value) else "not text"
    return f"a {type(value).__name__}, not a bool, int, double or string"


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
