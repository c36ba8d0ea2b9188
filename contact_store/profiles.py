"""Profiles: what is known of each contact, as tuples of typed slots."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from catalog_store.records import Attribute
from contact_store.contact_ids import ContactName, contact_id_bytes
from contact_store.environment_numbers import find_environment, number_environment
from contact_store.errors import StoreFailed
from contact_store.layouts import find_layout, layout_of, number_layout
from contact_store.lmdb_env import (
    MAP_BYTES,
    ReadTxn,
    Txn,
    is_usable,
    open_lmdb_env,
    write_txn,
)
from contact_store.profile_erasure import erase_profile
from contact_store.profile_import import ProfileImport
from contact_store.profile_layers import PREFIX_BYTES, fold, layer_prefix, read_layers
from contact_store.profile_values import Pick, decode_profile, encode_profile, picking
from contact_store.slots import Slot, check_slots

#: Contacts that one read transaction of a scan covers.
SCAN_BATCH = 1_000


class ProfileStore:
    """All profiles, in one LMDB environment; any number of processes may open it.

    Everything returned is a copy and outlives its transaction. Decisions read
    through a ProfileReader and never wait; writers wait for each other.
    """

    def __init__(self, path: Path, *, map_bytes: int = MAP_BYTES) -> None:
        """Open or create the store; raises StoreFailed."""
        self.path = path
        self._map_bytes = map_bytes
        #: Not to be kept: after a failed commit it is another one.
        self.lmdb_env = open_lmdb_env(path, map_bytes=map_bytes)

    def close(self) -> None:
        self.lmdb_env.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def importing(
        self, environment: str, attributes: Sequence[Attribute]
    ) -> ProfileImport:
        """A whole import, for `with`; see ProfileImport."""
        return ProfileImport(self.lmdb_env, self.path, environment, attributes)

    def upsert(
        self,
        environment: str,
        contact_id: str,
        attributes: Sequence[Attribute],
        values: Sequence[Slot],
    ) -> None:
        """Replace one profile, or make it.

        An import that is published later replaces it, even one that began earlier.
        Raises InvalidContactId, InvalidProfile and StoreFailed.
        """
        self.upsert_all(environment, attributes, [(contact_id, values)])

    def upsert_all(
        self,
        environment: str,
        attributes: Sequence[Attribute],
        profiles: Sequence[tuple[str, Sequence[Slot]]],
    ) -> None:
        """Replace or make several profiles, in one transaction.

        Pairs of a contact's id and its values; of one contact the last counts. Raises
        as `upsert` does; nothing is then written.
        """
        checked = [(contact_id_bytes(one), values) for one, values in profiles]
        for _, values in checked:
            check_slots(attributes, values)
        with self._write_txn() as txn:
            environment_key = number_environment(txn, environment)
            layout = number_layout(txn, layout_of(attributes))
            *above, lowest = read_layers(txn).visible
            for contact, values in checked:
                own_key = environment_key + contact
                profile = encode_profile(own_key, layout, values)
                for layer in above:
                    txn.delete(layer_prefix(layer) + own_key)
                txn.put(layer_prefix(lowest) + own_key, profile)

    def delete(self, environment: str, contact_id: str) -> bool:
        """Delete one profile; False when there was none.

        An import that is under way does not bring it back, one that begins later may.
        """
        return self.erase([ContactName(environment, contact_id)]) == 1

    def erase(self, names: Iterable[ContactName]) -> int:
        """Delete profiles in one transaction, as `delete` does; returns how many."""
        keys = [(name.environment, contact_id_bytes(name.contact_id)) for name in names]
        if not keys:
            return 0
        erased = 0
        with self._write_txn() as txn:
            for environment, contact in keys:
                number = find_environment(txn, environment)
                if number is not None:
                    erased += erase_profile(txn, number + contact)
        return erased

    @contextmanager
    def _write_txn(self) -> Generator[Txn]:
        """As `write_txn`; whatever fails, the next transaction can begin."""
        try:
            with write_txn(self.lmdb_env) as txn:
                yield txn
        except StoreFailed:
            if not is_usable(self.lmdb_env):
                self.lmdb_env.close()
                self.lmdb_env = open_lmdb_env(self.path, map_bytes=self._map_bytes)
            raise

    def has(self, name: ContactName) -> bool:
        """Whether a contact has a profile; raises InvalidContactId."""
        contact = contact_id_bytes(name.contact_id)
        with ReadTxn(self.lmdb_env) as txn:
            number = find_environment(txn, name.environment)
            if number is None:
                return False
            prefixes = map(layer_prefix, read_layers(txn).visible)
            return any(txn.get(prefix + number + contact) for prefix in prefixes)

    def count(self, environment: str) -> int:
        """Contacts with a profile; walks over all of them."""
        return sum(1 for _ in self._walk(environment))

    def scan(
        self,
        environment: str,
        attributes: Sequence[Attribute],
        absent: Slot,
        *,
        after: str = "",
    ) -> Iterator[tuple[str, tuple[Slot, ...]]]:
        """Contact ids and their slots, in the order of the ids' bytes.

        All of them, or those after an id, whether that one has a profile or not. Each
        contact comes at most once, as it is when the scan passes; what is written
        meanwhile may or may not be seen. Raises CorruptRecord.
        """
        wanted = layout_of(attributes)
        pick_of_layout: dict[Slot, Pick] = {}
        for entry in self._walk(environment, after):
            values = decode_profile(entry.own_key, entry.value)
            number = values[0]
            if number not in pick_of_layout:
                assert isinstance(number, int)
                with self.lmdb_env.begin() as txn:
                    stored = find_layout(txn, number)
                pick_of_layout[number] = picking(stored, wanted)
            slots = pick_of_layout[number](values)
            yield (
                entry.contact.decode(),
                tuple([absent if slot is None else slot for slot in slots]),
            )

    def fold(self, on_moved: Callable[[int], None] = lambda _: None) -> None:
        """Finish the fold of an interrupted import; usually there is none."""
        fold(self.lmdb_env, on_moved)

    def _walk(self, environment: str, after: str = "") -> Iterator["_Entry"]:
        # Short transactions: a long one would keep the file from reusing its pages.
        passed = after.encode()
        while True:
            with self.lmdb_env.begin() as txn:
                batch = _entries_after(txn, environment, passed)
            yield from batch
            if len(batch) < SCAN_BATCH:
                return
            passed = batch[-1].contact


class _Entry(NamedTuple):
    contact: bytes
    own_key: bytes
    value: bytes


def _entries_after(txn: Txn, environment: str, after: bytes) -> list[_Entry]:
    """The next contacts over all layers, each as its newest layer has it."""
    number = find_environment(txn, environment)
    if number is None:
        return []
    # Ids are never empty and hold no NUL, so this is where the next one may start.
    start = after + b"\x00"
    newest: dict[bytes, _Entry] = {}
    for layer in reversed(read_layers(txn).visible):
        prefix = layer_prefix(layer) + number
        for key, value in _items_from(txn, prefix, start):
            contact = key[len(prefix) :]
            newest[contact] = _Entry(contact, key[PREFIX_BYTES:], value)
    # Each layer gave its next SCAN_BATCH: the first SCAN_BATCH of them all are
    # complete, and what comes after may not be.
    return [newest[contact] for contact in sorted(newest)[:SCAN_BATCH]]


def _items_from(txn: Txn, prefix: bytes, start: bytes) -> list[tuple[bytes, bytes]]:
    items: list[tuple[bytes, bytes]] = []
    with txn.cursor() as cursor:
        if cursor.set_range(prefix + start):
            for key, value in cursor.iternext():
                if len(items) == SCAN_BATCH or not key.startswith(prefix):
                    break
                items.append((key, value))
    return items
