"""Appends, updates, bindings, merges and restarts in any order, against a model."""

import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
)
from msgspec.structs import replace

from contact_store import history_transaction
from contact_store import merge as merge_module
from contact_store.contact_ids import ContactName
from contact_store.doctor import ContactDoctor
from contact_store.errors import HistoryFull
from contact_store.history import HistoryStore
from contact_store.records import PropositionStatus, StatusChange
from contact_store.status_changes import with_change
from tests.test_history import NEW, Interrupted

CONTACTS = [ContactName("bank", contact) for contact in ("C1", "C2", "C3")]
VISITORS = [ContactName("web", visitor) for visitor in ("V1", "V2")]
NAMES = CONTACTS + VISITORS
#: Small enough for unions to be refused.
FULL = 9

names = st.sampled_from(NAMES)
stored_values = st.dictionaries(
    st.sampled_from(["a", "b"]), st.booleans() | st.integers(0, 9) | st.text(max_size=3)
)


def set_full(count):
    history_transaction.PROPOSITIONS_MAX = count
    merge_module.PROPOSITIONS_MAX = count


class Kept:
    """One contact's history."""

    def __init__(self, owner):
        self.owner = owner
        self.next_sequence = 1
        #: Mutable, so that an id's proposition is found wherever it was moved.
        self.propositions = []


