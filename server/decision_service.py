"""Propose and UpdateProposition, from a parsed request to an answer.

A recorded decision is one write transaction: the contact's history is read, the
engine decides, the propositions and the kept answer are written, and the answer goes
out after the commit. What counts is therefore exact on any number of workers.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import NamedTuple, Protocol

from catalog_store.records import UnixMs
from catalog_store.revisions import NothingPublished
from contact_store.answers import RequestKey
from contact_store.history import HistoryStore
from contact_store.history_transaction import HistoryTransaction
from contact_store.profiles import ProfileStore
from contact_store.records import (
    EMPTY_RECORD,
    ContactRecord,
    Proposition,
    StoredProposition,
)
from server.answers import propose_answer, update_answer
from server.engine.decision import Decision, decide
from server.engine.live_catalog import LiveCatalog
from server.preparation import Preparation, PreparedDecision
from server.translation import asked_decision, asked_update
from server.wire import decision_pb2 as pb


class LiveCatalogCell(Protocol):
    """Where the worker keeps the catalog that decides now."""

    current: LiveCatalog | None


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
    ) -> None:
        self._cell = cell
        self._history = history
        self._sources = sources
        self._preparation = Preparation(profiles, sources.random_bytes)

    def propose(self, request: pb.ProposeRequest, caller: str) -> bytes:
        """The encoded ProposeResponse."""
        now_ms = self._sources.now_ms()
        asked = asked_decision(request, now_ms)
        catalog = self._cell.current
        if catalog is None:
            raise NothingPublished("nothing is published yet; publish a catalog first")
        prepared = self._preparation.prepare(asked, catalog)
        if not prepared.records:
            decision = self._only_decide(prepared, now_ms)
            return _answer(prepared, decision, {}, now_ms)
        key = RequestKey(caller, "Propose", prepared.environment.name, asked.request_id)
        return self._once(
            key,
            request,
            now_ms,
            lambda txn, decided_at_ms: _record(txn, prepared, decided_at_ms),
        )

    def update_proposition(
        self, request: pb.UpdatePropositionRequest, caller: str
    ) -> bytes:
        """The encoded UpdatePropositionResponse."""
        now_ms = self._sources.now_ms()
        asked = asked_update(request, now_ms)
        key = RequestKey(caller, "UpdateProposition", "", asked.request_id)

        def update(txn: HistoryTransaction, received_at_ms: UnixMs) -> bytes:
            updated = txn.update(
                asked.proposition_id, asked.status, asked.event_time_ms, received_at_ms
            )
            return update_answer(asked.proposition_id, updated)

        return self._once(key, request, now_ms, update)

    def _once(
        self,
        key: RequestKey,
        request: pb.ProposeRequest | pb.UpdatePropositionRequest,
        now_ms: UnixMs,
        answer: Callable[[HistoryTransaction, UnixMs], bytes],
    ) -> bytes:
        """Answer in one transaction; a request id is answered once, and then again.

        Raises RequestIdReused. What is returned is on disk.
        """
        with self._history.transaction() as txn:
            decided_at_ms = txn.decided_at(now_ms)
            if not key.request_id:
                return answer(txn, decided_at_ms)
            digest = _digest(request)
            kept = txn.answer(key, digest, decided_at_ms)
            if kept is None:
                kept = answer(txn, decided_at_ms)
                txn.keep_answer(key, digest, kept, decided_at_ms)
            return kept

    def _only_decide(self, prepared: PreparedDecision, now_ms: UnixMs) -> Decision:
        """Decide on the history as it was last committed."""
        identified = prepared.identified
        if identified.environment is None:
            return Decision(())
        environment, contact_id = identified.environment.name, identified.contact_id
        record = self._history.read(environment, contact_id) or EMPTY_RECORD
        return decide(prepared.call(record.propositions, now_ms))


def _record(
    txn: HistoryTransaction, prepared: PreparedDecision, decided_at_ms: UnixMs
) -> bytes:
    """Decide and store, inside the transaction; the encoded answer."""
    identified = prepared.identified
    decides = identified.environment
    assert decides is not None
    record: ContactRecord = txn.contact(decides.name, identified.contact_id)
    decision = decide(prepared.call(record.propositions, decided_at_ms))
    recorded = _propositions(prepared, decision, decided_at_ms)
    stored: dict[tuple[int, int], StoredProposition] = {}
    if recorded:
        made = txn.append(decides.name, identified.contact_id, *recorded.values())
        stored = dict(zip(recorded, made, strict=True))
    return _answer(prepared, decision, stored, decided_at_ms)


def _answer(
    prepared: PreparedDecision,
    decision: Decision,
    stored: dict[tuple[int, int], StoredProposition],
    decided_at_ms: UnixMs,
) -> bytes:
    asked = prepared.asked
    return propose_answer(
        asked=asked,
        known_spaces=prepared.environment.spaces,
        identified=prepared.identified,
        revision=prepared.catalog.revision,
        interaction=prepared.interaction,
        decision=decision,
        places=prepared.places,
        proposition_ids={k: v.proposition_id for k, v in stored.items()},
        at_ms=asked.at_ms(decided_at_ms),
        warnings=prepared.warnings,
    )


def _propositions(
    prepared: PreparedDecision, decision: Decision, decided_at_ms: UnixMs
) -> dict[tuple[int, int], Proposition]:
    """What is to be stored, by place of the space and of the offer in it."""
    at_ms = prepared.asked.at_ms(decided_at_ms)
    propositions: dict[tuple[int, int], Proposition] = {}
    for place, filled in enumerate(decision.spaces):
        if not filled.space.recording:
            continue
        for index, chosen in enumerate(filled.chosen):
            offer = chosen.scored.offer
            propositions[place, index] = Proposition(
                interaction=prepared.interaction,
                offer=offer.offer_hash,
                category=offer.category_hash,
                space=filled.space.space_hash,
                channel=filled.space.channel_code,
                weight=chosen.scored.weight,
                rank=chosen.rank,
                status=filled.space.proposition_status,
                event_time_ms=at_ms,
                decided_at_ms=decided_at_ms,
            )
    return propositions


def _digest(request: pb.ProposeRequest | pb.UpdatePropositionRequest) -> bytes:
    """Of what a request says, however its maps happened to be encoded."""
    encoded = request.SerializeToString(deterministic=True)
    return blake2b(encoded, digest_size=16).digest()
