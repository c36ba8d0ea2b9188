"""Answers kept under request ids: found again, refused when reused, and bounded."""

import pytest

from contact_store.answers import ANSWER_BYTES_MAX, TABLES, RequestKey
from contact_store.errors import RequestIdReused
from contact_store.history import HistoryStore
from tests.test_history import Interrupted

HOUR_MS = 3_600_000
NOW_MS = 500_000 * HOUR_MS + 1_000
KEY = RequestKey("web", "Propose", "bank", "r1")


@pytest.fixture
def store(tmp_path):
    with HistoryStore(tmp_path, horizon_hours=2, answers_max=5) as opened:
        yield opened


def keep(store, request, answer=b"answer", now_ms=NOW_MS, digest=b"digest"):
    with store.transaction() as txn:
        assert txn.answer(request, digest, now_ms) is None
        txn.keep_answer(request, digest, answer, now_ms)


def find(store, request, now_ms=NOW_MS, digest=b"digest"):
    with store.transaction() as txn:
        return txn.answer(request, digest, now_ms)


def test_a_retry_finds_the_answer(store):
    """Byte for byte, and in the transaction that kept it too."""
    with store.transaction() as txn:
        txn.keep_answer(KEY, b"digest", b"\x00answer", NOW_MS)
        inside = txn.answer(KEY, b"digest", NOW_MS)

    assert [inside, find(store, KEY)] == [b"\x00answer"] * 2


def test_the_same_id_for_another_request_is_refused(store):
    """Another digest under the same key is a client's mistake."""
    keep(store, KEY)

    with pytest.raises(RequestIdReused):
        find(store, KEY, digest=b"other")


@pytest.mark.parametrize(
    "other",
    [
        RequestKey("phone", "Propose", "bank", "r1"),
        RequestKey("web", "UpdateProposition", "bank", "r1"),
        RequestKey("web", "Propose", "shop", "r1"),
        RequestKey("web", "Propose", "bank", "r2"),
        RequestKey("webPropose", "", "bank", "r1"),
    ],
)
def test_caller_method_environment_and_id_make_a_key(store, other):
    """The same id elsewhere is another request."""
    keep(store, KEY)

    assert find(store, other, digest=b"other") is None


def test_an_answer_stays_for_the_horizon(store):
    """Two hours at least, three at most."""
    keep(store, KEY)

    assert find(store, KEY, NOW_MS + 2 * HOUR_MS) == b"answer"
    assert find(store, KEY, NOW_MS + 3 * HOUR_MS) is None


def test_old_tables_are_emptied(store):
    """Five fit; each hour's go when their time is over, and none is lost before."""
    for hour in range(60):
        now_ms = NOW_MS + hour * HOUR_MS
        keep(store, RequestKey("web", "Propose", "bank", f"r{hour}"), now_ms=now_ms)
        known = [
            find(store, RequestKey("web", "Propose", "bank", f"r{old}"), now_ms)
            for old in range(max(0, hour - 2), hour + 1)
        ]
        assert [b"answer"] * min(hour + 1, 3) == known


def test_a_table_used_again_holds_nothing_of_the_first_time(tmp_path):
    """Tables stand in a ring; a day and more later it is the first one's turn again."""
    with HistoryStore(tmp_path) as store:
        keep(store, KEY)
        for hour in range(1, TABLES + 1):
            later = RequestKey("web", "Propose", "bank", f"later{hour}")
            keep(store, later, now_ms=NOW_MS + hour * HOUR_MS)

        assert find(store, KEY, NOW_MS + TABLES * HOUR_MS) is None


def test_when_full_the_oldest_hour_goes_first(store):
    """Inside the horizon too; the newest answer is always kept."""
    requests = [RequestKey("web", "Propose", "bank", f"r{n}") for n in range(6)]
    for number, request in enumerate(requests):
        keep(store, request, now_ms=NOW_MS + (number // 2) * HOUR_MS)

    found = [find(store, request, NOW_MS + 2 * HOUR_MS) for request in requests]
    assert found == [None] * 2 + [b"answer"] * 4


def test_when_full_within_an_hour_that_hour_starts_again(store):
    """The bound holds whatever happens."""
    requests = [RequestKey("web", "Propose", "bank", f"r{n}") for n in range(6)]
    for request in requests:
        keep(store, request)

    assert [find(store, request) for request in requests] == [None] * 5 + [b"answer"]


def test_an_aborted_answer_is_not_kept(store):
    """It goes with the decision it belongs to."""

    def decide_and_fail():
        with store.transaction() as txn:
            txn.keep_answer(KEY, b"digest", b"answer", NOW_MS)
            raise Interrupted

    with pytest.raises(Interrupted):
        decide_and_fail()

    assert find(store, KEY) is None


def test_an_answer_survives_opening_again(tmp_path):
    """A retry may come after a restart."""
    with HistoryStore(tmp_path) as store:
        keep(store, KEY)
    with HistoryStore(tmp_path) as store:
        assert find(store, KEY) == b"answer"


def test_limits_are_refused(store, tmp_path):
    """Ids, answers, horizons and bounds outside theirs."""
    with store.transaction() as txn:
        for request_id in ("", "x" * 129, "é" * 65):
            with pytest.raises(ValueError, match="request_id"):
                txn.answer(
                    RequestKey("web", "Propose", "bank", request_id), b"d", NOW_MS
                )
        with pytest.raises(ValueError, match="answer"):
            txn.keep_answer(KEY, b"d", b"x" * (ANSWER_BYTES_MAX + 1), NOW_MS)
    with pytest.raises(ValueError, match="horizon_hours"):
        HistoryStore(tmp_path / "a", horizon_hours=25)
    with pytest.raises(ValueError, match="answers_max"):
        HistoryStore(tmp_path / "b", answers_max=0)
