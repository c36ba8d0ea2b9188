"""Limits over all contacts, and the offers that they concern."""

from collections.abc import Mapping

from catalog_store.counting import OnFailure
from catalog_store.index_tables import set_of
from catalog_store.records import Quota, resource_name
from contact_store.names import name_hash
from server.engine.bit_sets import ascending
from server.engine.live_quotas import LiveQuota, LiveQuotas
from server.live.offers import LoadedOffers
from server.live.source import Source, Steps

#: Offers handled in one step, where each costs little.
_STEP = 1_024


def load_quotas(
    source: Source, offers: LoadedOffers, subtrees: Mapping[str, int]
) -> Steps[LiveQuotas]:
    """The active quotas of an environment, in its order; `subtrees` are by category."""
    environment = source.head.environment
    live: list[LiveQuota] = []
    of_all: list[int] = []
    of_some: dict[int, list[int]] = {}
    for records in source.lists("quotas", Quota):
        yield
        for quota in records:
            if not quota.active:
                continue
            scope = set_of(
                map(offers.numbers.__getitem__, quota.offers), len(offers[0])
            )
            for category in quota.categories:
                scope |= subtrees[category]
            is_of_all = not quota.offers and not quota.categories
            number = len(live)
            resource = resource_name(environment.name, "quotas", quota.name)
            live.append(
                LiveQuota(
                    number=number,
                    name=quota.name,
                    quota_hash=name_hash(resource),
                    offers=-1 if is_of_all else scope,
                    limit=quota.limit,
                    period=quota.period,
                    time_zone=quota.time_zone or environment.time_zone,
                    fallback_limit=_fallback_limit(quota),
                )
            )
            if is_of_all:
                of_all.append(number)
            yield
            for place, offer in enumerate(ascending(scope)):
                of_some.setdefault(offer, []).append(number)
                if place % _STEP == _STEP - 1:
                    yield
    return LiveQuotas(tuple(live), tuple(of_all), of_some)


def _fallback_limit(quota: Quota) -> int | None:
    return None if quota.on_failure is OnFailure.OPEN else quota.fallback_limit or 0
