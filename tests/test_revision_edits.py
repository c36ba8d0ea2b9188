"""Compiling after random edits: the same to the byte as compiling everything."""

import os
from random import Random
from unittest.mock import patch

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_store.compiled import CompiledCatalog
from catalog_store.records import Environment, Offer, Segment, WeightRow
from compiler import row_sets
from tests.bank import ATTRIBUTES, environment, offer, row
from tests.test_revision_compile import SEGMENTS, again, attribute, compiled, segments

#: Catalogs that are edited; PROPONO_EDITED_CATALOGS makes it longer.
EDITED_CATALOGS = int(os.environ.get("PROPONO_EDITED_CATALOGS", "40"))

_NAMES = ("adult", "rich", "idle", "more")
_ATOMS = (
    *(f"contact.age > {n}" for n in range(3)),
    "contact.job == 'adult'",
    "has(contact.balance)",
)


@st.composite
def catalogs(draw: st.DrawFn) -> Environment:
    """Small environments, often with rules and segments of each other's."""
    random = Random(draw(st.integers(0, 2**32)))
    names = _NAMES[: random.randint(1, 4)]
    found: list[Segment] = []
    for place, name in enumerate(names):
        uses = [f"segment.{used}" for used in names[:place]]
        rule = " && ".join(random.sample([*_ATOMS, *uses], random.randint(1, 2)))
        found.append(Segment(name=name, rule=rule))
    atoms = [*_ATOMS, *(f"segment.{name}" for name in names)]
    offers = [
        offer(
            f"offer_{number}",
            row(
                random.choice([1, "double(contact.age)"]),
                rule=" || ".join(random.sample(atoms, random.randint(1, 2))),
            ),
        )
        for number in random.sample(range(4), random.randint(1, 4))
    ]
    random.shuffle(found)
    kept = ATTRIBUTES if random.random() < 0.8 else (attribute("x"), *ATTRIBUTES)
    made = environment(offers, segments=tuple(found))
    return msgspec.structs.replace(made, contact_attributes=kept)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(before=catalogs(), after=catalogs())
def test_any_catalog_after_any_other_is_as_if_it_were_alone(
    before: Environment, after: Environment
) -> None:
    """Whatever was published before, the result is the same to the byte."""
    assert again(compiled(before), after) == compiled(after)


_CONDITIONS = (
    *(f"contact.age > {n}" for n in range(12)),
    "contact.job in ['a', 'b']",
    "contact.job != 'b'",
    "has(contact.balance)",
    "segment.adult",
    "contact.balance > contact.balance / 2",
    "contact.job.startsWith('a')",
    "(contact.age > 3 && has(contact.job))",
)


class Dice:
    """Random catalogs of many rows, and small edits of them."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def rule(self) -> str | None:
        count = self.random.randint(0, 3)
        return " && ".join(self.random.sample(_CONDITIONS, count)) or None

    def row(self) -> WeightRow:
        weight = self.random.choice([0, 1, 2, 2.5, "double(contact.age)", -0.0])
        return row(weight, rule=self.rule())

    def offer(self, name: str) -> Offer:
        rows = [self.row() for _ in range(self.random.randint(0, 3))]
        title = self.random.choice(
            ["plain", "{{ contact.job }}", "{{ context.page }}!"]
        )
        return offer(name, *rows, rule=self.rule(), content={"title": title})

    def environment(self) -> Environment:
        offers = [self.offer(f"offer_{n}") for n in range(self.random.randint(2, 12))]
        made = environment(offers, segments=SEGMENTS)
        inheriting = self.random.random() < 0.5
        return self.with_category_rule(
            msgspec.structs.replace(made, weights=(self.row(),) if inheriting else ())
        )

    def with_category_rule(self, record: Environment) -> Environment:
        first, *others = record.categories
        first = msgspec.structs.replace(first, rule=self.rule())
        return msgspec.structs.replace(record, categories=(first, *others))

    def edited(self, record: Environment) -> Environment:
        """One thing is another."""
        offers = list(record.offers)
        place = self.random.randrange(len(offers))
        match self.random.randrange(8):
            case 0 | 1:
                offers[place] = self.offer(offers[place].name)
            case 2:
                rows = tuple(
                    msgspec.structs.replace(one, rule=self.rule())
                    for one in offers[place].weights
                )
                offers[place] = msgspec.structs.replace(offers[place], weights=rows)
            case 3:
                offers = offers[:1] + offers[2:]
            case 4:
                offers.insert(place, self.offer(f"new_{self.random.randrange(10**9)}"))
            case 5:
                self.random.shuffle(offers)
            case 6:
                return self.with_category_rule(record)
            case _:
                adult = f"contact.age >= {self.random.randrange(12)}"
                return msgspec.structs.replace(record, segments=segments(adult=adult))
        return msgspec.structs.replace(record, offers=tuple(offers))


@settings(max_examples=EDITED_CATALOGS, derandomize=True, deadline=None, database=None)
@given(seed=st.integers(0, 2**32))
def test_any_edit_gives_what_a_full_compilation_gives(seed: int) -> None:
    """Byte for byte and digest for digest, edit after edit, tables and predicates too.

    Each compilation is given the one before, as a file gives it back.
    """
    dice = Dice(seed)
    with patch.object(row_sets, "KEYS_MAX", dice.random.choice([2, 256])):
        record = dice.environment()
        previous = compiled(record)
        for _ in range(4):
            record = dice.edited(record)
            full = compiled(record)
            taken = again(read_back(previous), record)

            assert encoded(full) == encoded(taken)
            assert full.digest() == taken.digest()
            previous = taken


def encoded(catalog: CompiledCatalog) -> bytes:
    """Everything, code as well: what equals need not be the same bytes."""
    return msgspec.msgpack.encode(catalog, order="deterministic")


def read_back(catalog: CompiledCatalog) -> CompiledCatalog:
    return msgspec.msgpack.decode(encoded(catalog), type=CompiledCatalog)
