"""Whether quotas can be counted: limits, what they name, and where that is recorded."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from catalog_store.counting import OnFailure
from catalog_store.records import (
    QUOTA_LIMIT_MAX,
    Category,
    Environment,
    Offer,
    Quota,
    resource_name,
)
from compiler import catalog_diagnostics as mistakes
from compiler.catalog_diagnostics import Field, Findings


def check_quotas(
    environment: Environment, time_zones: Collection[str], findings: Findings
) -> None:
    """Report what is unknown, out of bounds, or would be proposed uncounted."""
    if not environment.quotas:
        return
    offers = {offer.name for offer in environment.offers}
    categories = {category.name for category in environment.categories}
    for quota in environment.quotas:
        resource = resource_name(environment.name, "quotas", quota.name)
        if not 0 <= quota.limit <= QUOTA_LIMIT_MAX:
            field = Field(resource, "limit", str(quota.limit))
            findings.add(mistakes.bad_limit(field, QUOTA_LIMIT_MAX))
        _check_fallback(quota, resource, findings)
        if quota.time_zone is not None and quota.time_zone not in time_zones:
            field = Field(resource, "time_zone", quota.time_zone)
            findings.add(mistakes.unknown(field, "time zone", time_zones))
        _check_names(resource, "offers", "offer", quota.offers, offers, findings)
        _check_names(
            resource, "categories", "category", quota.categories, categories, findings
        )
    _check_recording(environment, findings)


def _check_fallback(quota: Quota, resource: str, findings: Findings) -> None:
    field = Field(resource, "fallback_limit", str(quota.fallback_limit))
    if quota.on_failure is not OnFailure.FALL_BACK:
        if quota.fallback_limit is not None:
            findings.add(mistakes.fallback_limit_unused(field))
    elif quota.fallback_limit is None:
        field = Field(resource, "on_failure", quota.on_failure.value)
        findings.add(mistakes.fallback_limit_missing(field))
    elif not 1 <= quota.fallback_limit <= quota.limit:
        findings.add(mistakes.bad_fallback_limit(field, quota.limit))


def _check_names(
    resource: str,
    path: str,
    what: str,
    names: Sequence[str],
    known: Collection[str],
    findings: Findings,
) -> None:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if findings.full:
            return
        field = Field(resource, f"{path}[{index}]", name)
        if name in seen:
            findings.add(mistakes.duplicate(field, what))
        elif name not in known:
            findings.add(mistakes.unknown(field, what, known))
        seen.add(name)


def _check_recording(environment: Environment, findings: Findings) -> None:
    """Report offers of quotas in spaces that record nothing: nobody would count them.

    Each offer and space once, however many quotas there are.
    """
    unrecorded = {space.name for space in environment.spaces if not space.recording}
    quotas = [quota for quota in environment.quotas if quota.active]
    if not unrecorded or not quotas:
        return
    categories = {each.name: each for each in environment.categories}
    quota_of = _Scopes(quotas, categories)
    for offer in environment.offers:
        if unrecorded.isdisjoint(offer.spaces):
            continue
        quota = quota_of.first(offer)
        if quota is None:
            continue
        resource = resource_name(environment.name, "offers", offer.name)
        for index, space in enumerate(offer.spaces):
            if space in unrecorded and not findings.full:
                field = Field(resource, f"spaces[{index}]", space)
                findings.add(mistakes.quota_unrecorded(field, quota.name))


class _Scopes:
    """Which quota an offer is under, by name and by category."""

    def __init__(
        self, quotas: Sequence[Quota], categories: Mapping[str, Category]
    ) -> None:
        self._categories = categories
        self._of_all: Quota | None = None
        self._of_offer: dict[str, Quota] = {}
        self._of_category: dict[str, Quota] = {}
        for quota in quotas:
            if not quota.offers and not quota.categories:
                self._of_all = self._of_all or quota
            for name in quota.offers:
                self._of_offer.setdefault(name, quota)
            for name in quota.categories:
                self._of_category.setdefault(name, quota)

    def first(self, offer: Offer) -> Quota | None:
        """One of those that it is under; None when there is none."""
        found = self._of_all or self._of_offer.get(offer.name)
        for name in self._path(offer.category):
            found = found or self._of_category.get(name)
        return found

    def _path(self, category: str) -> Iterator[str]:
        """A category and those above it, to the root or to one that comes again."""
        seen: set[str] = set()
        name: str | None = category
        while name is not None and name not in seen:
            seen.add(name)
            yield name
            above = self._categories.get(name)
            name = above and above.parent
