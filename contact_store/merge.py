"""How two contacts become one, and how a visitor comes to lead to a contact.

    what the first id leads to     merge                        lead_visitor
    -----------------------------  ---------------------------  ----------------------
    nothing                        the id leads to the second   the same
                                   contact's record
    the second contact's record    nothing changes              the same
    another record                 that record moves, with all  only the visitor's id
                                   that leads to it             leads elsewhere, but:
    another, of the visitor's own                               it moves, too
    environment

A visitor id that leads out of its own environment was bound: what is there belongs to
the contact of that time, and stays.

A limit counts in one record and is exact there. A visitor who signs in brings along
what it saw, and counts on with the contact, signed in or not. On a shared computer the
next contact begins with its own count: what the visitor saw until then stays with the
first contact, and counts again when that one is back. The browser as such may thus show
an offer more often than any of its contacts may see it.

A union is the target's propositions and behind them the source's, whose sequences grow
by as much as the target had given; marks, which have none, stay in front, in each part.
One that would hold more than PROPOSITIONS_MAX is refused before anything is written.
"""

from msgspec.structs import replace

from contact_store.aliases import Move
from contact_store.cold_parts import Propositions, marks_first
from contact_store.contact_ids import ContactName
from contact_store.environment_numbers import (
    ENVIRONMENT_NUMBER_BYTES,
    find_environment,
)
from contact_store.errors import HistoryFull
from contact_store.id_keys import read_id_keys
from contact_store.lmdb_env import Txn
from contact_store.record_tables import Located, RecordTables
from contact_store.records import (
    EMPTY_RECORD,
    PROPOSITIONS_MAX,
    ContactRecord,
    is_mark,
)


def merge(
    txn: Txn, tables: RecordTables, source: ContactName, target: ContactName
) -> None:
    """Both ids lead to the target's record; raises HistoryFull and CorruptRecord."""
    moving = _find(txn, tables, source)
    into = _find(txn, tables, target)
    if source == target or (moving and into and moving.key == into.key):
        return
    if moving is None:
        tables.lead(txn, source, _key(txn, tables, target, into))
    else:
        tables.lead(txn, source, _move(txn, tables, moving, target, into))


def lead_visitor(
    txn: Txn, tables: RecordTables, visitor: ContactName, contact: ContactName
) -> None:
    """The visitor's id leads to the contact's record; raises as `merge` does."""
    lead = tables.find_key(txn, visitor.environment, visitor.contact_id.encode())
    # PERF: what every call of a visitor who is signed in comes to; spares it reading
    # the record twice.
    if lead is not None and lead == tables.find_key(
        txn, contact.environment, contact.contact_id.encode()
    ):
        return
    found = None if lead is None else tables.locate(txn, lead)
    into = _find(txn, tables, contact)
    if found is None:
        tables.lead(txn, visitor, _key(txn, tables, contact, into))
    elif into is not None and found.key == into.key:
        tables.lead(txn, visitor, into.key)
    elif _environment_of(found) == find_environment(txn, visitor.environment):
        tables.lead(txn, visitor, _move(txn, tables, found, contact, into))
    else:
        _lead_elsewhere(txn, tables, visitor, found, contact, into)


def _united(
    txn: Txn, tables: RecordTables, key: bytes, into: ContactRecord, moving: Located
) -> ContactRecord:
    """The record of both, at the target's key; its new parts are written."""
    source = moving.record or EMPTY_RECORD
    shift = into.next_sequence - 1
    # All of them are read before anything is written: one of them may be damaged.
    parts = [tables.cold.read(txn, moving.key, part) for part in source.cold]
    moved = _shifted(source.propositions, shift)
    if parts:
        # What is behind a part may be none of what was there before.
        into = tables.cold.sealed(txn, key, into, rest=0)
    cold = list(into.cold)
    for propositions in parts:
        cold.append(tables.cold.add(txn, key, cold, _shifted(propositions, shift)))
    return ContactRecord(
        _version_after(into, source),
        shift + source.next_sequence,
        marks_first((*into.propositions, *moved)),
        tuple(cold),
    )


def _shifted(propositions: Propositions, shift: int) -> Propositions:
    return tuple(
        p if is_mark(p) else replace(p, sequence=p.sequence + shift)
        for p in propositions
    )


def _check_room(target: ContactRecord, source: ContactRecord) -> None:
    count = target.proposition_count + source.proposition_count
    if count > PROPOSITIONS_MAX:
        raise HistoryFull(
            f"the contacts have {count} propositions together, one contact has at most"
            f" {PROPOSITIONS_MAX}: they can be merged once older ones are purged"
        )


def _move(
    txn: Txn,
    tables: RecordTables,
    moving: Located,
    target: ContactName,
    into: Located | None,
) -> bytes:
    """Move a record into the target's; returns the target's key."""
    source_record = moving.record or EMPTY_RECORD
    target_record = (into.record if into else None) or EMPTY_RECORD
    _check_room(target_record, source_record)
    key = _key(txn, tables, target, into)
    tables.put(txn, key, _united(txn, tables, key, target_record, moving))
    tables.delete(txn, moving.key)
    shift = target_record.next_sequence - 1
    newest_key = max(read_id_keys(txn))
    move = Move(key, shift, source_record.next_sequence, newest_key)
    tables.aliases.add_move(txn, moving.key, move)
    # Whom the record was made for need not be whom it was found by.
    tables.lead(txn, tables.name_of(txn, moving.key), key)
    return key


def _lead_elsewhere(
    txn: Txn,
    tables: RecordTables,
    visitor: ContactName,
    found: Located,
    contact: ContactName,
    into: Located | None,
) -> None:
    record = (into.record if into else None) or EMPTY_RECORD
    key = _key(txn, tables, contact, into)
    # Equal versions are equal records, of whichever contact a visitor's id led to.
    version = _version_after(record, found.record or EMPTY_RECORD)
    tables.put(txn, key, replace(record, version=version))
    tables.lead(txn, visitor, key)


def _environment_of(located: Located) -> bytes:
    return located.key[:ENVIRONMENT_NUMBER_BYTES]


def _version_after(one: ContactRecord, other: ContactRecord) -> int:
    return max(one.version, other.version) + 1


def _find(txn: Txn, tables: RecordTables, name: ContactName) -> Located | None:
    return tables.find(txn, name.environment, name.contact_id.encode())


def _key(
    txn: Txn, tables: RecordTables, name: ContactName, found: Located | None
) -> bytes:
    """The key of a record that was looked for, made if it was not found."""
    if found is not None:
        return found.key
    return tables.make_key(txn, name.environment, name.contact_id.encode())
