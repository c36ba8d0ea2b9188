"""Publications for a time to come: published then, once, and never behind anybody."""

from collections.abc import Generator
from errno import ENOSPC
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from catalog_store import scheduled_publications
from catalog_store.design_records import catalog_records
from catalog_store.records import Catalog, Offer
from catalog_store.revisions import Revisions
from catalog_store.scheduled_publications import ScheduledPublications
from server.audit.reading import read_log
from server.data_folder import DataFolder
from server.design import publishing
from server.design.due_publications import (
    LATE_MS_MAX,
    RETRY_MS,
    RETRY_MS_MAX,
    DuePublications,
)
from server.design.publishing import Publisher
from server.publication import publish_records, roll_back
from tests.bank import NOON_MS, environment, offer
from tests.design_admin import DesignAdmin, design_admin

HOUR_MS = 3_600_000


class Scheduled(NamedTuple):
    """An admin port, and what looks whether something is due; one clock for both."""

    admin: DesignAdmin
    folder: DataFolder
    due: DuePublications

    @property
    def revisions(self) -> Revisions:
        return Revisions(self.folder.catalog)

    @property
    def store(self) -> ScheduledPublications:
        return ScheduledPublications(self.folder.scheduled)

    def design(self, name: str) -> None:
        """Make the design one of one offer."""
        catalog = Catalog(environments=(environment([offer(name)]),))
        self.admin.apply(catalog_records(catalog), prune=True)

    def schedule(self, after_ms: int, **fields: Any) -> Any:
        """The answer of Publish for a time after now."""
        at_ms = self.admin.clock.now_ms + after_ms
        time = {"seconds": at_ms // 1_000, "nanos": at_ms % 1_000 * 1_000_000}
        return self.admin.call("Publish", publish_time=time, **fields)

    def pass_time(self, ms: int) -> list[str]:
        """What ended in the look after it: state and number."""
        self.admin.clock.now_ms += ms
        return [f"{one.state} {one.number}" for one in self.due.publish()]

    def listed(self, **fields: Any) -> list[Any]:
        answer = self.admin.call("ListScheduledPublications", **fields)
        return list(answer.scheduled_publications)

    def decides(self) -> str:
        """The offer of the current revision."""
        revision = self.revisions.open(self.revisions.current())
        try:
            found: Offer = revision.environment("bank").offers[0]
        finally:
            revision.close()
        return found.name


@pytest.fixture
def scheduled(tmp_path: Path) -> Generator[Scheduled]:
    with design_admin(tmp_path) as admin:
        folder = DataFolder(tmp_path)
        due = DuePublications(folder, Publisher(folder, admin.clock), admin.clock)
        yield Scheduled(admin, folder, due)


def test_what_is_scheduled_decides_from_its_time_on(scheduled: Scheduled) -> None:
    """As the design was when it was scheduled, by whoever scheduled it."""
    scheduled.design("then")
    answer = scheduled.schedule(HOUR_MS)
    scheduled.design("now")

    assert answer.revision.number == 0
    assert scheduled.pass_time(HOUR_MS - 1) == []
    assert not scheduled.revisions.numbers()
    assert scheduled.pass_time(1) == ["published 1"]
    current = scheduled.revisions.current()
    assert current.digest == answer.revision.digest
    assert (current.publisher, current.published_at_ms) == ("anyone", NOON_MS + HOUR_MS)
    assert scheduled.decides() == "then"
    [ended] = scheduled.listed(show_ended=True)
    assert (ended.state, ended.revision) == (2, 1)
    assert ended.end_time.ToMilliseconds() == NOON_MS + HOUR_MS
    assert scheduled.listed() == []
    assert not list(scheduled.folder.scheduled.glob("*.catalog"))
    assert scheduled.pass_time(HOUR_MS) == []


def test_it_is_in_the_audit_log_as_its_publishers(scheduled: Scheduled) -> None:
    """Before it is done, and how it ended."""
    scheduled.design("one")
    scheduled.schedule(1)
    scheduled.pass_time(1)
    asked, ended = [line.entry for line in read_log(scheduled.folder.audit)]

    assert (asked.who, asked.known_by) == ("anyone", "scheduledPublications/1")
    assert (asked.result, ended.result, ended.asked) == ("ASKED", "OK", asked.number)
    assert ended.resource == "revisions/1"
    assert ended.after["revision"] == 1


@pytest.mark.parametrize(
    ("after_ms", "text"),
    [(0, "is past"), (-HOUR_MS, "is past"), (367 * 24 * HOUR_MS, "too far ahead")],
)
def test_a_time_is_to_come_within_a_year(
    scheduled: Scheduled, after_ms: int, text: str
) -> None:
    """INVALID_ARGUMENT else, whether it is only to be validated or not."""
    scheduled.design("one")
    at = (scheduled.admin.clock.now_ms + after_ms) // 1_000
    for only in (True, False):
        code, _, said = scheduled.admin.refused(
            "Publish", publish_time={"seconds": at}, validate_only=only
        )
        assert (code, text in said) == ("INVALID_ARGUMENT", True)
    extreme = {"seconds": -(2**63), "nanos": -(2**31)}
    assert scheduled.admin.refused("Publish", publish_time=extreme)[0] == (
        "INVALID_ARGUMENT"
    )


def test_validating_schedules_nothing(scheduled: Scheduled) -> None:
    """It says what the revision would be."""
    scheduled.design("one")
    answer = scheduled.schedule(HOUR_MS, validate_only=True)

    assert answer.revision.offer_count == 1
    assert not answer.HasField("scheduled_publication")
    assert scheduled.listed(show_ended=True) == []


def test_it_takes_nothing_back_that_was_published_since(scheduled: Scheduled) -> None:
    """Whoever published it was told; it is refused, and says why."""
    scheduled.design("one")
    scheduled.admin.call("Publish")
    scheduled.design("two")
    scheduled.schedule(HOUR_MS)
    assert [one.outdated for one in scheduled.listed()] == [False]
    scheduled.design("three")
    said = scheduled.admin.call("Publish").diagnostics

    assert (
        "scheduledPublications/1, scheduled by anyone for 2026-05-01T13:00" in said[0]
    )
    assert [one.outdated for one in scheduled.listed()] == [True]
    assert scheduled.pass_time(HOUR_MS) == ["refused 1"]
    assert scheduled.decides() == "three"
    [ended] = scheduled.listed(show_ended=True)
    assert (ended.state, ended.revision) == (3, 0)
    assert "something else was published" in ended.reason


def test_what_was_published_and_taken_back_is_in_nobodys_way(
    scheduled: Scheduled,
) -> None:
    """After a rollback that decides which did when it was scheduled."""
    scheduled.design("one")
    scheduled.admin.call("Publish")
    scheduled.design("two")
    scheduled.schedule(HOUR_MS)
    scheduled.design("three")
    scheduled.admin.call("Publish")
    roll_back(scheduled.folder, 1, publisher="ann", now_ms=NOON_MS)

    assert scheduled.pass_time(HOUR_MS) == ["published 1"]
    assert scheduled.decides() == "two"


def test_one_follows_the_other(scheduled: Scheduled) -> None:
    """Of the same design or a later one; all that a server missed, in their order."""
    scheduled.design("one")
    scheduled.schedule(2 * HOUR_MS)
    scheduled.design("two")
    scheduled.schedule(3 * HOUR_MS)
    scheduled.schedule(HOUR_MS)

    # The third is of a later design than the first: that may not take it back.
    names = [one.name.rpartition("/")[2] for one in scheduled.listed()]
    assert names == ["3", "1", "2"]
    assert scheduled.pass_time(4 * HOUR_MS) == [
        "published 3",
        "refused 1",
        "published 2",
    ]
    # It says the same as what decided already: nothing was published for it.
    assert scheduled.revisions.numbers() == [1]
    assert scheduled.listed(show_ended=True)[0].revision == 1


@pytest.mark.parametrize(
    ("late_ms", "ended"),
    [(LATE_MS_MAX, "published 1"), (LATE_MS_MAX + 1, "refused 1")],
)
def test_what_was_missed_is_published_unless_it_is_old(
    scheduled: Scheduled, late_ms: int, ended: str
) -> None:
    """By the first look of the next server."""
    scheduled.design("one")
    scheduled.schedule(HOUR_MS)

    assert scheduled.pass_time(HOUR_MS + late_ms) == [ended]


def test_what_is_cancelled_is_not_published(scheduled: Scheduled) -> None:
    """It is said who did; what has ended, or never was, cannot be cancelled."""
    scheduled.design("one")
    name = scheduled.schedule(HOUR_MS).scheduled_publication.name
    cancelled = scheduled.admin.call("CancelScheduledPublication", name=name)

    assert cancelled.scheduled_publication.reason == "cancelled by anyone"
    assert scheduled.pass_time(HOUR_MS) == []
    for other, refusal in {
        name: ("FAILED_PRECONDITION", "SCHEDULE_ENDED"),
        "scheduledPublications/9": ("NOT_FOUND", "UNKNOWN_SCHEDULE"),
        "scheduledPublications/x": ("INVALID_ARGUMENT", "INVALID_REQUEST"),
        "revisions/1": ("INVALID_ARGUMENT", "INVALID_REQUEST"),
    }.items():
        refused = scheduled.admin.refused("CancelScheduledPublication", name=other)
        assert refused[:2] == refusal


def test_as_many_wait_as_may(
    scheduled: Scheduled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RESOURCE_EXHAUSTED, until one is cancelled."""
    monkeypatch.setattr(scheduled_publications, "SCHEDULED_MAX", 2)
    scheduled.design("one")
    first = scheduled.schedule(1).scheduled_publication.name
    scheduled.schedule(2)
    time = {"seconds": NOON_MS // 1_000 + 9}
    code, reason, text = scheduled.admin.refused("Publish", publish_time=time)
    assert (code, reason) == ("RESOURCE_EXHAUSTED", "SCHEDULE_FULL")
    assert "cancel one" in text

    scheduled.admin.call("CancelScheduledPublication", name=first)
    assert scheduled.schedule(2).scheduled_publication.name.endswith("/3")


def test_the_oldest_that_ended_are_forgotten(
    scheduled: Scheduled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No number is given twice for all that."""
    monkeypatch.setattr(scheduled_publications, "ENDED_MAX", 2)
    scheduled.design("one")
    for _ in range(4):
        name = scheduled.schedule(1).scheduled_publication.name
        scheduled.admin.call("CancelScheduledPublication", name=name)

    assert scheduled.store.numbers() == [3, 4]
    assert scheduled.schedule(1).scheduled_publication.name.endswith("/5")


def test_a_damaged_one_is_in_no_others_way(scheduled: Scheduled) -> None:
    """A catalog with another hash is refused; a file that is none is said to be."""
    scheduled.design("one")
    for _ in range(3):
        scheduled.schedule(1)
    (scheduled.folder.scheduled / "1.json").write_text("{")
    (scheduled.folder.scheduled / "2.catalog").write_bytes(b"\x90")

    assert scheduled.pass_time(1) == ["refused 2", "published 3"]
    refused = scheduled.admin.refused("ListScheduledPublications")
    assert refused[:2] == ("DATA_LOSS", "DAMAGED_SCHEDULE")
    assert "1.json" in refused[2]


def test_what_cannot_be_audited_waits(scheduled: Scheduled) -> None:
    """Nothing is published without a line; when there can be one, it is."""
    scheduled.design("one")
    scheduled.schedule(1)
    scheduled.folder.audit.touch()
    assert scheduled.pass_time(1) == []
    assert not scheduled.revisions.numbers()

    scheduled.folder.audit.unlink()
    assert scheduled.pass_time(RETRY_MS) == ["published 1"]


def test_one_that_fails_is_tried_more_and_more_seldom(
    scheduled: Scheduled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full for a day does not fill the audit log."""
    tries: list[int] = []

    def publish(*arguments: Any, **options: Any) -> Any:
        tries.append(scheduled.admin.clock.now_ms)
        raise OSError(ENOSPC, "no space left on device")

    monkeypatch.setattr(publishing, "publish_records", publish)
    scheduled.design("one")
    scheduled.schedule(1)
    for _ in range(HOUR_MS // 1_000):
        assert scheduled.pass_time(1_000) == []

    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert pauses[:3] == [RETRY_MS, 2 * RETRY_MS, 4 * RETRY_MS]
    assert set(pauses[9:]) == {RETRY_MS_MAX}
    assert len(tries) < 24
    monkeypatch.undo()
    assert scheduled.pass_time(RETRY_MS_MAX) == ["published 1"]


def test_a_publication_in_between_is_seen(
    scheduled: Scheduled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is compiled somebody publishes: it is not taken back either."""
    scheduled.design("zero")
    scheduled.admin.call("Publish")
    scheduled.design("one")
    scheduled.schedule(1)
    scheduled.design("two")

    def publish(*arguments: Any, **options: Any) -> Any:
        monkeypatch.undo()
        scheduled.admin.call("Publish")
        return publish_records(*arguments, **options)

    monkeypatch.setattr(publishing, "publish_records", publish)
    assert scheduled.pass_time(1) == []

    assert scheduled.pass_time(RETRY_MS) == ["refused 1"]
    assert scheduled.decides() == "two"
