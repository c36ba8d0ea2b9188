"""Checking a change finds what compiling everything finds."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from catalog_store.records import (
    Attribute,
    AttributeType,
    Catalog,
    Category,
    Environment,
    PresentationRule,
    Rendering,
    Segment,
    StoredExpression,
    WeightRow,
)
from compiler.change_check import check_change
from compiler.revision import compile_catalog
from compiler.source import Diagnostic, Refused, Severity
from tests.bank import DAY_MS, environment, offer, row, space

RULES = (
    "contact.age > 3",
    "contact.age > 3 && contact.job == 'b'",
    "segment.rich || contact.age > 3",
    "segment.old && segment.rich",
    "contact.age",
    "contact.job > 3",
    "segment.gone",
    "contact.gone == 1",
    "contact.age >",
    "has(contact.age) && contact.tags.exists(t, t == 'x')",
    "true && true",
    "history.exists(p, p.offer == 'card')",
)
TEXTS = (
    "plain",
    "{{ contact.job }}",
    "{{ offer.attributes.line }}",
    "{{ contact.no }}",
)


class Edits:
    """Random catalogs, wrong ones among them, and random edits of them."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def environment(self, name: str) -> Environment:
        count = self.random.randint(0, 4)
        made = environment(
            [self.offer(f"offer_{number}") for number in range(count)],
            segments=(Segment(name="rich", rule="contact.balance > 10"),),
        )
        return replace(made, name=name, default=name == "bank")

    def edited(self, record: Environment) -> Environment:
        """One or two things are others."""
        for _ in range(self.random.randint(1, 2)):
            record = self._edited(record)
        return record

    def _edited(self, record: Environment) -> Environment:
        random = self.random
        offers = list(record.offers)
        match random.randrange(11):
            case 0 | 1 if offers:
                place = random.randrange(len(offers))
                offers[place] = self.offer(offers[place].name)
            case 2 if offers:
                del offers[random.randrange(len(offers))]
            case 3:
                offers.append(self.offer(f"offer_{random.randrange(20, 30)}"))
            case 4:
                return replace(record, segments=self.segments())
            case 5:
                return replace(record, contact_attributes=self.attributes())
            case 6:
                rules = PresentationRule(
                    name="cap",
                    maximum=1,
                    period_ms=DAY_MS,
                    rule=self.rule(),
                    counted_rule=random.choice([None, "proposition.rank == 1", "1"]),
                    offers=random.choice([(), ("offer_0",)]),
                )
                return replace(record, presentation_rules=(rules,))
            case 7:
                return replace(record, spaces=(self.space("banner"), space("side")))
            case 8:
                return replace(record, rule=self.rule(), weights=(self.row(),))
            case 9:
                category = Category(
                    name="more", rule=self.rule(), weights=(self.row(),)
                )
                return replace(record, categories=(Category(name="all"), category))
            case _:
                zone = random.choice(["UTC", "Europe/Lisbon", "Nowhere"])
                return replace(record, time_zone=zone)
        unique = {one.name: one for one in offers}
        return replace(record, offers=tuple(unique.values()))

    def offer(self, name: str) -> Any:
        return offer(
            name,
            self.row(),
            rule=self.rule(),
            content={"title": self.random.choice([*TEXTS[:2] * 8, *TEXTS])},
            attributes=self.random.choice([{}, {"line": "cards"}]),
        )

    def row(self) -> WeightRow:
        right = [1, "double(contact.age)"]
        weight = self.random.choice([*right * 8, "contact.job", -1])
        return row(weight, rule=self.rule())

    def rule(self) -> str | None:
        # Mostly right: of what was wrong before, nothing is said.
        right = [*RULES[:3], None, None]
        return self.random.choice([*right * 12, *RULES])

    def segments(self) -> tuple[Segment, ...]:
        texts = ["contact.balance > 10", "segment.old", "segment.rich", "contact.age"]
        names = self.random.sample(["rich", "old", "third"], self.random.randint(0, 3))
        return tuple(Segment(name=n, rule=self.random.choice(texts)) for n in names)

    def attributes(self) -> tuple[Attribute, ...]:
        types = [AttributeType.INT, AttributeType.INT, AttributeType.STRING]
        names = ["age", "balance", "job", *self.random.sample(["tags", "x"], 1)]
        kept = [name for name in names if self.random.random() < 0.9]
        of = {"job": AttributeType.STRING, "tags": AttributeType.STRING_LIST}
        return tuple(
            Attribute(name=n, type=of.get(n) or self.random.choice(types)) for n in kept
        )

    def space(self, name: str) -> Any:
        html = self.random.choice(TEXTS)
        kept = self.random.choice(["contact.job", "proposition.rank", "contact.no"])
        return space(
            name,
            rendering=self.random.choice([None, Rendering(html=html)]),
            stored_on_proposition=(StoredExpression(name="kept", expression=kept),),
        )


