"""Checks of history, one function for each kind of entry.

Each looks at one entry, and at what belongs to it, in one snapshot; `history` lists the
tables. The order in which the tables are walked matters for repairs: what leads to a
record is made good before the records.

    contacts -> bindings -> aliases -> contact-ids -> moves -> records -> cold -> inputs
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import msgspec

from contact_store.aliases import Move
from contact_store.bindings import Binding
from contact_store.cold_checks import listed, part, recounted
from contact_store.decision_inputs import DecisionInputs
from contact_store.environment_numbers import ENVIRONMENT_NUMBER_BYTES as ENV
from contact_store.errors import CorruptRecord
from contact_store.flaws import (
    Flaw,
    Write,
    damaged,
    leads_nowhere,
    one_way,
    only_seen,
    unreadable,
)
from contact_store.lmdb_env import Txn
from contact_store.packing import pack_record, unpack_record
from contact_store.record_tables import CONTACT_NUMBER_BYTES, MOVES_MAX
from contact_store.records import PROPOSITIONS_MAX, ContactRecord, is_mark
from contact_store.sealed import seal, unseal

#: What a record that nobody can read is replaced with begins here, and so does its
#: version: above all that it can have given, so that no id leads to another
#: proposition than it was made for.
SEQUENCE_AFTER_DAMAGE = 1 << 31

KEY = ENV + CONTACT_NUMBER_BYTES
#: The main table's entry that says which contact number was given last.
LAST = b"contact-number"

_decode_binding = msgspec.msgpack.Decoder(Binding).decode
_decode_move = msgspec.msgpack.Decoder(Move).decode
_decode_inputs = msgspec.msgpack.Decoder(tuple[bytes, DecisionInputs]).decode

#: Name -> handle.
Tables = Mapping[str, Any]


def contact(txn: Txn, tables: Tables, key: bytes, value: bytes) -> Iterator[Flaw]:
    """What an id leads to."""
    try:
        record_key = unseal(key, value)
    except CorruptRecord:
        yield damaged(
            "damaged: nobody knows what the contact's id leads to",
            "quarantine it; what leads there says it again, or the contact begins anew",
            "contacts",
            key,
        )
        return
    owner = txn.get(record_key, db=tables["contact-ids"])
    listed = txn.get(record_key + b"c" + key, db=tables["aliases"])
    if listed is not None:
        return
    is_here = record_key[:ENV] == key[:ENV]
    name = None if owner is None else _payload(record_key, owner)
    if is_here and name == key[ENV:]:
        return
    # Whom no list names is the one that the record was made for.
    if is_here and name is None:
        yield one_way(
            "its record's contact id",
            Write("contact-ids", record_key, seal(record_key, key[ENV:])),
        )
    else:
        alias = record_key + b"c" + key
        yield one_way("its alias", Write("aliases", alias, seal(alias, b"")))


def binding(txn: Txn, tables: Tables, key: bytes, value: bytes) -> Iterator[Flaw]:
    """Whom a visitor stands for."""
    try:
        found = _decode_binding(unseal(key, value))
    except (CorruptRecord, msgspec.DecodeError):
        yield damaged(
            "damaged: nobody knows whom the visitor stands for",
            "quarantine it; the visitor is bound again when it signs in",
            "bindings",
            key,
        )
        return
    alias = found.record_key + b"v" + key
    if txn.get(alias, db=tables["aliases"]) is None:
        yield one_way("its alias", Write("aliases", alias, seal(alias, b"")))
    if txn.get(key[:ENV] + found.contact_id.encode(), db=tables["contacts"]) is None:
        yield leads_nowhere("bound to a contact that is not there", "bindings", key)


def alias(txn: Txn, tables: Tables, key: bytes, value: bytes) -> Iterator[Flaw]:
    """What leads to a record, listed under it."""
    record_key, kind, leading = key[:KEY], key[KEY : KEY + 1], key[KEY + 1 :]
    table = {b"c": "contacts", b"v": "bindings", b"r": "moves"}.get(kind)
    there = None if table is None else txn.get(leading, db=tables[table])
    if table == "contacts" and there is None:
        # The list says what the id led to.
        lead = Write("contacts", leading, seal(leading, record_key))
        yield one_way("the contact's id", lead)
    elif there is None or not _leads_to(kind, leading, there, record_key):
        yield leads_nowhere("nothing leads there", "aliases", key)
    elif _payload(key, value) != b"":
        again = (Write("aliases", key, seal(key, b"")),)
        yield Flaw("damaged", "write it again", again)


def contact_id(txn: Txn, tables: Tables, key: bytes, value: bytes) -> Iterator[Flaw]:
    """Whom a record was made for."""
    contact = _payload(key, value)
    if contact is None:
        yield damaged(
            "damaged: nobody knows whose record it is",
            "quarantine it; the contact's id says it again",
            "contact-ids",
            key,
        )
        return
    contact_key = key[:ENV] + contact
    if txn.get(contact_key, db=tables["contacts"]) is None:
        lead = Write("contacts", contact_key, seal(contact_key, key))
        yield one_way("what its id leads to", lead)
    last = txn.get(LAST)
    number = key[ENV:]
    if last is None or (_payload(LAST, last) or number) < number:
        yield Flaw(
            "its number is greater than the last that was given",
            "let the next number be greater",
            (Write("main", LAST, seal(LAST, number)),),
        )


def move(txn: Txn, tables: Tables, key: bytes, value: bytes) -> Iterator[Flaw]:
    """Where a record went."""
    try:
        found = _decode_move(unseal(key, value))
    except (CorruptRecord, msgspec.DecodeError):
        yield unreadable("damaged: nobody knows where the record's propositions are")
        return
    listed = found.record_key + b"r" + key
    if txn.get(listed, db=tables["aliases"]) is None:
        yield one_way("its alias", Write("aliases", listed, seal(listed, b"")))
    if txn.get(key, db=tables["records"]) is not None:
        yield only_seen("there is a record at a key whose record has moved")
    at = found.record_key
    for _ in range(MOVES_MAX):
        further = txn.get(at, db=tables["moves"])
        if further is None:
            break
        try:
            at = _decode_move(unseal(at, further)).record_key
        except (CorruptRecord, msgspec.DecodeError):
            # Found at its own key.
            return
        if at == key:
            yield unreadable("moved in a circle")
            return
    if txn.get(at, db=tables["contact-ids"]) is None:
        yield only_seen("moved to a contact that is not there")


def record(txn: Txn, tables: Tables, key: bytes, value: bytes) -> Iterator[Flaw]:
    """The propositions of a contact."""
    try:
        found = unpack_record(key, value)
    except CorruptRecord as error:
        after = ContactRecord(
            SEQUENCE_AFTER_DAMAGE,
            SEQUENCE_AFTER_DAMAGE,
            cold=recounted(txn, tables, key),
        )
        yield damaged(
            f"damaged: {error.args[0].partition('(')[2].partition(')')[0]}",
            "quarantine it; limits count anew for this contact but for cold parts,"
            " its newest ids are unknown",
            "records",
            key,
            pack_record(key, after),
        )
        return
    if txn.get(key, db=tables["contact-ids"]) is None:
        yield only_seen("nobody knows whose record it is: its contact id is missing")
    marks = [is_mark(p) for p in found.propositions]
    if marks != sorted(marks, reverse=True):
        yield only_seen("a mark stands behind propositions")
    sequences = [p.sequence for p in found.propositions if not is_mark(p)]
    if any(a >= b for a, b in pairwise(sequences)):
        yield only_seen("its sequences do not ascend")
    if sequences and max(sequences) >= found.next_sequence:
        yield only_seen(
            f"its next sequence is {found.next_sequence}, its greatest {max(sequences)}"
        )
    if found.proposition_count > PROPOSITIONS_MAX:
        yield only_seen(f"it has more than {PROPOSITIONS_MAX} propositions")
    yield from listed(txn, tables, key, found)


def inputs(txn: Txn, tables: Tables, key: bytes, value: bytes) -> Iterator[Flaw]:
    """What a decision was made of."""
    try:
        record_key, _ = _decode_inputs(unseal(key, value))
    except (CorruptRecord, msgspec.DecodeError):
        remedy = "quarantine it; its decision cannot be replayed"
        yield damaged("damaged", remedy, "inputs", key)
        return
    if txn.get(record_key + key, db=tables["inputs-of"]) is None:
        yield one_way("the contact's list", Write("inputs-of", record_key + key, b""))


def inputs_of(txn: Txn, tables: Tables, key: bytes, __: bytes) -> Iterator[Flaw]:
    """That a contact has inputs."""
    value = txn.get(key[KEY:], db=tables["inputs"])
    if value is None:
        yield leads_nowhere("there are no such inputs", "inputs-of", key)
        return
    try:
        record_key, _ = _decode_inputs(unseal(key[KEY:], value))
    except (CorruptRecord, msgspec.DecodeError):
        # Found at its own key.
        return
    if record_key != key[:KEY]:
        yield leads_nowhere("the inputs are another contact's", "inputs-of", key)


def quota(txn: Txn, tables: Tables, key: bytes, value: bytes) -> Iterator[Flaw]:
    """How often a quota was consumed."""
    if _payload(key, value) is None:
        yield only_seen(
            "damaged: `propono quotas` names the quota, `propono quotas set` gives it a"
            " count"
        )


def _leads_to(kind: bytes, leading: bytes, value: bytes, record_key: bytes) -> bool:
    """Whether what is listed says so itself; what cannot be read might."""
    payload = _payload(leading, value)
    if payload is None:
        return True
    try:
        match kind:
            case b"c":
                return payload == record_key
            case b"v":
                return _decode_binding(payload).record_key == record_key
            case _:
                return _decode_move(payload).record_key == record_key
    except msgspec.DecodeError:
        return True


def _payload(key: bytes, value: bytes) -> bytes | None:
    try:
        return unseal(key, value)
    except CorruptRecord:
        return None


#: A check of one kind of entry.
Check = Callable[[Txn, Tables, bytes, bytes], Iterator[Flaw]]

#: In the order of the walk.
CHECKS: dict[str, Check] = {
    "contacts": contact,
    "bindings": binding,
    "aliases": alias,
    "contact-ids": contact_id,
    "moves": move,
    "records": record,
    "cold": part,
    "inputs": inputs,
    "inputs-of": inputs_of,
    "quotas": quota,
}
