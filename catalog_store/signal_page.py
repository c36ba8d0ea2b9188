"""A page that the processes of one data folder share, mapped into their memory.

    0    8 bytes    change at each switch
    8    8 bytes    the highest revision that was ever switched to
    16   8 bytes    the revision of which somebody hashed all bytes, since the start
    64   32 bytes   for each worker: its process, what it serves, what it refused

Reading it is a memory access: a worker compares 8 bytes many times a second without
touching the file system, and a publisher sees when all of them have switched. Nobody
waits for the disk: after a loss of power the page may be older than the revisions.
"""

import mmap
import os
from pathlib import Path
from typing import NamedTuple

#: Workers that have a place.
PLACES = 64

_PAGE_BYTES = 4_096
_HIGHEST = slice(8, 16)
_VERIFIED = slice(16, 24)
_PLACES_START = 64
_PLACE_BYTES = 32


class WorkersBehind(Exception):
    """A revision is published, and not every worker decides with it."""


class WorkerState(NamedTuple):
    """What a worker said of itself last."""

    pid: int
    #: 0 while it has none.
    serving: int
    #: The last revision that it could not load; 0 is none.
    refused: int


class Signal:
    """The page; each instance holds one mapping of it."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # The blocks as well: writing to a hole of a full disk is SIGBUS.
            os.posix_fallocate(descriptor, 0, _PAGE_BYTES)
            self._page = mmap.mmap(descriptor, _PAGE_BYTES)
        finally:
            os.close(descriptor)

    def value(self) -> bytes:
        """Bytes that change when the current revision does."""
        return self._page[:8]

    def highest(self) -> int:
        """The highest revision that was ever current."""
        return int.from_bytes(self._page[_HIGHEST], "little")

    def verified(self) -> int:
        """The revision of which all bytes were hashed; 0 is none."""
        return int.from_bytes(self._page[_VERIFIED], "little")

    def set_verified(self, number: int) -> None:
        """Spare the others the hashing; 0 lets each of them do it."""
        self._page[_VERIFIED] = number.to_bytes(8, "little")

    def raise_(self, number: int = 0) -> None:
        """Change the bytes; whoever calls holds the publication lock."""
        highest = max(number, self.highest())
        self._page[_HIGHEST] = highest.to_bytes(8, "little")
        changes = int.from_bytes(self._page[:8], "little") + 1
        self._page[:8] = changes.to_bytes(8, "little")

    def tell(self, place: int, serving: int, refused: int = 0) -> None:
        """Say what this process, the worker in a place, serves."""
        start = _PLACES_START + place * _PLACE_BYTES
        numbers = (os.getpid(), serving, refused)
        self._page[start : start + 24] = b"".join(
            number.to_bytes(8, "little") for number in numbers
        )

    def forget_workers(self) -> None:
        """Empty all places; the supervisor does, before it starts workers."""
        end = _PLACES_START + PLACES * _PLACE_BYTES
        self._page[_PLACES_START:end] = bytes(end - _PLACES_START)

    def workers(self) -> list[WorkerState]:
        """Those that are alive."""
        found: list[WorkerState] = []
        for place in range(PLACES):
            start = _PLACES_START + place * _PLACE_BYTES
            pid, serving, refused = (
                int.from_bytes(self._page[at : at + 8], "little")
                for at in range(start, start + 24, 8)
            )
            if pid and _is_alive(pid):
                found.append(WorkerState(pid, serving, refused))
        return found


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (OSError, OverflowError):
        return False
    return True
