"""Quotas, slow and obvious: a dictionary of what is left of each."""

from collections.abc import Mapping, Sequence

from catalog_store.records import Category, Environment, Offer, Quota

FALLBACK = "fallback of "


class ReferenceQuotas:
    """What one call finds left of each quota, by name; those missing are damaged.

    What is left of the limit that one falls back on is under FALLBACK and its name.
    """

    def __init__(self, environment: Environment, left: Mapping[str, int]) -> None:
        self._environment = environment
        self._left = dict(left)
        for quota in environment.quotas:
            if quota.on_failure == "fall_back" and quota.name not in left:
                # Where that is damaged as well there is none.
                self._left[quota.name] = left.get(FALLBACK + quota.name, 0)

    def has_room(self, offer: Offer, path: Sequence[Category]) -> bool:
        """Every quota of the offer has some left; a damaged one says what then."""
        return all(
            self._left[quota.name] > 0
            if quota.name in self._left
            else quota.on_failure == "open"
            for quota in self._of(offer, path)
        )

    def consume(self, offer: Offer, path: Sequence[Category]) -> None:
        for quota in self._of(offer, path):
            if quota.name in self._left:
                self._left[quota.name] -= 1

    def _of(self, offer: Offer, path: Sequence[Category]) -> list[Quota]:
        """The active ones that limit an offer."""
        names = {category.name for category in path}
        return [
            quota
            for quota in self._environment.quotas
            if quota.active
            and (
                not (quota.offers or quota.categories)
                or offer.name in quota.offers
                or names & set(quota.categories)
            )
        ]
