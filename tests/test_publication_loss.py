"""Publishers killed at every step: the pointer names the old revision, or the new."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import NamedTuple

import pytest

from catalog_store.artifact import write_artifact
from catalog_store.manifest import Manifest
from catalog_store.records import Catalog
from catalog_store.revisions import NothingPublished, Revisions
from compiler.revision import compile_catalog
from server.data_folder import DataFolder
from server.publication import ensure_runnable, publish_artifact, roll_back
from tests.bank import NOON_MS, environment, offer
from tests.clean_processes import clean_processes
from tests.killed_processes import be_killed_at
from tests.servers import DEADLINE_SECONDS
from tests.signing import trusted_key


class Place(NamedTuple):
    """A data folder with two revisions or none, and an artifact of another catalog."""

    data: DataFolder
    artifact: Path

    def push(self) -> Manifest:
        return publish_artifact(
            self.data, self.artifact, publisher="test", now_ms=NOON_MS
        )

    def roll_back(self) -> Manifest:
        return roll_back(self.data, 1, publisher="test", now_ms=NOON_MS)


#: What is published, over how many revisions.
PUBLISHERS: dict[str, tuple[Callable[[Place], Manifest], int]] = {
    "the first push": (Place.push, 0),
    "push": (Place.push, 2),
    "rollback": (Place.roll_back, 2),
}


@pytest.fixture(scope="module")
def clean_process() -> ForkServerContext:
    """Starts processes that have nothing open, and everything imported."""
    return clean_processes()


def place_in(root: Path) -> Place:
    return Place(DataFolder(root / "data"), root / "artifact")


def prepare(root: Path, published: int) -> Place:
    place = place_in(root)
    key = trusted_key(Revisions(place.data.catalog))
    for sequence, name in enumerate(("card", "loan", "gold"), start=1):
        record = environment([offer(name, rule="contact.age >= 18")])
        catalog = compile_catalog(Catalog(environments=(record,))).catalog
        write_artifact(place.artifact, catalog, key, sequence=sequence)
        if sequence > published:
            return place
        place.push()
    return place


def publish_until(what: str, place: Place, last: int) -> None:
    """Be killed at a moment; publish when there are fewer."""
    be_killed_at(last)
    PUBLISHERS[what][0](place)
    # Not by leaving: that would unlink what tests leave.
    os._exit(0)


def killed_at_each_moment(
    context: ForkServerContext, what: str, root: Path
) -> Iterator[Place]:
    """A folder for each moment, as a publisher that was killed left it."""
    prepared = root / "prepared"
    prepare(prepared, PUBLISHERS[what][1])
    for last in range(1_000):
        place = place_in(Path(shutil.copytree(prepared, root / str(last))))
        process = context.Process(target=publish_until, args=(what, place, last))
        process.start()
        process.join(DEADLINE_SECONDS)
        if process.exitcode == 0:
            return
        assert process.exitcode == -signal.SIGKILL
        yield place


@pytest.mark.parametrize("what", PUBLISHERS)
def test_a_publisher_killed_at_any_moment_leaves_a_whole_revision(
    clean_process: ForkServerContext, tmp_path: Path, what: str
) -> None:
    """Old ones first, then new ones; what is left over goes at the next start."""
    publish, before = PUBLISHERS[what]
    found: list[int] = []
    for place in killed_at_each_moment(clean_process, what, tmp_path):
        current = whole_current(place)
        found.append(current)

        ensure_runnable(place.data, NOON_MS)

        assert whole_current(place) == current
        revisions = Revisions(place.data.catalog)
        assert left_in(place) == named_by(revisions)
        # The same artifact is published once; a rollback is one more revision.
        sent_again = publish is Place.push and current > before
        last = max(revisions.numbers(), default=0)
        assert publish(place).number == (current if sent_again else last + 1)
        assert whole_current(place) == (current if sent_again else last + 1)
        # Workers are told, if not by the one who was killed.
        assert revisions.signal().highest() == whole_current(place)

    assert len(found) > 12
    assert found == sorted(found)
    assert set(found) == {before, before + 1}


def whole_current(place: Place) -> int:
    """The current revision, which holds what it says; 0 is none."""
    revisions = Revisions(place.data.catalog)
    try:
        current = revisions.current()
    except NothingPublished:
        return 0
    revision = revisions.open(current)
    assert revision.catalog().digest() == current.digest
    revision.close()
    return current.number


def left_in(place: Place) -> set[str]:
    return {
        path.relative_to(place.data.catalog).as_posix()
        for part in ("files", "revisions")
        for path in (place.data.catalog / part).iterdir()
    }


def named_by(revisions: Revisions) -> set[str]:
    named: set[str] = set()
    for manifest in revisions.history():
        named |= {f"revisions/{manifest.number}.{kind}" for kind in ("json", "sig")}
        named.add(f"files/{manifest.file_sha256}.mdb")
    return named


@pytest.mark.parametrize("what", PUBLISHERS)
def test_nothing_has_a_name_before_it_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Bytes, name, folder; and only then the next: a loss of power changes nothing."""
    publish, before = PUBLISHERS[what]
    place = prepare(tmp_path, before)
    synced: set[Path] = set()
    pending: set[Path] = set()
    named: list[str] = []
    fsync, replace = os.fsync, os.replace

    def recorded_fsync(descriptor: int) -> None:
        fsync(descriptor)
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        synced.add(path)
        pending.discard(path)

    def recorded_replace(source: Path, target: Path) -> None:
        assert source in synced, f"the bytes of {target.name} are not on disk"
        assert not pending, f"what is named in {pending} may be lost"
        replace(source, target)
        pending.add(target.parent)
        named.append(target.suffix or target.name)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(os, "replace", recorded_replace)
    publish(place)

    assert not pending
    file = [".mdb"] if publish is Place.push else []
    key = [".key", ".json"] if before == 0 else []
    assert named == [*file, *key, ".sig", ".json", "CURRENT"]
