"""ProposeBatch: decisions for many contacts ahead of time, for outbound channels.

The same engine, history and counters as Propose, contact by contact:

    batch_translation  the request, bounded and checked
    batch_contacts     who is asked about; names, context and spaces, once for all
    batch_pace         how many contacts are a group: others wait that long
    batch_recording    a group decided and recorded, in one write transaction
    batch_outcomes     what comes of one contact: decided, left out, failed
    batch_answers      the responses, as bytes

Between groups other calls run. What was answered is on disk, so that a caller who goes
away, or a server that does, loses nothing: the same request sent again, with the same
request id, is given the kept answer of each contact that has one.
"""

import time
from asyncio import Future
from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeVar

from catalog_store.records import UnixMs
from catalog_store.revisions import NothingPublished
from contact_store.history import HistoryStore
from contact_store.profiles import ProfileStore
from server.batch_answers import batch_answer
from server.batch_contacts import BatchPreparation
from server.batch_outcomes import Judge, outcome_of
from server.batch_pace import Ahead, Company, Pace, Seconds, Step
from server.batch_recording import BatchRecording
from server.batch_translation import AskedBatch, asked_batch
from server.decision_service import LiveCatalogCell, Sources
from server.engine.live_catalog import LiveCatalog
from server.group_commit import Commit, committing_at_once
from server.preparation import Preparation
from server.proposing import Proposing
from server.recording_state import CheckRecording, always_recording
from server.replaying import KEPT_SHARE
from server.wire import decision_pb2 as pb

RequestT = TypeVar("RequestT")
AnswerT = TypeVar("AnswerT")

#: A response is sent when it holds so much, or at the end.
ANSWER_BYTES = 32_768
ANSWER_CONTACTS = 512

#: Encoded ProposeBatchResponses; None is a step that ends without one, and a Future is
#: what the next step has to wait for.
Steps = Generator["bytes | Future[Any] | None", None, None]


class BatchService:
    """Decides for many contacts on the catalog in a cell, and records in a store."""

    def __init__(
        self,
        cell: LiveCatalogCell,
        history: HistoryStore,
        profiles: ProfileStore,
        sources: Sources,
        kept_share: float = KEPT_SHARE,
        commit: Commit | None = None,
        seconds: Seconds = time.perf_counter,
        check_recording: CheckRecording = always_recording,
    ) -> None:
        """`commit` records a group of contacts; each by itself if none is given.

        `seconds` paces the work; no decision depends on it.
        """
        self._cell = cell
        self._history = history
        self._profiles = profiles
        self._sources = sources
        self._kept_share = kept_share
        self._commit = commit or committing_at_once(history)
        self._check_recording = check_recording
        self._company = Company(seconds)
        self._preparation = Preparation(profiles, history, sources.random_bytes)

    def propose_batch(self, request: pb.ProposeBatchRequest, caller: str) -> Steps:
        """Encoded ProposeBatchResponses, in steps of a few milliseconds.

        Raises InvalidRequest, UnknownName and NothingPublished before the first step.
        """
        asked = asked_batch(request, self._sources.now_ms())
        prepared = BatchPreparation(asked, self._catalog(), self._preparation)
        contact_ids = prepared.contact_ids(
            self._profiles, self._history, self._sources.now_ms()
        )
        if prepared.records:
            return self._recorded(asked, prepared, contact_ids, caller)
        return self._dry(asked, prepared, contact_ids)

    def beside(
        self, answer: Callable[[RequestT, str], AnswerT]
    ) -> Callable[[RequestT, str], AnswerT]:
        """The same for calls that batches are to make room for."""

        def answered(request: RequestT, caller: str) -> AnswerT:
            self._company.called()
            return answer(request, caller)

        return answered

    def _recorded(
        self,
        asked: AskedBatch,
        prepared: BatchPreparation,
        contact_ids: Iterator[str | None],
        caller: str,
    ) -> Steps:
        pace, ahead = Pace(self._company), Ahead(contact_ids, self._company)
        recording = BatchRecording(
            asked,
            caller,
            self._history,
            self._commit,
            self._sources.now_ms,
            self._kept_share,
        )
        while group := (yield from ahead.take(pace.group)):
            self._check_recording()
            prepared = self._current(asked, prepared)
            decisions = yield from recording.record(group, prepared, pace)
            ahead.give_back(group[len(decisions) :])
            yield batch_answer(decisions)

    def _dry(
        self,
        asked: AskedBatch,
        prepared: BatchPreparation,
        contact_ids: Iterator[str | None],
    ) -> Steps:
        """Decide on what was last committed, and store nothing."""
        judge = Judge(asked)
        decisions: list[bytes] = []
        size_bytes = 0
        now_ms = self._sources.now_ms()
        step = Step(self._company)
        for contact_id in contact_ids:
            if contact_id is not None:
                one = self._decided(prepared, contact_id, judge, now_ms)
                decisions.append(one)
                size_bytes += len(one)
            if not step.is_over():
                continue
            if size_bytes >= ANSWER_BYTES or len(decisions) >= ANSWER_CONTACTS:
                yield batch_answer(decisions)
                decisions, size_bytes = [], 0
            else:
                yield None
            prepared = self._current(asked, prepared)
            now_ms = self._sources.now_ms()
            step.begin()
        if decisions:
            yield batch_answer(decisions)

    def _decided(
        self, prepared: BatchPreparation, contact_id: str, judge: Judge, now_ms: UnixMs
    ) -> bytes:
        def decide() -> bytes:
            proposing = Proposing(prepared.contact(contact_id), self._kept_share, judge)
            return proposing.only_decide(self._history, now_ms)

        return outcome_of(contact_id, decide)

    def _catalog(self) -> LiveCatalog:
        catalog = self._cell.current
        if catalog is None:
            raise NothingPublished(self._cell.absence)
        return catalog

    def _current(
        self, asked: AskedBatch, prepared: BatchPreparation
    ) -> BatchPreparation:
        """The same on the revision that decides now: what was withdrawn is not shown.

        Raises what the whole request raises when it does not fit that revision.
        """
        catalog = self._catalog()
        if catalog is prepared.catalog:
            return prepared
        return BatchPreparation(asked, catalog, self._preparation)
