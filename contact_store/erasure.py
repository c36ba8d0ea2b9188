"""Erases a contact from both stores.

    expected   what would go, and changes nothing
    erase      profiles, then history: everything that names leads to

The profiles go first: whoever is interrupted in between finds the names again and
erases the rest. What is merged in meanwhile goes with the history. A recorded decision
is wholly before or wholly after; one that comes after begins with nothing.

Freed pages keep what they held until they are used again or the store is compacted.
"""

from typing import NamedTuple

from contact_store.contact_ids import ContactName
from contact_store.history import HistoryStore
from contact_store.history_erasure import ErasedHistory
from contact_store.profiles import ProfileStore
from contact_store.record_tables import ContactNames


class Erased(NamedTuple):
    """What was erased, or would be."""

    #: None when history never heard of the contact.
    names: ContactNames | None
    profiles: int
    history: ErasedHistory


def erase(
    history: HistoryStore, profiles: ProfileStore, name: ContactName
) -> Erased | None:
    """Erase the contact that an id leads to; None when there was nothing.

    An id that was merged into another erases the whole contact. Raises
    InvalidContactId, CorruptRecord and StoreFailed; erase again then.
    """
    first = _ids(name, history.names(name))
    # Outside the transaction: decisions need not wait for an import's lock.
    profile_count = profiles.erase(first)
    with history.transaction() as txn:
        names = txn.names(*name)
        profile_count += profiles.erase(_ids(name, names) - first)
        erased = Erased(names, profile_count, txn.erase(*name))
    return _or_nothing(erased)


def expected(
    history: HistoryStore, profiles: ProfileStore, name: ContactName
) -> Erased | None:
    """What `erase` would erase now; None when that is nothing."""
    looked: list[Erased] = []
    try:
        with history.transaction() as txn:
            names = txn.names(*name)
            found = sum(profiles.has(one) for one in _ids(name, names))
            looked.append(Erased(names, found, txn.erase(*name)))
            raise _OnlyLooking
    except _OnlyLooking:
        return _or_nothing(looked[0])


class _OnlyLooking(Exception):
    """Aborts the transaction in which it was tried."""


def _ids(name: ContactName, names: ContactNames | None) -> set[ContactName]:
    return {name} if names is None else {name, names.owner, *names.aliases}


def _or_nothing(erased: Erased) -> Erased | None:
    is_nothing = erased.profiles == 0 and erased.history == ErasedHistory()
    return None if is_nothing else erased
