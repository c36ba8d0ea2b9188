"""Any course of appends, updates, aborts and restarts, against a dictionary."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
)
from msgspec.structs import replace

from contact_store.errors import UnknownProposition
from contact_store.history import HistoryStore
from contact_store.records import PropositionStatus, StatusChange
from contact_store.status_changes import with_change
from tests.test_history import NEW, Interrupted

ENVIRONMENTS = ("bank", "shop")
CONTACTS = ("C1", "C2", "C10")

environments = st.sampled_from(ENVIRONMENTS)
contacts = st.sampled_from(CONTACTS)
statuses = st.sampled_from([s for s in PropositionStatus if s])
times = st.integers(0, 2**41)


class HistoryModel(RuleBasedStateMachine):
    ids = Bundle("ids")
    lost = Bundle("lost")

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.model = {}
        self.versions = {}
        self.place_of_id = {}
        self.latest_ms = 0
        self.store = HistoryStore(Path(self.folder.name))

    def teardown(self):
        self.store.close()
        self.folder.cleanup()

    @rule(
        target=ids,
        environment=environments,
        contact=contacts,
        weights=st.lists(st.floats(0, 1e300), max_size=3),
    )
    def append(self, environment, contact, weights):
        key = (environment, contact)
        with self.store.transaction() as txn:
            made = txn.append(
                environment, contact, *[replace(NEW, weight=w) for w in weights]
            )
        kept = self.model.setdefault(key, [])
        self.versions[key] = self.versions.get(key, 0) + 1
        for (proposition_id, proposition), weight in zip(made, weights, strict=True):
            expected = replace(NEW, weight=weight, sequence=len(kept) + 1)
            assert expected == proposition
            self.place_of_id[proposition_id] = (key, len(kept))
            kept.append(expected)
        return multiple(*[proposition_id for proposition_id, _ in made])

    @rule(target=lost, environment=environments, contact=contacts)
    def append_and_abort(self, environment, contact):
        try:
            with self.store.transaction() as txn:
                ((proposition_id, _),) = txn.append(environment, contact, NEW)
                raise Interrupted
        except Interrupted:
            return proposition_id

    @rule(
        proposition_id=ids,
        status=statuses,
        event_time_ms=st.none() | times,
        received_at_ms=times,
    )
    def update(self, proposition_id, status, event_time_ms, received_at_ms):
        key, index = self.place_of_id[proposition_id]
        with self.store.transaction() as txn:
            updated = txn.update(proposition_id, status, event_time_ms, received_at_ms)
        change = StatusChange(status, event_time_ms, received_at_ms)
        self.model[key][index] = with_change(self.model[key][index], change)
        self.versions[key] += 1

        assert self.model[key][index] == updated

    @rule(proposition_id=consumes(lost))
    def update_what_was_aborted(self, proposition_id):
        # The sequence may have been given again since, to a committed proposition.
        if proposition_id not in self.place_of_id:
            with pytest.raises(UnknownProposition), self.store.transaction() as txn:
                txn.update(proposition_id, PropositionStatus.ACCEPTED, None, 1)

    @rule(now_ms=times)
    def tell_the_time(self, now_ms):
        self.latest_ms = max(self.latest_ms, now_ms)
        with self.store.transaction() as txn:
            assert self.latest_ms == txn.decided_at(now_ms)

    @rule()
    def reopen(self):
        self.store.close()
        self.store = HistoryStore(Path(self.folder.name))

    @invariant()
    def everyone_reads_the_model(self):
        for environment in ENVIRONMENTS:
            for contact in CONTACTS:
                key = (environment, contact)
                record = self.store.read(environment, contact)
                if key not in self.model:
                    assert record is None
                else:
                    assert tuple(self.model[key]) == record.propositions
                    assert self.versions[key] == record.version


TestHistoryModel = HistoryModel.TestCase
TestHistoryModel.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, derandomize=True
)
