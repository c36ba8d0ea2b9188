"""The offers that a presentation rule leaves out once one of its counters is full."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from catalog_store.counting import Counted
from server.engine.bit_sets import ascending, set_of
from server.engine.live_index import LiveIndex
from server.engine.live_offers import LiveOffer, LivePresentationRule

#: Categories whose offers are remembered; when there are more, all are forgotten.
#: Of 100,000 offers and as many rows each takes 25 kB.
_CATEGORIES_MAX = 512

# PERF: looking a member up in its class takes 60 ns, and there are many a decision.
_THIS_OFFER, _SAME_CATEGORY = Counted.THIS_OFFER, Counted.SAME_CATEGORY
_SAME_ATTRIBUTE = Counted.SAME_ATTRIBUTE


class LeftOut(NamedTuple):
    """A set of offers, and the set of their own rows."""

    offers: int
    rows: int


#: There is no such offer.
NOBODY = LeftOut(0, 0)


class CountedOffers:
    """What each counter of an environment's rules stands for; see `counter_of`."""

    def __init__(
        self,
        offers: Sequence[LiveOffer],
        category_of_hash: Mapping[int, str],
        categories: Mapping[str, int],
        index: LiveIndex,
    ) -> None:
        """`categories` gives the offers of each subtree."""
        self._offers = offers
        self._category_of_hash = category_of_hash
        self._categories = categories
        self._index = index
        #: Hash -> the offers of a category itself.
        self._of_category: dict[int, LeftOut] = {}

    def of(self, rule: LivePresentationRule, counter: int) -> LeftOut:
        """The offers of a rule that are counted under a counter.

        None where finding them would take a walk over all offers, or where it is a
        single one.
        """
        if rule.counted is _SAME_CATEGORY:
            found = self.of_category(counter) or NOBODY
            if rule.offers == -1:
                return found
            return LeftOut(found.offers & rule.offers, found.rows & rule.rows)
        if rule.counted is _THIS_OFFER or rule.counted is _SAME_ATTRIBUTE:
            return NOBODY
        return LeftOut(rule.offers, rule.rows)

    def of_category(self, counter: int) -> LeftOut | None:
        """The offers of a category itself by its hash; None if there is no such one."""
        found = self._of_category.get(counter)
        if found is None:
            name = self._category_of_hash.get(counter)
            if name is None:
                return None
            found = self._of_category[counter] = self._category(counter, name)
        return found

    def _category(self, counter: int, name: str) -> LeftOut:
        """PERF: 500 offers take 0.5 ms, once for each category of a revision."""
        if len(self._of_category) >= _CATEGORIES_MAX:
            self._of_category.clear()
        offers, subtree = self._offers, self._categories.get(name, 0)
        return self.with_rows(
            [n for n in ascending(subtree) if offers[n].category_hash == counter]
        )

    def with_rows(self, numbers: Collection[int]) -> LeftOut:
        """Some offers by their numbers."""
        return LeftOut(set_of(numbers, len(self._offers)), self._index.rows_of(numbers))
