"""What is wrong with records that no file ever held."""

import math
from typing import Any

import msgspec
import pytest

from catalog_store.records import (
    ATTRIBUTES_MAX,
    CONTENT_BYTES_MAX,
    CONTENT_FIELDS_MAX,
    ENVIRONMENTS_MAX,
    FACTOR_MAX,
    MAXIMUM_MAX,
    OFFER_ATTRIBUTE_CHARACTERS_MAX,
    OFFER_ATTRIBUTES_MAX,
    OFFERS_MAX,
    PERIOD_MS_MAX,
    SEGMENTS_MAX,
    SPACES_MAX,
    THEMES_MAX,
    UNIX_MS_MAX,
    WEIGHT_MAX,
    WEIGHT_ROWS_MAX,
    Attribute,
    AttributeType,
    Catalog,
    Category,
    Channel,
    ContentField,
    Environment,
    Multiplier,
    Offer,
    PresentationRule,
    Segment,
    Space,
    Typology,
    UnixMs,
    WeightRow,
    Window,
)
from compiler.catalog_check import check_catalog
from compiler.catalog_diagnostics import FINDINGS_MAX
from compiler.schema import NAMES_MAX
from compiler.source import Severity

ROW = WeightRow(weight=1.0)
HOME = Space(name="home", channel=Channel.EMAIL)
CARDS = Category(name="cards")
GOLD = Offer(name="gold", label="", category="cards", spaces=("home",), weights=(ROW,))
ONCE = PresentationRule(name="once", period_ms=1, maximum=1)
SOUND = Environment(name="bank", categories=(CARDS,), offers=(GOLD,), spaces=(HOME,))


def found(*environments: Environment) -> list[str]:
    """Places and messages, the advice left out."""
    diagnostics = check_catalog(Catalog(environments=environments))
    return [f"{each.source.name} {each.message.split(';')[0]}" for each in diagnostics]


def with_(**changes: Any) -> Environment:
    return msgspec.structs.replace(SOUND, **changes)


