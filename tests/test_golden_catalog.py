"""Golden decisions in catalogs: how they are written, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from catalog_store.golden_decisions import (
    GOLDEN_DECISIONS_MAX,
    GoldenDecision,
    GoldenSpace,
    PastProposition,
)
from catalog_store.records import (
    Attribute,
    AttributeType,
    Catalog,
    Environment,
    StatusName,
    UnixMs,
)
from compiler.catalog_check import check_catalog
from compiler.revision import compile_catalog
from compiler.source import Refused
from server.files import read_catalog
from server.files.catalog_export import export_catalog
from tests.bank import CONTEXT, NOON_MS, environment, offer, publish

ENVIRONMENT = """
default: true
time_zone: Europe/Lisbon
contact_attributes: {age: int, opened: timestamp, tags: list(string), rate: double}
context_attributes: {page: string}
"""
CATALOG = """
categories: {cards: {themes: [travel]}}
spaces: {hero: inbound_web, side: inbound_web}
offers:
  gold: {label: Gold, category: cards, spaces: [hero, side], weights: 2}
  blue: {label: Blue, category: cards, spaces: [hero, side], weights: 1}
golden_decisions:
"""
WHOLE = """
  shown:
    label: What a grown-up sees
    decided_at: 2026-06-01
    contact: {age: 40, opened: "2026-05-01T09:00:00Z", tags: [a, b], rate: 1}
    context: {page: home}
    past:
      - {offer: blue, space: hero, at: 2026-05-31T12:00, status: rejected}
      - {offer: gold, space: side, at: 2026-05-30}
    spaces:
      hero: gold
      side:
        expected: [[gold, blue]]
        absent: []
        max_propositions: 1
        categories: cards
        themes: travel
  nothing: {decided_at: 2026-06-01, spaces: {hero: }}
