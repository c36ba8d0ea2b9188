"""Compiling a catalog again: what did not change is taken, and nothing differs."""

from typing import Any

import msgspec
import pytest

from catalog_store.compiled import CompiledCatalog, StoredRule
from catalog_store.records import (
    Attribute,
    AttributeType,
    Catalog,
    Environment,
    Segment,
)
from compiler import revision
from compiler.revision import compile_catalog
from compiler.source import Refused
from tests.bank import ATTRIBUTES, environment, offer, row

#: The mark of what was taken from the previous revision: code that nobody compiles.
TAKEN = b"taken"

SEGMENTS = (
    Segment(name="adult", rule="contact.age >= 18"),
    Segment(name="rich", rule="segment.adult && contact.balance > 1000"),
    Segment(name="idle", rule="contact.job == 'none'"),
)
OFFERS = (
    offer("plain", row(1, rule="contact.age > 30")),
    offer("card", row("double(contact.age)"), rule="segment.rich"),
    offer("loan", row(2, rule="segment.idle && context.page == 'home'")),
    offer("shared", row(3, rule="contact.age > 30")),
    offer("comment", row(4, rule="contact.age < 9 // no segment idle")),
)
BANK = environment(OFFERS, segments=SEGMENTS, rule="contact.balance >= 0")


def compiled(*environments: Environment) -> CompiledCatalog:
    return compile_catalog(Catalog(environments=environments)).catalog


def marked(catalog: CompiledCatalog) -> CompiledCatalog:
    """The same with code by which what is taken from it can be told."""
    environments = tuple(
        msgspec.structs.replace(
            one,
            rules=tuple(msgspec.structs.replace(r, code=TAKEN) for r in one.rules),
        )
        for one in catalog.environments
    )
    return msgspec.structs.replace(catalog, environments=environments)


def again(previous: CompiledCatalog, *edited: Environment) -> CompiledCatalog:
    return compile_catalog(Catalog(environments=edited), previous).catalog


def texts(catalog: CompiledCatalog, *, taken: bool) -> set[str]:
    """Texts of the rules that were, or were not, taken from a marked revision."""
    rules = (rule for one in catalog.environments for rule in one.rules)
    return {rule.text for rule in rules if (rule.code == TAKEN) is taken}


def edit(**fields: Any) -> Environment:
    return msgspec.structs.replace(BANK, **fields)


def segments(**rules: str) -> tuple[Segment, ...]:
    """The bank's, some with another rule."""
    return tuple(
        msgspec.structs.replace(one, rule=rules.get(one.name, one.rule))
        for one in SEGMENTS
    )


def attribute(name: str) -> Attribute:
    return Attribute(name=name, type=AttributeType.INT)


def test_nothing_is_compiled_when_nothing_changed() -> None:
    """Every rule is taken, and the digest is that of a full compilation."""
    full = compiled(BANK)
    taken = again(marked(full), BANK)

    assert texts(taken, taken=False) == set()
    assert taken.digest() == full.digest()
    assert again(full, BANK) == full


