"""Propose and UpdateProposition, from a parsed request to an answer.

A recorded decision is one write transaction: the contact's history is read, the
engine decides, the propositions and the kept answer are written, and the answer goes
out after the commit. What counts is therefore exact on any number of workers.
"""

import time
from collections.abc import Awaitable, Callable, Generator
from hashlib import blake2b
from typing import NamedTuple, Protocol, TypeAlias

from catalog_store.records import UnixMs
from catalog_store.revisions import NothingPublished
from contact_store.answers import ANSWER_BYTES_MAX, RequestKey
from contact_store.history import HistoryStore
from contact_store.history_transaction import HistoryTransaction
from contact_store.profiles import ProfileStore
from server.engine.live_catalog import LiveCatalog
from server.group_commit import Commit, committing_at_once
from server.metrics import count_transaction
from server.preparation import Preparation
from server.proposing import Proposing
from server.recording_state import CheckRecording, always_recording
from server.recurring_requests import RecurringRequests
from server.replaying import KEPT_SHARE
from server.requests import AnswerTooLarge
from server.translation import AskedExplanation, asked_update
from server.updating import Updating
from server.wire import decision_pb2 as pb

#: Encoded; or in the making, step by step; or of a call that waits to be recorded.
Answer: TypeAlias = (
    bytes
    | Generator[None, None, bytes]
    | Awaitable[bytes | Generator[None, None, bytes]]
)


class LiveCatalogCell(Protocol):
    """Where the worker keeps the catalog that decides now."""

    current: LiveCatalog | None
    #: Why there is none, for callers.
    absence: str


class Sources(NamedTuple):
    """What would make two runs differ, injected."""

    #: UTC milliseconds.
    now_ms: Callable[[], UnixMs]
    #: That many random bytes.
    random_bytes: Callable[[int], bytes]


class DecisionService:
    """Decides on the catalog in a cell, and records in a store."""

    def __init__(
        self,
        cell: LiveCatalogCell,
        history: HistoryStore,
        profiles: ProfileStore,
        sources: Sources,
        kept_share: float = KEPT_SHARE,
        commit: Commit | None = None,
        check_recording: CheckRecording = always_recording,
    ) -> None:
        """`kept_share` is that of the contacts whose decisions can be replayed.

        `commit` records what a call does; each by itself if none is given.
        """
        self._cell = cell
        self._history = history
        self._sources = sources
        self._kept_share = kept_share
        self._check_recording = check_recording
        self._commit = commit or committing_at_once(history)
        self._recurring = RecurringRequests()
        self._preparation = Preparation(profiles, history, sources.random_bytes)

    def propose(self, request: pb.ProposeRequest, caller: str) -> Answer:
        """The encoded ProposeResponse.

        Later when it is recorded, and in steps when its reasons are asked for.
        """
        now_ms = self._sources.now_ms()
        asked = self._recurring.asked(request, now_ms)
        catalog = self._cell.current
        if catalog is None:
            raise NothingPublished(self._cell.absence)
        prepared = self._preparation.prepare(asked, catalog)
        proposing = Proposing(prepared, self._kept_share)
        answer: bytes | Awaitable[bytes]
        if not prepared.records:
            answer = proposing.only_decide(self._history, now_ms)
        else:
            environment = prepared.environment.name
            key = RequestKey(caller, "Propose", environment, asked.request_id)
            answer = self._once(key, request, now_ms, proposing.record)
        explanation = asked.explanation
        if explanation is None:
            return answer
        if isinstance(answer, bytes):
            return proposing.with_reasons(answer, explanation)
        return _explained_later(answer, proposing, explanation)

    def update_proposition(
        self, request: pb.UpdatePropositionRequest, caller: str
    ) -> Answer:
        """The encoded UpdatePropositionResponse; later, as it is recorded."""
        now_ms = self._sources.now_ms()
        asked = asked_update(request, now_ms)
        key = RequestKey(caller, "UpdateProposition", "", asked.request_id)

        updating = Updating(asked, self._cell.current, self._preparation)
        return self._once(key, request, now_ms, updating.update)

    def forget(self) -> None:
        """Keep nothing of a catalog that was replaced: it is given back in steps."""
        self._preparation.forget()

    def _once(
        self,
        key: RequestKey,
        request: pb.ProposeRequest | pb.UpdatePropositionRequest,
        now_ms: UnixMs,
        answer: Callable[[HistoryTransaction, UnixMs], bytes],
    ) -> bytes | Awaitable[bytes]:
        """Answer in one transaction; a request id is answered once, and then again.

        Raises LowDisk, RequestIdReused and AnswerTooLarge: nothing is then recorded.
        What is returned is on disk.
        """
        self._check_recording()
        began = time.perf_counter()

        def work(txn: HistoryTransaction) -> bytes:
            kept: bytes | None = None
            decided_at_ms = txn.decided_at(now_ms)
            if not key.request_id:
                answered = answer(txn, decided_at_ms)
            else:
                digest = _digest(request)
                kept = txn.answer(key, digest, decided_at_ms)
                answered = kept or answer(txn, decided_at_ms)
                if kept is None:
                    if len(answered) > ANSWER_BYTES_MAX:
                        raise AnswerTooLarge(len(answered), ANSWER_BYTES_MAX)
                    txn.keep_answer(key, digest, answered, decided_at_ms)
            count_transaction(time.perf_counter() - began, is_retry=kept is not None)
            return answered

        return self._commit(work)


async def _explained_later(
    pending: Awaitable[bytes], proposing: Proposing, asked: AskedExplanation
) -> Generator[None, None, bytes]:
    """The steps of the explanation, once the decision is on disk."""
    return proposing.with_reasons(await pending, asked)


def _digest(request: pb.ProposeRequest | pb.UpdatePropositionRequest) -> bytes:
    """Of what a request says, however its maps happened to be encoded."""
    encoded = request.SerializeToString(deterministic=True)
    return blake2b(encoded, digest_size=16).digest()
