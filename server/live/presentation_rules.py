"""The presentation rules of the typology in force."""

from collections.abc import Mapping, Sequence
from math import inf
from typing import NamedTuple

from catalog_store.counting import Counted, CountedFrom, CountedStatus
from catalog_store.index_tables import set_of
from catalog_store.records import PresentationRule, Typology
from contact_store.channels import CODE_OF_CHANNEL
from contact_store.records import PropositionStatus
from server.engine.bit_sets import ascending
from server.engine.live_index import LiveIndex
from server.engine.live_offers import LiveOffer, LivePresentationRule
from server.live.nouns import RuleNumber
from server.live.offers import LoadedOffers
from server.live.source import Source, Steps

_STATUSES = {
    CountedStatus.ANY: None,
    CountedStatus.PRESENTED: frozenset(PropositionStatus)
    - {PropositionStatus.GENERATED, PropositionStatus.UNSPECIFIED},
    CountedStatus.ACCEPTED: frozenset({PropositionStatus.ACCEPTED}),
    CountedStatus.REJECTED: frozenset({PropositionStatus.REJECTED}),
    CountedStatus.ACCEPTED_OR_REJECTED: frozenset(
        {PropositionStatus.ACCEPTED, PropositionStatus.REJECTED}
    ),
}

#: Offers whose counters are noted in one step.
_STEP = 1_024


class Scopes(NamedTuple):
    """What a rule's scope is put together from."""

    offers: LoadedOffers
    #: Category -> the offers of its subtree.
    of_category: Mapping[str, int]
    live_index: LiveIndex

    def of(self, rule: PresentationRule) -> tuple[int, int]:
        """The offers that a rule names, and their rows; all of both if it names none.

        Raises KeyError for a name that the environment does not have.
        """
        if not rule.offers and not rule.categories:
            return -1, -1
        numbers = [self.offers.numbers[name] for name in rule.offers]
        offers = set_of(numbers, len(self.offers.offers))
        rows = self.live_index.rows_of(numbers)
        for category in rule.categories:
            offers |= self.of_category[category]
            rows |= self.live_index.category_rows[category]
        return offers, rows


def load_presentation_rules(
    source: Source, scopes: Scopes, rule_number: RuleNumber
) -> Steps[tuple[LivePresentationRule, ...]]:
    """Those of the typology in force that are active, in its order."""
    named: tuple[str, ...] = ()
    for typologies in source.lists("typologies", Typology):
        for typology in typologies:
            if typology.name == source.head.environment.typology:
                named = typology.rules
        yield
    by_name: dict[str, PresentationRule] = {}
    for records in source.lists("presentation_rules", PresentationRule):
        by_name.update((rule.name, rule) for rule in records)
        yield
    live: list[LivePresentationRule] = []
    alike: dict[object, int] = {}
    for rule in map(by_name.__getitem__, named):
        if rule.active:
            offers, rows = scopes.of(rule)
            yield
            counter_of = yield from _counters(
                source, rule, scopes.offers.offers, offers
            )
            live.append(
                LivePresentationRule(
                    number=len(live),
                    name=rule.name,
                    offers=offers,
                    rows=rows,
                    channel_code=None
                    if rule.channel is None
                    else CODE_OF_CHANNEL[rule.channel],
                    period_ms=inf if rule.period_ms is None else rule.period_ms,
                    maximum=rule.maximum,
                    rest_ms=rule.rest_ms,
                    counted=rule.counted,
                    counted_statuses=_STATUSES[rule.counted_status],
                    from_status=rule.counted_from is CountedFrom.STATUS,
                    same_channel=rule.same_channel,
                    counter_of=counter_of,
                    counts_like=alike.setdefault(_counting(rule), len(live)),
                    is_plain=_is_plain(rule),
                    rule=rule_number("presentation_rules", rule.name, "rule"),
                    counted_rule=rule_number(
                        "presentation_rules", rule.name, "counted_rule"
                    ),
                )
            )
    return tuple(live)


def _is_plain(rule: PresentationRule) -> bool:
    """See `LivePresentationRule.is_plain`."""
    narrowed = rule.offers or rule.categories or rule.channel or rule.rule
    return (
        rule.counted in (Counted.THIS_OFFER, Counted.SAME_CATEGORY)
        and not narrowed
        and rule.rest_ms is None
        and not rule.same_channel
        and rule.counted_rule is None
    )


def _counting(rule: PresentationRule) -> object:
    """Equal for rules that count alike; see `LivePresentationRule.counts_like`."""
    shares = rule.counted in (
        Counted.ALL_OFFERS,
        Counted.THIS_OFFER,
        Counted.SAME_CATEGORY,
    )
    return (
        rule.counted,
        rule.counted_status,
        rule.counted_from,
        rule.same_channel,
        rule.counted_rule,
        "" if shares else rule.name,
    )


def _counters(
    source: Source, rule: PresentationRule, offers: Sequence[LiveOffer], scope: int
) -> Steps[dict[int, int]]:
    """What the propositions of offers are counted under: `counter_of`."""
    counters: dict[int, int] = {}
    if rule.counted is Counted.SCOPE:
        # All offers are -1.
        for number in ascending(scope & ((1 << len(offers)) - 1)):
            counters[offers[number].offer_hash] = 0
            if len(counters) % _STEP == 0:
                yield
    if rule.counted is Counted.SAME_ATTRIBUTE:
        values: dict[str, int] = {}
        kind = tuple[int, dict[str, str]]
        for items in source.lists("offer_attributes", kind):
            for number, attributes in items:
                value = attributes.get(rule.attribute or "")
                if value is not None:
                    counter = values.setdefault(value, len(values))
                    counters[offers[number].offer_hash] = counter
            yield
    return counters
