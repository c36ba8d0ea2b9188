"""Golden decisions, made: what passes, what fails, and what is said of it."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from catalog_store.counting import Counted, QuotaPeriod
from catalog_store.golden_decisions import (
    GoldenDecision,
    GoldenSpace,
    PastProposition,
)
from catalog_store.records import (
    Environment,
    PresentationRule,
    Quota,
    StatusName,
    UnixMs,
)
from server.engine.decision import decide
from server.golden.calls import golden_call
from server.golden.failures import GoldenFailure
from server.golden.outcomes import failures_of, matches
from server.resource_names import known_names
from tests.bank import DAY_MS, NOON_MS, chosen, environment, live, offer, row

GOLD = offer("gold", row(20, rule="contact.age >= 25"))
OFFERS = (GOLD, offer("blue", 10), offer("red", 10), offer("news", 5))


def shown(*expected: str | tuple[str, ...], **fields: Any) -> GoldenSpace:
    groups = tuple((one,) if isinstance(one, str) else one for one in expected)
    return GoldenSpace(name=fields.pop("name", "banner"), expected=groups, **fields)


def golden(*spaces: GoldenSpace, **fields: Any) -> GoldenDecision:
    fields = {"decided_at": NOON_MS, "contact": {"age": 30}, **fields}
    return GoldenDecision(name="seen", spaces=spaces, **fields)


def failures(
    folder: Path, one: GoldenDecision, record: Environment | None = None
) -> list[GoldenFailure]:
    """Of a revision that was published, mapped and loaded."""
    catalog = live(folder, record or environment(OFFERS))
    decides = catalog.environments["bank"]
    return failures_of(one, decides, known_names(decides))


@pytest.mark.parametrize(
    "spaces",
    [
        [shown("gold")],
        [shown("gold", ("blue", "red"))],
        [shown("gold", ("red", "blue"), "news")],
        [shown("gold", ("blue", "red"), max_propositions=2)],
        [shown("gold", ("blue", "red"), "news", max_propositions=100)],
        [shown(absent=("news",), max_propositions=3)],
        [shown("gold", absent=("news", "blue"))],
        [shown("gold"), shown(("blue", "red"), name="side")],
        [shown(name="side"), shown("gold")],
    ],
    ids=str,
)
def test_what_is_expected_passes(tmp_path: Path, spaces: list[GoldenSpace]) -> None:
    """In order; those of one group in any; an empty space where nothing is eligible."""
    record = environment(OFFERS)
    if spaces[0] == GoldenSpace(name="side"):
        offers = [replace(one, spaces=("banner",)) for one in OFFERS]
        record = environment(offers)

    assert failures(tmp_path, golden(*spaces), record) == []


@pytest.mark.parametrize(
    ("contact", "spaces", "said"),
    [
        (
            {"age": 20},
            [shown("gold")],
            ["banner expected gold; got blue (10); gold: its weight row does not"],
        ),
        (
            {"age": 30},
            [shown("news", "gold")],
            ["banner expected news, gold; got gold (20), ", "news: its weight is 5"],
        ),
        (
            {"age": 30},
            [shown("gold"), shown("gold", name="side")],
            ["side expected gold; got ", "gold: the page shows it already, in banner"],
        ),
        (
            {"age": 30},
            [shown(absent=("gold", "news"), max_propositions=2)],
            ["expected not gold, not news; got gold (20)", "gold must not be proposed"],
        ),
        ({"age": 30}, [shown()], ["banner expected nothing; got gold (20)"]),
        (
            {"age": 30},
            [shown("gold", "news", ("blue", "red"))],
            ["expected gold, news, [blue, red]; got gold (20), "],
        ),
    ],
)
def test_what_is_not_expected_fails_with_its_reasons(
    tmp_path: Path, contact: dict[str, Any], spaces: list[GoldenSpace], said: list[str]
) -> None:
    """One failure, of the space that shows something else."""
    (found,) = failures(tmp_path, golden(*spaces, contact=contact))

    assert found.resource == "environments/bank/goldenDecisions/seen"
    for text in said:
        assert text in found.text


@pytest.mark.parametrize(
    ("expected", "tied"),
    [
        (shown("gold", "{0}"), "{0} and {1}"),
        (shown("gold", "{0}", "{1}"), "{0} and {1}"),
        (shown("gold", ("blue", "red")), None),
        (shown("gold", ("blue", "red"), max_propositions=2), None),
    ],
)
def test_the_draw_proves_nothing(
    tmp_path: Path, expected: GoldenSpace, tied: str | None
) -> None:
    """What came out as expected by luck fails: another seed gives something else."""
    decides = live(tmp_path, environment(OFFERS)).environments["bank"]
    names = known_names(decides)
    whole = golden(shown("gold", ("blue", "red")))
    drawn = chosen(decide(golden_call(whole, decides, names)))[0][1:]
    groups = tuple(
        tuple(name.format(*drawn) for name in group) for group in expected.expected
    )
    found = failures_of(golden(replace(expected, expected=groups)), decides, names)

    if tied is None:
        assert found == []
    else:
        (one,) = found
        assert tied.format(*drawn) + " have equal weights" in one.text


def test_a_tie_with_offers_that_find_no_place_is_found(tmp_path: Path) -> None:
    """However many of the group found none either."""
    offers = [offer(name, 10) for name in ("blue", "red", "green", "grey")]
    record = environment(offers)
    of_three = golden(shown(("blue", "red", "green"), max_propositions=1))
    of_four = golden(shown(("blue", "red", "green", "grey"), max_propositions=1))
    decides = live(tmp_path, record).environments["bank"]
    names = known_names(decides)
    drawn = chosen(decide(golden_call(of_four, decides, names)))[0][0]
    others = [one.name for one in offers if one.name != drawn][:2]
    of_three = golden(shown((drawn, *others), max_propositions=1))

    assert failures_of(of_four, decides, names) == []
    (found,) = failures_of(of_three, decides, names)
    assert "have equal weights, and the draw may change them" in found.text


def test_the_past_counts(tmp_path: Path) -> None:
    """Presentation rules see what the contact was proposed before, and when."""
    rule = PresentationRule(
        name="once", maximum=1, period_ms=7 * DAY_MS, counted=Counted.THIS_OFFER
    )
    record = environment(OFFERS, rules=[rule])
    past = PastProposition(
        offer="gold",
        space="side",
        at=UnixMs(NOON_MS - DAY_MS),
        status=StatusName.REJECTED,
    )
    long_ago = replace(past, at=UnixMs(NOON_MS - 8 * DAY_MS))

    assert failures(tmp_path, golden(shown("gold"), past=(long_ago,)), record) == []
    (found,) = failures(tmp_path, golden(shown("gold"), past=(past,)), record)
    assert "gold: once counts 1 of at most 1" in found.text


def test_rules_read_the_past_and_the_context(tmp_path: Path) -> None:
    """By the names that the catalog has for what was proposed."""
    rule = (
        'context.page == "home" && contact.job == "pilot" && history.exists(p,'
        ' p.offer == "blue" && p.space == "side" && p.status == "accepted")'
    )
    record = environment([offer("gold", row(20, rule=rule)), offer("blue", 1)])
    past = PastProposition(
        offer="blue", space="side", at=UnixMs(NOON_MS - 1), status=StatusName.ACCEPTED
    )
    seen = golden(
        shown("gold"),
        contact={"job": "pilot"},
        context={"page": "home"},
        past=(past,),
    )

    assert failures(tmp_path, seen, record) == []
    for missing in ({"contact": {}}, {"context": {}}, {"past": ()}):
        assert len(failures(tmp_path, replace(seen, **missing), record)) == 1


def test_time_is_the_decisions_own(tmp_path: Path) -> None:
    """What passed when it was written passes when its offers have long ended."""
    record = environment(
        [offer("gold", row(20, rule="context.now < timestamp('2026-05-02T00:00:00Z')"))]
    )

    assert failures(tmp_path, golden(shown("gold")), record) == []
    later = golden(shown("gold"), decided_at=UnixMs(NOON_MS + DAY_MS))
    assert len(failures(tmp_path, later, record)) == 1


def test_quotas_have_all_of_their_limit_left(tmp_path: Path) -> None:
    """What was used is known to a store, and this is none; a limit of 0 is one."""
    quota = Quota(
        name="few", limit=1, period=QuotaPeriod.TOTAL, offers=("gold", "blue")
    )
    record = environment(OFFERS, quotas=(quota,))
    none_left = environment(OFFERS, quotas=(replace(quota, limit=0),))

    assert failures(tmp_path, golden(shown("gold", "red")), record) == []
    (found,) = failures(tmp_path, golden(shown("gold", "red")), none_left)
    assert "the quota few has had 0 of at most 0" in found.text


@given(
    groups=st.lists(
        st.lists(st.sampled_from("abcdef"), min_size=1, max_size=3, unique=True),
        max_size=4,
    ),
    got=st.lists(st.sampled_from("abcdef"), max_size=6, unique=True),
    places=st.integers(1, 8),
)
@settings(derandomize=True, max_examples=400)
def test_groups_match_some_order_of_their_offers(
    groups: list[list[str]], got: list[str], places: int
) -> None:
    """Exactly when some order within the groups begins with what came out."""
    flat = [name for group in groups for name in group]
    if len(set(flat)) < len(flat):
        return
    got = got[:places]
    orders: list[list[str]] = [[]]
    for group in groups:
        orders = [
            [*before, *order] for before in orders for order in _permutations(group)
        ]
    expected = any(order[:places] == got for order in orders)

    assert matches(groups, got, places) is expected


def _permutations(group: list[str]) -> list[list[str]]:
    if len(group) <= 1:
        return [group]
    return [
        [one, *rest]
        for one in group
        for rest in _permutations([other for other in group if other != one])
    ]
