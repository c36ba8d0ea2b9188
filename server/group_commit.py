"""One write transaction for the calls that wait at the same moment.

What is visible is durable, and a flush costs as much as several decisions: calls that
arrive together are recorded together, and answered when that is on disk. Each has a
transaction of its own inside the group's, so that one that fails takes nothing of the
others with it. Decisions of a group are made one after the other, and see each other.

    wait for calls      until the loop has turned a few times without another one: gRPC
                        delivers one event a turn, and a group at each would hold one
    begin               waits for writers of other processes       in a thread
    do the work         decide, read and write                     on the event loop
    commit              waits for the disk                         in a thread
    answer

The loop never waits for a lock or a disk: dry runs go on, and calls that come meanwhile
are the next group. Only waiting is left to the thread: work in it would take turns with
the loop for Python's lock, five milliseconds each.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

from contact_store.errors import StoreFailed, StoreStalled
from contact_store.history import HistoryStore
from contact_store.history_group import Group
from contact_store.history_transaction import HistoryTransaction
from server.writer_slot import WriterSlot

#: Calls in one group: so many decisions hold up the writers of other processes.
GROUP_MAX = 64
#: Turns of the event loop without another call that close a group.
QUIET_TURNS = 16
#: A wait for the lock or the disk after which recorded calls are refused.
STALL_SECONDS = 1.0

ResultT = TypeVar("ResultT")


class Commit(Protocol):
    """Records what one call does in a transaction: at once, or with others."""

    def __call__(
        self, work: Callable[[HistoryTransaction], ResultT]
    ) -> "ResultT | asyncio.Future[ResultT]":
        """What the work returns, once it is on disk."""
        ...


def committing_at_once(history: HistoryStore) -> Commit:
    """Each call in a transaction of its own, for where there is no event loop."""

    def commit(work: Callable[[HistoryTransaction], ResultT]) -> ResultT:
        with history.transaction() as txn:
            return work(txn)

    return commit


class GroupCommit:
    """Records the calls of one worker, in groups; `run` does the work."""

    def __init__(
        self,
        history: HistoryStore,
        stall_seconds: float = STALL_SECONDS,
        slot: WriterSlot | None = None,
    ) -> None:
        """`slot` says when this process may hold the lock of LMDB's writers."""
        self._history = history
        self._slot = slot or WriterSlot.unwatched()
        self._stall_seconds = stall_seconds
        self._waiting: list[_Waiting] = []
        self._somebody_waits = asyncio.Event()
        self._is_stalled = self._is_closing = False
        # LMDB's lock belongs to the thread that took it: one for all groups.
        self._thread = ThreadPoolExecutor(1, "commit")

    def commit(
        self, work: Callable[[HistoryTransaction], ResultT]
    ) -> "asyncio.Future[ResultT]":
        """Done when the work is on disk; raises what the work raises, and StoreFailed.

        Work whose caller has gone by then is not done. Raises StoreStalled at once
        while the store does not answer: nothing of the work is then done.
        """
        if self._is_stalled:
            raise StoreStalled
        answered: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(work, answered))
        self._somebody_waits.set()
        return answered

    async def run(self) -> None:
        """Commit group after group until it is closed and nobody waits."""
        while True:
            await self._somebody_waits.wait()
            if not self._waiting:
                self._thread.shutdown()
                return
            await self._others_join()
            await self._record_group()
            if not self._waiting and not self._is_closing:
                self._somebody_waits.clear()

    def close(self) -> None:
        """Let `run` end once it has recorded who waits by now."""
        self._is_closing = True
        self._somebody_waits.set()

    async def _others_join(self) -> None:
        quiet_turns, known = 0, len(self._waiting)
        while quiet_turns < QUIET_TURNS and len(self._waiting) < GROUP_MAX:
            await asyncio.sleep(0)
            joined = len(self._waiting) > known
            quiet_turns = 0 if joined else quiet_turns + 1
            known = len(self._waiting)

    async def _record_group(self) -> None:
        try:
            group = await self._in_thread(self._begin)
        except Exception as error:
            self._recover()
            _answer([(one, error) for one in self._taken()])
            return
        results = [
            (one, _result(group, one))
            for one in self._taken()
            if not one.answered.cancelled()
        ]
        try:
            end = group.commit if results else group.abort
            await self._in_thread(partial(self._end, end))
        except Exception as error:
            self._recover()
            # Nothing of the group is on disk.
            results = [(one, error) for one, _ in results]
        _answer(results)

    def _recover(self) -> None:
        # Here and not in the thread: calls that are not recorded read meanwhile.
        with suppress(StoreFailed):
            self._slot.around(self._history.recover)()

    def _begin(self) -> Group:
        self._slot.entering()
        try:
            group = self._history.begin_group()
        except BaseException:
            self._slot.left()
            raise
        self._slot.entered()
        return group

    def _end(self, end: Callable[[], None]) -> None:
        try:
            end()
        finally:
            self._slot.left()

    def _taken(self) -> "list[_Waiting]":
        taken, self._waiting = self._waiting[:GROUP_MAX], self._waiting[GROUP_MAX:]
        return taken

    async def _in_thread(self, wait: Callable[[], ResultT]) -> ResultT:
        """What the wait returns; when it takes too long, whoever waits is refused."""
        waiting = asyncio.get_running_loop().run_in_executor(self._thread, wait)
        done, _ = await asyncio.wait([waiting], timeout=self._stall_seconds)
        if not done:
            self._is_stalled = True
            refused, self._waiting = self._waiting, []
            _answer([(one, StoreStalled()) for one in refused])
            await asyncio.wait([waiting])
            self._is_stalled = False
        return waiting.result()


class _Waiting(NamedTuple):
    work: Callable[[HistoryTransaction], Any]
    answered: "asyncio.Future[Any]"


def _result(group: Group, one: _Waiting) -> object:
    """What the work returns, or the error that it raises."""
    try:
        return group.attempt(one.work)
    except Exception as error:
        return error


def _answer(results: Sequence[tuple[_Waiting, object]]) -> None:
    for one, result in results:
        if one.answered.done():
            continue
        if isinstance(result, Exception):
            one.answered.set_exception(result)
        else:
            one.answered.set_result(result)
