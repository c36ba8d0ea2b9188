"""Counters of quotas in the store: exact, sealed, and removed when they are old."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog_store.counting import OnFailure, QuotaPeriod
from contact_store.history import HistoryStore
from contact_store.names import name_hash
from contact_store.quotas import KEPT_MS, QuotaPeriodKey
from server.engine.decision import decide
from server.engine.quota_periods import bounds
from server.quota_counts import QuotaCounts
from server.wire import explanation_pb2
from tests.bank import (
    DAY_MS,
    NOON_MS,
    call,
    chosen,
    environment,
    live,
    offer,
)
from tests.quota_bank import bank, quota
from tests.services import Served, offers, served

SCARCE = name_hash("environments/bank/quotas/scarce")


def key(start_ms: int | None = 0, period: str = "day", name: int = 7) -> QuotaPeriodKey:
    return QuotaPeriodKey(name, period, start_ms)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[HistoryStore]:
    with HistoryStore(tmp_path) as store:
        yield store


def counters(history: HistoryStore) -> list[bytes]:
    """The keys that are there."""
    table = history.lmdb_env.open_db(b"quotas")
    with history.lmdb_env.begin() as txn, txn.cursor(db=table) as cursor:
        return [key for key, _ in cursor]


def flip(history: HistoryStore, key: bytes, bit: int) -> None:
    """Damage one bit of a counter on the disk."""
    table = history.lmdb_env.open_db(b"quotas")
    with history.lmdb_env.begin(write=True) as txn:
        value = bytearray(txn.get(key, db=table))
        value[bit // 8] ^= 1 << bit % 8
        txn.put(key, bytes(value), db=table)


def test_a_count_is_what_was_consumed(history: HistoryStore) -> None:
    """Seen at once in the transaction, and by others after it."""
    with history.transaction() as txn:
        assert txn.quota_used(key()) == 0
        txn.consume_quotas({key(): 3, key(name=8): 1})
        txn.consume_quotas({key(): 10**12})
        assert txn.quota_used(key()) == 10**12 + 3
        assert history.quota_used(key()) == 0

    assert history.quota_used(key()) == 10**12 + 3
    assert history.quota_used(key(name=8)) == 1


def test_a_period_may_begin_before_1970(history: HistoryStore) -> None:
    """In the west, where the first day of all began the day before."""
    with history.transaction() as txn:
        txn.consume_quotas({key(-5): 1})

    assert history.quota_used(key(-5)) == 1


def test_a_transaction_that_fails_consumes_nothing(history: HistoryStore) -> None:
    """All of it or nothing."""

    def consume_and_fail() -> None:
        with history.transaction() as txn:
            txn.consume_quotas({key(): 3})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        consume_and_fail()
    assert history.quota_used(key()) == 0


def test_each_quota_period_and_start_has_its_own(history: HistoryStore) -> None:
    """A day that begins with a month is another period than the month."""
    keys = [key(None, "total"), key(0, "month"), key(0), key(1), key(0, name=8)]
    with history.transaction() as txn:
        for count, one in enumerate(keys, start=1):
            txn.consume_quotas({one: count})

    assert [history.quota_used(one) for one in keys] == [1, 2, 3, 4, 5]


def test_old_periods_run_out(history: HistoryStore) -> None:
    """Each that begins removes two that began over two days before; of its quota."""
    days = 12
    with history.transaction() as txn:
        txn.consume_quotas(
            {key(None, "total"): 1, key(0, "hour"): 1, key(0, name=8): 1}
        )
        for day in range(days):
            txn.consume_quotas({key(day * DAY_MS): 1})
            txn.consume_quotas({key(day * DAY_MS): 1})
    left = counters(history)
    latest_ms = (days - 1) * DAY_MS

    kept = [key(latest_ms - n * DAY_MS) for n in (0, 1, 2)]
    assert KEPT_MS == 2 * DAY_MS
    assert [history.quota_used(one) for one in kept] == [2, 2, 2]
    assert history.quota_used(key(latest_ms - 3 * DAY_MS)) == 0
    assert len(left) == 6


def test_many_old_periods_run_out_a_few_at_a_time(history: HistoryStore) -> None:
    """No transaction does the work of months."""
    with history.transaction() as txn:
        for day in reversed(range(10)):
            txn.consume_quotas({key(day * DAY_MS): 1})
    before = len(counters(history))
    with history.transaction() as txn:
        txn.consume_quotas({key(100 * DAY_MS): 1})

    assert before == 10
    assert len(counters(history)) == before + 1 - 2


@pytest.mark.parametrize("bit", [0, 9, 39, 40, 70, 103])
def test_a_flipped_bit_is_noticed(history: HistoryStore, bit: int) -> None:
    """In the format, the checksum or the number; and it is not counted on."""
    with history.transaction() as txn:
        txn.consume_quotas({key(): 3})
    flip(history, key().encoded(), bit)

    assert history.quota_used(key()) is None
    with history.transaction() as txn:
        txn.consume_quotas({key(): 3, key(1): 1})
        assert txn.quota_used(key()) is None
    assert history.quota_used(key(1)) == 1


def test_a_counter_of_another_key_is_damage(history: HistoryStore) -> None:
    """The key is part of the checksum."""
    table = history.lmdb_env.open_db(b"quotas")
    with history.transaction() as txn:
        txn.consume_quotas({key(): 3})
    with history.lmdb_env.begin(write=True) as txn:
        txn.put(key(1).encoded(), txn.get(key().encoded(), db=table), db=table)

    assert history.quota_used(key(1)) is None


def test_the_clock_is_read_without_moving_it(history: HistoryStore) -> None:
    """For dry runs and lists."""
    assert history.latest_decided_at(5) == 5
    with history.transaction() as txn:
        txn.decided_at(NOON_MS)

    assert history.latest_decided_at(NOON_MS - 1) == NOON_MS
    assert history.latest_decided_at(NOON_MS + 1) == NOON_MS + 1


def test_a_decision_reads_the_quotas_of_offers_that_it_comes_to(tmp_path: Path) -> None:
    """Once each, however many others there are; read through it is all of them."""
    names = [f"o{number}" for number in range(50)]
    record = environment(
        [offer(name, 50 - place) for place, name in enumerate(names)],
        quotas=tuple(
            quota(0 if name == "o1" else 9, name=f"of_{name}", offers=(name,))
            for name in names
        ),
    )
    of = live(tmp_path, record).environments["bank"]
    asked: list[int] = []

    def used(period: QuotaPeriodKey) -> int:
        asked.append(period.name_hash)
        return 0

    counts = QuotaCounts(of.quotas, NOON_MS, used)
    decided = decide(call(of, ("banner", 2), "side", quotas_left=counts))
    hashes = [one.quota_hash for one in of.quotas.live]

    assert chosen(decided) == [["o0", "o2"], ["o3"]]
    assert asked == hashes[:4]
    assert counts.read() == {0: 9, 1: 0, 2: 9, 3: 9}
    assert dict(counts) == {n: 0 if n == 1 else 9 for n in range(50)}
    assert len(counts) == 50
    assert sorted(asked) == sorted(hashes)


def damaged(folder: Path, **fields: object) -> Iterator[Served]:
    limited = quota(5, offers=("gold",), **fields)
    with served(folder, bank(limited), kept_share=1.0) as web:
        assert offers(web.propose(contact_id="first")) == ["gold"]
        start_ms = bounds(QuotaPeriod.DAY, "UTC", NOON_MS).start_ms
        flip(web.history, QuotaPeriodKey(SCARCE, "day", start_ms).encoded(), 101)
        yield web


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Served]:
    yield from damaged(tmp_path)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Served]:
    yield from damaged(tmp_path, on_failure=OnFailure.OPEN)


def test_a_damaged_counter_is_none_left(closed: Served) -> None:
    """Nothing of it is proposed, and every answer that it concerned says so."""
    for dry_run in (True, False):
        answer = closed.propose(dry_run=dry_run)
        assert offers(answer) == ["blue"]
        assert list(answer.warnings) == [
            "quota 'scarce' has a damaged counter: none is left; see `propono quotas`"
        ]
    other = closed.propose(excluded_offers=["gold"])
    assert list(other.warnings) == []


def test_another_period_is_not_damaged(closed: Served) -> None:
    """It heals at midnight."""
    closed.clock.now_ms += DAY_MS
    answer = closed.propose()

    assert offers(answer) == ["gold"]
    assert list(answer.warnings) == []


def test_a_quota_may_fail_open(opened: Served) -> None:
    """Decisions go on without counting, and every such answer says so."""
    answers = [opened.propose(contact_id=f"c{number}") for number in range(8)]

    assert [offers(answer) for answer in answers] == [["gold"]] * 8
    assert {warning for answer in answers for warning in answer.warnings} == {
        "quota 'scarce' has a damaged counter: its offers are proposed uncounted; see"
        " `propono quotas`"
    }
    assert all(answer.warnings for answer in answers)


def test_an_explanation_says_that_it_is_damaged(closed: Served) -> None:
    """And when the next period begins."""
    answer = closed.propose(
        explain=explanation_pb2.EXPLAIN_LEVEL_FULL, explained_offers=["gold"]
    )
    (reason,) = answer.explanation.offers[0].reasons

    assert reason.message == (
        "the quota scarce has a damaged counter, and so none left; free again on"
        " 2 May 2026 00:00 UTC"
    )
    assert (reason.quota_limit, reason.quota_used) == (5, 0)