def changed(record: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(record, **changes)


def test_nothing_is_wrong() -> None:
    """A sound catalog has no diagnostics, not even warnings."""
    assert found(SOUND) == []


def test_catalog_without_environments() -> None:
    """An empty catalog cannot be published."""
    assert found() == ["environments: no environment"]


@pytest.mark.parametrize(
    ("field", "records", "name"),
    [
        ("categories", (CARDS, CARDS), "categories/cards:name category 'cards'"),
        ("offers", (GOLD, GOLD), "offers/gold:name offer 'gold'"),
        ("spaces", (HOME, HOME), "spaces/home:name space 'home'"),
        (
            "segments",
            (Segment(name="a", rule="true"), Segment(name="a", rule="false")),
            "segments/a:name segment 'a'",
        ),
        (
            "presentation_rules",
            (ONCE, ONCE, ONCE),
            "presentation_rules/once:name presentation rule 'once'",
        ),
        (
            "typologies",
            (Typology(name="t", rules=()), Typology(name="t", rules=())),
            "typologies/t:name typology 't'",
        ),
    ],
)
def test_name_twice(field: str, records: tuple[Any, ...], name: str) -> None:
    """Two records of one kind cannot have one name; it is said once."""
    environment = with_(**{field: records})

    assert found(environment) == [f"environments/bank/{name} stands twice"]


def test_environment_twice() -> None:
    """Two environments of one name are one mistake."""
    assert found(SOUND, SOUND) == [
        "environments/bank:name environment 'bank' stands twice"
    ]


def test_attribute_and_field_twice() -> None:
    """What has no resource of its own is named by its place."""
    age = Attribute(name="age", type=AttributeType.INT)
    title = ContentField(name="title")
    home = changed(HOME, fields=(title, title))

    assert found(with_(contact_attributes=(age, age), spaces=(home,))) == [
        "environments/bank:contact_attributes[0].name attribute 'age' stands twice",
        "environments/bank/spaces/home:fields[0].name content field 'title' stands "
        "twice",
    ]


@pytest.mark.parametrize("name", ["", "A", "a b", "é", "a\n", "_a", "1a", "a" * 64])
def test_no_name(name: str) -> None:
    """Names are letters, digits and underscores, and nothing after them."""
    environment = with_(segments=(Segment(name=name, rule="true"),))

    assert [each.split(" is not a name")[1:] for each in found(environment)] == [[""]]


@pytest.mark.parametrize("weight", [-0.1, math.nan, math.inf, -math.inf, 2e12])
def test_no_weight(weight: float) -> None:
    """A weight is a finite number of at least 0."""
    offer = changed(GOLD, weights=(ROW, WeightRow(weight=weight)))

    assert found(with_(offers=(offer,))) == [
        f"environments/bank/offers/gold:weights[1].weight {weight} is not a weight"
    ]


@pytest.mark.parametrize("factor", [0.0, -1.0, math.nan, math.inf, 2e6])
def test_no_factor(factor: float) -> None:
    """A factor is a finite number above 0."""
    category = changed(CARDS, multiplier=Multiplier(factor=factor))

    assert found(with_(categories=(category,))) == [
        f"environments/bank/categories/cards:multiplier.factor {factor} is not a factor"
    ]


def test_limits_themselves_are_possible() -> None:
    """The bounds are part of what is allowed."""
    window = Window(start=UnixMs(0), end=UnixMs(UNIX_MS_MAX))
    rows = (WeightRow(weight=WEIGHT_MAX, window=window), WeightRow(weight=0.0))
    category = changed(CARDS, multiplier=Multiplier(factor=FACTOR_MAX, window=window))
    rule = changed(ONCE, period_ms=PERIOD_MS_MAX, maximum=MAXIMUM_MAX)
    environment = with_(
        weights=rows * (WEIGHT_ROWS_MAX // 2),
        categories=(category,),
        presentation_rules=(rule,),
    )

    assert found(environment) == []


@pytest.mark.parametrize("length_ms", [0, -1, PERIOD_MS_MAX + 1])
@pytest.mark.parametrize("field", ["period_ms", "rest_ms"])
def test_no_period(field: str, length_ms: int) -> None:
    """A period is above 0 and at most 400 days, and so is a rest."""
    rule = changed(ONCE, **{field: length_ms})

    assert found(with_(presentation_rules=(rule,))) == [
        f"environments/bank/presentation_rules/once:{field} a period is longer than 0 "
        "and at most 400d"
    ]


def test_attributes_of_offers() -> None:
    """Names, their number and the length of what they hold are bounded."""
    many = {f"a{number}": "" for number in range(OFFER_ATTRIBUTES_MAX)}
    long = "x" * OFFER_ATTRIBUTE_CHARACTERS_MAX
    sound = changed(GOLD, attributes={**many, "a0": long})
    bad = changed(GOLD, attributes={**many, "A": long + "x"})

    assert found(with_(offers=(sound,))) == []
    assert found(with_(offers=(bad,))) == [
        "environments/bank/offers/gold:attributes 51 attributes",
        "environments/bank/offers/gold:attributes.A 'A' is not a name",
        "environments/bank/offers/gold:attributes.A 201 characters",
    ]


@pytest.mark.parametrize("at", [-1, UNIX_MS_MAX + 1, 2**80])
@pytest.mark.parametrize("end", ["start", "end"])
def test_no_time(end: str, at: int) -> None:
    """A moment outside the years that rules know is refused, and nothing overflows."""
    offer = changed(GOLD, window=Window(**{end: UnixMs(at)}))

    assert found(with_(offers=(offer,))) == [
        f"environments/bank/offers/gold:window.{end} is not a moment of the years 1970 "
        "to 9999"
    ]


def test_circle_of_categories_above_others() -> None:
    """Offers below a circle are checked to their end, and the circle is said once."""
    categories = (
        Category(name="cards", parent="a"),
        Category(name="a", parent="b"),
        Category(name="b", parent="a"),
    )

    assert found(with_(categories=categories)) == [
        "environments/bank/categories/a:parent a category cannot stand below itself: "
        "a -> b -> a"
    ]


def too_large() -> list[Any]:
    attributes = tuple(
        Attribute(name=f"a{number}", type=AttributeType.INT)
        for number in range(ATTRIBUTES_MAX + 1)
    )
    fields = tuple(
        ContentField(name=f"f{number}") for number in range(CONTENT_FIELDS_MAX + 1)
    )
    themes = tuple(f"t{number}" for number in range(THEMES_MAX + 1))
    contents = dict.fromkeys((field.name for field in fields), "x")
    spaces = tuple(changed(HOME, name=f"s{each}") for each in range(SPACES_MAX + 1))
    home = changed(HOME, fields=fields[:-1])
    big = changed(HOME, default_content="é" * (CONTENT_BYTES_MAX // 2) + "x")
    return [
        with_(weights=(ROW,) * (WEIGHT_ROWS_MAX + 1)),
        with_(contact_attributes=attributes),
        with_(context_attributes=attributes),
        with_(categories=(changed(CARDS, themes=themes),)),
        with_(offers=(changed(GOLD, content=contents),), spaces=(home,)),
        with_(spaces=(changed(HOME, fields=fields),)),
        with_(spaces=(*spaces, HOME)),
        with_(spaces=(big,)),
    ]


@pytest.mark.parametrize("environment", too_large(), ids=range(len(too_large())))
def test_bounded_sizes(environment: Environment) -> None:
    """Lists and texts have limits, and one beyond a limit is an error."""
    errors = [
        each.message
        for each in check_catalog(Catalog(environments=(environment,)))
        if each.severity is Severity.ERROR
    ]

    assert len(errors) == 1
    assert "at most" in errors[0]


def test_too_many_environments() -> None:
    """The number of environments has a limit."""
    environments = tuple(
        changed(SOUND, name=f"e{number}") for number in range(ENVIRONMENTS_MAX + 1)
    )

    assert found(*environments) == ["environments: 65 environments"]


def test_too_many_offers() -> None:
    """A catalog with one offer too many is told so, and nothing else."""
    offers = tuple(changed(GOLD, name=f"o{each}") for each in range(OFFERS_MAX + 1))

    assert found(with_(offers=offers)) == ["environments/bank:offers 100001 offers"]


def test_findings_are_bounded() -> None:
    """Beyond the limit of each severity a note stands for the rest."""
    offers = tuple(
        changed(GOLD, name=f"o{each}", category="none") for each in range(5_000)
    )
    spaces = tuple(changed(HOME, name=f"s{each}") for each in range(500))
    diagnostics = check_catalog(
        Catalog(environments=(with_(offers=offers, spaces=(HOME, *spaces)),))
    )
    counts = {
        severity: sum(each.severity is severity for each in diagnostics)
        for severity in Severity
    }

    assert counts == {
        Severity.ERROR: FINDINGS_MAX,
        Severity.WARNING: FINDINGS_MAX,
        Severity.NOTE: 1,
    }


def test_more_segments_than_rules_can_name_are_refused() -> None:
    """As many as a schema holds, and no more: the environment must not be left out."""
    segments = [Segment(name=f"s{n}", rule="true") for n in range(SEGMENTS_MAX + 1)]
    mistakes = found(with_(segments=tuple(segments)))

    assert SEGMENTS_MAX == NAMES_MAX
    assert "environments/bank:segments 4001 segments" in mistakes
