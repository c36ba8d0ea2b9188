"""Writes many profiles that become visible together, or not at all."""

import fcntl
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import lmdb

from catalog_store.records import Attribute
from contact_store.contact_ids import contact_id_bytes
from contact_store.environment_numbers import number_environment
from contact_store.errors import ImportInProgress
from contact_store.layouts import layout_of, number_layout
from contact_store.lmdb_env import write_txn
from contact_store.profile_erasure import drop_marks, has_marks, is_marked
from contact_store.profile_layers import (
    PREFIX_BYTES,
    begin_layer,
    drop_abandoned,
    fold,
    layer_prefix,
    publish_layer,
)
from contact_store.profile_values import encode_profile
from contact_store.slots import Slot, check_slots

#: Profiles in one write transaction.
WRITE_BATCH = 5_000


class ProfileImport:
    """One import, for `with`; leaving without publish() leaves no trace.

    A contact put again is replaced whole, and one that is erased after the import began
    is left out. Raises ImportInProgress when another
    process is importing into the same store.
    """

    def __init__(
        self,
        lmdb_env: lmdb.Environment,
        path: Path,
        environment: str,
        attributes: Sequence[Attribute],
    ) -> None:
        self._lmdb_env = lmdb_env
        self._lock_path = path / "import.lock"
        self._environment = environment
        self._attributes = tuple(attributes)
        self._pending: list[tuple[bytes, bytes]] = []
        #: Contacts put more than once; the last one counts.
        self.duplicates = 0
        #: Contacts put, each once.
        self.contacts = 0

    def __enter__(self) -> Self:
        # Not LMDB's own lock: it must outlast many transactions, and the kernel
        # frees it when the process dies.
        self._lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._begin()
        except BlockingIOError as error:
            os.close(self._lock)
            raise ImportInProgress from error
        except BaseException:
            os.close(self._lock)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            drop_abandoned(self._lmdb_env)
            with write_txn(self._lmdb_env) as txn:
                drop_marks(txn)
        finally:
            os.close(self._lock)

    def put(self, contact_id: str, values: Sequence[Slot]) -> None:
        """Add one profile, values in the order of the attributes.

        Raises InvalidContactId, InvalidProfile and StoreFailed.
        """
        check_slots(self._attributes, values)
        own_key = self._number + contact_id_bytes(contact_id)
        profile = encode_profile(own_key, self._layout, values)
        self._pending.append((self._prefix + own_key, profile))
        if len(self._pending) == WRITE_BATCH:
            self._write()

    def publish(self, on_moved: Callable[[int], None] = lambda _: None) -> None:
        """Make all of it visible at once, then fold it into what was there.

        Folding may be interrupted; it changes nothing that readers see.
        """
        self._write()
        publish_layer(self._lmdb_env)
        fold(self._lmdb_env, on_moved)

    def _begin(self) -> None:
        layer = begin_layer(self._lmdb_env)
        self._layer = layer
        with write_txn(self._lmdb_env) as txn:
            self._number = number_environment(txn, self._environment)
            self._layout = number_layout(txn, layout_of(self._attributes))
        self._prefix = layer_prefix(layer)

    def _write(self) -> None:
        duplicates = erased = 0
        with write_txn(self._lmdb_env) as txn:
            some_erased = has_marks(txn)
            for key, value in self._pending:
                if some_erased and is_marked(txn, self._layer, key[PREFIX_BYTES:]):
                    erased += 1
                elif not txn.put(key, value, overwrite=False):
                    duplicates += 1
                    txn.put(key, value)
        self.duplicates += duplicates
        self.contacts += len(self._pending) - duplicates - erased
        self._pending.clear()
