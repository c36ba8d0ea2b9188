"""One decision for one request: made, recorded, answered, and explained if need be."""

from collections.abc import Callable, Generator
from typing import NamedTuple

from msgspec.structs import replace

from catalog_store.records import UnixMs
from contact_store.history import HistoryStore
from contact_store.history_transaction import HistoryTransaction
from contact_store.records import EMPTY_RECORD, Proposition, StoredProposition
from server.answers import propose_answer
from server.contact_history import ContactHistory
from server.engine.call import Call
from server.engine.decision import Decision, decide
from server.engine.stored_values import stored_values
from server.explanations import explained
from server.metrics import count_decision
from server.preparation import PreparedDecision
from server.quota_counts import QuotaCounts
from server.replaying import is_kept, kept_inputs
from server.translation import AskedExplanation
from server.wire import decision_pb2 as pb


class Proposing:
    """Decides a prepared request once, recorded or not."""

    def __init__(
        self,
        prepared: PreparedDecision,
        kept_share: float,
        judge: Callable[[Decision], None] = lambda _: None,
    ) -> None:
        """`judge` sees the decision before anything is stored, and raises to refuse."""
        self._prepared = prepared
        self._kept_share = kept_share
        self._judge = judge
        #: None until it decides: a retry is answered with what was kept.
        self._decided: _Decided | None = None
        self._quota_warnings: list[str] = []

    def record(self, txn: HistoryTransaction, decided_at_ms: UnixMs) -> bytes:
        """Decide and store, inside the transaction; the encoded answer."""
        identified = self._prepared.identified
        decides = identified.environment
        assert decides is not None
        if identified.binds_visitor:
            # First, so that what was proposed to the visitor counts in this decision.
            txn.bind_visitor(
                decides.name,
                identified.contact_id,
                decides.anonymous_environment,
                identified.visitor_id,
                decided_at_ms,
            )
        name = (decides.name, identified.contact_id)
        history = ContactHistory(
            lambda reach: txn.contact(*name, reach), self._prepared.reach(decided_at_ms)
        )
        is_to_keep = is_kept(identified.contact_id, self._kept_share)
        counts = QuotaCounts(decides.quotas, decided_at_ms, txn.quota_used)
        decision = self._decide(history, decided_at_ms, counts, wants_all=is_to_keep)
        assert self._decided is not None
        recorded = _propositions(self._prepared, *self._decided, decided_at_ms)
        stored: dict[tuple[int, int], StoredProposition] = {}
        if recorded:
            made = txn.append(decides.name, identified.contact_id, *recorded.values())
            stored = dict(zip(recorded, made, strict=True))
            txn.consume_quotas(counts.to_consume(decision.quotas_taken))
        if is_to_keep:
            assert self._decided is not None
            inputs = kept_inputs(
                self._prepared,
                *self._decided,
                before=history.record,
                at_ms=decided_at_ms,
            )
            txn.keep_inputs(decides.name, identified.contact_id, inputs)
        return self._answer(decision, stored, decided_at_ms)

    def only_decide(self, history: HistoryStore, now_ms: UnixMs) -> bytes:
        """Decide on what was last committed, and store nothing; the encoded answer."""
        identified = self._prepared.identified
        if identified.environment is None:
            nothing = Decision(())
            self._judge(nothing)
            return self._answer(nothing, {}, now_ms)
        name = (identified.environment.name, identified.contact_id)
        quotas = identified.environment.quotas
        with history.snapshot() as snapshot:
            seen = ContactHistory(
                lambda reach: snapshot.record(*name, reach) or EMPTY_RECORD,
                self._prepared.reach(now_ms),
            )
            decided_at_ms = (
                snapshot.latest_decided_at(now_ms) if quotas.live else now_ms
            )
            counts = QuotaCounts(quotas, decided_at_ms, snapshot.quota_used)
            decision = self._decide(seen, now_ms, counts)
        return self._answer(decision, {}, now_ms)

    def with_reasons(
        self, answer: bytes, asked: AskedExplanation
    ) -> Generator[None, None, bytes]:
        """The answer with its reasons, if it was decided now; in steps."""
        if self._decided is None:
            return answer
        revision = self._prepared.catalog.revision
        explanation = yield from explained(asked, *self._decided, revision)
        # Messages that are joined are merged: the answer need not be parsed again.
        return answer + pb.ProposeResponse(explanation=explanation).SerializeToString()

    def _decide(
        self,
        history: ContactHistory,
        decided_at_ms: UnixMs,
        counts: QuotaCounts,
        *,
        wants_all: bool = False,
    ) -> Decision:
        prepared = self._prepared
        newest = history.newest if history.record.cold else None
        call = prepared.call(
            history.counted, decided_at_ms, counts, counts.fallbacks, newest
        )
        decision = decide(call)
        self._judge(decision)
        # An explanation is about all offers, those not decided on included. And what
        # outlives the transaction must not read in it.
        wants_all = wants_all or prepared.asked.explanation is not None
        if call.environment.quotas.live:
            self._quota_warnings = counts.warnings()
            left = counts.read_all() if wants_all else counts.read()
            call = call._replace(
                quotas_left=left,
                fallbacks_left=counts.fallbacks.read(),
                decided_at_ms=counts.decided_at_ms,
            )
        if newest is not None:
            seen = history.newest() if wants_all else history.seen()
            call = call._replace(history=seen, newest=None)
        self._decided = _Decided(call, decision)
        count_decision(decision, prepared.absent_count)
        return decision

    def _answer(
        self,
        decision: Decision,
        stored: dict[tuple[int, int], StoredProposition],
        decided_at_ms: UnixMs,
    ) -> bytes:
        prepared = self._prepared
        asked = prepared.asked
        return propose_answer(
            asked=asked,
            known_spaces=prepared.environment.spaces,
            identified=prepared.identified,
            revision=prepared.catalog.revision,
            interaction=prepared.interaction,
            decision=decision,
            places=prepared.form.places,
            offer_parts=prepared.form.offer_parts,
            proposition_ids={k: v.proposition_id for k, v in stored.items()},
            at_ms=asked.at_ms(decided_at_ms),
            warnings=(*prepared.form.warnings, *self._quota_warnings),
        )


class _Decided(NamedTuple):
    """What the explanation is about."""

    call: Call
    decision: Decision


def _propositions(
    prepared: PreparedDecision, call: Call, decision: Decision, decided_at_ms: UnixMs
) -> dict[tuple[int, int], Proposition]:
    """What is to be stored, by place of the space and of the offer in it."""
    at_ms = prepared.asked.at_ms(decided_at_ms)
    propositions: dict[tuple[int, int], Proposition] = {}
    for place, filled in enumerate(decision.spaces):
        if not filled.space.recording:
            continue
        for index, chosen in enumerate(filled.chosen):
            offer = chosen.scored.offer
            made = Proposition(
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
            expressions = filled.space.stored_on_proposition
            if expressions:
                stored = stored_values(call, filled.space, made, expressions)
                made = replace(made, stored=stored)
            propositions[place, index] = made
    return propositions
