"""The table: each method of both ports, and the roles that may call it.

                     design        offers,    publish,   reviews  contacts  decides
                     environments  rules ...  roll back                     for
    administrator    write         write      yes        yes      write     yes
    offer_manager    update        write      yes        yes      history   yes
    delivery_manager -             some read  -          yes      read      many
    decision_client  -             -          -          -        -         one
    auditor          read          read       -          -        -         -

What is not in `PERMISSIONS` is refused to everybody. A reviewer's role lets the call
through; whether they are the reviewer that an offer names is for Review itself to say.
"""

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from server.access.roles import EVERY_ROLE, NOBODY, Role

_ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
_EDITORS = frozenset({Role.ADMINISTRATOR, Role.OFFER_MANAGER})
_READERS = frozenset({Role.ADMINISTRATOR, Role.OFFER_MANAGER, Role.AUDITOR})
#: The part of the design that deliveries are made from.
_CATALOG_READERS = _READERS | {Role.DELIVERY_MANAGER}
_REVIEWERS = _EDITORS | {Role.DELIVERY_MANAGER}
_CONTACT_READERS = frozenset({Role.ADMINISTRATOR, Role.DELIVERY_MANAGER})


class Need(Enum):
    """When a caller must say who they are."""

    ALWAYS = "always"
    #: Where the port is open to other machines, or `--auth required` was asked for.
    WHERE_REQUIRED = "where required"
    NEVER = "never"


class Cost(Enum):
    """What a call takes of the admin process: see `server.access.rate_limits`."""

    #: It compiles, or takes or gives a whole catalog, or many contacts.
    COSTLY = "costly"
    CHEAP = "cheap"
    #: Never limited.
    FREE = "free"


class Permission(NamedTuple):
    """Who may call one method."""

    roles: frozenset[Role]
    need: Need = Need.ALWAYS
    #: Whether it changes what is designed, published or known of contacts by hand:
    #: such calls are audited.
    is_change: bool = False
    cost: Cost = Cost.CHEAP


#: For what is not in the table.
REFUSED = Permission(NOBODY)


def permission_of(method: str) -> Permission:
    """Who may call a method, by its path: `/package.Service/Method`."""
    return PERMISSIONS.get(method, REFUSED)


def _noun(
    one: str,
    many: str,
    readers: Iterable[Role],
    writers: Iterable[Role],
    makers: Iterable[Role],
) -> dict[str, Permission]:
    """The five standard methods; `makers` create and delete."""
    return {
        f"List{many}": Permission(frozenset(readers)),
        f"Get{one}": Permission(frozenset(readers)),
        f"Create{one}": Permission(frozenset(makers), is_change=True),
        f"Update{one}": Permission(frozenset(writers), is_change=True),
        f"Delete{one}": Permission(frozenset(makers), is_change=True),
    }


def _service(name: str, methods: dict[str, Permission]) -> dict[str, Permission]:
    return {f"/{name}/{method}": each for method, each in methods.items()}


_ADMIN = {
    **_noun("Environment", "Environments", _READERS, _EDITORS, _ADMINISTRATOR),
    **_noun("Space", "Spaces", _READERS, _EDITORS, _EDITORS),
    **_noun("Zone", "Zones", _READERS, _EDITORS, _EDITORS),
    **_noun("PresentationRule", "PresentationRules", _READERS, _EDITORS, _EDITORS),
    **_noun("Quota", "Quotas", _READERS, _EDITORS, _EDITORS),
    **_noun("GoldenDecision", "GoldenDecisions", _READERS, _EDITORS, _EDITORS),
    **_noun("Category", "Categories", _CATALOG_READERS, _EDITORS, _EDITORS),
    **_noun("Offer", "Offers", _CATALOG_READERS, _EDITORS, _EDITORS),
    **_noun("Segment", "Segments", _CATALOG_READERS, _EDITORS, _EDITORS),
    **_noun("Typology", "Typologies", _CATALOG_READERS, _EDITORS, _EDITORS),
    "SubmitForApproval": Permission(_EDITORS, is_change=True),
    "Review": Permission(_REVIEWERS, is_change=True),
    "ListApprovals": Permission(_CATALOG_READERS),
    "ListApprovalLog": Permission(_CATALOG_READERS),
    "SetOfferDisabled": Permission(_EDITORS, is_change=True, cost=Cost.COSTLY),
    # A catalog may have environments: who may make them applies it.
    "ApplyCatalog": Permission(_ADMINISTRATOR, is_change=True, cost=Cost.COSTLY),
    "ExportCatalog": Permission(_READERS, cost=Cost.COSTLY),
    "ListDesignChanges": Permission(_READERS),
    "GetDesignChange": Permission(_READERS),
    "GetDesignRecord": Permission(_READERS),
    "Publish": Permission(_EDITORS, is_change=True, cost=Cost.COSTLY),
    "ListScheduledPublications": Permission(_CATALOG_READERS),
    "CancelScheduledPublication": Permission(_EDITORS, is_change=True),
    "PushArtifact": Permission(_EDITORS, is_change=True, cost=Cost.COSTLY),
    "Rollback": Permission(_EDITORS, is_change=True, cost=Cost.COSTLY),
    "ListRevisions": Permission(_CATALOG_READERS),
    "GetRevision": Permission(_CATALOG_READERS),
}

_CONTACT = {
    "UpsertContacts": Permission(_ADMINISTRATOR, is_change=True, cost=Cost.COSTLY),
    "GetContact": Permission(_CONTACT_READERS),
    "ListPropositions": Permission(_CONTACT_READERS | {Role.OFFER_MANAGER}),
    "DeleteContact": Permission(_ADMINISTRATOR, is_change=True),
    "MergeContacts": Permission(_ADMINISTRATOR, is_change=True),
}

#: Propositions are their own record: the history, not the audit log, keeps them.
_DECISION = {
    "Propose": Permission(_EDITORS | {Role.DECISION_CLIENT}, Need.WHERE_REQUIRED),
    "UpdateProposition": Permission(
        _REVIEWERS | {Role.DECISION_CLIENT}, Need.WHERE_REQUIRED
    ),
    "ProposeBatch": Permission(_REVIEWERS, Need.WHERE_REQUIRED),
}

#: Load balancers have no tokens, and learn one bit.
_HEALTH = {
    "Check": Permission(EVERY_ROLE, Need.NEVER, cost=Cost.FREE),
    "Watch": Permission(EVERY_ROLE, Need.NEVER, cost=Cost.FREE),
}

_REFLECTION = {"ServerReflectionInfo": Permission(EVERY_ROLE, Need.WHERE_REQUIRED)}

PERMISSIONS: dict[str, Permission] = {
    **_service("propono.v1.AdminService", _ADMIN),
    **_service("propono.v1.ContactService", _CONTACT),
    **_service("propono.v1.DecisionService", _DECISION),
    **_service("grpc.health.v1.Health", _HEALTH),
    **_service("grpc.reflection.v1alpha.ServerReflection", _REFLECTION),
}
