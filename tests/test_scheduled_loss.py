"""Publishers of what was scheduled, killed at every step: it is published once."""

import os
import shutil
import signal
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from catalog_store.records import Catalog, UnixMs
from catalog_store.revisions import NothingPublished, Revisions
from catalog_store.scheduled_publications import ScheduledPublications, ScheduleState
from server.audit.reading import read_log
from server.data_folder import DataFolder
from server.design.due_publications import DuePublications
from server.design.publishing import Publisher
from server.design.scheduling import Scheduling
from server.wire import admin_pb2 as pb
from tests.bank import NOON_MS, environment, offer
from tests.clean_processes import clean_processes
from tests.killed_processes import be_killed_at
from tests.servers import DEADLINE_SECONDS

AT_MS = NOON_MS + 60_000


class Place(NamedTuple):
    """A data folder in which something is scheduled, or is about to be."""

    folder: DataFolder

    def schedule(self) -> None:
        def now_ms() -> UnixMs:
            return NOON_MS

        publisher = Publisher(self.folder, now_ms)
        request = pb.PublishRequest()
        request.publish_time.FromMilliseconds(AT_MS)
        Scheduling(self.folder, publisher, now_ms).schedule(
            request, Catalog(environments=(environment([offer("new")]),)), 2, "ann"
        )

    def publish_due(self) -> None:
        def now_ms() -> UnixMs:
            return UnixMs(AT_MS)

        DuePublications(self.folder, Publisher(self.folder, now_ms), now_ms).publish()

    @property
    def current(self) -> int:
        try:
            return Revisions(self.folder.catalog).current().number
        except NothingPublished:
            return 0


STEPS = {"schedule": Place.schedule, "publish": Place.publish_due}


@pytest.fixture(scope="module")
def clean_process() -> ForkServerContext:
    return clean_processes()


def do_until(what: str, place: Place, last: int) -> None:
    """Be killed at a moment; do it when there are fewer."""
    be_killed_at(last)
    STEPS[what](place)
    # Not by leaving: that would unlink what tests leave.
    os._exit(0)


def killed_at_each_moment(
    context: ForkServerContext, what: str, root: Path
) -> Iterator[Place]:
    """A folder for each moment, as a process that was killed left it."""
    prepared = Place(DataFolder(root / "prepared"))
    prepared.folder.create()
    publisher: Any = Publisher(prepared.folder, lambda: NOON_MS)
    catalog = Catalog(environments=(environment([offer("old")]),))
    publisher.publish(catalog, "bob", validate_only=False)
    if what == "publish":
        prepared.schedule()
    for last in range(1_000):
        folder = Path(shutil.copytree(prepared.folder.root, root / str(last)))
        place = Place(DataFolder(folder))
        process = context.Process(target=do_until, args=(what, place, last))
        process.start()
        process.join(DEADLINE_SECONDS)
        if process.exitcode == 0:
            return
        assert process.exitcode == -signal.SIGKILL
        yield place


def test_a_publisher_killed_at_any_moment_publishes_once(
    clean_process: ForkServerContext, tmp_path: Path
) -> None:
    """The next look ends it: one revision, which is what was scheduled."""
    found: list[int] = []
    for place in killed_at_each_moment(clean_process, "publish", tmp_path):
        found.append(place.current)

        place.publish_due()

        revisions = Revisions(place.folder.catalog)
        [ended] = ScheduledPublications(place.folder.scheduled).all()
        current = revisions.current()
        assert (ended.state, ended.revision) == (
            ScheduleState.PUBLISHED,
            current.number,
        )
        assert (current.digest, current.publisher) == (ended.digest, "ann")
        decided = [one for one in revisions.history() if one.digest == ended.digest]
        # A manifest without CURRENT never decided: the next number is the second.
        assert len(decided) == 1 or found[-1] == 1
        asked = [
            line.entry for line in read_log(place.folder.audit) if line.entry.asked
        ]
        assert all(entry.who == "ann" for entry in asked)

    assert len(found) > 20
    assert found == sorted(found)
    assert set(found) == {1, 2}


def test_who_schedules_and_is_killed_has_scheduled_or_not(
    clean_process: ForkServerContext, tmp_path: Path
) -> None:
    """Whole, or not there; and it can be scheduled again."""
    found: list[int] = []
    for place in killed_at_each_moment(clean_process, "schedule", tmp_path):
        scheduled = ScheduledPublications(place.folder.scheduled)
        known = scheduled.all()
        found.append(len(known))
        for one in known:
            assert scheduled.catalog(one).environments[0].offers[0].name == "new"

        place.schedule()

        assert len(scheduled.all()) == len(known) + 1
        place.publish_due()
        assert {one.state for one in scheduled.all()} == {ScheduleState.PUBLISHED}
        assert place.current == 2

    assert found == sorted(found)
    assert set(found) == {0, 1}
