"""The table of who may do what: whole, and as the roles are meant."""

import re

import pytest
from google.protobuf.descriptor import MethodDescriptor

from server.access.permissions import PERMISSIONS, Need, permission_of
from server.access.roles import Role
from server.wire import admin_pb2, contact_pb2, decision_pb2

STANDARD = {
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
}
METHODS: dict[str, MethodDescriptor] = {
    f"/{service.full_name}/{method.name}": method
    for file in (admin_pb2, contact_pb2, decision_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


def may(role: Role) -> set[str]:
    return {
        method.rpartition("/")[2]
        for method, permission in PERMISSIONS.items()
        if role in permission.roles and method not in STANDARD
    }


def test_every_method_of_the_contract_is_in_the_table_and_nothing_else() -> None:
    """A method without a row would be refused to all: here it is seen before."""
    assert set(PERMISSIONS) == METHODS.keys() | STANDARD


def test_what_is_not_in_the_table_is_refused_to_everybody() -> None:
    """Deny by default, even to administrators."""
    permission = permission_of("/propono.v1.AdminService/DropEverything")

    assert permission.roles == frozenset()
    assert permission.need is Need.ALWAYS


@pytest.mark.parametrize("method", sorted(METHODS))
def test_what_does_more_than_read_is_a_change(method: str) -> None:
    """So that it is audited; decisions keep their own record."""
    service, _, name = method[1:].rpartition("/")
    reads = re.match("List|Get|Export", name) or service.endswith("DecisionService")

    assert PERMISSIONS[method].is_change == (not reads)


def test_only_health_never_asks_who_calls() -> None:
    """The admin port always asks; decisions and reflection where it is required."""
    asks = {need: set[str]() for need in Need}
    for method, permission in PERMISSIONS.items():
        asks[permission.need].add(method[1:].partition("/")[0])

    assert asks == {
        Need.ALWAYS: {"propono.v1.AdminService", "propono.v1.ContactService"},
        Need.WHERE_REQUIRED: {
            "propono.v1.DecisionService",
            "grpc.reflection.v1alpha.ServerReflection",
        },
        Need.NEVER: {"grpc.health.v1.Health"},
    }


def test_an_administrator_may_do_everything() -> None:
    """There is nothing that nobody may do."""
    assert may(Role.ADMINISTRATOR) == {m.name for m in METHODS.values()}


def test_a_decision_client_proposes_for_one_contact_at_a_time() -> None:
    """And says what became of it; it reads no catalog and no contact."""
    assert may(Role.DECISION_CLIENT) == {"Propose", "UpdateProposition"}


def test_an_auditor_changes_nothing_and_sees_no_contact() -> None:
    """Design and revisions, to read."""
    allowed = may(Role.AUDITOR)

    assert all(name.startswith(("List", "Get", "Export")) for name in allowed)
    assert not allowed & {"GetContact", "ListPropositions"}
    assert len(allowed) == 29


def test_a_delivery_manager_uses_what_is_published() -> None:
    """Reads what deliveries are made from, reviews, proposes to many, sees history."""
    nouns = ("Categories", "Offers", "Segments", "Typologies", "Revisions")
    singular = ("Category", "Offer", "Segment", "Typology", "Revision")

    assert may(Role.DELIVERY_MANAGER) == {
        *(f"List{noun}" for noun in nouns),
        *(f"Get{noun}" for noun in singular),
        "GetContact",
        "ListApprovalLog",
        "ListApprovals",
        "ListPropositions",
        "ListScheduledPublications",
        "ProposeBatch",
        "Review",
        "UpdateProposition",
    }


def test_an_offer_manager_keeps_the_catalog_but_not_contacts() -> None:
    """All but making environments, and what is known of contacts."""
    assert may(Role.ADMINISTRATOR) - may(Role.OFFER_MANAGER) == {
        "CreateEnvironment",
        "DeleteEnvironment",
        "ApplyCatalog",
        "UpsertContacts",
        "GetContact",
        "DeleteContact",
        "MergeContacts",
    }
