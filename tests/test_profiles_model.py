"""Any course of imports, folds and single writes, against a dictionary."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from catalog_store.records import Attribute, AttributeType
from contact_store.profile_layers import fold_batch
from contact_store.profile_reader import ProfileReader
from contact_store.profiles import ProfileStore

LAYOUTS = (
    (Attribute(name="age", type=AttributeType.INT),),
    (
        Attribute(name="tags", type=AttributeType.INT_LIST),
        Attribute(name="age", type=AttributeType.INT),
    ),
)
ENVIRONMENTS = ("bank", "shop")
CONTACTS = [f"C{number}" for number in range(6)]

environments = st.sampled_from(ENVIRONMENTS)
contacts = st.sampled_from(CONTACTS)
layouts = st.sampled_from(LAYOUTS)
ages = st.none() | st.integers(0, 99)


class Interrupted(Exception):
    """Stands for whatever stops a process in the middle."""


def values_of(layout, age):
    return [age] if len(layout) == 1 else [(1, 2), age]


class ProfileModel(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.model = {environment: {} for environment in ENVIRONMENTS}
        self.open()

    def open(self):
        self.store = ProfileStore(Path(self.folder.name))
        self.readers = {
            environment: ProfileReader(self.store, environment, LAYOUTS[0], "absent")
            for environment in ENVIRONMENTS
        }

    def teardown(self):
        self.store.close()
        self.folder.cleanup()

    @rule(environment=environments, contact=contacts, layout=layouts, age=ages)
    def upsert(self, environment, contact, layout, age):
        self.store.upsert(environment, contact, layout, values_of(layout, age))
        self.model[environment][contact] = age

    @rule(environment=environments, contact=contacts)
    def delete(self, environment, contact):
        known = self.model[environment].pop(contact, Interrupted) is not Interrupted

        assert known == self.store.delete(environment, contact)

    @rule(
        environment=environments,
        layout=layouts,
        rows=st.lists(st.tuples(contacts, ages), max_size=8),
        end=st.sampled_from(["folded", "published", "abandoned"]),
    )
    def load(self, environment, layout, rows, end):
        def stop(_):
            raise Interrupted

        try:
            with self.store.importing(environment, layout) as into:
                for contact, age in rows:
                    into.put(contact, values_of(layout, age))
                if end == "abandoned":
                    raise Interrupted
                into.publish(stop if end == "published" else lambda _: None)
        except Interrupted:
            pass
        if end != "abandoned":
            self.model[environment].update(rows)

    @rule(limit=st.integers(1, 4))
    def fold_some(self, limit):
        fold_batch(self.store.lmdb_env, limit)

    @rule()
    def reopen(self):
        self.store.close()
        self.open()

    @invariant()
    def everyone_reads_the_model(self):
        for environment, profiles in self.model.items():
            expected = {
                contact: ("absent" if age is None else age,)
                for contact, age in profiles.items()
            }
            reader = self.readers[environment]
            found = {contact: reader.get(contact) for contact in CONTACTS}
            scanned = list(self.store.scan(environment, LAYOUTS[0], "absent"))

            assert {c: expected.get(c) for c in CONTACTS} == found
            assert sorted(expected.items()) == scanned
            assert len(expected) == self.store.count(environment)


TestProfileModel = ProfileModel.TestCase
TestProfileModel.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, derandomize=True
)