class MergeModel(RuleBasedStateMachine):
    ids = Bundle("ids")

    def __init__(self):
        super().__init__()
        self.full_before = history_transaction.PROPOSITIONS_MAX
        set_full(FULL)
        self.folder = tempfile.TemporaryDirectory()
        self.leads = {}
        self.of_id = {}
        self.bound = {}
        self.made = 0
        self.seen = {}
        self.store = HistoryStore(Path(self.folder.name), part_propositions=1)

    def teardown(self):
        set_full(self.full_before)
        self.store.close()
        self.folder.cleanup()

    def kept(self, name):
        return self.leads.setdefault(name, Kept(name))

    def absorb(self, source, target_name):
        target = self.kept(target_name)
        for cell in source.propositions:
            sequence = cell[0].sequence + target.next_sequence - 1
            cell[0] = replace(cell[0], sequence=sequence)
        target.propositions += source.propositions
        target.next_sequence += source.next_sequence - 1
        self.leads = {
            name: target if kept is source else kept
            for name, kept in self.leads.items()
        }

    def does_not_fit(self, source, target_name):
        target = self.leads.get(target_name)
        there = len(target.propositions) if target else 0
        return there + len(source.propositions) > FULL

    @rule(target=ids, name=names, count=st.integers(0, 3))
    def append(self, name, count):
        kept = self.leads.get(name)
        if kept and len(kept.propositions) + count > FULL:
            with pytest.raises(HistoryFull), self.store.transaction() as txn:
                txn.append(*name, *[NEW] * count)
            return multiple()
        propositions = [
            replace(NEW, interaction=self.made + number) for number in range(count)
        ]
        with self.store.transaction() as txn:
            made = txn.append(*name, *propositions)
        self.made += count
        kept = self.kept(name)
        for (proposition_id, stored), proposition in zip(
            made, propositions, strict=True
        ):
            cell = [replace(proposition, sequence=kept.next_sequence)]
            kept.next_sequence += 1
            kept.propositions.append(cell)
            self.of_id[proposition_id] = cell
            assert cell[0] == stored
        return multiple(*[proposition_id for proposition_id, _ in made])

    @rule(
        proposition_id=ids,
        status=st.sampled_from([s for s in PropositionStatus if s]),
        received_at_ms=st.integers(0, 9),
        stored=st.none() | stored_values,
    )
    def update(self, proposition_id, status, received_at_ms, stored):
        with self.store.transaction() as txn:
            updated = txn.update(proposition_id, status, None, received_at_ms, stored)
        cell = self.of_id[proposition_id]
        changed = with_change(cell[0], StatusChange(status, None, received_at_ms))
        cell[0] = replace(changed, stored={**changed.stored, **(stored or {})})

        assert cell[0] == updated

    @rule(source=names, into=names)
    def merge(self, source, into):
        moving = self.leads.get(source)
        if source == into or (moving and moving is self.leads.get(into)):
            with self.store.transaction() as txn:
                txn.merge(source, into)
        elif moving is None:
            with self.store.transaction() as txn:
                txn.merge(source, into)
            self.leads[source] = self.kept(into)
        elif self.does_not_fit(moving, into):
            with self.store.transaction() as txn, pytest.raises(HistoryFull):
                txn.merge(source, into)
        else:
            with self.store.transaction() as txn:
                txn.merge(source, into)
            self.absorb(moving, into)

    @rule(
        contact=st.sampled_from(CONTACTS),
        visitor=st.sampled_from(VISITORS),
        anonymous=st.booleans(),
        times=st.integers(1, 2),
    )
    def bind(self, contact, visitor, anonymous, times):
        environment = visitor.environment if anonymous else None
        call = (*contact, environment, visitor.contact_id, 1)
        found = self.leads.get(visitor)
        own = found is not None and found.owner.environment == visitor.environment
        moves = anonymous and own and found is not self.leads.get(contact)
        if moves and self.does_not_fit(found, contact):
            with self.store.transaction() as txn, pytest.raises(HistoryFull):
                txn.bind_visitor(*call)
            return
        with self.store.transaction() as txn:
            for _ in range(times):
                txn.bind_visitor(*call)
        self.bound[contact.environment, visitor.contact_id] = contact.contact_id
        if moves:
            self.absorb(found, contact)
        elif anonymous:
            self.leads[visitor] = self.kept(contact)
        else:
            self.kept(contact)

    @rule(source=names, into=names, visitor=st.sampled_from(VISITORS))
    def abort(self, source, into, visitor):
        def merge_and_fail():
            with self.store.transaction() as txn:
                txn.bind("bank", visitor.contact_id, "C3", 1)
                txn.merge(source, into)
                txn.append(*source, NEW)
                raise Interrupted

        with pytest.raises((Interrupted, HistoryFull)):
            merge_and_fail()

    @rule(part_propositions=st.sampled_from([1, 2, 64]))
    def reopen(self, part_propositions):
        """With parts of another size; a doctor finds nothing wrong meanwhile."""
        self.store.close()
        with ContactDoctor("history", Path(self.folder.name)) as doctor:
            assert list(doctor.examine(lambda *_: None)) == []
        self.store = HistoryStore(
            Path(self.folder.name), part_propositions=part_propositions
        )

    @invariant()
    def every_name_reads_its_record(self):
        for name in NAMES:
            record = self.store.read(*name)
            kept = self.leads.get(name)
            expected = tuple(cell[0] for cell in kept.propositions) if kept else ()
            assert expected == (record.propositions if record else ())
            if record:
                assert kept.next_sequence == record.next_sequence
            sequences = [p.sequence for p in expected]
            assert all(one < other for one, other in pairwise(sequences))

    @invariant()
    def nothing_is_lost_or_doubled(self):
        kept = {id(kept): kept for kept in self.leads.values()}.values()
        stored = [cell[0].interaction for k in kept for cell in k.propositions]
        assert list(range(self.made)) == sorted(stored)

    @invariant()
    def equal_versions_are_equal_records(self):
        for name in NAMES:
            record = self.store.read(*name)
            if record:
                before = self.seen.setdefault((name, record.version), record)
                assert before == record

    @invariant()
    def bindings_are_the_latest(self):
        for visitor in VISITORS:
            expected = self.bound.get(("bank", visitor.contact_id))
            assert expected == self.store.bound_contact("bank", visitor.contact_id)

    @precondition(lambda self: self.leads)
    @invariant()
    def ids_and_names_lead_to_the_owner(self):
        owner_of = {
            id(cell): kept.owner
            for kept in self.leads.values()
            for cell in kept.propositions
        }
        with self.store.transaction() as txn:
            for proposition_id, cell in self.of_id.items():
                expected = (*owner_of[id(cell)], cell[0])
                assert expected == txn.find(proposition_id)
            for name, kept in self.leads.items():
                found = txn.names(*name)
                assert kept.owner == found.owner
                assert set(found.aliases) == {
                    alias
                    for alias, other in self.leads.items()
                    if other is kept and alias != kept.owner
                }
                assert set(found.visitors) == {
                    (environment, visitor)
                    for (environment, visitor), contact in self.bound.items()
                    if self.leads[environment, contact] is kept
                }


TestMergeModel = MergeModel.TestCase
TestMergeModel.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, derandomize=True
)
