"""Records the decisions of a batch, a group of contacts in one write transaction."""

from asyncio import Future
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial

from catalog_store.records import UnixMs
from contact_store.answers import ANSWER_BYTES_MAX, RequestKey
from contact_store.errors import CorruptRecord
from contact_store.history import HistoryStore
from contact_store.history_transaction import HistoryTransaction
from server.batch_answers import contact_decision
from server.batch_contacts import BatchPreparation
from server.batch_outcomes import CONTACT_FAILURES, Judge, failed, outcome_of
from server.batch_pace import Pace
from server.batch_translation import AskedBatch
from server.group_commit import Commit
from server.preparation import PreparedDecision
from server.proposing import Proposing
from server.wire import decision_pb2 as pb

#: A contact to decide for, or why that cannot be, encoded.
_Waiting = PreparedDecision | bytes


class _AnswerTooLarge(Exception):
    """What was decided for a contact cannot be kept for retries."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(
            f"the answer has {size_bytes} bytes, more than the {ANSWER_BYTES_MAX} that"
            " are kept under a request id: ask for fewer propositions"
        )


class _SpoiledGroup(Exception):
    """One contact failed in a transaction that may have written something of it."""

    def __init__(self, contact_id: str, error: Exception) -> None:
        self.contact_id = contact_id
        self.error = error


class BatchRecording:
    """Records one batch, whose answers are kept contact by contact."""

    def __init__(
        self,
        asked: AskedBatch,
        caller: str,
        history: HistoryStore,
        commit: Commit,
        now_ms: Callable[[], UnixMs],
        kept_share: float,
    ) -> None:
        self._asked = asked
        self._caller = caller
        self._history = history
        self._commit = commit
        self._now_ms = now_ms
        self._kept_share = kept_share
        self._judge = Judge(asked)
        self._is_claimed = not asked.decision.request_id

    def record(
        self, contact_ids: Sequence[str], prepared: BatchPreparation, pace: Pace
    ) -> "Generator[Future[list[bytes]], None, list[bytes]]":
        """Encoded ContactDecisions of the first contacts, as many as the pace allows.

        They are on disk; what is yielded has to be waited for. Raises RequestIdReused
        and StoreFailed: nothing of this group is then recorded.
        """
        spoilers: dict[str, bytes] = {}
        while True:
            waiting = [_prepared(prepared, one, spoilers) for one in contact_ids]
            work = partial(self._record, contact_ids, waiting, prepared, pace)
            try:
                decisions = yield from _waited_for(self._commit(work))
            except _SpoiledGroup as spoiled:
                # The transaction was aborted; once more, without that contact.
                contact_id = spoiled.contact_id
                spoilers[contact_id] = failed(contact_id, spoiled.error)
            else:
                self._is_claimed = True
                return decisions

    def _record(
        self,
        contact_ids: Sequence[str],
        waiting: Sequence[_Waiting],
        prepared: BatchPreparation,
        pace: Pace,
        txn: HistoryTransaction,
    ) -> list[bytes]:
        pace.begin()
        decisions: list[bytes] = []
        decided_at_ms = txn.decided_at(self._now_ms())
        if not self._is_claimed:
            self._claim(txn, prepared.environment.name, decided_at_ms)
        for contact_id, one in zip(contact_ids, waiting, strict=True):
            if isinstance(one, bytes):
                decisions.append(one)
                continue
            try:
                decided = self._once(txn, contact_id, one, decided_at_ms)
            except CorruptRecord as error:
                raise _SpoiledGroup(contact_id, error) from error
            decisions.append(decided)
            if pace.is_over():
                break
        # Before the flush, which takes as long for many contacts as for few.
        pace.end(len(decisions))
        return decisions

    def _claim(
        self, txn: HistoryTransaction, environment: str, decided_at_ms: UnixMs
    ) -> None:
        """Keep the request id for this batch, before any of its contacts.

        Raises RequestIdReused.
        """
        key, digest = self._key(environment, "ProposeBatch"), self._asked.digest
        if txn.answer(key, digest, decided_at_ms) is None:
            txn.keep_answer(key, digest, b"", decided_at_ms)

    def _once(
        self,
        txn: HistoryTransaction,
        contact_id: str,
        prepared: PreparedDecision,
        decided_at_ms: UnixMs,
    ) -> bytes:
        """A contact that has a kept answer is answered with it."""
        if not self._asked.decision.request_id:
            return self._decided(txn, contact_id, prepared, decided_at_ms)
        # Methods may be of any length, request ids may not.
        key = self._key(prepared.environment.name, f"ProposeBatch|{contact_id}")
        kept = txn.answer(key, self._asked.digest, decided_at_ms)
        if kept is not None:
            return contact_decision(contact_id, pb.BATCH_OUTCOME_DECIDED, kept)
        return self._decided(txn, contact_id, prepared, decided_at_ms, key)

    def _decided(
        self,
        txn: HistoryTransaction,
        contact_id: str,
        prepared: PreparedDecision,
        decided_at_ms: UnixMs,
        key: RequestKey | None = None,
    ) -> bytes:
        def decide() -> bytes:
            proposing = Proposing(prepared, self._kept_share, self._judge)
            if not prepared.records:
                return proposing.only_decide(self._history, decided_at_ms)
            try:
                answer = proposing.record(txn, decided_at_ms)
            except CorruptRecord as error:
                raise _SpoiledGroup(contact_id, error) from error
            if key is not None:
                if len(answer) > ANSWER_BYTES_MAX:
                    raise _SpoiledGroup(contact_id, _AnswerTooLarge(len(answer)))
                txn.keep_answer(key, self._asked.digest, answer, decided_at_ms)
            return answer

        return outcome_of(contact_id, decide)

    def _key(self, environment: str, method: str) -> RequestKey:
        request_id = self._asked.decision.request_id
        return RequestKey(self._caller, method, environment, request_id)


def _waited_for(
    recorded: "list[bytes] | Future[list[bytes]]",
) -> "Generator[Future[list[bytes]], None, list[bytes]]":
    if not isinstance(recorded, Future):
        return recorded
    try:
        yield recorded
        return recorded.result()
    finally:
        # If the caller has gone nothing more is recorded for it.
        recorded.cancel()


def _prepared(
    prepared: BatchPreparation, contact_id: str, spoilers: Mapping[str, bytes]
) -> _Waiting:
    if contact_id in spoilers:
        return spoilers[contact_id]
    try:
        return prepared.contact(contact_id)
    except CONTACT_FAILURES as error:
        return failed(contact_id, error)
