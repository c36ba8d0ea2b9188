"""What one write transaction on history offers."""

from collections.abc import Mapping
from hashlib import blake2b

from msgspec.structs import replace

from catalog_store.records import UnixMs
from contact_store.answers import OWNER_BYTES, AnswerTables, RequestKey
from contact_store.bindings import Binding, Bindings
from contact_store.contact_ids import ContactName, contact_id_bytes, visitor_id_bytes
from contact_store.contact_view import proposition_id_in
from contact_store.decision_inputs import DecisionInputs, InputTables
from contact_store.environment_numbers import (
    ENVIRONMENT_NUMBER_BYTES,
    check_environment,
)
from contact_store.errors import HistoryFull, UnknownProposition
from contact_store.history_erasure import ErasedHistory, HistoryTables, erase_record
from contact_store.id_keys import read_id_keys, read_retired_at
from contact_store.lmdb_env import Txn
from contact_store.merge import lead_visitor, merge
from contact_store.proposition_ids import (
    PropositionPlace,
    decode_proposition_id,
    key_number_of,
)
from contact_store.quotas import QuotaPeriodKey, QuotaTables
from contact_store.reach import Reach
from contact_store.record_tables import (
    CONTACT_NUMBER_BYTES,
    ContactNames,
    RecordTables,
)
from contact_store.records import (
    EMPTY_RECORD,
    PROPOSITIONS_MAX,
    ContactRecord,
    FoundProposition,
    Proposition,
    PropositionStatus,
    StatusChange,
    StoredProposition,
    StoredValue,
)
from contact_store.sealed import seal, unseal
from contact_store.status_changes import with_change
from contact_store.stored_places import (
    StoredPlace,
    find_proposition,
    put_proposition,
)
from contact_store.stored_values import check_stored

_CLOCK = b"clock"


