"""Calls that wait together are recorded together, and each stands for itself."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from catalog_store.records import PresentationRule, UnixMs
from contact_store.errors import StoreFailed, StoreStalled
from contact_store.history import HistoryStore
from contact_store.history_group import Group
from contact_store.history_transaction import HistoryTransaction
from contact_store.records import Proposition, PropositionStatus
from server.group_commit import GROUP_MAX, GroupCommit
from server.wire import decision_pb2 as pb
from tests.bank import NOON_MS
from tests.servers import run, serving

MADE = Proposition(
    interaction=1,
    offer=1,
    category=1,
    space=1,
    channel=1,
    weight=1.0,
    rank=1,
    status=PropositionStatus.GENERATED,
    event_time_ms=UnixMs(NOON_MS),
    decided_at_ms=UnixMs(NOON_MS),
)


Calls = Callable[[GroupCommit], Awaitable[object]]


class CountingStore(HistoryStore):
    """Counts the groups that it is asked for."""

    groups = 0

    def begin_group(self) -> Group:
        self.groups += 1
        return super().begin_group()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CountingStore]:
    with CountingStore(tmp_path / "history") as store:
        yield store


def together(
    store: HistoryStore,
    calls: Calls,
    stall_seconds: float = 30,
) -> None:
    """Run calls beside the loop that commits them."""

    async def run_both() -> None:
        group_commit = GroupCommit(store, stall_seconds)
        committing = asyncio.create_task(group_commit.run())
        async with asyncio.timeout(30):
            try:
                await calls(group_commit)
            finally:
                group_commit.close()
                await committing

    asyncio.run(run_both())


def appended(contact_id: str) -> Callable[[HistoryTransaction], bytes]:
    """Work that adds a proposition, and answers how many there were before."""

    def work(txn: HistoryTransaction) -> bytes:
        before = len(txn.contact("bank", contact_id).propositions)
        txn.append("bank", contact_id, MADE)
        return str(before).encode()

    return work


def count(store: HistoryStore, contact_id: str) -> int:
    record = store.read("bank", contact_id)
    return len(record.propositions) if record else 0


def test_calls_of_one_moment_share_a_transaction(store: CountingStore) -> None:
    """And each sees what those before it did."""

    async def calls(group_commit: GroupCommit) -> None:
        waiting = [group_commit.commit(appended("ann")) for _ in range(5)]
        assert await asyncio.gather(*waiting) == [b"0", b"1", b"2", b"3", b"4"]

    together(store, calls)
    assert (store.groups, count(store, "ann")) == (1, 5)


def test_calls_of_several_turns_join_one_group(store: CountingStore) -> None:
    """gRPC brings one call a turn of the loop."""

    async def calls(group_commit: GroupCommit) -> None:
        waiting: list[asyncio.Future[bytes]] = []
        for _ in range(5):
            waiting.append(group_commit.commit(appended("ann")))
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)

    together(store, calls)
    assert (store.groups, count(store, "ann")) == (1, 5)


def test_nobody_is_answered_when_the_commit_fails(tmp_path: Path) -> None:
    """Work that was done, and is not on disk, is not done."""

    class Failing(Group):
        def commit(self) -> None:
            self.abort()
            raise StoreFailed("the disk is full")

    class FailingStore(HistoryStore):
        def begin_group(self) -> Group:
            return Failing(self.lmdb_env, self._in_thread, self._transaction)

    with FailingStore(tmp_path / "history") as store:

        async def calls(group_commit: GroupCommit) -> None:
            for _ in range(2):
                with pytest.raises(StoreFailed):
                    await group_commit.commit(appended("ann"))

        together(store, calls)
        assert count(store, "ann") == 0


def test_a_group_has_its_limit(store: CountingStore) -> None:
    """Who comes too late for one is in the next."""

    async def calls(group_commit: GroupCommit) -> None:
        waiting = [group_commit.commit(appended("ann")) for _ in range(GROUP_MAX + 1)]
        await asyncio.gather(*waiting)

    together(store, calls)
    assert (store.groups, count(store, "ann")) == (2, GROUP_MAX + 1)


def test_what_is_answered_is_stored(store: CountingStore) -> None:
    """A call is answered after the commit, never before."""

    async def calls(group_commit: GroupCommit) -> None:
        await group_commit.commit(appended("ann"))
        assert count(store, "ann") == 1

    together(store, calls)


def test_one_that_fails_takes_nothing_of_the_others(store: CountingStore) -> None:
    """What it had written already is undone, and it alone hears of it."""

    def failing(txn: HistoryTransaction) -> bytes:
        txn.append("bank", "bob", MADE)
        raise ValueError("no")

    async def calls(group_commit: GroupCommit) -> None:
        works = [appended("ann"), failing, appended("ann")]
        first, second, third = await asyncio.gather(
            *map(group_commit.commit, works), return_exceptions=True
        )
        assert (first, third) == (b"0", b"1")
        assert isinstance(second, ValueError)

    together(store, calls)
    assert (store.groups, count(store, "ann"), count(store, "bob")) == (1, 2, 0)


def test_a_caller_who_has_gone_is_not_recorded(store: CountingStore) -> None:
    """As long as it is not on disk."""

    async def calls(group_commit: GroupCommit) -> None:
        gone = group_commit.commit(appended("bob"))
        stays = group_commit.commit(appended("ann"))
        gone.cancel()
        await stays

    together(store, calls)
    assert (count(store, "ann"), count(store, "bob")) == (1, 0)


def test_a_full_store_fails_the_group_and_not_the_next(tmp_path: Path) -> None:
    """Nobody is told that something is stored which is not."""

    def huge(txn: HistoryTransaction) -> bytes:
        for number in range(20_000):
            txn.append("bank", f"c{number}", *[MADE] * 4)
        return b""

    with HistoryStore(tmp_path / "small", map_bytes=1 << 20) as store:

        async def calls(group_commit: GroupCommit) -> None:
            failed = group_commit.commit(huge)
            beside = group_commit.commit(appended("ann"))
            results = await asyncio.gather(failed, beside, return_exceptions=True)
            assert isinstance(results[0], StoreFailed)
            stored = count(store, "ann") == 1
            assert isinstance(results[1], bytes) == stored
            assert await group_commit.commit(appended("bob")) == b"0"

        together(store, calls)
        assert count(store, "bob") == 1


def test_a_limit_holds_for_calls_at_the_same_moment(tmp_path: Path) -> None:
    """Two workers, one contact, many connections: as many as allowed, to the last."""
    rule = PresentationRule(name="ten", period_ms=None, maximum=10)
    catalog = tmp_path / "catalog" / "bank"
    catalog.mkdir(parents=True)
    (catalog / "environment.yaml").write_text(
        "default: true\ntypology: all\n"
        "categories: {cards: {}}\n"
        "spaces: {home: {channel: inbound_web}}\n"
        "offers: {card: {label: Card, category: cards, spaces: home, weights: 1}}\n"
        f"presentation_rules: {{ten: {{period: forever, maximum: {rule.maximum}}}}}\n"
        "typologies: {all: [ten]}\n"
    )
    run("catalog", "publish", catalog.parent, "--data", tmp_path / "data")
    with serving(tmp_path / "data", 2) as server:

        def ask(number: int) -> int:
            options = [("grpc.use_local_subchannel_pool", 1)]
            with grpc.insecure_channel(server.decisions, options=options) as channel:
                method = channel.unary_unary(
                    "/propono.v1.DecisionService/Propose",
                    request_serializer=pb.ProposeRequest.SerializeToString,
                    response_deserializer=pb.ProposeResponse.FromString,
                )
                request = pb.ProposeRequest(contact_id="hot")
                request.spaces.add(space="home")
                waiting = [method.future(request, timeout=30) for _ in range(8)]
                answers = [one.result() for one in waiting]
                return sum(len(a.results[0].propositions) for a in answers)

        with ThreadPoolExecutor(8) as threads:
            proposed = sum(threads.map(ask, range(8)))

    assert proposed == 10


class _SlowStore(HistoryStore):
    """Its commits wait until they are let go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.is_writing = threading.Event()
        self.let_go = threading.Event()

    def lets_go_after(self, calls: Calls) -> Calls:
        """The same calls; when they fail nothing may be left that waits."""

        async def called(group_commit: GroupCommit) -> None:
            try:
                await calls(group_commit)
            finally:
                self.let_go.set()

        return called

    def begin_group(self) -> Group:
        store = self

        class Slow(Group):
            def commit(self) -> None:
                store.is_writing.set()
                assert store.let_go.wait(30)
                super().commit()

        return Slow(self.lmdb_env, self._in_thread, self._transaction)


