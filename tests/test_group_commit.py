"""Calls that wait together are recorded together, and each stands for itself."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from catalog_store.records import PresentationRule, UnixMs
from contact_store.errors import StoreFailed
from contact_store.history import Attempt, HistoryStore
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


class CountingStore(HistoryStore):
    """Counts the groups that it is asked for."""

    groups = 0

    @contextmanager
    def group(self) -> Generator[Attempt]:
        self.groups += 1
        with super().group() as attempt:
            yield attempt


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CountingStore]:
    with CountingStore(tmp_path / "history") as store:
        yield store


def together(
    store: HistoryStore, calls: Callable[[GroupCommit], Awaitable[object]]
) -> None:
    """Run calls beside the loop that commits them."""

    async def run_both() -> None:
        group_commit = GroupCommit(store)
        committing = asyncio.create_task(group_commit.run())
        async with asyncio.timeout(30):
            await calls(group_commit)
        committing.cancel()

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

    class Failing(HistoryStore):
        @contextmanager
        def group(self) -> Generator[Attempt]:
            with super().group() as attempt:
                yield attempt
                raise StoreFailed("the disk is full")

    with Failing(tmp_path / "history") as store:

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