#: What changed -> the only texts that are compiled.
EDITS: dict[str, tuple[Environment, set[str]]] = {
    "one rule": (
        edit(offers=(offer("plain", row(1, rule="contact.age > 31")), *OFFERS[1:])),
        # The second holder of the old text gives the rule its name now.
        {"contact.age > 31", "contact.age > 30"},
    ),
    "another order": (edit(offers=OFFERS[::-1]), {"contact.age > 30"}),
    "another label": (
        edit(offers=(msgspec.structs.replace(OFFERS[0], label="x"), *OFFERS[1:])),
        set(),
    ),
    "a number for a formula": (
        edit(offers=(OFFERS[0], offer("card", row(7), rule="segment.rich"))),
        set(),
    ),
    "a segment": (
        edit(segments=segments(idle="contact.job == 'x'")),
        # A segment is a rule of its own, too.
        {OFFERS[2].weights[0].rule, OFFERS[4].weights[0].rule, "contact.job == 'x'"},
    ),
    "a segment that another uses": (
        edit(segments=segments(adult="contact.age >= 21")),
        {"segment.rich", "contact.age >= 21", SEGMENTS[1].rule},
    ),
    "a segment more": (
        edit(segments=(*SEGMENTS, Segment(name="more", rule="segment.idle"))),
        {"segment.idle"},
    ),
    "an unused segment less": (
        edit(
            segments=(SEGMENTS[0], SEGMENTS[1]), offers=(OFFERS[0], OFFERS[1])
        ),
        set(),
    ),
    "a description": (
        edit(
            contact_attributes=(
                msgspec.structs.replace(ATTRIBUTES[0], description="x"),
                *ATTRIBUTES[1:],
            )
        ),
        set(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", EDITS)
def test_only_what_changed_is_compiled(what: str) -> None:
    """Each edit, with exactly the rules that it concerns."""
    edited, expected = EDITS[what]
    previous = compiled(BANK)
    taken = again(marked(previous), edited)

    assert expected == texts(taken, taken=False)
    assert compiled(edited).digest() == taken.digest()
    assert compiled(edited) == again(previous, edited)


@pytest.mark.parametrize(
    "attributes",
    [
        (*ATTRIBUTES, attribute("new")),
        (attribute("new"), *ATTRIBUTES),
        (ATTRIBUTES[1], ATTRIBUTES[0], ATTRIBUTES[2]),
    ],
    ids=["more", "first", "swapped"],
)
def test_another_schema_compiles_everything(attributes: tuple[Attribute, ...]) -> None:
    """Slots move with the attributes: nothing of the old ones is taken."""
    edited = edit(contact_attributes=attributes)
    taken = again(marked(compiled(BANK)), edited)

    assert texts(taken, taken=True) == set()
    assert taken == compiled(edited)


def test_a_type_that_changed_is_seen() -> None:
    """A rule that no longer fits its attribute is refused, not taken."""
    wrong = (
        Attribute(name="age", type=AttributeType.STRING),
        *ATTRIBUTES[1:],
    )
    with pytest.raises(Refused) as full:
        compiled(edit(contact_attributes=wrong))
    with pytest.raises(Refused) as refused:
        again(compiled(BANK), edit(contact_attributes=wrong))

    assert refused.value.diagnostics == full.value.diagnostics


@pytest.mark.parametrize(
    "edited",
    [
        edit(segments=segments(adult="contact.agee > 1")),
        edit(segments=segments(adult="segment.rich")),
        edit(segments=SEGMENTS[1:]),
        edit(offers=(*OFFERS, offer("new", row(1, rule="segment.richer")))),
        edit(offers=(*OFFERS, offer("new", row("contact.age > 30")))),
    ],
    ids=["mistake", "circle", "missing", "unknown", "condition as a formula"],
)
def test_mistakes_are_those_of_a_full_compilation(edited: Environment) -> None:
    """Reuse hides none, and adds none."""
    with pytest.raises(Refused) as full:
        compiled(edited)
    with pytest.raises(Refused) as refused:
        again(compiled(BANK), edited)

    assert full.value.diagnostics != []
    assert refused.value.diagnostics == full.value.diagnostics


def test_another_code_tag_is_not_taken_from() -> None:
    """Code of another Python would be code for nothing here."""
    full = compiled(BANK)
    foreign = msgspec.structs.replace(marked(full), code_tag="cpython-399")

    assert again(foreign, BANK) == full


def test_environments_are_told_apart_by_name() -> None:
    """The same rules under another environment's name have other sources."""
    other = msgspec.structs.replace(BANK, name="other", default=False)
    full = compiled(BANK, other)
    taken = again(marked(compiled(BANK)), BANK, other)

    assert taken.digest() == full.digest()
    assert all(rule.code == TAKEN for rule in taken.environments[0].rules)
    assert taken.environments[1] == full.environments[1]


def test_a_previous_revision_that_contradicts_itself_is_not_believed() -> None:
    """Rules in another order, or too few of them, stand for no text but their own."""
    full = compiled(BANK)
    one = marked(full).environments[0]

    def with_rules(rules: tuple[StoredRule, ...]) -> CompiledCatalog:
        changed = msgspec.structs.replace(one, rules=rules)
        return msgspec.structs.replace(full, environments=(changed,))

    flipped = tuple(
        msgspec.structs.replace(r, formula=not r.formula) for r in one.rules
    )
    for rules in (one.rules[1:] + one.rules[:1], flipped, ()):
        taken = again(with_rules(rules), BANK)

        assert taken == full


def test_progress_ends_at_all_rules() -> None:
    """Told often, never backwards, and of every field that holds a rule."""
    offers = [
        offer(f"offer_{n}", row(1, rule=f"contact.age > {n}")) for n in range(150)
    ]
    catalog = Catalog(environments=(environment(offers), edit(name="b", default=False)))
    told: list[tuple[int, int]] = []
    full = compile_catalog(catalog, progress=lambda *step: told.append(step)).catalog
    total = sum(len(one.rule_of) for one in full.environments)

    assert told == [(64, total), (128, total), (total, total)]


def test_the_fingerprint_covers_every_source_of_the_compiler() -> None:
    """Stable within a process; a changed compiler takes nothing from another's work."""
    fingerprint = revision.compiler_fingerprint

    assert len(fingerprint()) == 64
    assert fingerprint() == fingerprint.__wrapped__()


def test_tables_that_no_change_touches_are_taken() -> None:
    """One changed rule makes the tables of its own conditions anew, and no other."""
    rules = ("contact.age > 3", "contact.job == 'x'", "contact.balance > 5")
    offers = [offer(f"o{n}", row(1, rule=rule)) for n, rule in enumerate(rules)]
    full = compiled(environment(offers))
    offers[0] = offer("o0", row(1, rule="contact.age > 4"))
    taken = again(full, environment(offers))
    before, after = (each.environments[0].index.row_index for each in (full, taken))
    same = [any(new is old for old in before.tables) for new in after.tables]

    assert sorted(same) == [False, True, True]
