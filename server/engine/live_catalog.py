"""A published environment, prepared for deciding, and the catalog of all of them."""

from collections.abc import Mapping
from typing import NamedTuple

from catalog_store.records import Attribute
from compiler.runtime.linker import LinkedRule
from server.engine.counted_offers import CountedOffers
from server.engine.live_index import LiveIndex
from server.engine.live_nouns import LiveNouns
from server.engine.live_offers import (
    LiveOffer,
    LivePlainCount,
    LivePresentationRule,
    LiveSpace,
)
from server.engine.live_quotas import LiveQuotas


class LiveEnvironment(NamedTuple):
    """Everything that a decision in one environment reads."""

    name: str
    anonymous: bool
    anonymous_environment: str | None
    #: Whether a contact id without a profile identifies nobody.
    requires_profile: bool
    contact_attributes: tuple[Attribute, ...]
    context_attributes: tuple[Attribute, ...]
    rules: tuple[LinkedRule, ...]
    #: Who is served at all; None is everybody.
    rule: int | None
    offers: tuple[LiveOffer, ...]
    offer_numbers: Mapping[str, int]
    spaces: Mapping[str, LiveSpace]
    #: Category -> the offers of its subtree.
    categories: Mapping[str, int]
    #: Theme -> the offers of the categories that have or inherit it.
    themes: Mapping[str, int]
    always_included: int
    live_index: LiveIndex
    #: The same as people wrote it; read by explanations only.
    nouns: LiveNouns
    presentation_rules: tuple[LivePresentationRule, ...]
    plain_counts: tuple[LivePlainCount, ...]
    counted_offers: CountedOffers
    #: Segment -> number of its rule.
    segments: Mapping[str, int]
    quotas: LiveQuotas = LiveQuotas()


class LiveCatalog(NamedTuple):
    """One revision; immutable, and replaced as a whole."""

    revision: int
    digest: str
    environments: Mapping[str, LiveEnvironment]
    #: The environment of calls that name none.
    default_environment: str | None
