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
from compiler.runtime.values import MISSING
from contact_store.answers import RequestKey
from contact_store.history import HistoryStore
from contact_store.history_transaction import HistoryTransaction
from contact_store.profile_reader import ProfileReader
from contact_store.profiles import ProfileStore
from contact_store.records import (
    EMPTY_RECORD,
    Proposition,
    StoredProposition,
)
from server.answers import propose_answer, update_answer
from server.context_values import check_context, context_slots
from server.engine.call import Call, SpaceCall
from server.engine.decision import Decision, decide
from server.engine.history_slots import KnownNames
from server.engine.live_catalog import LiveCatalog, LiveEnvironment
from server.identification import Identified, identify, space_in
from server.requests import InvalidRequest, UnknownName
from server.resource_names import known_names
from server.translation import AskedDecision, asked_decision, asked_update
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


class _Prepared(NamedTuple):
    """A decision that lacks only what changes with every call: history and time."""

    asked: AskedDecision
    catalog: LiveCatalog
    environment: LiveEnvironment
    identified: Identified
    #: For each space asked for, its place in `calls`; None when nothing decides it.
    places: tuple[int | None, ...]
    calls: tuple[SpaceCall, ...]
    context_values: dict[str, object]
    contact: tuple[object, ...]
    interaction: int
    warnings: tuple[str, ...]


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
        self._profiles = profiles
        self._sources = sources
        #: Of the catalog that they were made for.
        self._readers: tuple[int, dict[str, ProfileReader]] = (-1, {})
        self._names: tuple[int, dict[str, KnownNames]] = (-1, {})

    def propose(self, request: pb.ProposeRequest, caller: str) -> bytes:
        """The encoded ProposeResponse."""
        now_ms = self._sources.now_ms()
        asked = asked_decision(request, now_ms)
        prepared = self._prepare(asked)
        if not self._records(prepared):
            propositions = self._past(prepared)
            decision = self._decide(prepared, propositions, now_ms)
            return self._answer(prepared, decision, {}, now_ms)
        key = RequestKey(caller, "Propose", prepared.environment.name, asked.request_id)
        return self._once(
            key,
            request,
            now_ms,
            lambda txn, decided_at_ms: self._record(txn, prepared, decided_at_ms),
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

    def _prepare(self, asked: AskedDecision) -> _Prepared:
        """Resolve names and check what depends on the catalog."""
        catalog = self._cell.current
        if catalog is None:
            raise NothingPublished("nothing is published yet; publish a catalog first")
        environment = _environment(catalog, asked.environment)
        if not any(one.space in environment.spaces for one in asked.spaces):
            raise UnknownName("space", asked.spaces[0].space, environment.spaces)
        identified = identify(asked, environment, catalog, self._new_visitor_id)
        decides = identified.environment
        schemas = [environment.context_attributes]
        if decides is not None and decides is not environment:
            schemas.append(decides.context_attributes)
        values, violations = check_context(asked.context, schemas)
        if violations:
            raise InvalidRequest(violations)
        places: list[int | None] = []
        calls: list[SpaceCall] = []
        for one in asked.spaces:
            space = space_in(identified, environment, one.space)
            places.append(None if space is None else len(calls))
            if space is not None:
                calls.append(
                    SpaceCall(space, one.max_propositions, one.categories, one.themes)
                )
        return _Prepared(
            asked=asked,
            catalog=catalog,
            environment=environment,
            identified=identified,
            places=tuple(places),
            calls=tuple(calls),
            context_values=values,
            contact=self._profile(catalog, identified),
            interaction=int.from_bytes(self._sources.random_bytes(8)),
            warnings=_warnings(asked, environment, decides),
        )

    def _records(self, prepared: _Prepared) -> bool:
        """Whether this decision can store anything."""
        return not prepared.asked.dry_run and any(
            call.space.recording for call in prepared.calls
        )

    def _past(self, prepared: _Prepared) -> tuple[Proposition, ...]:
        identified = prepared.identified
        if identified.environment is None:
            return ()
        record = self._history.read(identified.environment.name, identified.contact_id)
        return (record or EMPTY_RECORD).propositions

    def _decide(
        self, prepared: _Prepared, history: tuple[Proposition, ...], now_ms: UnixMs
    ) -> Decision:
        decides = prepared.identified.environment
        if decides is None:
            return Decision(())
        asked = prepared.asked
        at_ms = asked.at_ms(now_ms)
        call = Call(
            environment=decides,
            contact=prepared.contact,
            context=context_slots(
                prepared.context_values, decides.context_attributes, at_ms
            ),
            history=history,
            spaces=prepared.calls,
            at_ms=at_ms,
            seed=prepared.interaction,
            excluded=asked.excluded,
            allow_duplicates=asked.allow_duplicates,
            names=self._names_of(prepared.catalog, decides),
        )
        return decide(call)

    def _record(
        self, txn: HistoryTransaction, prepared: _Prepared, decided_at_ms: UnixMs
    ) -> bytes:
        """Decide and store, inside the transaction."""
        identified = prepared.identified
        decides = identified.environment
        assert decides is not None
        record = txn.contact(decides.name, identified.contact_id)
        decision = self._decide(prepared, record.propositions, decided_at_ms)
        recorded = _propositions(prepared, decision, decided_at_ms)
        stored: dict[tuple[int, int], StoredProposition] = {}
        if recorded:
            made = txn.append(decides.name, identified.contact_id, *recorded.values())
            stored = dict(zip(recorded, made, strict=True))
        return self._answer(prepared, decision, stored, decided_at_ms)

    def _answer(
        self,
        prepared: _Prepared,
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

    def _profile(
        self, catalog: LiveCatalog, identified: Identified
    ) -> tuple[object, ...]:
        """The contact's slots; all absent when there is no profile."""
        decides = identified.environment
        if decides is None:
            return ()
        if self._readers[0] != catalog.revision:
            self._readers = (catalog.revision, {})
        readers = self._readers[1]
        reader = readers.get(decides.name)
        if reader is None:
            reader = readers[decides.name] = ProfileReader(
                self._profiles, decides.name, decides.contact_attributes, MISSING
            )
        profile = reader.get(identified.contact_id)
        return profile or (MISSING,) * len(decides.contact_attributes)

    def _names_of(
        self, catalog: LiveCatalog, environment: LiveEnvironment
    ) -> KnownNames:
        if self._names[0] != catalog.revision:
            self._names = (catalog.revision, {})
        names = self._names[1]
        if environment.name not in names:
            names[environment.name] = known_names(environment)
        return names[environment.name]

    def _new_visitor_id(self) -> str:
        return self._sources.random_bytes(16).hex()


def _environment(catalog: LiveCatalog, name: str) -> LiveEnvironment:
    name = name or catalog.default_environment or ""
    environment = catalog.environments.get(name)
    if environment is None:
        raise UnknownName("environment", name, catalog.environments)
    return environment


def _warnings(
    asked: AskedDecision, environment: LiveEnvironment, decides: LiveEnvironment | None
) -> tuple[str, ...]:
    """What the call names and neither environment has."""
    both = [environment] if decides is None else [environment, decides]
    categories = {name for one in asked.spaces for name in one.categories}
    themes = {name for one in asked.spaces for name in one.themes}
    warnings = [
        f"unknown {kind} {name!r} ignored"
        for kind, names, known in (
            ("category", categories, {n for e in both for n in e.categories}),
            ("theme", themes, {n for e in both for n in e.themes}),
            ("offer", asked.excluded, {n for e in both for n in e.offer_numbers}),
        )
        for name in sorted(names - known)
    ]
    return tuple(warnings)


def _propositions(
    prepared: _Prepared, decision: Decision, decided_at_ms: UnixMs
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
