"""What the audit log keeps of requests and answers, and what it never learns."""

from typing import Any

import pytest
from google.protobuf import message_factory
from google.protobuf.struct_pb2 import Struct

from server.access.permissions import PERMISSIONS
from server.audit.content import answered_with, asked_by
from server.transport import MESSAGE_BYTES_MAX
from server.wire import admin_pb2, contact_pb2, design_offers_pb2, design_spaces_pb2
from tests.access import ADMIN_PORT, Method, methods_in

CHANGES = [m for m in methods_in(ADMIN_PORT) if PERMISSIONS[m.path].is_change]
BANK = "environments/bank"


def types_of(path: str) -> tuple[Any, Any]:
    service, _, name = path[1:].rpartition("/")
    file = contact_pb2 if service.endswith("ContactService") else admin_pb2
    method = file.DESCRIPTOR.services_by_name[service.rpartition(".")[2]]
    found = method.methods_by_name[name]
    return (
        message_factory.GetMessageClass(found.input_type),
        message_factory.GetMessageClass(found.output_type),
    )


def asked(method: str, request: Any) -> tuple[str, Any]:
    service = "Contact" if isinstance(request, _OF_CONTACTS) else "Admin"
    path = f"/propono.v1.{service}Service/{method}"
    return tuple(asked_by(path, request.SerializeToString()))


_OF_CONTACTS = (contact_pb2.DeleteContactRequest, contact_pb2.MergeContactsRequest)


def test_resources_are_called_as_the_contract_calls_them() -> None:
    """Created, updated, deleted, reviewed, published: by the name in the request."""
    offers, spaces = design_offers_pb2, design_spaces_pb2
    rule = f"{BANK}/presentationRules/once"
    named = {
        asked(method, request)[0]
        for method, request in (
            (
                "CreateCategory",
                offers.CreateCategoryRequest(parent=BANK, category_id="cards"),
            ),
            (
                "CreatePresentationRule",
                offers.CreatePresentationRuleRequest(
                    parent=BANK, presentation_rule_id="once"
                ),
            ),
            (
                "UpdatePresentationRule",
                offers.UpdatePresentationRuleRequest(presentation_rule={"name": rule}),
            ),
            (
                "CreateEnvironment",
                spaces.CreateEnvironmentRequest(environment_id="bank"),
            ),
            ("DeleteOffer", offers.DeleteOfferRequest(name=f"{BANK}/offers/gold")),
            ("Review", admin_pb2.ReviewRequest(name=f"{BANK}/offers/debit")),
            ("Rollback", admin_pb2.RollbackRequest(revision=3)),
            ("Publish", admin_pb2.PublishRequest()),
            ("UpdateTypology", offers.UpdateTypologyRequest()),
            ("SetOfferDisabled", admin_pb2.SetOfferDisabledRequest()),
            (
                "DeleteContact",
                contact_pb2.DeleteContactRequest(environment="visitor", contact_id="c"),
            ),
        )
    }

    assert named == {
        f"{BANK}/categories/cards",
        rule,
        BANK,
        f"{BANK}/offers/gold",
        f"{BANK}/offers/debit",
        "revisions/3",
        "revisions",
        "typologies",
        "offers",
        "environments/visitor",
    }


@pytest.mark.parametrize("method", CHANGES, ids=lambda m: m.path.rpartition("/")[2])
def test_every_change_can_be_described(method: Method) -> None:
    """Whatever comes: nothing, rubbish, or every field with something in it."""
    request_type, response_type = types_of(method.path)
    for data in (None, b"", b"\xff\xff\xff", _filled(request_type)):
        found = asked_by(method.path, data)
        assert found.resource
        assert len(found.resource) <= 512
    for data in (b"", b"\xff\xff\xff", _filled(response_type)):
        answered_with(method.path, data)


def _filled(kind: Any) -> bytes:
    """A message with a long text in every text field."""
    message = kind()
    for field in message.DESCRIPTOR.fields:
        if field.type == field.TYPE_STRING and not field.is_repeated:
            setattr(message, field.name, "x" * 2_000)
    return message.SerializeToString()


def test_what_is_asked_of_the_design_is_kept_whole() -> None:
    """So is the answer."""
    name = f"{BANK}/offers/gold"
    disable = admin_pb2.SetOfferDisabledRequest(name=name, disabled=True)
    answer = admin_pb2.SetOfferDisabledResponse(offer={"name": name})
    path = "/propono.v1.AdminService/SetOfferDisabled"

    assert asked("SetOfferDisabled", disable)[1] == {"name": name, "disabled": True}
    assert answered_with(path, answer.SerializeToString()) == {"offer": {"name": name}}


def test_no_contact_is_named() -> None:
    """An erasure could not reach it: environment, receipt and counts are kept."""
    secret = "C-4711"
    service = "/propono.v1.ContactService"
    attributes = Struct()
    attributes.update({"name": secret})
    kept = [
        asked(
            "MergeContacts",
            contact_pb2.MergeContactsRequest(
                environment="recipient", contact_id=secret, alias_id=secret
            ),
        ),
        asked(
            "DeleteContact",
            contact_pb2.DeleteContactRequest(
                environment="recipient", contact_id=secret, validate_only=True
            ),
        ),
        answered_with(
            f"{service}/DeleteContact",
            contact_pb2.DeleteContactResponse(
                receipt_id="r1",
                counts={"ids": 1},
                names={"owner": {"environment": "recipient", "contact_id": secret}},
            ).SerializeToString(),
        ),
        answered_with(
            f"{service}/UpsertContacts",
            contact_pb2.UpsertContactsResponse(
                upserted_count=5, rejects=[{"contact_id": secret}]
            ).SerializeToString(),
        ),
        answered_with(
            f"{service}/MergeContacts",
            contact_pb2.MergeContactsResponse(
                contact={"contact_id": secret, "attributes": attributes}
            ).SerializeToString(),
        ),
    ]

    assert secret not in str(kept)
    assert kept[1][1] == {"environment": "recipient", "validate_only": True}
    assert kept[2]["receipt_id"] == "r1"
    assert kept[3] == {"upserted_count": "5"}
    assert kept[4] is None


def test_what_no_method_would_read_is_not_read_here() -> None:
    """A request that is too large: its hash, and no time of the event loop."""
    request = admin_pb2.ReviewRequest(name="x" * MESSAGE_BYTES_MAX)
    resource, content = asked("Review", request)

    assert resource == "offers"
    assert content["left_out_bytes"] == request.ByteSize()


def test_what_json_has_no_words_for_is_kept_as_a_hash() -> None:
    """A date that is none."""
    request = admin_pb2.PublishRequest(publish_time={"seconds": 2**62})
    resource, content = asked("Publish", request)

    assert resource == "revisions"
    assert sorted(content) == ["left_out_bytes", "sha256"]
