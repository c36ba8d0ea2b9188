"""A process says in the shared page when it may hold the lock of the history's writers.

LMDB gives the lock to one process at a time, and all others wait for it: one that is
stopped while it holds it stops them all, for ever. `watchdog`, in the supervisor, reads
the slots, and ends such a process. Whoever writes says three things, in this order:

    slot.entering()     before it asks for a write transaction, which may wait
    slot.entered()      just after it has begun
    slot.left()         just after it was committed or aborted

The lock is taken somewhere between the first two. One who writes now and then, and need
not be told apart from one who waits, says it with `around`.

PERF: the three take 1.3 us together, of some hundred that a transaction takes
(`python -m timeit`, CPython 3.11, two busy cores).
"""

import time
from array import array
from collections.abc import Callable
from typing import ParamSpec, Protocol, Self, TypeVar

from server.shared_page import SLOTS, SharedPage

P = ParamSpec("P")
ResultT = TypeVar("ResultT")


class Cells(Protocol):
    """What slots are in."""

    def __setitem__(self, index: int, value: int, /) -> None: ...


class WriterSlot:
    """The slot of this process, which nobody else writes to. Not for several threads.

    Its cell is 0 outside; since when the process is inside, in nanoseconds of the
    machine's monotonic clock; and the same with a minus while it waits for that.
    """

    def __init__(self, cells: Cells, cell: int) -> None:
        self._cells = cells
        self._cell = cell

    @classmethod
    def of(cls, page: SharedPage, number: int) -> Self:
        """`number` is below SLOTS_MAX."""
        return cls(page.cells, SLOTS + number)

    @classmethod
    def unwatched(cls) -> Self:
        """One that nobody reads, for where there is no supervisor."""
        return cls(array("q", [0]), 0)

    def entering(self) -> None:
        self._cells[self._cell] = -time.monotonic_ns()

    def entered(self) -> None:
        self._cells[self._cell] = time.monotonic_ns()

    def left(self) -> None:
        self._cells[self._cell] = 0

    def around(self, work: Callable[P, ResultT]) -> Callable[P, ResultT]:
        """The same work, in which the process may hold the lock."""

        def marked(*args: P.args, **kwargs: P.kwargs) -> ResultT:
            self.entering()
            try:
                return work(*args, **kwargs)
            finally:
                self.left()

        return marked
