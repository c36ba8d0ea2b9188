"""A page of memory that all processes of one server map: numbers, and who writes them.

    cells 0 to 15   written by the supervisor; see the names below
    from 16, slots  written by one process each; see `writer_slot`

A cell is one aligned 64-bit number, which a processor reads and writes whole: nobody
locks, and nobody waits. The supervisor makes a new file at each start, so that what is
left of an earlier server writes into one that nobody reads.
"""

import mmap
import os
from pathlib import Path
from typing import Self

from catalog_store.durable_files import reserve

#: Bytes of the file.
PAGE_BYTES = 4_096
#: Why nothing is recorded; 0 while it can be.
RECORDING = 0
#: Bytes that the history's file may still grow by, as it is mapped.
MAP_FREE_BYTES = 1
#: Processes that ended by themselves and were started again.
RESTARTS = 2
#: Processes that were stopped inside a write transaction, and killed.
WATCHDOG_KILLS = 3
#: The first slot.
SLOTS = 16
#: Processes that find room.
SLOTS_MAX = PAGE_BYTES // 8 - SLOTS


class SharedPage:
    """The mapped cells; good until the process ends."""

    def __init__(self, descriptor: int) -> None:
        """Maps an open file of PAGE_BYTES."""
        self._mapped = mmap.mmap(descriptor, PAGE_BYTES)
        self.cells = memoryview(self._mapped).cast("q")

    @classmethod
    def create(cls, path: Path) -> Self:
        """A new one, all zeros, in the place of any before it. Raises OSError."""
        path.unlink(missing_ok=True)
        reserve(path, PAGE_BYTES)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """The one that the supervisor made. Raises OSError."""
        descriptor = os.open(path, os.O_RDWR)
        try:
            return cls(descriptor)
        finally:
            os.close(descriptor)
