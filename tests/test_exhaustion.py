"""A contact for whom nothing is left is decided quickly, and as before."""

from pathlib import Path

import pytest

from bench.catalogs import NOW_MS, Shape, callers
from bench.revisions import Loaded, calls, loaded
from contact_store.channels import CODE_OF_CHANNEL
from contact_store.records import Proposition, PropositionStatus
from server.engine import exhaustion
from server.engine.call import Call
from server.engine.decision import Shortfall, decide
from server.engine.live_offers import LiveOffer
from server.engine.presentation import Presented

SHAPE = Shape(800, own_rows=3, inheriting=True, multipliers=20, presentation_rules=5)


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return loaded(SHAPE, tmp_path_factory.mktemp("kept"))


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


def asked(subject: Loaded, *, left_out: int, spaces: int) -> list[Call]:
    """Calls of contacts who were proposed something in all categories but some."""
    of_category = {offer.category: offer for offer in subject.live.offers}
    past = tuple(proposed(offer) for offer in list(of_category.values())[left_out:])
    return [
        call._replace(history=past, spaces=call.spaces * spaces)
        for call in calls(subject, callers(SHAPE, 40), 3)
    ]


@pytest.mark.parametrize("left_out", [0, 1, 5])
@pytest.mark.parametrize("spaces", [1, 2])
@pytest.mark.parametrize("looks", [1, 3])
def test_what_is_chosen_is_as_when_every_offer_is_looked_at(
    subject: Loaded,
    monkeypatch: pytest.MonkeyPatch,
    left_out: int,
    spaces: int,
    looks: int,
) -> None:
    """In the first space too, whose draws come before those of the second."""
    made = asked(subject, left_out=left_out, spaces=spaces)
    monkeypatch.setattr(exhaustion, "_LOOKS", 1 << 30)
    expected = [decide(call).spaces for call in made]
    monkeypatch.setattr(exhaustion, "_LOOKS", looks)

    assert [decide(call).spaces for call in made] == expected
    if left_out == 0:
        shortfalls = {one.shortfall for found in expected for one in found}
        assert shortfalls == {Shortfall.PRESENTATION_RULES}
    else:
        assert any(one.chosen for found in expected for one in found)


def test_draws_of_a_later_space_are_as_when_every_offer_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    monkeypatch.setattr(exhaustion, "_LOOKS", 1 << 30)
    expected = [decide(call).spaces for call in made]
    monkeypatch.setattr(exhaustion, "_LOOKS", 1)

    assert [decide(call).spaces for call in made] == expected
    assert any(not first.chosen and second.chosen for first, second in expected)


def test_nobody_looks_at_what_must_be_excluded(
    subject: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once one offer of each full category was met."""
    looked_at: list[int] = []
    excludes = Presented.excludes

    def counted(self: Presented, offer: LiveOffer, space: object) -> bool:
        looked_at.append(offer.number)
        return excludes(self, offer, space)  # type: ignore[arg-type]

    monkeypatch.setattr(Presented, "excludes", counted)
    made = asked(subject, left_out=0, spaces=1)
    counts: list[int] = []
    for looks in (1 << 30, 1):
        monkeypatch.setattr(exhaustion, "_LOOKS", looks)
        looked_at.clear()
        for call in made:
            decide(call)
        counts.append(len(looked_at))

    assert counts[1] < counts[0]
