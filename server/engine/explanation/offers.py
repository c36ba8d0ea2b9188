"""Each offer in each space asked for: its reasons, and what would change them.

`summary` counts what is explained here offer by offer.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from server.engine.call import Call
from server.engine.decision import Decision
from server.engine.explanation.changes import NO_CHANGE_KNOWN, Change, changes_for
from server.engine.explanation.failing_conditions import RuleConditions
from server.engine.explanation.reasons import Reason
from server.engine.explanation.scrutiny import Scrutiny
from server.engine.explanation.space_page import space_page

#: Offers of one page of explanations.
PAGE_OFFERS_MAX = 500


class SpaceExplanation(NamedTuple):
    """One offer in one space asked for."""

    space: str
    #: Of the proposition; None when the offer is not proposed.
    rank: int | None
    #: In the order of the pipeline; empty exactly when the offer is proposed.
    reasons: tuple[Reason, ...]
    #: They belong together, and leave none of the reasons; empty when none are known.
    changes: tuple[Change, ...]

    @property
    def advice(self) -> str:
        """The changes in one sentence."""
        if not self.reasons:
            return ""
        return "; ".join(c.message for c in self.changes) or NO_CHANGE_KNOWN

    @property
    def is_applicable(self) -> bool:
        """Whether the caller can make the offer eligible."""
        return bool(self.changes) and all(c.is_applicable for c in self.changes)


class OfferExplanation(NamedTuple):
    """One offer in every space asked for, in their order."""

    #: Its number.
    offer: int
    name: str
    spaces: tuple[SpaceExplanation, ...]


def explain_offers(
    call: Call, decision: Decision, offers: Sequence[int]
) -> Iterator[OfferExplanation]:
    """One explanation per offer number, in the order given.

    `decision` must be what `decide` made of the call. One offer is explained between
    two steps of the iterator.
    """
    rules = RuleConditions(call.environment)
    scrutinies = [
        Scrutiny(call, space_page(call, decision, place), rules)
        for place in range(len(call.spaces))
    ]
    for number in offers:
        yield OfferExplanation(
            offer=number,
            name=call.environment.offers[number].name,
            spaces=tuple(_explain(scrutiny, number) for scrutiny in scrutinies),
        )


def _explain(scrutiny: Scrutiny, offer: int) -> SpaceExplanation:
    found = scrutiny.reasons(offer)
    return SpaceExplanation(
        space=scrutiny.asked.space.name,
        rank=scrutiny.page.ranks.get(offer),
        reasons=found,
        changes=changes_for(scrutiny, offer, found) if found else (),
    )
