"""What the rules in force may still count, for whoever purges propositions."""

from catalog_store.counting import Counted
from contact_store.retention import Counting
from server.engine.bit_sets import ascending
from server.engine.live_catalog import LiveCatalog, LiveEnvironment
from server.engine.live_offers import LivePresentationRule


def countings_of(catalog: LiveCatalog) -> tuple[Counting, ...]:
    """One for each presentation rule of every environment.

    A contact's record may be read by several environments, an anonymous one and those
    that its visitors became known in: what any of them counts is kept.
    """
    return tuple(
        _counting(rule, environment)
        for environment in catalog.environments.values()
        for rule in environment.presentation_rules
    )


def _counting(rule: LivePresentationRule, environment: LiveEnvironment) -> Counting:
    offers: frozenset[int] | None = None
    categories: frozenset[int] | None = None
    match rule.counted:
        case Counted.ALL_OFFERS:
            pass
        case Counted.THIS_OFFER if rule.offers >= 0:
            offers = frozenset(
                environment.offers[number].offer_hash
                for number in ascending(rule.offers)
            )
        case Counted.SAME_CATEGORY if rule.offers >= 0:
            categories = frozenset(
                environment.offers[number].category_hash
                for number in ascending(rule.offers)
            )
        case Counted.SCOPE | Counted.SAME_ATTRIBUTE:
            offers = frozenset(rule.counter_of)
        case _:
            pass
    return Counting(
        period_ms=rule.period_ms,
        statuses=rule.counted_statuses,
        offers=offers,
        categories=categories,
        from_status=rule.from_status,
    )
