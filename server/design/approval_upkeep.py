"""What goes with a change of the design: approvals follow offers and environments.

An environment that begins to be published from its records keeps what is published of
it: the offers of the revision that decides are its first approved versions. One that is
no longer forgets its approvals, and with an offer its approvals go.
"""

from collections.abc import Callable, Mapping, Sequence

from catalog_store.approvals import approvals_of_published
from catalog_store.design_records import Design, Ref
from catalog_store.records import Environment, Offer, Record
from compiler.change_check import check_change
from compiler.source import Diagnostic, Severity
from server.design.approved import has_approvals, published_catalog

#: The offers of an environment in the revision that decides.
PublishedOffers = Callable[[str], Sequence[Offer]]

#: Kinds whose changes leave what is approved as good as it was.
_APART = frozenset({"offers", "approvals", "zones"})


def nothing_published(environment: str) -> Sequence[Offer]:
    """For a design beside which no revision decides."""
    return ()


def upkeep_of(
    before: Design, changes: Mapping[Ref, Record | None], published: PublishedOffers
) -> dict[Ref, Record | None]:
    """The changes that approvals need beside those that were asked for."""
    found: dict[Ref, Record | None] = {}
    for ref, record in changes.items():
        approvals = Ref(ref.environment, "approvals", ref.name)
        if ref.kind == "offers" and record is None and approvals in before.records:
            found[approvals] = None
        if ref.kind:
            continue
        was = _has_approvals(before, ref)
        will = isinstance(record, Environment) and has_approvals(record)
        if was and not will:
            gone = _refs(before, ref.environment, "approvals")
            found.update(dict.fromkeys(gone))
        if will and not was:
            after = before.changed(changes, before.version + 1)
            found.update(_first_approvals(after, ref.environment, published))
    return found


def check_approved(
    before: Design, after: Design, changes: Mapping[Ref, Record | None]
) -> list[Diagnostic]:
    """Every error that what is approved has after a change of what it refers to.

    `after` has none in what the design has now. A category, a segment or an attribute
    may stand in approved versions of offers that are edited already.
    """
    touched = {ref.environment for ref in changes if ref.kind not in _APART}
    affected = {name for name in touched if _has_approvals(after, Ref(name))}
    if not affected:
        return []
    return [
        one._replace(message=f"as it is approved: {one.message}")
        for one in check_change(published_catalog(after), published_catalog(before))
        if one.severity is Severity.ERROR
    ]


def _first_approvals(
    design: Design, environment: str, published: PublishedOffers
) -> dict[Ref, Record | None]:
    (record,) = (one for one in design.catalog.environments if one.name == environment)
    spaces = {space.name: space for space in record.spaces}
    known = {offer.name for offer in record.offers}
    return {
        Ref(environment, "approvals", offer.name): approvals_of_published(offer, spaces)
        for offer in published(environment)
        if offer.name in known
    }


def _has_approvals(design: Design, environment: Ref) -> bool:
    stored = design.records.get(environment)
    if stored is None:
        return False
    record = stored.record
    return isinstance(record, Environment) and has_approvals(record)


def _refs(design: Design, environment: str, kind: str) -> list[Ref]:
    return [r for r in design.records if r.kind == kind and r[0] == environment]
