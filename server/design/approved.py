"""What is published of the design: of some environments only what is approved.

An environment whose source is the records goes out with the approved versions of its
offers, and with the newest state of everything else. Rules and quotas that are about
offers of which none is published have nothing to count, and stay at home; so does a
golden decision until every offer that it names is published.
"""

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from catalog_store.approvals import OfferApprovals, approved_offer
from catalog_store.design_records import Design
from catalog_store.golden_decisions import GoldenDecision
from catalog_store.records import (
    Catalog,
    Environment,
    EnvironmentSource,
    Offer,
    PresentationRule,
    Quota,
    Space,
)

_Scoped = TypeVar("_Scoped", PresentationRule, Quota)


class ApprovedVersions:
    """The approved versions of offers as they were built last.

    PERF: building those of 10,000 offers takes 100 ms, and seeing that nothing changed
    10 (bench/approving.py, two busy cores).
    """

    def __init__(self) -> None:
        self._spaces: dict[str, tuple[Space, ...]] = {}
        self._built: dict[str, dict[str, _Built]] = {}

    def of(
        self, environment: Environment, approvals: Mapping[str, OfferApprovals]
    ) -> tuple[Offer, ...]:
        """Those of an environment, without offers of which nothing is approved."""
        name = environment.name
        before = self._built.get(name, {})
        if self._spaces.get(name) != environment.spaces:
            before = {}
        spaces = {space.name: space for space in environment.spaces}
        built: dict[str, _Built] = {}
        for offer in environment.offers:
            known = approvals.get(offer.name)
            one = before.get(offer.name)
            if one is None or one.offer is not offer or one.known is not known:
                one = _Built(offer, known, approved_offer(offer, known, spaces))
            built[offer.name] = one
        self._spaces[name], self._built[name] = environment.spaces, built
        found = (one.approved for one in built.values())
        return tuple(offer for offer in found if offer is not None)


class _Built(NamedTuple):
    """What an approved version was built from."""

    offer: Offer
    known: OfferApprovals | None
    approved: Offer | None


def published_catalog(
    design: Design, versions: ApprovedVersions | None = None
) -> Catalog:
    """The catalog that a publication of the design is compiled from."""
    if not any(map(has_approvals, design.catalog.environments)):
        return design.catalog
    versions = versions or ApprovedVersions()
    return Catalog(
        environments=tuple(
            _approved(one, versions.of(one, approvals_in(design, one.name)))
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


def _approved(environment: Environment, offers: tuple[Offer, ...]) -> Environment:
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
        golden_decisions=tuple(
            one for one in environment.golden_decisions if _names(one) <= names
        ),
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


def _names(golden: GoldenDecision) -> set[str]:
    """The offers that a golden decision is about."""
    found = {past.offer for past in golden.past}
    for space in golden.spaces:
        found.update(space.absent, *space.expected)
    return found


def _is_counted(rule: PresentationRule, offers: tuple[Offer, ...]) -> bool:
    """Whether some offer has the attribute that the rule counts by, if it does."""
    name = rule.attribute
    return name is None or any(name in offer.attributes for offer in offers)
