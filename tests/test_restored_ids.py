"""Ids after a restore: those of the backup are good, those given since are not."""

from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contact_store.aliases import Move
from contact_store.contact_ids import ContactName
from contact_store.errors import UnknownProposition
from contact_store.history import HistoryStore
from contact_store.proposition_ids import ID_KEYS_MAX
from server.backup import BackupError, back_up, restore
from server.data_folder import DataFolder
from tests.test_history import ACCEPTED, NEW, append

CONTACTS = ("C1", "C2", "C3")
contacts = st.sampled_from(CONTACTS)
#: A contact proposed to, or one merged into another.
steps = st.lists(
    st.one_of(st.tuples(contacts), st.tuples(contacts, contacts)), max_size=6
)


class Course:
    """A store's life: numbers its propositions over all the folders it lives in."""

    def __init__(self) -> None:
        self.interaction_of: dict[str, int] = {}
        self.proposed = 0
        self.clock_ms = 1_000

    def take(self, folder: DataFolder, taken: list[tuple[str, ...]]) -> list[str]:
        """The ids that were given."""
        given_ids: list[str] = []
        with HistoryStore(folder.history) as store:
            for step in taken:
                given_ids += self._step(store, step)
        return given_ids

    def _step(self, store: HistoryStore, step: tuple[str, ...]) -> list[str]:
        with store.transaction() as txn:
            decided_at_ms = txn.decided_at(self.clock_ms)
            if len(step) == 2:
                txn.merge(*(ContactName("bank", one) for one in step))
                return []
            self.proposed += 1
            proposition = replace(
                NEW, interaction=self.proposed, decided_at_ms=decided_at_ms
            )
            made = txn.append("bank", step[0], proposition)[0].proposition_id
        self.interaction_of[made] = self.proposed
        return [made]


def restored(folder: DataFolder, path: Path) -> DataFolder:
    """The folder as it is now, by way of a backup."""
    back_up(folder, path / f"of-{folder.root.name}", 1, lambda *_: None)
    again = DataFolder(path / f"{folder.root.name}+")
    restore(path / f"of-{folder.root.name}", again, lambda *_: None)
    return again


def led_to(folder: DataFolder, ids: list[str]) -> list[int | None]:
    """The interactions that ids lead to; None for unknown ones."""
    found: list[int | None] = []
    with HistoryStore(folder.history) as store, store.transaction() as txn:
        for one in ids:
            try:
                found.append(txn.find(one).proposition.interaction)
            except UnknownProposition:
                found.append(None)
    return found


@settings(derandomize=True, deadline=None, max_examples=60)
@given(before=steps, lost=steps, after=steps, lost_again=steps, last=steps)
# What was proposed before comes to a place that was given after.
@example([("C1",), ("C2",)], [("C2",)], [("C1", "C2")], [], [])
@example([("C1",)], [("C2",)], [("C3",), ("C1", "C3")], [("C2",)], [("C2",)])
def test_no_id_ever_leads_to_another_proposition(before, lost, after, lost_again, last):
    """Through two restores, whoever is proposed to or merged meanwhile."""
    with TemporaryDirectory() as name:
        course = Course()
        first = DataFolder(Path(name) / "data")
        kept = course.take(first, before)
        HistoryStore(first.history).close()
        second = restored(first, Path(name))
        unknown = course.take(first, lost)
        kept += course.take(second, after)
        third = restored(second, Path(name))
        unknown += course.take(second, lost_again)
        kept += course.take(third, last)

        assert led_to(third, kept) == [course.interaction_of[one] for one in kept]
        assert led_to(third, unknown) == [None] * len(unknown)


def test_a_late_update_does_not_change_what_took_the_place(tmp_path):
    """It is unknown, even on a machine whose clock stands still."""
    first = DataFolder(tmp_path / "data")
    with HistoryStore(first.history) as store:
        with store.transaction() as txn:
            txn.decided_at(1_000)
        append(store, NEW)
    again = restored(first, tmp_path)
    with HistoryStore(first.history) as store:
        late = append(store, NEW)[0].proposition_id
    with HistoryStore(again.history) as store:
        with store.transaction() as txn:
            decided_at_ms = txn.decided_at(1_000)
        append(store, replace(NEW, decided_at_ms=decided_at_ms))
        before = store.read("bank", "C1")
        with pytest.raises(UnknownProposition), store.transaction() as txn:
            txn.update(late, ACCEPTED, None, 3_000)

        assert store.read("bank", "C1") == before
        assert decided_at_ms == 1_001


def test_a_store_without_a_key_left_is_not_restored(tmp_path):
    """The refusal says so, and no folder is made."""
    folder = DataFolder(tmp_path / "data")
    with HistoryStore(folder.history) as store:
        for _ in range(ID_KEYS_MAX - 1):
            store.begin_again()

    with pytest.raises(BackupError, match="255 id keys"):
        restored(folder, tmp_path)
    assert not (tmp_path / "data+").exists()


def test_a_move_of_the_first_form_is_read():
    """One without the key's number was made before any store was restored."""
    place = bytes([0, 1, 0, 0, 0, 0, 0, 0, 0, 1])
    written = msgspec.msgpack.encode([place, 70, 2])

    assert msgspec.msgpack.decode(written, type=Move) == Move(place, 70, 2, 0)
