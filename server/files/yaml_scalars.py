"""Single values as people write them: numbers, truth, moments and periods.

Each function gives the value, or a text that says what was expected.
"""

import math
import re
from datetime import UTC, datetime, timedelta, tzinfo

from catalog_store.records import PERIOD_MS_MAX

TRUTH = {
    "true": True, "yes": True, "on": True, "false": False, "no": False, "off": False
}  # fmt: skip
NOTHING = frozenset(("", "~", "null"))

#: 18 digits are within 64 bits.
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})", re.ASCII)
_NUMBER = re.compile(
    r"[-+]?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?(?:[eE][-+]?[0-9]{1,3})?", re.ASCII
)
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,3})?)?)"
    r"(Z|[-+][0-9]{2}:[0-9]{2})?)?",
    re.ASCII,
)
_PERIOD = re.compile(
    r"(?:([0-9]{1,6})w)? ?(?:([0-9]{1,6})d)? ?(?:([0-9]{1,6})h)? ?"
    r"(?:([0-9]{1,6})m)? ?(?:([0-9]{1,9})s)?",
    re.ASCII,
)
_UNIT_MS = (7 * 86_400_000, 86_400_000, 3_600_000, 60_000, 1_000)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def whole_number(text: str) -> int | str:
    if not _WHOLE.fullmatch(text):
        return "a whole number, such as 3"
    return int(text)


def is_number(text: str) -> bool:
    """Whether a weight is a number; everything else is a formula."""
    return _NUMBER.fullmatch(text) is not None


def number(text: str) -> float | str:
    if not is_number(text) or not math.isfinite(float(text)):
        return "a number, such as 12.5"
    return float(text)


def moment(text: str, zone: tzinfo) -> int | str:
    """UTC milliseconds; a date is its midnight, and without an offset in `zone`."""
    match = _MOMENT.fullmatch(text)
    expected = "a date or a time, such as 2027-03-01 or 2027-03-01T18:30"
    if match is None:
        return expected
    date, time, offset = match.groups()
    try:
        at = datetime.fromisoformat(f"{date}T{time or '00:00'}{offset or ''}")
        if at.tzinfo is None:
            at = at.replace(tzinfo=zone)
        return (at - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        return f"a day of the calendar; write {expected}"


def period_ms(text: str) -> int | str:
    match = _PERIOD.fullmatch(text.strip())
    if match is None or not text.strip():
        return "a period, such as 15d, 2d 6h or 90m"
    total = sum(
        int(count or 0) * unit
        for count, unit in zip(match.groups(), _UNIT_MS, strict=True)
    )
    if not 0 < total <= PERIOD_MS_MAX:
        return "a period above 0 and at most 400d"
    return total
