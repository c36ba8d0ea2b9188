"""How all that history knows of a contact is removed, in one transaction.

    record, moves, aliases, ids    what leads to the record, the record and its parts
    bindings                       of visitors who stand for the contact
    inputs                         what its decisions were made of
    answers                        kept for retries of calls about it

A visitor of a shared computer may lead to another contact by now: what it saw until
then was this contact's, and goes; the visitor's id stays with the other.
"""

from collections.abc import Iterable
from typing import NamedTuple

from contact_store.answers import AnswerTables
from contact_store.bindings import Bindings
from contact_store.decision_inputs import InputTables
from contact_store.errors import CorruptRecord
from contact_store.lmdb_env import Txn
from contact_store.record_tables import RecordTables
from contact_store.records import is_mark


class ErasedHistory(NamedTuple):
    """How much of each there was."""

    #: Ids that led to the record, the contact's own included.
    ids: int = 0
    propositions: int = 0
    bindings: int = 0
    inputs: int = 0
    answers: int = 0


class HistoryTables(NamedTuple):
    """Where history keeps what it knows of contacts."""

    records: RecordTables
    bindings: Bindings
    inputs: InputTables
    answers: AnswerTables


def erase_record(
    txn: Txn, tables: HistoryTables, lead: bytes | None, owners: Iterable[bytes]
) -> ErasedHistory:
    """Erase what a record's key leads to; raises CorruptRecord.

    `owners` are whom answers are listed under besides records.
    """
    if lead is None:
        return ErasedHistory(answers=tables.answers.erase(txn, owners))
    key = tables.records.living_key(txn, lead)
    propositions = _propositions(txn, tables.records, key)
    leading = tables.records.erase(txn, key)
    record_keys = (key, *leading.record_keys)
    return ErasedHistory(
        ids=1 + len(leading.contacts),
        propositions=propositions,
        bindings=sum(tables.bindings.erase(txn, key) for key in leading.visitors),
        inputs=sum(tables.inputs.erase(txn, key) for key in record_keys),
        answers=tables.answers.erase(txn, {*owners, *record_keys}),
    )


def _propositions(txn: Txn, records: RecordTables, key: bytes) -> int:
    try:
        propositions = records.propositions_at(txn, key)
    except CorruptRecord:
        # Of a record that nobody can read, there is nothing to be counted.
        return 0
    return sum(not is_mark(one) for one in propositions)
