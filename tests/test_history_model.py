"""Any course of appends, updates, aborts and restarts, against a dictionary."""

import tempfile
from math import inf
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

from contact_store.doctor import ContactDoctor
from contact_store.errors import UnknownProposition
from contact_store.history import HistoryStore
from contact_store.reach import Look, Reach
from contact_store.records import EMPTY_RECORD, PropositionStatus, StatusChange
from contact_store.status_changes import status_since, with_change
from tests.test_history import NEW, Interrupted

ENVIRONMENTS = ("bank", "shop")
CONTACTS = ("C1", "C2", "C10")

environments = st.sampled_from(ENVIRONMENTS)
contacts = st.sampled_from(CONTACTS)
statuses = st.sampled_from([s for s in PropositionStatus if s])
times = st.integers(0, 2**41)


looks = st.builds(Look, st.integers(0, 2**40) | st.just(inf), st.integers(1, 127))
reaches = st.builds(
    Reach, st.lists(looks, max_size=2).map(tuple), times, st.integers(0, 4)
)


def may_count(reach, proposition):
    """Either moment lies in a period that looks for the status."""
    moments = (proposition.event_time_ms, status_since(proposition))
    return any(
        moment >= reach.at_ms - look.period_ms
        and look.statuses >> proposition.status & 1
        for look in reach.looks
        for moment in moments
    )


def id_of(proposition):
    return proposition.sequence


def moment_of(proposition):
    return (proposition.event_time_ms, proposition.sequence)


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
        self.store = HistoryStore(Path(self.folder.name), part_propositions=1)

    def teardown(self):
        self.store.close()
        self.folder.cleanup()

    @rule(
        target=ids,
        environment=environments,
        contact=contacts,
        weights=st.lists(st.floats(0, 1e300), max_size=5),
        event_time_ms=times,
    )
    def append(self, environment, contact, weights, event_time_ms):
        key = (environment, contact)
        new = replace(NEW, event_time_ms=event_time_ms)
        with self.store.transaction() as txn:
            made = txn.append(
                environment, contact, *[replace(new, weight=w) for w in weights]
            )
        kept = self.model.setdefault(key, [])
        self.versions[key] = self.versions.get(key, 0) + 1
        for (proposition_id, proposition), weight in zip(made, weights, strict=True):
            expected = replace(new, weight=weight, sequence=len(kept) + 1)
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

    @rule(part_propositions=st.sampled_from([1, 2, 3, 64]))
    def reopen(self, part_propositions):
        """With parts of another size; a doctor finds nothing wrong meanwhile."""
        self.store.close()
        with ContactDoctor("history", Path(self.folder.name)) as doctor:
            assert list(doctor.examine(lambda *_: None)) == []
        self.store = HistoryStore(
            Path(self.folder.name), part_propositions=part_propositions
        )

    @rule(environment=environments, contact=contacts, reach=reaches)
    def look(self, environment, contact, reach):
        """What a decision may count is read, be it cold, and what is left is not."""
        whole = self.model.get((environment, contact), [])
        record = self.store.read(environment, contact, reach) or EMPTY_RECORD
        seen = set(map(id_of, record.propositions))
        newest = sorted(whole, key=moment_of, reverse=True)[: reach.newest]
        counted = [one for one in whole if may_count(reach, one)]

        assert seen >= {*map(id_of, counted), *map(id_of, newest)}
        assert len(whole) == record.proposition_count
        read = tuple(one for one in whole if id_of(one) in seen)
        assert read == record.propositions
        for part in record.cold:
            assert not reach.includes(part.newest_ms, part.statuses)

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
