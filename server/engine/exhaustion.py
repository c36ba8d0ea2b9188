"""Notices that presentation rules leave nothing of a space.

A contact who was proposed something in every category has thousands of eligible offers,
all of which a rule excludes. They are looked at best first, after the draw, so that
every other implementation draws the same. In the last space of a call nobody sees what
is drawn after its last proposition: once all that is left is of categories that are
full, looking on changes nothing.
"""

from server.engine.call import Call
from server.engine.live_offers import LiveOffer, LiveSpace
from server.engine.presentation import Presented
from server.engine.ranking import Candidates

#: Offers excluded in a row of looks before it is asked whether any other is left.
#:
#: PERF: 10,000 offers in twenty categories that are all full: 0.9 ms a decision, and 29
#: when each of 4,200 eligible offers is looked at.
_LOOKS = 64


class Exhaustion:
    """What was excluded in the last space of a call."""

    def __init__(
        self, call: Call, candidates: Candidates, presented: Presented, space: LiveSpace
    ) -> None:
        self._environment = call.environment
        self._candidates = candidates
        self._presented = presented
        self._space = space
        self._looks = 0
        #: One offer of each category that has excluded ones.
        self._met: dict[str, LiveOffer] = {}

    def excluded(self, offer: LiveOffer) -> bool:
        """Take note of one that was; True when all others are as well."""
        self._met[offer.category] = offer
        self._looks += 1
        return self._looks % _LOOKS == 0 and self._is_all()

    def _is_all(self) -> bool:
        left = self._space.offers
        if self._candidates.offers is not None:
            left &= self._candidates.offers
        paths = self._environment.nouns.paths
        # Offers of a category inside another one are counted by themselves.
        inner = {node.name for path in paths.values() for node in path[:-1]}
        for category, offer in self._met.items():
            if category not in inner:
                of_category = self._environment.categories[category]
                left &= ~(
                    of_category & self._presented.excluded_like(offer, self._space)
                )
        return not left