def errors(found: list[Diagnostic]) -> set[Diagnostic]:
    return {one for one in found if one.severity is Severity.ERROR}


def refused(catalog: Catalog) -> set[Diagnostic]:
    """The errors of compiling everything."""
    try:
        compile_catalog(catalog)
    except Refused as mistakes:
        return errors(mistakes.diagnostics)
    return set()


@settings(derandomize=True, deadline=None, max_examples=120)
@given(seed=st.integers(0, 2**32))
def test_a_change_is_refused_for_what_the_compiler_refuses(seed: int) -> None:
    """Edit after edit, in one of two environments; what is wrong is not kept."""
    edits = Edits(seed)
    before = Catalog(environments=())
    after = Catalog(
        environments=(edits.environment("bank"), edits.environment("other"))
    )
    for _ in range(6):
        found = errors(check_change(after, before))

        assert found == refused(after)
        if not found:
            before = after
        first, *others = (before if before.environments else after).environments
        first = edits.edited(first)
        after = Catalog(environments=(first, *others))


def test_random_edits_meet_right_and_wrong_catalogs() -> None:
    """Else the test above would compare nothing with nothing."""
    outcomes = {True: 0, False: 0}
    for seed in range(40):
        edits = Edits(seed)
        record = edits.edited(edits.environment("bank"))
        outcomes[bool(refused(Catalog(environments=(record,))))] += 1

    assert min(outcomes.values()) >= 5, outcomes


BANK = environment(
    [
        offer("card", row(1, rule="segment.old"), rule="contact.age > 1"),
        offer("loan", content={"title": "{{ offer.attributes.line }}"}),
        offer(
            "plain",
            content={"title": "{{ contact.job }}"},
            attributes={"line": "loans"},
        ),
    ],
    segments=(
        Segment(name="rich", rule="contact.balance > 1"),
        Segment(name="old", rule="segment.rich && contact.age > 60"),
    ),
)


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        ({"segments": BANK.segments[:1]}, "offers/card:weights[0].rule"),
        ({"segments": BANK.segments[1:]}, "segments/old:rule"),
        ({"contact_attributes": BANK.contact_attributes[:2]}, "offers/plain:content"),
        ({"contact_attributes": BANK.contact_attributes[1:]}, "offers/card:rule"),
        ({"contact_attributes": BANK.contact_attributes[::2]}, "segments/rich:rule"),
        ({"offers": (BANK.offers[0],), "spaces": ()}, "offers/card:spaces[0]"),
        ({"categories": ()}, "offers/card:category"),
        (
            {"offers": (*BANK.offers[:2], replace(BANK.offers[2], attributes={}))},
            "offers/loan:content",
        ),
    ],
)
def test_what_others_lose_is_told_of_them(edit: dict[str, Any], field: str) -> None:
    """A name that goes away is missed wherever it is used."""
    before = Catalog(environments=(BANK,))
    after = Catalog(environments=(replace(BANK, **edit),))

    assert check_change(before) == check_change(before, before)
    found = [one.source.name for one in errors(check_change(after, before))]
    assert any(name.startswith(f"environments/bank/{field}") for name in found), found


def test_a_segment_that_grows_is_too_much_for_those_who_use_its_users() -> None:
    """Neither it nor the segment that uses it is too large; their rule is."""
    twice = " || ".join(["segment.rich"] * 8)
    wide = " || ".join(f"contact.age == {n}" for n in range(150))
    bank = environment(
        [offer("card", rule=" || ".join(["segment.old"] * 8))],
        segments=(
            Segment(name="rich", rule="contact.balance > 1"),
            Segment(name="old", rule=twice),
        ),
    )
    grown = (Segment(name="rich", rule=wide), bank.segments[1])
    before = Catalog(environments=(bank,))
    after = Catalog(environments=(replace(bank, segments=grown),))

    assert errors(check_change(before)) == set()
    found = errors(check_change(after, before))
    assert [one.source.name for one in found] == ["environments/bank/offers/card:rule"]
    assert found == refused(after)


def test_no_environment_is_no_mistake() -> None:
    """A design begins with nothing, and may end so."""
    assert check_change(Catalog(environments=())) == []
