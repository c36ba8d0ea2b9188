"""What became of a proposition: its status, and what its space keeps with an answer."""

from msgspec.structs import replace

from catalog_store.records import UnixMs
from contact_store.history_transaction import HistoryTransaction
from contact_store.records import PropositionStatus, StoredValue
from server.answers import update_answer
from server.context_values import check_context
from server.engine.live_catalog import LiveCatalog
from server.engine.stored_values import stored_values
from server.preparation import Preparation
from server.requests import InvalidRequest
from server.translation import AskedUpdate

_ANSWERS = {PropositionStatus.ACCEPTED, PropositionStatus.REJECTED}


class Updating:
    """One change of one proposition's status."""

    def __init__(
        self, asked: AskedUpdate, catalog: LiveCatalog | None, preparation: Preparation
    ) -> None:
        self._asked = asked
        self._catalog = catalog
        self._preparation = preparation

    def update(self, txn: HistoryTransaction, received_at_ms: UnixMs) -> bytes:
        """Change it, inside the transaction; the encoded answer.

        Raises UnknownProposition, and InvalidRequest for a context that the
        proposition's environment does not declare.
        """
        asked = self._asked
        stored: dict[str, StoredValue] | None = None
        if asked.status in _ANSWERS or asked.context.fields:
            stored = self._stored(txn, received_at_ms)
        updated = txn.update(
            asked.proposition_id,
            asked.status,
            asked.event_time_ms,
            received_at_ms,
            stored,
        )
        return update_answer(asked.proposition_id, updated)

    def _stored(
        self, txn: HistoryTransaction, received_at_ms: UnixMs
    ) -> dict[str, StoredValue] | None:
        """What the space keeps with an answer; None when it is gone, or keeps nothing.

        The context of a space that is gone cannot be checked, and is of no use.
        """
        asked, preparation = self._asked, self._preparation
        found = txn.find(asked.proposition_id)
        if self._catalog is None:
            return None
        known = preparation.space_of(self._catalog, found.proposition.space)
        if known is None:
            return None
        environment, space = known
        context, violations = check_context(
            asked.context, [environment.context_attributes], complete=False
        )
        if violations:
            raise InvalidRequest(violations)
        if asked.status not in _ANSWERS or not space.stored_on_acceptance:
            return None
        # A visitor's proposition that was merged is of an environment that does not
        # know the contact.
        is_here = environment.name == found.environment
        contact_id = found.contact_id if is_here else None
        call = preparation.call_of(environment, contact_id, context, received_at_ms)
        answered = replace(found.proposition, status=asked.status)
        return stored_values(call, space, answered, space.stored_on_acceptance)
