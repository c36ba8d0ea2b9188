"""The active quotas of a published environment, prepared for deciding."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from catalog_store.counting import QuotaPeriod


class LiveQuota(NamedTuple):
    """A quota in force."""

    number: int
    name: str
    #: What counts it, over all revisions; see `contact_store.names`.
    quota_hash: int
    #: The offers that it limits together.
    offers: int
    limit: int
    period: QuotaPeriod
    time_zone: str
    #: What is allowed while the counter cannot be read; None is everything.
    fallback_limit: int | None = 0


class LiveQuotas(NamedTuple):
    """All of them, by number, and those of each offer."""

    live: tuple[LiveQuota, ...] = ()
    #: Numbers of quotas of all offers.
    of_all: tuple[int, ...] = ()
    #: Offer -> numbers of the quotas that name it or a category above it.
    of_some: Mapping[int, Sequence[int]] = {}

    def of(self, offer: int) -> Sequence[int]:
        """The numbers of an offer's quotas."""
        return (*self.of_all, *self.of_some.get(offer, ()))
