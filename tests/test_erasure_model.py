"""Erasures among decisions, updates, bindings and merges, against a model."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, invariant, rule
from msgspec.structs import replace

from contact_store.answers import RequestKey
from contact_store.decision_inputs import DecisionInputs
from contact_store.errors import UnknownProposition
from contact_store.history_erasure import ErasedHistory
from contact_store.records import PropositionStatus, StatusChange
from contact_store.status_changes import with_change
from tests.test_history import NEW
from tests.test_merge_model import FULL, MergeModel, names

DIGEST = bytes(16)


class ErasureModel(MergeModel):
    """What MergeModel does, and contacts that go; answers and inputs go with them."""

    ids = Bundle("ids")

    def __init__(self):
        super().__init__()
        self.erased_ids = set()
        self.erased_interactions = set()
        #: Request -> whose answer it is, and interaction -> whose inputs they are.
        self.answers = {}
        self.inputs = {}

    def absorb(self, source, target_name):
        super().absorb(source, target_name)
        target = self.kept(target_name)
        for owned in (self.answers, self.inputs):
            for key, kept in owned.items():
                if kept is source:
                    owned[key] = target

    @rule(target=ids, name=names)
    def decide(self, name):
        """One proposition, its inputs, and its answer under a request id."""
        number = self.made
        kept = self.leads.get(name)
        count = 0 if kept and len(kept.propositions) >= FULL else 1
        with self.store.transaction() as txn:
            assert txn.answer(request(number), DIGEST, 1) is None
            before = txn.contact(*name)
            proposition = replace(NEW, interaction=number)
            made = txn.append(*name, *[proposition] * count)
            txn.keep_inputs(*name, inputs(number, name, before))
            txn.keep_answer(request(number), DIGEST, b"answer", 1)
        kept = self.kept(name)
        self.answers[number] = self.inputs[number] = kept
        self.made += 1
        if not count:
            self.erased_interactions.add(number)
            return f"none-{number}"
        cell = [replace(proposition, sequence=kept.next_sequence)]
        kept.next_sequence += 1
        kept.propositions.append(cell)
        self.of_id[made[0].proposition_id] = cell
        return made[0].proposition_id

    @rule(
        proposition_id=ids,
        status=st.sampled_from([s for s in PropositionStatus if s]),
        received_at_ms=st.integers(0, 9),
        stored=st.none(),
    )
    def update(self, proposition_id, status, received_at_ms, stored):
        with self.store.transaction() as txn:
            if proposition_id not in self.of_id:
                with pytest.raises(UnknownProposition):
                    txn.update(proposition_id, status, None, received_at_ms)
                return
            updated = txn.update(proposition_id, status, None, received_at_ms)
        cell = self.of_id[proposition_id]
        change = StatusChange(status, None, received_at_ms)
        cell[0] = with_change(cell[0], change)
        assert cell[0] == updated

    @rule(name=names)
    def erase(self, name):
        kept = self.leads.get(name)
        with self.store.transaction() as txn:
            erased = txn.erase(*name)
        if kept is None:
            assert erased == ErasedHistory()
            return
        gone = [one for one, other in self.leads.items() if other is kept]
        bindings = [
            visitor
            for visitor, contact in self.bound.items()
            if self.leads[visitor[0], contact] is kept
        ]
        assert erased.ids >= 1
        assert erased == ErasedHistory(
            ids=erased.ids,
            propositions=len(kept.propositions),
            bindings=len(bindings),
            inputs=forget(self.inputs, kept),
            answers=forget(self.answers, kept),
        )
        for visitor in bindings:
            del self.bound[visitor]
        cells = {id(cell) for cell in kept.propositions}
        self.erased_interactions |= {c[0].interaction for c in kept.propositions}
        self.of_id = {i: c for i, c in self.of_id.items() if id(c) not in cells}
        self.seen = {key: one for key, one in self.seen.items() if key[0] not in gone}
        self.leads = {n: k for n, k in self.leads.items() if k is not kept}

    @invariant()
    def nothing_is_lost_or_doubled(self):
        kept = {id(kept): kept for kept in self.leads.values()}.values()
        stored = [cell[0].interaction for k in kept for cell in k.propositions]
        left = set(range(self.made)) - self.erased_interactions
        assert sorted(left) == sorted(stored)

    @invariant()
    def answers_and_inputs_of_whoever_is_left_are_kept(self):
        with self.store.transaction() as txn:
            answered = [
                number
                for number in range(self.made)
                if txn.answer(request(number), DIGEST, 1) is not None
            ]
        assert sorted(self.answers) == answered
        kept = {one.interaction for one in self.store.newest_inputs(9_999)}
        assert set(self.inputs) == kept


def request(number):
    return RequestKey("web", "Propose", "bank", f"r{number}")


def inputs(number, name, before):
    return DecisionInputs(
        interaction=number,
        engine_version=1,
        revision=1,
        environment=name.environment,
        contact_id=name.contact_id,
        contact={},
        context={},
        history=before.propositions,
        history_version=before.version,
        spaces=(),
        at_ms=1,
        decided_at_ms=1,
        excluded=(),
        allow_duplicates=False,
        record_sha256=b"",
    )


def forget(owned, kept):
    """Remove what is one contact's; returns how much that was."""
    keys = [key for key, owner in owned.items() if owner is kept]
    for key in keys:
        del owned[key]
    return len(keys)


TestErasureModel = ErasureModel.TestCase
TestErasureModel.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, derandomize=True
)
