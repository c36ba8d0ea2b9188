"""What is published of the design: of some environments only what is approved.

An environment whose source is the records goes out with the approved versions of its
offers, and with the newest state of everything else. Rules and quotas that are about
offers of which none is published have nothing to count, and stay at home.
"""

from collections.abc import Mapping
from typing import TypeVar

from msgspec.structs import replace

from catalog_store.approvals import OfferApprovals, approved_offer
from catalog_store.design_records import Design
from catalog_store.records import (
    Catalog,
    Environment,
    EnvironmentSource,
    Offer,
    PresentationRule,
    Quota,
)

_Scoped = TypeVar("_Scoped", PresentationRule, Quota)


def published_catalog(design: Design) -> Catalog:
    """The catalog that a publication of the design is compiled from."""
    if not any(map(has_approvals, design.catalog.environments)):
        return design.catalog
    return Catalog(
        environments=tuple(
            _approved(one, approvals_in(design, one.name))
            if has_approvals(one)
            else one
            for one in design.catalog.environments
        )
    )


def has_approvals(environment: Environment) -> bool:
    """Whether only what is approved of it is published."""
    return environment.source is EnvironmentSource.RECORDS


def approvals_in(design: Design, environment: str) -> dict[str, OfferApprovals]:
    """Offer -> what became of its approvals."""
    return {
        ref.name: stored.record
        for ref, stored in design.records.items()
        if ref.kind == "approvals" and ref.environment == environment
        if isinstance(stored.record, OfferApprovals)
    }


def _approved(
    environment: Environment, approvals: Mapping[str, OfferApprovals]
) -> Environment:
    spaces = {space.name: space for space in environment.spaces}
    found = (
        approved_offer(offer, approvals.get(offer.name), spaces)
        for offer in environment.offers
    )
    offers = tuple(offer for offer in found if offer is not None)
    names = {offer.name for offer in offers}
    rules = tuple(
        kept
        for rule in environment.presentation_rules
        if (kept := _about(rule, names)) is not None and _is_counted(kept, offers)
    )
    known = {rule.name for rule in rules}
    typologies = tuple(
        replace(one, rules=tuple(name for name in one.rules if name in known))
        for one in environment.typologies
    )
    quotas = tuple(
        kept
        for quota in environment.quotas
        if (kept := _about(quota, names)) is not None
    )
    return replace(
        environment,
        offers=offers,
        presentation_rules=rules,
        typologies=typologies,
        quotas=quotas,
    )


def _about(one: _Scoped, offers: set[str]) -> _Scoped | None:
    """The same about published offers only; None if it would be about nothing."""
    if not one.offers:
        return one
    kept = tuple(name for name in one.offers if name in offers)
    # No offers and no categories would mean every offer.
    return replace(one, offers=kept) if kept or one.categories else None


def _is_counted(rule: PresentationRule, offers: tuple[Offer, ...]) -> bool:
    """Whether some offer has the attribute that the rule counts by, if it does."""
    name = rule.attribute
    return name is None or any(name in offer.attributes for offer in offers)
