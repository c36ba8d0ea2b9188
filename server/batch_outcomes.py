"""What comes of one contact of a batch: decided, left out, or failed."""

from collections.abc import Callable

from contact_store.errors import CorruptRecord, HistoryFull, InvalidContactId
from server.batch_answers import contact_decision
from server.batch_translation import AskedBatch
from server.engine.decision import Decision, Shortfall
from server.wire import decision_pb2 as pb

#: What is wrong with one contact, and with no other.
CONTACT_FAILURES = (InvalidContactId, HistoryFull, CorruptRecord)


class LeftOut(Exception):
    """A contact of whom nothing is recorded, because the request wants it so."""

    def __init__(self, outcome: pb.BatchOutcome) -> None:
        self.outcome = outcome


class Judge:
    """Whether a contact is to be reached with what was decided."""

    def __init__(self, asked: AskedBatch) -> None:
        self._min_propositions = asked.min_propositions
        self._cancels = asked.cancels_on_shortfall
        self._spaces = len(asked.decision.spaces)

    def __call__(self, decision: Decision) -> None:
        """Raises LeftOut when it is not."""
        if self._min_propositions:
            count = sum(len(filled.chosen) for filled in decision.spaces)
            if count < self._min_propositions:
                raise LeftOut(pb.BATCH_OUTCOME_EXCLUDED)
        if self._cancels and (
            # A space that is unknown, or that nobody decides, is not filled either.
            len(decision.spaces) < self._spaces
            or any(one.shortfall is not Shortfall.NONE for one in decision.spaces)
        ):
            raise LeftOut(pb.BATCH_OUTCOME_CANCELED)


def outcome_of(contact_id: str, decide: Callable[[], bytes]) -> bytes:
    """An encoded ContactDecision of what comes of deciding.

    `decide` gives the encoded ProposeResponse, or raises; what is not a matter of this
    contact alone is raised here too.
    """
    try:
        return contact_decision(contact_id, pb.BATCH_OUTCOME_DECIDED, decide())
    except LeftOut as left_out:
        return contact_decision(contact_id, left_out.outcome)
    except CONTACT_FAILURES as error:
        return failed(contact_id, error)


def failed(contact_id: str, error: Exception) -> bytes:
    """An encoded ContactDecision of a contact that cannot be decided for."""
    return contact_decision(contact_id, pb.BATCH_OUTCOME_FAILED, error=str(error))
