"""A publisher waits for all workers that are alive, and says when one is behind."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from catalog_store.revisions import PublicationBusy
from catalog_store.signal_page import PLACES, Signal, WorkersBehind
from server.data_folder import DataFolder
from server.push import PublicationService
from server.switching import all_switched
from server.wire import admin_pb2 as pb
from tests.bank import NOON_MS, environment, offer, publish
from tests.servers import DEADLINE_SECONDS


@pytest.fixture
def signal(tmp_path: Path) -> Signal:
    return Signal(tmp_path / "signal")


def wait(signal: Signal, number: int, seconds: float = DEADLINE_SECONDS) -> int:
    return asyncio.run(all_switched(signal, number, seconds))


def test_all_that_are_alive_are_waited_for(signal: Signal) -> None:
    """A revision that came later counts as well; nobody is waited for without end."""
    assert wait(signal, 7) == 0
    signal.tell(0, 7)
    signal.tell(PLACES - 1, 8)
    assert wait(signal, 7) == 2
    with pytest.raises(WorkersBehind, match="but 1 of 2 workers decide with an"):
        wait(signal, 8, seconds=0.01)


def test_a_worker_that_switches_meanwhile_is_seen(signal: Signal) -> None:
    """In the page, which it writes whenever it does."""

    async def both() -> int:
        waiting = asyncio.create_task(all_switched(signal, 2, DEADLINE_SECONDS))
        await asyncio.sleep(0)
        assert not waiting.done()
        signal.tell(3, 2)
        return await waiting

    signal.tell(3, 1)
    assert asyncio.run(both()) == 1


def test_a_worker_that_refused_is_told_of_at_once(signal: Signal) -> None:
    """It does not try again; one that refused an earlier one may still switch."""
    signal.tell(0, 1, refused=2)

    async def at_once() -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            await all_switched(signal, 2, 10 * DEADLINE_SECONDS)

    with pytest.raises(WorkersBehind, match="revision 2 is published"):
        asyncio.run(at_once())
    with pytest.raises(WorkersBehind):
        wait(signal, 3, seconds=0.01)


def test_a_worker_that_died_is_not_waited_for(signal: Signal, tmp_path: Path) -> None:
    """The one that takes its place reads which revision is current."""
    told = f"Signal(Path({str(tmp_path / 'signal')!r})).tell(1, 1)"
    imports = "from pathlib import Path; from catalog_store.signal_page import Signal"
    subprocess.run([sys.executable, "-c", f"{imports}; {told}"], check=True)
    signal.tell(0, 2)

    assert wait(signal, 2) == 1
    assert [worker.pid for worker in signal.workers()] == [os.getpid()]


def test_a_publication_that_workers_refuse_stands_and_is_told_of(
    tmp_path: Path,
) -> None:
    """The next one has its turn; whoever asks meanwhile is told to come again."""
    data = DataFolder(tmp_path)
    revisions, _ = publish(data.catalog, environment([offer("card")]))
    revisions.signal().tell(0, 1, refused=99)
    service = PublicationService(data, lambda: NOON_MS)
    request = pb.RollbackRequest(revision=1)

    async def rollbacks() -> None:
        first = asyncio.create_task(service.rollback(request, "test"))
        await asyncio.sleep(0)
        with pytest.raises(PublicationBusy):
            await service.rollback(request, "test")
        for waiting in (first, service.rollback(request, "test")):
            with pytest.raises(WorkersBehind):
                await waiting

    asyncio.run(rollbacks())
    assert revisions.current_number() == 3


def test_a_publication_ends_when_its_caller_goes_away(tmp_path: Path) -> None:
    """It has begun: whether it is published must not depend on a connection."""
    data = DataFolder(tmp_path)
    revisions, _ = publish(data.catalog, environment([offer("card")]))
    service = PublicationService(data, lambda: NOON_MS)
    request = pb.RollbackRequest(revision=1)

    async def interrupted() -> None:
        calling = asyncio.create_task(service.rollback(request, "test"))
        await asyncio.sleep(0)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        with pytest.raises(PublicationBusy):
            await service.rollback(request, "test")
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                try:
                    await service.rollback(request, "test")
                except PublicationBusy:
                    await asyncio.sleep(0.001)
                else:
                    return

    asyncio.run(interrupted())
    assert revisions.current_number() == 3
