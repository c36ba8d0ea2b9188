"""The keeper purges what is old, follows the published rules, and stops at once."""

import asyncio
import multiprocessing
import os
import signal

import lmdb
import pytest
from msgspec.structs import replace

from catalog_store.counting import Counted, CountedStatus
from catalog_store.records import PresentationRule
from contact_store.history import HistoryStore
from contact_store.profiles import ProfileStore
from contact_store.records import PropositionStatus, is_mark
from contact_store.retention import DAY_MS
from server.data_folder import DataFolder
from server.keeper import KeeperOptions, run_keeper
from tests.bank import environment, offer, publish
from tests.test_history import NEW, append

NOW_MS = 1_000 * DAY_MS
OLD = replace(NEW, decided_at_ms=1_000, event_time_ms=1_000)
SUPPRESSED = PresentationRule(
    name="once_accepted",
    maximum=1,
    period_ms=None,
    counted=Counted.ALL_OFFERS,
    counted_status=CountedStatus.ACCEPTED,
)


@pytest.fixture
def folder(tmp_path):
    made = DataFolder(tmp_path / "data")
    with HistoryStore(made.history) as store:
        for number in range(30):
            append(store, OLD, contact=f"C{number}")
        ((accepted, _),) = append(store, OLD, contact="A")
        with store.transaction() as txn:
            txn.update(accepted, PropositionStatus.ACCEPTED, None, 2)
    ProfileStore(made.profiles).close()
    return made


def keep(folder, until, **fields):
    """Run until a step for which `until` holds; all steps."""
    steps = []

    async def run():
        stop = asyncio.Event()

        def purged(step):
            steps.append(step)
            if until(steps):
                stop.set()

        options = KeeperOptions(folder, rest_seconds=0.0, rest_factor=0.0, **fields)
        async with asyncio.timeout(60):
            await run_keeper(options, stop, lambda _: None, lambda: NOW_MS, purged)

    asyncio.run(run())
    return steps


def propositions(folder):
    with HistoryStore(folder.history) as store:
        names = [f"C{number}" for number in range(30)] + ["A"]
        records = [store.read("bank", name) for name in names]
    return [p for record in records if record for p in record.propositions]


def test_what_is_old_goes_and_what_published_rules_count_stays_as_a_mark(folder):
    """One walk, with the rules of the current revision."""
    publish(folder.catalog, environment([offer("gold")], rules=[SUPPRESSED]))
    steps = keep(folder, lambda steps: steps[-1].is_last)

    (mark,) = propositions(folder)
    assert is_mark(mark)
    assert sum(step.propositions for step in steps) == 31
    assert sum(step.contacts for step in steps) == 30


def test_the_retention_is_what_it_was_told(folder):
    """Longer than these are old, nothing is purged."""
    publish(folder.catalog, environment([offer("gold")]))
    keep(folder, lambda steps: steps[-1].is_last, retention_days=1_001)

    assert len(propositions(folder)) == 31


def test_without_a_catalog_nothing_is_purged(folder):
    """Nobody knows what must leave a mark; it says that it is ready all the same."""

    async def run():
        stop = asyncio.Event()
        ports = []

        def ready(port):
            ports.append(port)
            asyncio.get_running_loop().call_soon(stop.set)

        async with asyncio.timeout(60):
            options = KeeperOptions(folder)
            await run_keeper(options, stop, ready, lambda: NOW_MS)
        return ports

    assert asyncio.run(run()) == [0]
    assert len(propositions(folder)) == 31


def test_rules_that_are_published_later_are_followed(folder, monkeypatch):
    """The next walk begins at once when they change."""
    monkeypatch.setattr("contact_store.purge.WRITE_RECORDS_MAX", 5)
    publish(folder.catalog, environment([offer("gold")]))
    walks = []

    def until(steps):
        if steps[-1].is_last:
            walks.append(len(steps))
            if len(walks) == 1:
                ruled = environment([offer("gold")], rules=[SUPPRESSED])
                publish(folder.catalog, ruled)
        return len(walks) == 2

    steps = keep(folder, until, pause_seconds=3_600.0)

    assert sum(step.is_last for step in steps) == 2


def reading(path, begun):
    with lmdb.open(path, lib_version=0) as lmdb_env, lmdb_env.begin():
        begun.set()
        signal.pause()


def holding(path, begun, done):
    with lmdb.open(path, lib_version=0):
        begun.set()
        done.wait()


def test_slots_of_readers_that_were_killed_are_freed(folder):
    """A reader that never ends keeps every page that is freed after it."""
    publish(folder.catalog, environment([offer("gold")]))
    context = multiprocessing.get_context("spawn")
    path = str(folder.history)
    held, done, begun = context.Event(), context.Event(), context.Event()
    # The slots are forgotten when nobody has the store open: somebody does.
    holder = context.Process(target=holding, args=(path, held, done))
    holder.start()
    assert held.wait(60)
    reader = context.Process(target=reading, args=(path, begun))
    reader.start()
    assert begun.wait(60)
    os.kill(reader.pid, signal.SIGKILL)
    reader.join()
    with HistoryStore(folder.history) as store:
        before = store.lmdb_env.readers()
    keep(folder, lambda steps: steps[-1].is_last)
    with HistoryStore(folder.history) as store:
        after = store.lmdb_env.readers()
    done.set()
    holder.join()

    assert [str(reader.pid) in slots for slots in (before, after)] == [True, False]
