"""Every process that writes to the history says when it may hold the writers' lock."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from contact_store.errors import StoreFailed
from contact_store.history import HistoryStore
from contact_store.history_group import Group
from contact_store.history_transaction import HistoryTransaction
from contact_store.profiles import ProfileStore
from server.data_folder import DataFolder
from server.group_commit import GroupCommit
from server.keeper import KeeperOptions, run_keeper
from server.shared_page import SLOTS, SLOTS_MAX, SharedPage
from server.supervisor import WORKERS_MAX
from server.writer_slot import WriterSlot
from tests.bank import NOON_MS, environment, offer, publish


class Marks:
    """What was said, as words; and what there is to write to."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.slot = WriterSlot(self, 7)

    def __setitem__(self, index: int, value: int, /) -> None:
        assert index == 7
        self.said.append("entering" if value < 0 else "entered" if value else "left")


class Told(HistoryStore):
    """Says when its transactions begin and end."""

    marks: Marks
    fails = False

    def begin_group(self) -> Group:
        self.marks.said.append("begins")
        if self.fails:
            raise StoreFailed("as asked")
        return super().begin_group()


def recorded(path: Path, marks: Marks, work: Callable[[HistoryTransaction], None]):
    """What comes of work that a worker records."""

    async def run() -> object:
        group_commit = GroupCommit(store, slot=marks.slot)
        committing = asyncio.create_task(group_commit.run())
        async with asyncio.timeout(30):
            try:
                return await group_commit.commit(work)
            finally:
                group_commit.close()
                await committing

    with Told(path) as store:
        store.marks = marks
        return asyncio.run(run())


def test_a_worker_says_what_it_does_in_this_order(tmp_path: Path) -> None:
    """Before it may be given the lock, and after it has given it back."""
    marks = Marks()
    recorded(tmp_path, marks, lambda _: marks.said.append("works"))

    assert marks.said == ["entering", "begins", "entered", "works", "left"]


def test_a_worker_is_outside_after_a_failure(tmp_path: Path) -> None:
    """Of the beginning, and of the work; opening the store again may write, too."""
    failing = Marks()

    def fail(_: HistoryTransaction) -> None:
        raise ValueError("of ours")

    with pytest.raises(ValueError, match="of ours"):
        recorded(tmp_path, failing, fail)
    cannot_begin = Marks()
    Told.fails = True
    try:
        with pytest.raises(StoreFailed):
            recorded(tmp_path, cannot_begin, lambda _: None)
    finally:
        Told.fails = False

    assert failing.said == ["entering", "begins", "entered", "left"]
    opened_again = ["entering", "left"]
    assert cannot_begin.said == ["entering", "begins", "left", *opened_again]


def test_the_keeper_says_when_it_may_be_writing(tmp_path: Path) -> None:
    """Around opening the store, and around each step."""
    folder = DataFolder(tmp_path)
    publish(folder.catalog, environment([offer("gold")]))
    ProfileStore(folder.profiles).close()
    marks = Marks()

    async def run() -> None:
        stop = asyncio.Event()
        async with asyncio.timeout(30):
            await run_keeper(
                KeeperOptions(folder),
                stop,
                lambda _: marks.said.append("ready"),
                lambda: NOON_MS,
                lambda _: stop.set(),
                marks.slot,
            )

    asyncio.run(run())

    assert marks.said == ["entering", "left", "ready", "entering", "left"]


def test_work_that_raises_is_left_as_well() -> None:
    """What it raises goes on to whoever asked."""
    marks = Marks()

    def fail(text: str) -> None:
        raise ValueError(text)

    with pytest.raises(ValueError, match="of ours"):
        marks.slot.around(fail)("of ours")

    assert marks.said == ["entering", "left"]


def test_processes_see_each_other_in_one_page(tmp_path: Path) -> None:
    """One cell each, as many as a server may have processes."""
    path = tmp_path / "page"
    ours, theirs = SharedPage.create(path), SharedPage.open(path)
    WriterSlot.of(ours, 3).entering()
    waits = theirs.cells[SLOTS + 3]
    WriterSlot.of(ours, 3).entered()

    assert waits < 0 < theirs.cells[SLOTS + 3]
    assert [cell for cell in theirs.cells if cell] == [theirs.cells[SLOTS + 3]]
    assert SLOTS_MAX >= WORKERS_MAX + 2
