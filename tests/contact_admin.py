"""A contact service beside a decision service, over the same stores."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from google.protobuf import struct_pb2
from msgspec.structs import replace

from catalog_store.records import Attribute, AttributeType, StoredExpression, UnixMs
from catalog_store.revisions import Revisions
from server.contact_catalog import ContactCatalog
from server.contact_service import ContactService, ContactStores
from server.wire import contact_pb2 as pb
from tests.bank import environment, offer, space
from tests.services import Served, served
from tests.test_identification import visitors

ATTRIBUTES = (
    Attribute(name="age", type=AttributeType.INT, minimum=0),
    Attribute(name="balance", type=AttributeType.DOUBLE),
    Attribute(name="job", type=AttributeType.STRING),
    Attribute(name="member", type=AttributeType.BOOL),
    Attribute(name="since", type=AttributeType.TIMESTAMP),
    Attribute(name="wait", type=AttributeType.DURATION),
    Attribute(name="tags", type=AttributeType.STRING_LIST),
    Attribute(name="sizes", type=AttributeType.INT_LIST),
)
EVERYTHING = {
    "age": 30,
    "balance": 1.5,
    "job": "nurse",
    "member": True,
    "since": "2020-02-29T12:00:00.000001Z",
    "wait": "-90.5s",
    "tags": ["a", ""],
    "sizes": [1, "9223372036854775807"],
}


class Admin(NamedTuple):
    """Asks the contact service; `web` is the decision service."""

    web: Served
    service: ContactService

    def upsert(self, *contacts: pb.Contact) -> pb.UpsertContactsResponse:
        upserts = self.service.upserts()
        upserts.add(pb.UpsertContactsRequest(contacts=contacts))
        return pb.UpsertContactsResponse.FromString(upserts.finish())

    def get(self, contact_id: str, environment: str = "") -> pb.GetContactResponse:
        request = pb.GetContactRequest(environment=environment, contact_id=contact_id)
        return pb.GetContactResponse.FromString(
            self.service.get_contact(request, "admin")
        )

    def page(self, contact_id: str, **fields: Any) -> pb.ListPropositionsResponse:
        request = pb.ListPropositionsRequest(contact_id=contact_id, **fields)
        return pb.ListPropositionsResponse.FromString(
            self.service.list_propositions(request, "admin")
        )

    def delete(self, contact_id: str, **fields: Any) -> pb.DeleteContactResponse:
        request = pb.DeleteContactRequest(contact_id=contact_id, **fields)
        return pb.DeleteContactResponse.FromString(
            self.service.delete_contact(request, "admin")
        )

    def merge(self, alias: str, into: str, **fields: Any) -> pb.MergeContactsResponse:
        request = pb.MergeContactsRequest(contact_id=into, alias_id=alias, **fields)
        return pb.MergeContactsResponse.FromString(
            self.service.merge_contacts(request, "admin")
        )


@contextmanager
def contact_admin(tmp_path: Path, kept_share: float = 0.0) -> Iterator[Admin]:
    """A bank whose visitors have an environment of their own."""
    spaces = [
        space(
            "banner",
            binds_visitors=True,
            anonymous_space="page",
            stored_on_proposition=(
                StoredExpression(name="who", expression="contact.job"),
            ),
        ),
        space("side"),
    ]
    bank = environment(
        [offer("card", 3), offer("loan", 2)],
        spaces=spaces,
        anonymous_environment="visitors",
    )
    bank = replace(bank, contact_attributes=ATTRIBUTES)
    with served(tmp_path, bank, visitors(), kept_share=kept_share) as web:
        catalog = ContactCatalog(Revisions(tmp_path / "catalog"))
        numbers = count(1)
        service = ContactService(
            ContactStores(catalog, web.history, web.profiles),
            lambda: UnixMs(web.clock.now_ms),
            lambda size: next(numbers).to_bytes(size),
        )
        yield Admin(web, service)


def contact(contact_id: str, values: dict[str, Any], environment: str = "") -> Any:
    attributes = struct_pb2.Struct()
    attributes.update(values)
    return pb.Contact(
        environment=environment, contact_id=contact_id, attributes=attributes
    )
