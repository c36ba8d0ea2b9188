"""Checks of the kept answers: each, and how many there are.

A table is walked in many short transactions, so that its count is only compared when
nobody wrote to it meanwhile; answers of the hour that it is are written all the time.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from contact_store.answers import TABLES
from contact_store.errors import CorruptRecord
from contact_store.flaws import Flaw, Write, damaged, wrong_number
from contact_store.history_checks import Tables
from contact_store.lmdb_env import Txn
from contact_store.sealed import seal, unseal

#: The main table's entry that says what the tables hold.
STATE = b"answers"
#: Of the key of an answer; a list of a contact's answers has longer keys.
KEY_BYTES = 20

_decode_tables = msgspec.msgpack.Decoder(tuple[tuple[int, int], ...]).decode
_decode_answer = msgspec.msgpack.Decoder(tuple[bytes, bytes]).decode
_encode = msgspec.msgpack.Encoder().encode


class Counted(NamedTuple):
    """What a walk over one table came to."""

    answers: int
    #: Of the table, at the end.
    entries: int


def table_name(hour: int) -> str:
    return f"answers-{hour % TABLES:02d}"


def answer(key: bytes, value: bytes, name: str) -> Iterator[Flaw]:
    """An answer; lists of a contact's answers hold nothing, and go with their hour."""
    if len(key) > KEY_BYTES:
        return
    try:
        _decode_answer(unseal(key, value))
    except (CorruptRecord, msgspec.DecodeError):
        remedy = "quarantine it; a retry of that call is decided anew"
        yield damaged("damaged", remedy, name, key)


def state(txn: Txn) -> dict[int, int] | None:
    """Hour -> how many answers it should have; None when that is damaged."""
    value = txn.get(STATE)
    if value is None:
        return {}
    try:
        return dict(_decode_tables(unseal(STATE, value)))
    except (CorruptRecord, msgspec.DecodeError):
        return None


def miscounted(txn: Txn, tables: Tables, name: str, counted: Counted) -> Iterator[Flaw]:
    """A table whose count is not what it holds; nothing if it has changed since."""
    hours = state(txn)
    if hours is None or txn.stat(tables[name])["entries"] != counted.entries:
        return
    hour = next((h for h in hours if table_name(h) == name), None)
    if hour is None or hours[hour] == counted.answers:
        return
    after = [(h, counted.answers if h == hour else n) for h, n in hours.items()]
    write = Write("main", STATE, seal(STATE, _encode(after)))
    yield wrong_number("the number of answers", hours[hour], counted.answers, write)
