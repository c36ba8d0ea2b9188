"""What one write transaction on history offers."""

from bisect import bisect_left
from operator import attrgetter

from msgspec.structs import replace

from catalog_store.records import UnixMs
from contact_store.answers import AnswerTables, RequestKey
from contact_store.contact_ids import contact_id_bytes
from contact_store.environment_numbers import ENVIRONMENT_NUMBER_BYTES
from contact_store.errors import HistoryFull, UnknownProposition
from contact_store.id_keys import read_id_keys
from contact_store.lmdb_env import Txn
from contact_store.proposition_ids import (
    PropositionPlace,
    decode_proposition_id,
    encode_proposition_id,
)
from contact_store.record_tables import CONTACT_NUMBER_BYTES, RecordTables
from contact_store.records import (
    EMPTY_RECORD,
    PROPOSITIONS_MAX,
    ContactRecord,
    Proposition,
    PropositionStatus,
    StatusChange,
    StoredProposition,
)
from contact_store.sealed import seal, unseal
from contact_store.status_changes import with_change

_CLOCK = b"clock"
_sequence_of = attrgetter("sequence")


class HistoryTransaction:
    """Reads and writes of one transaction; they see each other.

    Made by HistoryStore.transaction() and good for that block only. Several
    decisions may share one.
    """

    def __init__(self, txn: Txn, tables: RecordTables, answers: AnswerTables) -> None:
        self._txn = txn
        self._tables = tables
        self._answers = answers
        # Read each time: another process may have added one.
        self._id_keys = read_id_keys(txn)

    def contact(self, environment: str, contact_id: str) -> ContactRecord:
        """The contact's record, empty when it has none.

        Raises InvalidContactId and CorruptRecord.
        """
        contact = contact_id_bytes(contact_id)
        key = self._tables.find_key(self._txn, environment, contact)
        record = None if key is None else self._tables.get(self._txn, key)
        return record or EMPTY_RECORD

    def append(
        self, environment: str, contact_id: str, *propositions: Proposition
    ) -> tuple[StoredProposition, ...]:
        """Add propositions to the contact's record, oldest first.

        Returns them with their sequences and ids. Raises InvalidContactId,
        CorruptRecord, and HistoryFull when the record would outgrow
        PROPOSITIONS_MAX; nothing is then written.
        """
        contact = contact_id_bytes(contact_id)
        key = self._tables.make_key(self._txn, environment, contact)
        record = self._tables.get(self._txn, key) or EMPTY_RECORD
        if len(record.propositions) + len(propositions) > PROPOSITIONS_MAX:
            raise HistoryFull(
                f"the contact has {len(record.propositions)} propositions of at most"
                f" {PROPOSITIONS_MAX}"
            )
        first = record.next_sequence
        added = [
            replace(proposition, sequence=sequence)
            for sequence, proposition in enumerate(propositions, start=first)
        ]
        after = ContactRecord(
            record.version + 1,
            first + len(added),
            (*record.propositions, *added),
        )
        self._tables.put(self._txn, key, after)
        return tuple(StoredProposition(self._id_of(key, p), p) for p in added)

    def update(
        self,
        proposition_id: str,
        status: PropositionStatus,
        event_time_ms: UnixMs | None,
        received_at_ms: UnixMs,
    ) -> Proposition:
        """Log a change of status and apply it as `status_changes` says.

        Returns the proposition as it is then. Raises UnknownProposition,
        StatusLogFull and CorruptRecord; ValueError when the status is UNSPECIFIED.
        """
        if status is PropositionStatus.UNSPECIFIED:
            raise ValueError("status: give one, it is unspecified")
        place = decode_proposition_id(proposition_id, self._id_keys)
        key = _record_key(place)
        record = self._tables.get(self._txn, key) or EMPTY_RECORD
        index = _index_of(record, place.sequence)
        change = StatusChange(status, event_time_ms, received_at_ms)
        updated = with_change(record.propositions[index], change)
        propositions = list(record.propositions)
        propositions[index] = updated
        after = ContactRecord(
            record.version + 1, record.next_sequence, tuple(propositions)
        )
        self._tables.put(self._txn, key, after)
        return updated

    def decided_at(self, now_ms: UnixMs) -> UnixMs:
        """`now_ms`, or the latest time given before in this store if that is later."""
        value = self._txn.get(_CLOCK)
        if value is not None:
            latest_ms = UnixMs(int.from_bytes(unseal(_CLOCK, value), "big"))
            if latest_ms >= now_ms:
                return latest_ms
        self._txn.put(_CLOCK, seal(_CLOCK, now_ms.to_bytes(8, "big")))
        return now_ms

    def answer(
        self, request: RequestKey, request_digest: bytes, now_ms: UnixMs
    ) -> bytes | None:
        """The answer kept for the same request; None when there is none.

        Raises RequestIdReused when the id came with another digest.
        """
        return self._answers.find(self._txn, request, request_digest, now_ms)

    def keep_answer(
        self,
        request: RequestKey,
        request_digest: bytes,
        answer: bytes,
        now_ms: UnixMs,
    ) -> None:
        """Keep the answer to a request that `answer` did not know."""
        self._answers.keep(self._txn, request, request_digest, answer, now_ms)

    def _id_of(self, record_key: bytes, proposition: Proposition) -> str:
        place = PropositionPlace(
            int.from_bytes(record_key[:ENVIRONMENT_NUMBER_BYTES], "big"),
            int.from_bytes(record_key[ENVIRONMENT_NUMBER_BYTES:], "big"),
            proposition.sequence,
        )
        newest = max(self._id_keys)
        return encode_proposition_id(place, newest, self._id_keys[newest])


def _record_key(place: PropositionPlace) -> bytes:
    environment_key = place.environment_number.to_bytes(ENVIRONMENT_NUMBER_BYTES, "big")
    return environment_key + place.contact_number.to_bytes(CONTACT_NUMBER_BYTES, "big")


def _index_of(record: ContactRecord, sequence: int) -> int:
    index = bisect_left(record.propositions, sequence, key=_sequence_of)
    if index < len(record.propositions):
        found = record.propositions[index]
        if found.sequence == sequence:
            return index
    raise UnknownProposition
