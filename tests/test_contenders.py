"""Offers that rules exclude anyway are not ranked, and nothing else changes."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from bench.catalogs import NOW_MS, Shape, callers
from bench.revisions import Loaded, calls, loaded
from contact_store.channels import CODE_OF_CHANNEL
from contact_store.records import Proposition, PropositionStatus
from server.engine import contenders
from server.engine.call import Call
from server.engine.counted_offers import NOBODY
from server.engine.decision import Decision, Shortfall, decide
from server.engine.live_offers import LiveOffer
from server.engine.presentation import Presented

SHAPE = Shape(800, own_rows=3, inheriting=True, multipliers=20, presentation_rules=5)


@pytest.fixture(scope="module", params=[0, 2, 40], ids=["no ties", "2", "40 weights"])
def subject(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Loaded:
    shape = SHAPE._replace(weights=request.param)
    return loaded(shape, tmp_path_factory.mktemp("kept"))


@pytest.fixture
def looking_at_all(monkeypatch: pytest.MonkeyPatch) -> Callable[[Call], Decision]:
    """Decides by ranking and drawing everybody, as it is defined."""

    def decided(call: Call) -> Decision:
        with monkeypatch.context() as patched:
            patched.setattr(Presented, "left_out", lambda *_: NOBODY)
            return decide(call)

    return decided


def proposed(offer: LiveOffer) -> Proposition:
    return Proposition(
        interaction=1,
        offer=offer.offer_hash,
        category=offer.category_hash,
        space=0,
        channel=next(iter(CODE_OF_CHANNEL.values())),
        weight=1.0,
        rank=1,
        status=PropositionStatus.GENERATED,
        event_time_ms=NOW_MS,
        decided_at_ms=NOW_MS,
    )


def asked(
    subject: Loaded, *, left_out: int, spaces: int, wanted: int = 3
) -> list[Call]:
    """Calls of contacts who were proposed something in all categories but some."""
    of_category = {offer.category: offer for offer in subject.live.offers}
    past = tuple(proposed(offer) for offer in list(of_category.values())[left_out:])
    return [
        call._replace(history=past, spaces=call.spaces * spaces)
        for call in calls(subject, callers(SHAPE, 40), wanted)
    ]


@pytest.mark.parametrize("left_out", [0, 1, 5, 20])
@pytest.mark.parametrize("spaces", [1, 3])
@pytest.mark.parametrize("looks", [1, 16])
def test_what_is_chosen_is_as_when_every_offer_is_looked_at(
    subject: Loaded,
    looking_at_all: Callable[[Call], Decision],
    monkeypatch: pytest.MonkeyPatch,
    left_out: int,
    spaces: int,
    looks: int,
) -> None:
    """In later spaces too, whose draws come after those of the first."""
    made = asked(subject, left_out=left_out, spaces=spaces)
    expected = [looking_at_all(call).spaces for call in made]
    monkeypatch.setattr(contenders, "LOOKS_MAX", looks)

    assert [decide(call).spaces for call in made] == expected
    if left_out == 0:
        shortfalls = {one.shortfall for found in expected for one in found}
        assert shortfalls == {Shortfall.PRESENTATION_RULES}
    else:
        assert any(one.chosen for found in expected for one in found)


@pytest.mark.parametrize("looks", [1, 2, 16])
def test_random_calls_are_decided_as_when_every_offer_is_looked_at(
    subject: Loaded,
    looking_at_all: Callable[[Call], Decision],
    monkeypatch: pytest.MonkeyPatch,
    looks: int,
) -> None:
    """Any past, several spaces of some categories each, offers repeated or not."""
    random = Random(looks)
    offers = subject.live.offers
    names = list(subject.live.categories)
    made: list[Call] = []
    for call in calls(subject, callers(SHAPE, 150), 3):
        past = random.choices(offers, k=random.choice([0, 1, 5, 12, 40]))
        (space,) = call.spaces
        spaces = [
            space._replace(
                max_propositions=random.choice([1, 3, 30]),
                categories=tuple(random.sample(names, k=random.choice([0, 0, 1, 3]))),
            )
            for _ in range(random.randint(1, 4))
        ]
        made.append(
            call._replace(
                history=tuple(map(proposed, past)),
                spaces=tuple(spaces),
                seed=random.getrandbits(64),
                allow_duplicates=random.random() < 0.5,
            )
        )
    expected = [looking_at_all(call).spaces for call in made]
    monkeypatch.setattr(contenders, "LOOKS_MAX", looks)

    assert [decide(call).spaces for call in made] == expected
    shortfalls = {one.shortfall for found in expected for one in found}
    assert Shortfall.NONE in shortfalls
    assert len(shortfalls) >= 3


def test_draws_of_a_later_space_are_as_when_every_offer_is_looked_at(
    tmp_path: Path, looking_at_all: Callable[[Call], Decision]
) -> None:
    """The first space asks for a category that is full, among many offers that tie."""
    shape = SHAPE._replace(weights=2)
    tying = loaded(shape, tmp_path)
    full = tying.live.offers[0]
    made = [
        call._replace(
            history=(proposed(full),),
            spaces=(
                call.spaces[0]._replace(categories=(full.category,)),
                call.spaces[0],
            ),
        )
        for call in calls(tying, callers(shape, 40), 3)
    ]
    expected = [looking_at_all(call).spaces for call in made]

    assert [decide(call).spaces for call in made] == expected
    assert any(not first.chosen and second.chosen for first, second in expected)


def test_nobody_looks_at_what_must_be_excluded(
    subject: Loaded,
    looking_at_all: Callable[[Call], Decision],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of full categories not one offer, where no draw is needed."""
    looked_at: list[int] = []
    excludes = Presented.excludes

    def counted(self: Presented, offer: LiveOffer, space: object) -> bool:
        looked_at.append(offer.number)
        return excludes(self, offer, space)  # type: ignore[arg-type]

    monkeypatch.setattr(Presented, "excludes", counted)
    made = asked(subject, left_out=0, spaces=1)
    for call in made:
        looking_at_all(call)
    assert len(looked_at) > len(made)

    looked_at.clear()
    for call in made:
        decide(call)
    assert not looked_at
