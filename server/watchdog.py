"""Kills a process that is stopped while it may hold the lock of the history's writers.

Others wait for that lock as long as it is held, which is for ever if nobody lets the
process go on. Killed, it gives the lock back: nothing of its transaction is stored, and
nobody was told that it was. It is then started again.

    state in /proc    in a transaction    waits for one           neither
    stopped           killed              killed if nobody is     left alone
                                          in a transaction
    anything else     left alone          nudged                  left alone

Anything else may wait for a slow disk, or for the lock itself; or it was never told
that the lock is free, because who held it was killed at that moment: see `nudge`.
Nobody can tell from outside when one that waits is given the lock: if somebody else is
in a transaction, it was not. One that a debugger holds counts as not stopped.
"""

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from server.shared_page import SLOTS, WATCHDOG_KILLS, SharedPage

#: Between two looks; one takes microseconds while nobody writes.
LOOK_SECONDS = 0.1
#: How long it is stopped before it is killed: somebody may let it go on. And how long
#: one waits before it is nudged, and from then to the next time.
GRACE_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Watched(Protocol):
    """A process of the server."""

    @property
    def kind(self) -> str: ...

    @property
    def slot(self) -> int: ...

    @property
    def pid(self) -> int | None:
        """None while it does not run."""
        ...

    def kill(self) -> None: ...


class Watchdog:
    """Watches over some processes, through the slots of a page."""

    def __init__(
        self,
        page: SharedPage,
        watched: Iterable[Watched],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cells = page.cells
        self._watched = tuple(watched)
        self._seconds = seconds
        #: What the cell of one that is stopped, or waits, said, whether it is stopped,
        #: and since when.
        self._suspected: dict[int, tuple[int, bool, float]] = {}

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Look once."""
        marks = [self._cells[SLOTS + one.slot] for one in self._watched]
        is_lock_seen = any(mark > 0 for mark in marks)
        for one, mark in zip(self._watched, marks, strict=True):
            pid = one.pid
            stopped = pid is not None and mark != 0 and is_stopped(pid)
            may_hold = mark > 0 or (mark < 0 and not is_lock_seen)
            if pid is None or not (may_hold if stopped else mark < 0):
                self._suspected.pop(one.slot, None)
                continue
            known = self._suspected.get(one.slot)
            if known is None or known[:2] != (mark, stopped):
                self._suspected[one.slot] = (mark, stopped, self._seconds())
            elif self._seconds() - known[2] >= GRACE_SECONDS:
                del self._suspected[one.slot]
                if stopped:
                    self._kill(one, pid)
                else:
                    nudge(pid)

    def _kill(self, one: Watched, pid: int) -> None:
        _log.error(
            "the %s process %d is stopped inside a write transaction, and others wait"
            " for it: it is killed",
            *(one.kind, pid),
        )
        self._cells[WATCHDOG_KILLS] += 1
        one.kill()


def nudge(pid: int) -> None:
    """Make a process that waits for the lock look at it again; harmless to any other.

    A lock whose holder is killed as it gives it back can be free while one who waits
    for it sleeps on: in 4 of 56 runs in which three of four writers were killed, on
    Linux 6.18 and glibc 2.36. Whatever interrupts the wait ends it, and to be stopped
    and let go on does nothing else.
    """
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        os.kill(pid, signal.SIGCONT)


def is_stopped(pid: int) -> bool:
    """Whether a signal has stopped a process; False when it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    # The name before it may hold anything, brackets included.
    return stat.rpartition(b")")[2].split()[0] == b"T"
