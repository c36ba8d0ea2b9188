"""A count for a quota whose counter is damaged: given, or made of what is stored."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog_store.counting import OnFailure, QuotaPeriod
from catalog_store.records import UnixMs
from catalog_store.revisions import Revisions
from contact_store.history import HistoryStore
from contact_store.quotas import QuotaPeriodKey
from server.data_folder import DataFolder
from server.doctor import examine
from server.live_loading import load
from server.quota_restoring import CannotRestore, Restored, restore_quota
from tests.bank import DAY_MS, NOON_MS
from tests.quota_bank import bank, quota
from tests.servers import run
from tests.services import Served, offers, served
from tests.test_quota_counters import flip
from tests.test_quota_fallback import SCARCE, damage

LIMITED = quota(5, categories=("cards",), period=QuotaPeriod.TOTAL)


def restored(web: Served, folder: Path, used: int | None) -> Restored:
    revisions = Revisions(folder / "catalog")
    manifest = revisions.current()
    revision = revisions.open(manifest)
    catalog = load(revision, manifest)
    revision.close()
    now_ms = UnixMs(web.clock.now_ms)
    seen: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        seen.append((done, total))

    try:
        return restore_quota(
            catalog, web.history, "bank", "scarce", used, now_ms, progress
        )
    finally:
        assert all(done <= total for done, total in seen)


@pytest.fixture
def three_used(tmp_path: Path) -> Iterator[Served]:
    """Three cards and a loan were proposed, and then the count of cards was lost."""
    with served(tmp_path, bank(LIMITED)) as web:
        for name, excluded in (
            *(("ann", []), ("bob", ["gold"]), ("cyd", [])),
            ("dan", ["gold", "blue"]),
        ):
            web.propose(contact_id=name, excluded_offers=excluded)
        assert web.history.quota_used(SCARCE) == 3
        damage(web.history, SCARCE)
        yield web


def test_the_count_that_is_given_holds(three_used: Served, tmp_path: Path) -> None:
    """From the next decision on."""
    assert restored(three_used, tmp_path, 4) == Restored("bank", "scarce", 4, 5)
    found = [three_used.propose(contact_id=name) for name in ("eve", "fay")]

    assert [offers(answer) for answer in found] == [["gold"], ["loan"]]
    assert [list(answer.warnings) for answer in found] == [[], []]


def test_what_is_stored_is_counted(three_used: Served, tmp_path: Path) -> None:
    """Of the quota's offers only; of an erased contact nothing is stored."""
    assert restored(three_used, tmp_path, None).used == 3
    damage(three_used.history, SCARCE)
    with three_used.history.transaction() as txn:
        txn.erase("bank", "ann")

    assert restored(three_used, tmp_path, None).used == 2


def test_what_the_period_had_before_is_not_counted(tmp_path: Path) -> None:
    """Of a day only what was decided on that day."""
    day = QuotaPeriodKey(SCARCE.name_hash, "day", NOON_MS + DAY_MS // 2)
    with served(tmp_path, bank(quota(5, offers=("gold",)))) as web:
        web.propose(contact_id="ann")
        web.clock.now_ms += DAY_MS
        for contact in ("bob", "cyd"):
            web.propose(contact_id=contact)
        damage(web.history, day)

        assert restored(web, tmp_path, None).used == 2


@pytest.mark.parametrize(("used", "expected"), [(3, 4), (None, 4)])
def test_what_it_fell_back_on_is_added_once(
    tmp_path: Path, used: int | None, expected: int
) -> None:
    """And counts for nothing at the next loss."""
    limited = quota(
        *(5,),
        offers=("gold",),
        period=QuotaPeriod.TOTAL,
        on_failure=OnFailure.FALL_BACK,
        fallback_limit=2,
    )
    with served(tmp_path, bank(limited)) as web:
        for number in range(3):
            web.propose(contact_id=f"before{number}")
        damage(web.history, SCARCE)
        assert offers(web.propose(contact_id="meanwhile")) == ["gold"]

        assert restored(web, tmp_path, used).used == expected
        assert web.history.quota_used(SCARCE) == expected
        assert web.history.quota_used(SCARCE.fallback()) == 0


def test_a_good_counter_is_left_alone(three_used: Served, tmp_path: Path) -> None:
    """Whatever is asked."""
    restored(three_used, tmp_path, 2)
    with pytest.raises(CannotRestore, match="is not damaged: it has had 2 of 5"):
        restored(three_used, tmp_path, 0)

    assert three_used.history.quota_used(SCARCE) == 2


def test_a_record_that_nobody_can_read_is_not_passed_over(
    three_used: Served, tmp_path: Path
) -> None:
    """It may hold what is to be counted."""
    lmdb_env = three_used.history.lmdb_env
    records = lmdb_env.open_db(b"records", create=False)
    with lmdb_env.begin(write=True) as txn, txn.cursor(db=records) as cursor:
        assert cursor.first()
        key, value = cursor.item()
        cursor.put(key, value[:-1] + bytes([value[-1] ^ 1]))
    with pytest.raises(CannotRestore, match=r"is damaged.*say what the quota has had"):
        restored(three_used, tmp_path, None)

    assert three_used.history.quota_used(SCARCE) is None


def test_the_doctor_reports_and_the_command_repairs(tmp_path: Path) -> None:
    """A repair makes nothing up; beside a server or not, the command does."""
    with served(tmp_path, bank(LIMITED)) as web:
        web.propose()
        flip(web.history, SCARCE.encoded(), 3)
    folder = DataFolder(tmp_path)
    before = (tmp_path / "history" / "data.mdb").read_bytes()
    found = list(examine(folder, NOON_MS, lambda *_: None, repair=True))
    assert [(one.table, one.is_repaired) for one in found] == [("quotas", False)]
    assert "`propono quotas set` gives it a count" in found[0].what
    assert (tmp_path / "history" / "data.mdb").read_bytes() == before

    assert run("quotas", "set", "scarce", "2", "--data", tmp_path) == (
        "bank: scarce has had 2 of 5\n"
    )
    assert list(examine(folder, NOON_MS, lambda *_: None)) == []
    with HistoryStore(tmp_path / "history") as history:
        assert history.quota_used(SCARCE) == 2
    assert "quota 'scarce' is not damaged: it has had 2 of 5; to allow" in run(
        *("quotas", "set", "scarce", "stored", "--data", tmp_path), status=1
    )


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["scarce", "-1"], 2, "No such option"),
        (["scarce", "1.5"], 2, "is not a count: write 0 to"),
        (["scarce", "9" * 5_000], 2, "is not a count: write 0 to"),
        (["scarce", "²"], 2, "is not a count: write 0 to"),
        (["gold", "1"], 1, "an active quota 'gold' is nowhere; see `propono quotas`"),
        (["scarce", "1", "-e", "bonk"], 1, "unknown environment 'bonk'; known: bank"),
        (["gold", "1", "-e", "bank"], 1, "no active quota 'gold'; known: scarce"),
    ],
)
def test_the_command_refuses_with_a_reason(
    tmp_path: Path, arguments: list[str], status: int, said: str
) -> None:
    """What is no count, and what is no quota."""
    with served(tmp_path, bank(LIMITED)):
        pass

    assert said in run("quotas", "set", *arguments, "--data", tmp_path, status=status)
