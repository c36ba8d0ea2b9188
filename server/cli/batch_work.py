"""A batch as the command does it: part by part, so that it can go on where it was.

A part is asked for, and what comes is written when all of it is there. The parts share
one request id: what the server recorded for a part that was not finished is answered
again as it was, if that was not too long ago.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from google.protobuf.json_format import MessageToJson

from server.client import CallFailed, Client
from server.files.proposition_parts import PropositionParts, PropositionRow, State
from server.wire import decision_pb2 as pb

#: Contacts of one part, at most.
PART_CONTACTS_MAX = 10_000
#: For one part; a server that takes longer is asked again for the rest.
PART_TIMEOUT_SECONDS = 600.0
#: Between two attempts while the server is not there.
ATTEMPT_SECONDS = 0.5
#: How long a server surely keeps what it answered: five minutes less than it does.
ANSWERS_KEPT_MS = 55 * 60_000

_RETRIED = ("UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED")
_OUTCOMES = {
    number: name.removeprefix("BATCH_OUTCOME_").lower()
    for name, number in pb.BatchOutcome.items()
}


class ForgottenAnswers(Exception):
    """The part in flight was asked for too long ago to be asked for again."""


class Pacing(NamedTuple):
    """How the work is done; none of it changes what comes of it."""

    part_contacts: int
    #: How long a server that is away is waited for.
    patience_seconds: float
    #: Told how many contacts are answered, with every few of them.
    progress: Callable[[int], None]
    #: Whether a part in flight is asked for again, however long ago that was.
    asks_again: bool = False


class BatchWork:
    """Everything from the first part that is not finished to the last one."""

    def __init__(
        self,
        client: Client,
        request: pb.ProposeBatchRequest,
        contact_ids: Sequence[str] | None,
        parts: PropositionParts,
        pacing: Pacing,
    ) -> None:
        """`request` names no contacts; without `contact_ids` a segment does."""
        self._client = client
        self._request = request
        self._contact_ids = contact_ids
        self._parts = parts
        self._pacing = pacing
        #: Whether anybody was answered, in this run or before.
        self.has_answers = parts.state.asked_at_ms > 0

    def do(self, now_ms: Callable[[], int]) -> None:
        """Until all parts are finished; raises ForgottenAnswers and CallFailed."""
        asked_at_ms = self._parts.state.asked_at_ms
        if (
            asked_at_ms
            and not self._parts.state.is_complete
            and not self._request.dry_run
            and not self._pacing.asks_again
            and now_ms() - asked_at_ms > ANSWERS_KEPT_MS
        ):
            raise ForgottenAnswers
        while not self._parts.state.is_complete:
            self._parts.asking(now_ms())
            began = time.monotonic()
            decisions = list(self._decisions())
            if decisions:
                rows = [row for one in decisions for row in _rows(one)]
                after = self._after(decisions, time.monotonic() - began)
                self._parts.add(rows, after)
                self._pacing.progress(after.contacts)
            if len(decisions) < self._pacing.part_contacts:
                self._parts.complete()

    def _decisions(self) -> Iterator[pb.ContactDecision]:
        """Those of one part; a server that goes away is asked for the rest."""
        state, part_contacts = self._parts.state, self._pacing.part_contacts
        last, answered = state.last_contact_id, 0
        gives_up = time.monotonic() + self._pacing.patience_seconds
        while True:
            request = self._part(last, state.contacts + answered, answered)
            if request is None:
                return
            try:
                calls = self._client.propose_batch(request, PART_TIMEOUT_SECONDS)
                for one in calls:
                    self.has_answers = True
                    yield one
                    last, answered = one.contact_id, answered + 1
                    if answered % 100 == 0:
                        self._pacing.progress(state.contacts + answered)
                    if answered == part_contacts:
                        return
                    gives_up = time.monotonic() + self._pacing.patience_seconds
                return
            except CallFailed as failure:
                if failure.code not in _RETRIED or time.monotonic() >= gives_up:
                    raise
            time.sleep(ATTEMPT_SECONDS)

    def _part(
        self, last: str, place: int, answered: int
    ) -> pb.ProposeBatchRequest | None:
        """The request for the rest of a part; None when there is no rest."""
        request = pb.ProposeBatchRequest()
        request.CopyFrom(self._request)
        if self._contact_ids is None:
            request.after_contact_id = last
            return request
        stop = place - answered + self._pacing.part_contacts
        request.contact_ids.extend(self._contact_ids[place:stop])
        return request if request.contact_ids else None

    def _after(self, decisions: Sequence[pb.ContactDecision], seconds: float) -> State:
        """The state that these lead to."""
        before = self._parts.state
        outcomes = dict(before.outcomes)
        for one in decisions:
            name = _OUTCOMES[one.outcome]
            outcomes[name] = outcomes.get(name, 0) + 1
        return State(
            batch=before.batch,
            arguments=before.arguments,
            contacts=before.contacts + len(decisions),
            propositions=before.propositions
            + sum(
                len(result.propositions)
                for one in decisions
                for result in one.decision.results
            ),
            outcomes=outcomes,
            last_contact_id=decisions[-1].contact_id,
            seconds=before.seconds + seconds,
        )


def _rows(one: pb.ContactDecision) -> list[PropositionRow]:
    """A row for each proposition, or one that says that there is none."""
    outcome = _OUTCOMES[one.outcome]
    rows = [
        PropositionRow(
            contact_id=one.contact_id,
            outcome=outcome,
            space=result.space,
            rank=made.rank,
            offer=made.offer,
            category=made.category,
            weight=made.weight,
            proposition_id=made.proposition_id or None,
            event_time=made.event_time.ToMilliseconds(),
            content=sorted(made.content.items()),
            representation=_representation(made.representation),
            acceptance_url=made.acceptance_url or None,
        )
        for result in one.decision.results
        for made in result.propositions
    ]
    return rows or [PropositionRow(one.contact_id, outcome, one.error or None)]


def _representation(representation: pb.Representation) -> str | None:
    """As text, whatever its form; None when the space has no rendering."""
    match representation.WhichOneof("form"):
        case "html":
            return representation.html
        case "text":
            return representation.text
        case "json":
            return MessageToJson(representation.json, indent=None)
        case _:
            return None