def test_the_loop_goes_on_while_the_disk_is_slow(tmp_path: Path) -> None:
    """Reads are answered, and calls that come meanwhile are the next group."""
    with _SlowStore(tmp_path / "history") as store:

        @store.lets_go_after
        async def calls(group_commit: GroupCommit) -> None:
            first = group_commit.commit(appended("ann"))
            while not store.is_writing.is_set():
                await asyncio.sleep(0)
            second = group_commit.commit(appended("ann"))
            for _ in range(100):
                await asyncio.sleep(0)
            assert count(store, "ann") == 0
            assert (first.done(), second.done()) == (False, False)
            store.let_go.set()
            assert await asyncio.gather(first, second) == [b"0", b"1"]

        together(store, calls)


def test_a_disk_that_stalls_refuses_recorded_calls_at_once(tmp_path: Path) -> None:
    """Those that wait and those that come; what it was writing is still answered."""
    with _SlowStore(tmp_path / "history") as store:

        @store.lets_go_after
        async def calls(group_commit: GroupCommit) -> None:
            written = group_commit.commit(appended("ann"))
            while not store.is_writing.is_set():
                await asyncio.sleep(0)
            waiting = group_commit.commit(appended("bob"))
            with pytest.raises(StoreStalled):
                await waiting
            with pytest.raises(StoreStalled):
                group_commit.commit(appended("bob"))
            assert not written.done()
            store.let_go.set()
            assert await written == b"0"
            assert await group_commit.commit(appended("ann")) == b"1"

        together(store, calls, stall_seconds=0.05)
        assert count(store, "bob") == 0


def test_a_writer_that_holds_the_lock_refuses_recorded_calls(tmp_path: Path) -> None:
    """Nothing of them is done, and when it lets go calls are recorded again."""
    with (
        HistoryStore(tmp_path / "history") as store,
        ThreadPoolExecutor(1) as elsewhere,
    ):
        held = elsewhere.submit(store.begin_group).result()

        async def calls(group_commit: GroupCommit) -> None:
            with pytest.raises(StoreStalled):
                await group_commit.commit(appended("ann"))
            elsewhere.submit(held.abort).result()
            async with asyncio.timeout(30):
                while True:
                    try:
                        assert await group_commit.commit(appended("ann")) == b"0"
                        break
                    except StoreStalled:
                        await asyncio.sleep(0)

        together(store, calls, stall_seconds=0.05)
        assert count(store, "ann") == 1


def test_who_waits_is_recorded_before_the_end(store: CountingStore) -> None:
    """A worker that is told to stop finishes what it has."""

    async def calls(group_commit: GroupCommit) -> None:
        last = group_commit.commit(appended("ann"))
        group_commit.close()
        assert await last == b"0"

    together(store, calls)
    assert count(store, "ann") == 1
