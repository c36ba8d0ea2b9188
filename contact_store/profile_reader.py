"""Reads profiles as tuples of slots, in the order that one caller declares."""

from collections.abc import Sequence
from typing import NamedTuple

from catalog_store.records import Attribute
from contact_store.contact_ids import contact_id_bytes
from contact_store.environment_numbers import find_environment
from contact_store.layouts import find_layout, layout_of
from contact_store.lmdb_env import ReadTxn, Txn
from contact_store.profile_layers import PREFIX_BYTES, layer_prefix, read_layers
from contact_store.profile_values import Pick, decode_profile, picking
from contact_store.profiles import ProfileStore
from contact_store.slots import Slot


class Profile(NamedTuple):
    """What is stored of one contact, as one caller declares it."""

    slots: tuple[Slot, ...]
    #: How many of the slots are absent.
    absent_count: int


class ProfileReader:
    """Profiles of one environment, for one declaration of attributes.

    Reads the newest state at each call, whoever wrote it, and never waits for a
    writer. Not for several threads at once.
    """

    def __init__(
        self,
        store: ProfileStore,
        environment: str,
        attributes: Sequence[Attribute],
        absent: Slot,
    ) -> None:
        """`absent` stands for each value that a profile does not have.

        An attribute that was stored with another type than declared is absent.
        """
        self._store = store
        self._environment = environment
        self._wanted = layout_of(attributes)
        self._absent = absent
        self._snapshot = -1
        #: Layer and environment, newest layer first.
        self._prefixes: tuple[bytes, ...] = ()
        self._pick_of_layout: dict[Slot, Pick] = {}

    def get(self, contact_id: str) -> tuple[Slot, ...] | None:
        """The profile's slots; raises as `read`."""
        profile = self.read(contact_id)
        return None if profile is None else profile.slots

    def read(self, contact_id: str) -> Profile | None:
        """None when there is no profile.

        Raises InvalidContactId, CorruptRecord and StoreFailed.
        """
        contact = contact_id_bytes(contact_id)
        with ReadTxn(self._store.lmdb_env) as txn:
            if txn.id() != self._snapshot:
                self._refresh(txn)
            for prefix in self._prefixes:
                key = prefix + contact
                value = txn.get(key)
                if value is not None:
                    return self._profile(txn, key[PREFIX_BYTES:], value)
            return None

    def _profile(self, txn: Txn, own_key: bytes, value: bytes) -> Profile:
        values = decode_profile(own_key, value)
        pick = self._pick_of_layout.get(values[0])
        if pick is None:
            pick = self._learn_layout(txn, values[0])
        slots = pick(values)
        absent_count = slots.count(None)
        if absent_count:
            absent = self._absent
            slots = tuple([absent if slot is None else slot for slot in slots])
        return Profile(slots, absent_count)

    def _refresh(self, txn: Txn) -> None:
        number = find_environment(txn, self._environment)
        if number is None:
            self._prefixes = ()
        else:
            visible = read_layers(txn).visible
            self._prefixes = tuple(layer_prefix(layer) + number for layer in visible)
        self._snapshot = txn.id()

    def _learn_layout(self, txn: Txn, number: Slot) -> Pick:
        assert isinstance(number, int)
        pick = picking(find_layout(txn, number), self._wanted)
        self._pick_of_layout[number] = pick
        return pick
