"""Quotas, slow and obvious: a dictionary of what is left of each."""

from collections.abc import Mapping, Sequence

from catalog_store.records import Category, Environment, Offer, Quota


class ReferenceQuotas:
    """What one call finds left of each quota, by name; those missing are damaged."""

    def __init__(self, environment: Environment, left: Mapping[str, int]) -> None:
        self._environment = environment
        self._left = dict(left)

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
