"""Values and moments as an offer manager would say them."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from compiler.runtime.values import MISSING

#: Code points of a condition, a value or a list in a sentence.
SHOWN_MAX = 120

_MINUTE_MS = 60_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_SCALES = (("d", 86_400), ("h", 3_600), ("m", 60))


def moment(ms: int) -> str:
    """`3 May 2026 09:00 UTC`; seconds and milliseconds when there are any."""
    return _moment_us(ms * 1_000)


def minute_by(ms: int) -> str:
    """The first whole minute from a moment on: nobody waits for a millisecond."""
    return moment(-(-ms // _MINUTE_MS) * _MINUTE_MS)


def value_text(value: Any, type_: str) -> str:
    """A value of an attribute; what there is of it when it is long."""
    if value is MISSING:
        return "not known"
    if value is None:
        return "null"
    match type_:
        case "timestamp":
            return _moment_us(value)
        case "duration":
            return _duration(value)
        case "double":
            return number(value)
        case _:
            # Lists too: JSON is what people send.
            return quoted(json.dumps(value, ensure_ascii=False))


def number(value: float) -> str:
    """`1000` and not `1000.0`."""
    return repr(float(value)).removesuffix(".0")


def listed(names: Iterable[str]) -> str:
    """`a, b`; shortened when there are many."""
    return quoted(", ".join(names))


def quoted(text: str) -> str:
    """A text on one line, shortened in the middle of a sentence."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_MAX else f"{line[: SHOWN_MAX - 3]}..."


def _moment_us(us: int) -> str:
    try:
        at = _EPOCH + timedelta(microseconds=us)
    except OverflowError:
        # A period of the last days of the year 9999 ends beyond it.
        return "a day after the year 9999"
    clock = f"{at:%H:%M}"
    if at.second or at.microsecond:
        clock += f":{at:%S}"
    if at.microsecond:
        clock += f".{at:%f}".rstrip("0")
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year} {clock} UTC"


def _duration(us: int) -> str:
    sign, rest = ("-" if us < 0 else ""), abs(us)
    seconds, fraction = divmod(rest, 1_000_000)
    text = ""
    for unit, size in _SCALES:
        count, seconds = divmod(seconds, size)
        if count:
            text += f"{count}{unit}"
    if seconds or fraction or not text:
        text += f"{seconds}{f'.{fraction:06}'.rstrip('0') if fraction else ''}s"
    return sign + text
