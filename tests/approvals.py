"""An environment with approvals, for tests: edited, submitted, reviewed, published."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from catalog_store.design_records import Ref, catalog_records
from catalog_store.records import (
    Catalog,
    ContentField,
    Environment,
    EnvironmentSource,
    Offer,
    Record,
)
from catalog_store.revisions import Revisions
from server.access.roles import Role
from tests.bank import environment, offer, space
from tests.design_admin import DesignAdmin

NAME = "environments/bank/offers/gold"
STATES = ("unspecified", "editing", "pending", "approved", "rejected")
APPROVED, REJECTED = 3, 4


def bank(*offers: Offer, **fields: Any) -> Environment:
    """Two spaces: both show a title, `banner` a note as well."""
    spaces = [
        space("banner", fields=(ContentField(name="title"), ContentField(name="note"))),
        space("side", fields=(ContentField(name="title"),)),
    ]
    gold = offer("gold", 5, content={"title": "Gold", "note": "Free"})
    fields.setdefault("source", EnvironmentSource.RECORDS)
    return replace(environment(offers or [gold], spaces=spaces), **fields)


def records_of(*environments: Environment) -> dict[Ref, Record]:
    return catalog_records(Catalog(environments=environments))


class Desk(NamedTuple):
    """One offer's approvals, over a real port."""

    admin: DesignAdmin
    folder: Path
    name: str = NAME

    def as_(self, caller: str, role: Role = Role.OFFER_MANAGER) -> "Desk":
        return self._replace(admin=self.admin.as_(caller, role))

    def edit(self, **fields: Any) -> Any:
        """Change some fields of the offer."""
        return self.admin.call(
            "UpdateOffer",
            offer={"name": self.name, **fields},
            update_mask={"paths": list(fields)},
        ).offer

    def submit(self, space: str = "", **fields: Any) -> Any:
        asked = {"name": self.name, "space": space, **fields}
        return self.admin.call("SubmitForApproval", **asked).offer

    def review(self, space: str = "", state: int = APPROVED, **fields: Any) -> Any:
        asked = {"name": self.name, "space": space, "state": state, **fields}
        return self.admin.call("Review", **asked)

    def approve(self, *spaces: str) -> None:
        """Submitted by one, approved by another."""
        for one in spaces:
            self.as_("ann").submit(one)
            self.as_("bob").review(one)

    def states(self) -> dict[str, str]:
        """Part -> its state; eligibility has no name."""
        approval = self.admin.call("GetOffer", name=self.name).offer.approval
        found = {"": approval.eligibility, **approval.content}
        return {place: STATES[state] for place, state in found.items()}

    def published(self) -> dict[str, Offer]:
        """Publish, and what is then published."""
        self.admin.call("Publish")
        return live_offers(self.folder)

    def waiting(self, **fields: Any) -> Sequence[Any]:
        return self.admin.call("ListApprovals", **fields).approvals

    def log(self) -> list[tuple[str, str, str, str]]:
        """Author, part, state and comment; oldest first."""
        events = self.admin.call("ListApprovalLog", name=self.name).events
        return [(e.author, e.space, STATES[e.state], e.comment) for e in events][::-1]


def live_offers(folder: Path) -> dict[str, Offer]:
    """Those of the revision that decides."""
    revisions = Revisions(folder / "catalog")
    revision = revisions.open(revisions.current())
    try:
        return {one.name: one for one in revision.environment("bank").offers}
    finally:
        revision.close()


def shown_in(one: Offer, space: str) -> dict[str, str]:
    """What a space has of an offer to show."""
    assert space in one.spaces
    fields = {"banner": ("title", "note"), "side": ("title",)}[space]
    texts = one.content_in(space)
    return {field: texts[field] for field in fields if texts.get(field)}