class HistoryTransaction:
    """Reads and writes of one transaction; they see each other.

    Made by HistoryStore.transaction() and good for that block only. Several
    decisions may share one.
    """

    def __init__(
        self,
        txn: Txn,
        tables: RecordTables,
        bindings: Bindings,
        answers: AnswerTables,
        inputs: InputTables,
        quotas: QuotaTables,
    ) -> None:
        self._txn = txn
        self._tables = tables
        self._bindings = bindings
        self._answers = answers
        self._inputs = inputs
        self._quotas = quotas
        # Read each time: another process may have added one.
        self._id_keys = read_id_keys(txn)
        #: Whose data an answer may hold: read or written since `answer` was asked.
        self._touched: set[tuple[str, bytes]] = set()
        self._touched_keys: set[bytes] = set()

    def contact(
        self, environment: str, contact_id: str, reach: Reach | None = None
    ) -> ContactRecord:
        """The record that the contact's id leads to, empty when it has none.

        It has the propositions that are reached, among others; None reaches all.
        Raises InvalidContactId, CorruptRecord, and HistoryFull when more propositions
        are reached than a decision may count.
        """
        contact = contact_id_bytes(contact_id)
        self._touched.add((environment, contact))
        found = self._tables.read(self._txn, environment, contact, reach)
        return found or EMPTY_RECORD

    def append(
        self, environment: str, contact_id: str, *propositions: Proposition
    ) -> tuple[StoredProposition, ...]:
        """Add propositions to the contact's record, oldest first.

        Returns them with their sequences and ids. Raises InvalidContactId,
        CorruptRecord, and HistoryFull when the record would outgrow
        PROPOSITIONS_MAX; nothing is then written. ValueError for stored values that
        are out of bounds.
        """
        for proposition in propositions:
            if proposition.stored:
                check_stored(proposition.stored)
        contact = contact_id_bytes(contact_id)
        self._touched.add((environment, contact))
        lead = self._tables.make_key(self._txn, environment, contact)
        located = self._tables.locate(self._txn, lead)
        record = located.record or EMPTY_RECORD
        count = record.proposition_count
        if count + len(propositions) > PROPOSITIONS_MAX:
            raise HistoryFull(
                f"the contact has {count} propositions of at most {PROPOSITIONS_MAX}"
            )
        if located.key != lead:
            # The record moved since the id came to lead there: once is enough.
            name = ContactName(environment, contact_id)
            self._tables.lead(self._txn, name, located.key)
        first = record.next_sequence
        added = [
            replace(proposition, sequence=sequence)
            for sequence, proposition in enumerate(propositions, start=first)
        ]
        after = ContactRecord(
            record.version + 1,
            first + len(added),
            (*record.propositions, *added),
            record.cold,
        )
        self._tables.put(self._txn, located.key, after)
        return tuple(
            StoredProposition(
                proposition_id_in(located.key, one.sequence, self._id_keys), one
            )
            for one in added
        )

    def find(self, proposition_id: str) -> FoundProposition:
        """A proposition and whose it is; raises UnknownProposition, CorruptRecord."""
        place = self._locate(proposition_id)
        name = self._tables.name_of(self._txn, place.record_key)
        return FoundProposition(*name, place.proposition)

    def update(
        self,
        proposition_id: str,
        status: PropositionStatus,
        event_time_ms: UnixMs | None,
        received_at_ms: UnixMs,
        stored: Mapping[str, StoredValue] | None = None,
    ) -> Proposition:
        """Log a change of status and apply it as `status_changes` says.

        `stored` joins what is stored with the proposition already. Returns the
        proposition as it is then. Raises UnknownProposition, StatusLogFull and
        CorruptRecord; ValueError when the status is UNSPECIFIED or stored values are
        out of bounds.
        """
        if status is PropositionStatus.UNSPECIFIED:
            raise ValueError("status: give one, it is unspecified")
        place = self._locate(proposition_id)
        change = StatusChange(status, event_time_ms, received_at_ms)
        updated = with_change(place.proposition, change)
        if stored:
            updated = replace(updated, stored={**updated.stored, **stored})
            check_stored(updated.stored)
        put_proposition(self._txn, self._tables, place, updated)
        return updated

    def keep_inputs(
        self, environment: str, contact_id: str, inputs: DecisionInputs
    ) -> None:
        """Keep what a decision for a contact was made of, so that it can be replayed.

        Raises InvalidContactId and CorruptRecord.
        """
        contact = contact_id_bytes(contact_id)
        lead = self._tables.make_key(self._txn, environment, contact)
        self._inputs.keep(self._txn, self._tables.locate(self._txn, lead).key, inputs)

    def merge(self, source: ContactName, target: ContactName) -> None:
        """Make the source contact an alias of the target.

        All propositions of both are then the target's, once each, whichever of the
        two, or of their aliases, they were made for; ids of either keep working. Of a
        contact that is an alias already, the contact that it leads to is merged; so
        it is of a visitor who is bound, whom `bind_visitor` moves alone. Merging
        again, or a contact into itself, changes nothing.

        Raises InvalidContactId, CorruptRecord, and HistoryFull when the union would
        outgrow PROPOSITIONS_MAX; nothing is then written.
        """
        for name in (source, target):
            contact_id_bytes(name.contact_id)
            check_environment(name.environment)
        merge(self._txn, self._tables, source, target)

    def bind_visitor(
        self,
        environment: str,
        contact_id: str,
        visitor_environment: str | None,
        visitor_id: str,
        now_ms: UnixMs,
    ) -> None:
        """Bind a visitor, and let its anonymous history be the contact's.

        From now on the visitor's id leads to the contact's record in the anonymous
        environment too. What was proposed to the visitor before the first binding
        moves there; at a later binding to another contact it stays with the first.
        Doing it again changes nothing.

        Raises InvalidContactId, CorruptRecord, ValueError when the environments are
        one, and HistoryFull when the union would outgrow PROPOSITIONS_MAX: nothing is
        then written, the binding neither. Limits would be counted short in a decision
        that goes on as if they were one contact: refuse it.
        """
        if visitor_environment is not None:
            if visitor_environment == environment:
                raise ValueError("visitor_environment: give another than the contact's")
            for text in (environment, visitor_environment):
                check_environment(text)
            contact_id_bytes(contact_id)
            visitor_id_bytes(visitor_id)
            visitor = ContactName(visitor_environment, visitor_id)
            contact = ContactName(environment, contact_id)
            lead_visitor(self._txn, self._tables, visitor, contact)
        self.bind(environment, visitor_id, contact_id, now_ms)

    def bind(
        self, environment: str, visitor_id: str, contact_id: str, now_ms: UnixMs
    ) -> None:
        """Bind a visitor id to a contact of an identified environment.

        The latest binding wins. Raises InvalidContactId and CorruptRecord.
        """
        visitor, contact = visitor_id_bytes(visitor_id), contact_id_bytes(contact_id)
        self._bindings.bind(self._txn, environment, visitor, contact, now_ms)

    def bound_contact(self, environment: str, visitor_id: str) -> str | None:
        """As HistoryStore.bound_contact, seeing this transaction's bindings."""
        bound = self.binding(environment, visitor_id)
        return None if bound is None else bound.contact_id

    def binding(self, environment: str, visitor_id: str) -> Binding | None:
        """What a visitor is bound to, and since when; raises as `bound_contact`."""
        visitor = visitor_id_bytes(visitor_id)
        return self._bindings.find(self._txn, environment, visitor)

    def names(self, environment: str, contact_id: str) -> ContactNames | None:
        """All that leads to a contact's record; None when it never had a number.

        Raises InvalidContactId and CorruptRecord.
        """
        contact = contact_id_bytes(contact_id)
        return self._tables.names(self._txn, environment, contact)

    def decided_at(self, now_ms: UnixMs) -> UnixMs:
        """`now_ms`, or the latest time given before in this store if that is later."""
        latest_ms = read_clock(self._txn)
        if latest_ms >= now_ms:
            return latest_ms
        set_clock(self._txn, now_ms)
        return now_ms

    def quota_used(self, key: QuotaPeriodKey) -> int | None:
        """What a quota had in a period; None when its counter is damaged."""
        return self._quotas.used(self._txn, key)

    def consume_quotas(self, taken: Mapping[QuotaPeriodKey, int]) -> None:
        """Count propositions; a damaged counter stays as it is."""
        self._quotas.consume(self._txn, taken)

    def restore_quota(self, key: QuotaPeriodKey, used: int) -> int | None:
        """Give a damaged counter a count again, as QuotaTables.restore."""
        return self._quotas.restore(self._txn, key, used)

    def answer(
        self, request: RequestKey, request_digest: bytes, now_ms: UnixMs
    ) -> bytes | None:
        """The answer kept for the same request; None when there is none.

        Raises RequestIdReused when the id came with another digest.
        """
        self._touched.clear()
        self._touched_keys.clear()
        return self._answers.find(self._txn, request, request_digest, now_ms)

    def keep_answer(
        self,
        request: RequestKey,
        request_digest: bytes,
        answer: bytes,
        now_ms: UnixMs,
    ) -> None:
        """Keep the answer to a request that `answer` did not know.

        It is erased with any of the contacts whose records were read or written since
        `answer` was asked.
        """
        owners = {_owner_of(self._tables, self._txn, *one) for one in self._touched}
        owners |= self._touched_keys
        self._answers.keep(self._txn, request, request_digest, answer, now_ms, owners)

    def erase(self, environment: str, contact_id: str) -> ErasedHistory:
        """Erase the contact that an id leads to: all that this store knows of it.

        The record, every id and visitor that leads to it, bindings, inputs of
        decisions and kept answers. Ids of its propositions are unknown from now on,
        and nothing here is given its number again. Erasing nobody erases nothing.

        A damaged record is erased as well. Raises InvalidContactId, and CorruptRecord
        when what leads to it is damaged.
        """
        contact = contact_id_bytes(contact_id)
        names = self.names(environment, contact_id)
        known = {(environment, contact)}
        if names is not None:
            known |= {(e, one.encode()) for e, one in (names.owner, *names.aliases)}
        tables = HistoryTables(
            self._tables, self._bindings, self._inputs, self._answers
        )
        lead = self._tables.find_key(self._txn, environment, contact)
        owners = {_name_owner(*one) for one in known}
        return erase_record(self._txn, tables, lead, owners)

    def _locate(self, proposition_id: str) -> StoredPlace:
        """Where a proposition is stored."""
        place = decode_proposition_id(proposition_id, self._id_keys)
        located = self._tables.locate(self._txn, _record_key(place), place.sequence)
        found = find_proposition(self._txn, self._tables, located)
        if found is None:
            raise UnknownProposition
        if self._is_given_anew(proposition_id, place, found.proposition):
            raise UnknownProposition
        self._touched_keys.add(located.key)
        return found

    def _is_given_anew(
        self, proposition_id: str, place: PropositionPlace, found: Proposition
    ) -> bool:
        """Whether an id's place was given again since its key was retired."""
        number = key_number_of(proposition_id)
        retired_at_ms = read_retired_at(self._txn, number)
        if retired_at_ms is None:
            return False
        if found.decided_at_ms > retired_at_ms:
            return True
        # Propositions keep their moment when they move to another record, and their
        # places there are given at the moment of the move.
        return any(
            move.shift < place.sequence < move.shift + move.next_sequence
            for move in self._tables.aliases.moves_to(self._txn, _record_key(place))
            if move.key_number > number
        )


def read_clock(txn: Txn) -> UnixMs:
    """The latest time given to a decision, 0 before the first; raises CorruptRecord."""
    value = txn.get(_CLOCK)
    return UnixMs(0 if value is None else int.from_bytes(unseal(_CLOCK, value), "big"))


def set_clock(txn: Txn, now_ms: UnixMs) -> None:
    txn.put(_CLOCK, seal(_CLOCK, now_ms.to_bytes(8, "big")))


def _owner_of(
    tables: RecordTables, txn: Txn, environment: str, contact: bytes
) -> bytes:
    """What a contact's answers are listed under: its record, if there ever was one."""
    key = tables.find_key(txn, environment, contact)
    return _name_owner(environment, contact) if key is None else key


def _name_owner(environment: str, contact: bytes) -> bytes:
    named = environment.encode() + b"\0" + contact
    return blake2b(named, digest_size=OWNER_BYTES).digest()


def _record_key(place: PropositionPlace) -> bytes:
    environment_key = place.environment_number.to_bytes(ENVIRONMENT_NUMBER_BYTES, "big")
    return environment_key + place.contact_number.to_bytes(CONTACT_NUMBER_BYTES, "big")
