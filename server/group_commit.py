"""One write transaction for the calls that wait at the same moment.

What is visible is durable, and a flush costs as much as several decisions: calls that
arrive together are recorded together, and answered when that is on disk. Each has a
transaction of its own inside the group's, so that one that fails takes nothing of the
others with it. Decisions of a group are made one after the other, and see each other.

gRPC delivers one event per turn of the event loop: a group that was committed at each
turn would hold one call. So a group is closed when the loop has turned a few times
without another one, or when it is full.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from contact_store.history import HistoryStore
from contact_store.history_transaction import HistoryTransaction

#: Calls in one group: so many decisions hold up the writers of other processes.
GROUP_MAX = 64
#: Turns of the event loop without another call that close a group.
QUIET_TURNS = 16

#: What one call does in a transaction; returns its encoded answer.
Work = Callable[[HistoryTransaction], bytes]
#: Records one call's work: at once, or with others.
Commit = Callable[[Work], bytes | Awaitable[bytes]]


def committing_at_once(history: HistoryStore) -> Commit:
    """Each call in a transaction of its own, for where there is no event loop."""

    def commit(work: Work) -> bytes:
        with history.transaction() as txn:
            return work(txn)

    return commit


class _Waiting(NamedTuple):
    work: Work
    answered: "asyncio.Future[bytes]"


class GroupCommit:
    """Records the calls of one worker, in groups; `run` does the work."""

    def __init__(self, history: HistoryStore) -> None:
        self._history = history
        self._waiting: list[_Waiting] = []
        self._somebody_waits = asyncio.Event()

    def commit(self, work: Work) -> "asyncio.Future[bytes]":
        """Done when the work is on disk; raises what the work raises, and StoreFailed.

        Work whose caller has gone by then is not done.
        """
        answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(work, answered))
        self._somebody_waits.set()
        return answered

    async def run(self) -> None:
        """Commit group after group until it is cancelled."""
        while True:
            await self._somebody_waits.wait()
            await self._others_join()
            group, self._waiting = (
                self._waiting[:GROUP_MAX],
                self._waiting[GROUP_MAX:],
            )
            if not self._waiting:
                self._somebody_waits.clear()
            self._record(group)

    async def _others_join(self) -> None:
        quiet_turns, known = 0, len(self._waiting)
        while quiet_turns < QUIET_TURNS and len(self._waiting) < GROUP_MAX:
            await asyncio.sleep(0)
            joined = len(self._waiting) > known
            quiet_turns = 0 if joined else quiet_turns + 1
            known = len(self._waiting)

    def _record(self, group: list[_Waiting]) -> None:
        results: list[tuple[_Waiting, bytes | Exception]] = []
        try:
            with self._history.group() as attempt:
                for one in group:
                    if one.answered.cancelled():
                        continue
                    try:
                        results.append((one, attempt(one.work)))
                    except Exception as error:
                        results.append((one, error))
        except Exception as error:
            # Nothing of the group is on disk.
            results = [(one, error) for one in group]
        for one, result in results:
            if one.answered.done():
                continue
            if isinstance(result, Exception):
                one.answered.set_exception(result)
            else:
                one.answered.set_result(result)
