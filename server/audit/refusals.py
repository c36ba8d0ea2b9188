"""Identical refusals, counted, so that nobody fills the disk by being refused.

The first is written at once. Those that follow within ten minutes are one line, written
when the ten minutes end, or the server stops.
"""

from collections.abc import Callable
from typing import NamedTuple

from msgspec.structs import replace

from server.audit.entries import Entry

#: How long refusals are counted before their number is written.
WINDOW_SECONDS = 600.0
#: Kinds of refusals counted at a time; those of any further kind are counted together.
KINDS_MAX = 1_000

_STRANGER = ""
_OTHERS = "others"


class _Kind(NamedTuple):
    """What makes refusals identical."""

    who: str
    method: str
    result: str


class _Counted(NamedTuple):
    """Refusals of a kind since the one that was written."""

    first: Entry
    last: Entry
    counted: int


class Refusals:
    """Those of one port."""

    def __init__(
        self,
        call_later: Callable[[float, Callable[[], None]], object],
        write: Callable[[Entry], None],
    ) -> None:
        self._call_later = call_later
        self._write = write
        self._counted: dict[_Kind, _Counted | None] = {}

    def is_news(self, entry: Entry) -> bool:
        """Whether the refusal is to be written now; else it is counted."""
        kind = _kind_of(entry)
        if kind not in self._counted and len(self._counted) >= KINDS_MAX:
            kind = _Kind(_OTHERS, "", "")
        if kind not in self._counted:
            self._counted[kind] = None
            self._call_later(WINDOW_SECONDS, lambda: self._end(kind))
            return True
        known = self._counted[kind]
        first, counted = (known.first, known.counted) if known else (entry, 0)
        self._counted[kind] = _Counted(first, entry, counted + 1)
        return False

    def close(self) -> None:
        """Write what is counted."""
        for kind in list(self._counted):
            self._end(kind)

    def _end(self, kind: _Kind) -> None:
        known = self._counted.pop(kind, None)
        if known is None:
            return
        since = known.first.at
        self._write(replace(known.last, count=known.counted, since=since))


def _kind_of(entry: Entry) -> _Kind:
    # Of strangers all that counts is that they try: they could try every method.
    if entry.who == _STRANGER:
        return _Kind(_STRANGER, "", entry.result)
    return _Kind(entry.who, entry.method, entry.result)