"""


def written(folder: Path, text: str) -> Path:
    (folder / "bank").mkdir(parents=True)
    (folder / "bank" / "environment.yaml").write_text(ENVIRONMENT)
    (folder / "bank" / "all.yaml").write_text(CATALOG + text)
    return folder


def test_all_of_a_golden_decision_is_read(tmp_path: Path) -> None:
    """One offer may stand for a body; times are in the environment's zone."""
    catalog = read_catalog(written(tmp_path / "files", WHOLE)).catalog
    midnight = UnixMs(1_780_268_400_000)
    day = 86_400_000

    assert catalog.environments[0].golden_decisions == (
        GoldenDecision(
            name="shown",
            label="What a grown-up sees",
            decided_at=midnight,
            contact={
                "age": 40,
                "opened": "2026-05-01T09:00:00Z",
                "tags": ["a", "b"],
                "rate": 1,
            },
            context={"page": "home"},
            past=(
                PastProposition(
                    offer="blue",
                    space="hero",
                    at=UnixMs(midnight - day // 2),
                    status=StatusName.REJECTED,
                ),
                PastProposition(
                    offer="gold", space="side", at=UnixMs(midnight - 2 * day)
                ),
            ),
            spaces=(
                GoldenSpace(name="hero", expected=(("gold",),)),
                GoldenSpace(
                    name="side",
                    expected=(("gold", "blue"),),
                    max_propositions=1,
                    categories=("cards",),
                    themes=("travel",),
                ),
            ),
        ),
        GoldenDecision(
            name="nothing", decided_at=midnight, spaces=(GoldenSpace(name="hero"),)
        ),
    )
    assert check_catalog(catalog) == []


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """An export is the same catalog, and short where it can be."""
    catalog = read_catalog(written(tmp_path / "files", WHOLE)).catalog
    export_catalog(catalog, tmp_path / "exported")
    text = (tmp_path / "exported" / "bank" / "golden_decisions.yaml").read_text()

    assert read_catalog(tmp_path / "exported").catalog == catalog
    assert "hero: [gold]" in text
    assert "- [gold, blue]" in text
    assert "decided_at: 2026-06-01" in text


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("x: {spaces: {hero: gold}}", 8, "golden decision needs 'decided_at'"),
        ("x: {decided_at: 2026-06-01}", 8, "golden decision needs 'spaces'"),
        ("x: {decided_at: soon, spaces: {hero: gold}}", 8, "is not a date or a time"),
        ("x: {decided_at: 2026-06-01, spaces: [hero]}", 8, "a mapping of names"),
        (
            "x: {decided_at: 2026-06-01, spaces: {hero: gold}, contact: 5}",
            8,
            "is not a mapping of names to values",
        ),
    ],
)
def test_mistakes_of_form_stand_in_the_file(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    """Whatever the records cannot hold is refused where it is read."""
    with pytest.raises(Refused) as refused:
        read_catalog(written(tmp_path / "files", f"  {text}\n"))
    shown = [one.render() for one in refused.value.diagnostics]

    assert any(f"all.yaml:{line}:" in one and said in one for one in shown), shown


@pytest.mark.parametrize(
    ("body", "mark", "said"),
    [
        ("contact: {agee: 4}", "agee", "unknown contact attribute 'agee'; did you"),
        ("contact: {age: old}", "old", "is not a number"),
        ("contact: {age: 1.5}", "1.5", "is not a whole number"),
        ("contact: {tags: a}", "a", "is not a list(string); write a list"),
        ("contact: {opened: noon}", "noon", "is not a timestamp"),
        ("context: {page: 5}", "5", "is not a string"),
        ("past: {offer: bleu, space: hero, at: 2026-01-01}", "bleu", "unknown offer"),
        ("past: {offer: blue, space: heron, at: 2026-01-01}", "heron", "unknown space"),
    ],
)
def test_names_and_values_are_checked_where_they_stand(
    tmp_path: Path, body: str, mark: str, said: str
) -> None:
    """With a caret under them."""
    text = f"  x:\n    decided_at: 2026-06-01\n    spaces: {{hero: gold}}\n    {body}\n"
    found = mistakes_in(written(tmp_path / "files", text))

    assert len(found) == 1, found
    assert said in found[0]
    line, caret = found[0].splitlines()[-2:]
    assert line[caret.index("^") :].startswith(mark)


@pytest.mark.parametrize(
    ("spaces", "said"),
    [
        ("{heron: gold}", "unknown space 'heron'; did you mean 'hero'?"),
        ("{hero: golden}", "unknown offer 'golden'; did you mean 'gold'?"),
        ("{hero: [gold, gold]}", "offer 'gold' stands twice"),
        ("{hero: [[gold, blue], gold]}", "offer 'gold' stands twice"),
        ("{hero: {expected: gold, absent: gold}}", "offer 'gold' stands twice"),
        ("{hero: [[]]}", "names no offer"),
        ("{hero: {absent: bleu}}", "unknown offer 'bleu'"),
        ("{hero: {expected: gold, themes: x}}", "unknown theme 'x'"),
        ("{hero: {expected: gold, categories: x}}", "unknown category 'x'"),
        ("{hero: {max_propositions: 0}}", "write 1 to 100"),
        ("{hero: {max_propositions: 101}}", "write 1 to 100"),
        (
            "{hero: {expected: [gold, blue], max_propositions: 1}}",
            "comes after the 1 that max_propositions asks for",
        ),
        ("{}", "asks for no space"),
    ],
)
def test_what_is_expected_must_be_possible(
    tmp_path: Path, spaces: str, said: str
) -> None:
    """Each mistake is named once."""
    text = f"  x: {{decided_at: 2026-06-01, spaces: {spaces}}}\n"
    found = mistakes_in(written(tmp_path / "files", text))

    assert len(found) == 1, found
    assert "all.yaml:8:" in found[0]
    assert said in found[0]


def mistakes_in(folder: Path) -> list[str]:
    files = read_catalog(folder)
    return [files.relocate(one).render() for one in check_catalog(files.catalog)]


def golden(**fields: Any) -> GoldenDecision:
    one = GoldenDecision(
        name="seen",
        decided_at=NOON_MS,
        spaces=(GoldenSpace(name="banner", expected=(("gold",),)),),
    )
    return replace(one, **fields)


def bank(*decisions: GoldenDecision, **fields: Any) -> Environment:
    return environment([offer("gold")], golden_decisions=decisions, **fields)


def places(record: Environment) -> list[str]:
    return [one.source.name for one in check_catalog(Catalog(environments=(record,)))]


def test_sizes_are_bounded() -> None:
    """So many, so long, with so much of a past: a publication ends in time."""
    past = PastProposition(offer="gold", space="banner", at=NOON_MS)
    of = "environments/bank/golden_decisions/seen"
    many = tuple(golden(name=f"g{n}") for n in range(GOLDEN_DECISIONS_MAX + 1))

    assert places(bank(*many[1:])) == []
    assert places(bank(*many)) == ["environments/bank:golden_decisions"]
    assert places(bank(golden(past=(past,) * 100))) == []
    assert places(bank(golden(past=(past,) * 101))) == [f"{of}:past"]
    long = {"job": "x" * 4_096}
    assert places(bank(golden(contact=long))) == []
    assert places(bank(golden(contact={"job": "x" * 4_097}))) == [f"{of}:contact.job"]
    assert places(bank(golden(contact={"job": "x" * 70_000}))) == [f"{of}:name"]


@pytest.mark.parametrize("at_ms", [-1, 2**63, 2**70])
def test_moments_are_of_the_years_that_rules_know(at_ms: int) -> None:
    """A number that cannot even be stored is refused like others."""
    past = PastProposition(offer="gold", space="banner", at=UnixMs(at_ms))
    of = "environments/bank/golden_decisions/seen"

    assert places(bank(golden(decided_at=at_ms))) == [f"{of}:decided_at"]
    assert places(bank(golden(past=(past,)))) == [f"{of}:past[0].at"]


def test_what_every_call_must_bring_a_golden_decision_brings() -> None:
    """A required attribute of the context is never absent."""
    record = replace(
        bank(golden()), context_attributes=(replace(CONTEXT[0], required=True),)
    )

    (found,) = check_catalog(Catalog(environments=(record,)))
    assert "lacks context.page" in found.message
    brought = replace(record, golden_decisions=(golden(context={"page": "home"}),))
    assert places(brought) == []


@pytest.mark.parametrize(
    ("type_", "value", "fits"),
    [
        ("bool", True, True),
        ("bool", 1, False),
        ("int", True, False),
        ("int", 2**63, False),
        ("int", 2.0, True),
        ("double", 10**400, False),
        ("double", float("nan"), False),
        ("duration", "90s", True),
        ("duration", "-1.5s", True),
        ("duration", "90", False),
        ("timestamp", "2026-05-01", False),
        ("timestamp", "0001-01-01T00:00:00+14:00", True),
        ("string", None, True),
        ("list(int)", [1, 2], True),
        ("list(int)", [1, "2"], False),
        ("list(int)", [[1]], False),
        ("list(int)", [1] * 1_001, False),
    ],
)
def test_values_fit_their_attributes(type_: str, value: object, fits: bool) -> None:
    """As those of a call's context do."""
    attribute = Attribute(name="it", type=AttributeType(type_))
    record = replace(
        bank(golden(contact={"it": value})), contact_attributes=(attribute,)
    )
    expected = [] if fits else ["environments/bank/golden_decisions/seen:contact.it"]

    assert places(record) == expected


def test_a_revision_holds_them_and_its_digest_covers_them(tmp_path: Path) -> None:
    """Read back they are the same; another expectation is another catalog."""
    first = bank(golden(contact={"age": 40}))
    other = bank(golden(contact={"age": 41}))
    revisions, manifest = publish(tmp_path, first)
    revision = revisions.open(manifest)
    try:
        kept = revision.catalog()
    finally:
        revision.close()
    digests = [
        compile_catalog(Catalog(environments=(one,))).catalog.digest()
        for one in (first, other)
    ]

    assert kept.environments[0].environment == first
    assert kept.digest() == manifest.digest == digests[0] != digests[1]
