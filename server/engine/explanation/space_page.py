"""What a decision left in one of its spaces, and before it."""

from collections.abc import Mapping
from typing import NamedTuple

from contact_store.records import Proposition
from server.engine.arbitration import Scored
from server.engine.call import Call
from server.engine.decision import Decision
from server.engine.presentation import proposed_now
from server.engine.quotas import QuotaRoom


class SpacePage(NamedTuple):
    """The page of a call when one of its spaces was filled."""

    #: Of the space among those asked for.
    place: int
    #: Offer -> rank, of what the space proposes.
    ranks: Mapping[int, int]
    #: Offer -> the spaces before this one that propose it.
    shown: Mapping[int, tuple[str, ...]]
    #: What presentation rules count of this call, this space included.
    made: tuple[Proposition, ...]
    #: Offer -> why it could not be rendered, of those that were about to be proposed.
    not_rendered: Mapping[int, str]
    #: Quota -> propositions of this call, this space included.
    taken: Mapping[int, int]
    #: Who took the last place; None when places are left.
    last: Scored | None


def space_page(call: Call, decision: Decision, place: int) -> SpacePage:
    """The page as the space in this place left it."""
    shown: dict[int, tuple[str, ...]] = {}
    made: list[Proposition] = []
    room = QuotaRoom(call)
    for decided in decision.spaces[: place + 1]:
        if decided.space.recording:
            made += [
                proposed_now(call, chosen.scored, decided.space, chosen.rank)
                for chosen in decided.chosen
            ]
            for chosen in decided.chosen:
                room.take(chosen.scored.offer)
    for decided in decision.spaces[:place]:
        for chosen in decided.chosen:
            number = chosen.scored.offer.number
            shown[number] = (*shown.get(number, ()), decided.space.name)
    chosen_here = decision.spaces[place].chosen
    is_full = len(chosen_here) >= call.spaces[place].max_propositions
    return SpacePage(
        place=place,
        ranks={chosen.scored.offer.number: chosen.rank for chosen in chosen_here},
        shown=shown,
        made=tuple(made),
        not_rendered={
            one.offer.number: one.reason for one in decision.spaces[place].not_rendered
        },
        taken=room.taken,
        last=chosen_here[-1].scored if is_full else None,
    )
