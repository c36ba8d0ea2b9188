"""ContactService: erasure and merges; and all of it over the wire."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from catalog_store.records import UnixMs
from catalog_store.revisions import Revisions
from contact_store.contact_ids import ContactName
from contact_store.errors import UnknownProposition
from server.admin_client import AdminClient
from server.client import CallFailed
from server.client_access import ClientAccess
from server.contact_catalog import ContactCatalog
from server.contact_service import FINAL_DAYS, ContactService, ContactStores
from server.contact_translation import UnknownContact
from server.requests import InvalidRequest, UnknownName
from server.wire import contact_pb2 as pb
from tests.bank import NOON_MS, environment, offer
from tests.contact_admin import EVERYTHING, Admin, contact, contact_admin
from tests.servers import DEADLINE_SECONDS, Server
from tests.services import served
from tests.test_identification import visitors

DAY_MS = 86_400_000


@pytest.fixture
def admin(tmp_path: Path) -> Iterator[Admin]:
    with contact_admin(tmp_path) as made:
        yield made


def test_an_erased_contact_is_not_found(admin: Admin) -> None:
    """With a receipt; a second erasure finds nothing, an update finds nothing."""
    admin.upsert(contact("ann", EVERYTHING))
    made = admin.web.propose("banner", visitor_id="v", contact_id="ann")
    proposition_id = made.results[0].propositions[0].proposition_id
    looked = admin.delete("ann", validate_only=True)

    receipt = admin.delete("ann")

    assert (looked.receipt_id, looked.counts) == ("", receipt.counts)
    assert receipt.receipt_id == f"{1:032x}"
    assert receipt.erase_time.ToMilliseconds() == NOON_MS
    assert receipt.final_time.ToMilliseconds() == NOON_MS + FINAL_DAYS * DAY_MS
    assert receipt.counts == pb.ErasedCounts(
        ids=2, profiles=1, propositions=1, bindings=1
    )
    assert [b.visitor_id for b in receipt.names.bindings] == ["v"]
    for again in (admin.delete, admin.get, admin.page):
        with pytest.raises(UnknownContact):
            again("ann")
    with pytest.raises(UnknownProposition):
        admin.web.update(proposition_id, "accepted")
    assert admin.web.history.read("bank", "ann") is None


def test_a_call_sent_again_after_the_erasure_is_decided_afresh(admin: Admin) -> None:
    """What was kept for it is gone, and its proposition has another id."""
    before = admin.web.propose("banner", request_id="r")
    assert admin.web.propose("banner", request_id="r") == before
    receipt = admin.delete("ann")

    after = admin.web.propose("banner", request_id="r")

    ids = [a.results[0].propositions[0].proposition_id for a in (before, after)]
    assert receipt.counts.answers == 1
    assert ids[0] != ids[1]


def test_a_merge_unites_two_histories(admin: Admin) -> None:
    """Both ids lead to it; each keeps its profile."""
    admin.upsert(contact("ann", {"age": 1}), contact("old", {"age": 2}))
    admin.web.propose("banner", contact_id="old")

    merged = admin.merge("old", "ann")

    assert merged.contact.attributes["age"] == 1
    assert [n.contact_id for n in merged.names.aliases] == ["old"]
    assert len(admin.page("ann").propositions) == len(admin.page("old").propositions)
    assert admin.get("old").contact.attributes["age"] == 2


def test_a_visitor_is_bound_to_the_contact_alone(admin: Admin) -> None:
    """Bound to somebody else before, it brings nothing of theirs along."""
    admin.web.propose("banner", contact_id="bob", visitor_id="v")
    admin.upsert(contact("ann", {}))

    merged = admin.merge("v", "ann", alias_environment="visitors")

    assert [b.visitor_id for b in merged.names.bindings] == ["v"]
    assert admin.get("ann").proposition_count == 0
    assert admin.get("bob").proposition_count == 1
    assert admin.web.history.bound_contact("bank", "v") == "ann"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"environment": "visitors", "alias_environment": "bank"}, "contact_id"),
        ({"environment": "visitors"}, "contact_id"),
        ({"alias_id": "ann"}, "alias_id"),
        ({"alias_id": ""}, "alias_id"),
    ],
)
def test_merges_that_cannot_be(
    admin: Admin, fields: dict[str, str], wrong: str
) -> None:
    """A contact does not become a visitor's, nor its own alias."""
    request = pb.MergeContactsRequest(
        **{"contact_id": "ann", "alias_id": "v", **fields}
    )

    with pytest.raises(InvalidRequest) as raised:
        admin.service.merge_contacts(request, "admin")

    assert [v.field for v in raised.value.violations] == [wrong]


def test_only_the_linked_environments_visitors_can_be_merged(tmp_path: Path) -> None:
    """A cookie of another site says nothing of the bank's contacts."""
    with served(tmp_path, environment([offer("card")]), visitors()) as web:
        stores = ContactStores(
            ContactCatalog(Revisions(tmp_path / "catalog")), web.history, web.profiles
        )
        service = ContactService(stores, lambda: UnixMs(0), bytes)
        with pytest.raises(InvalidRequest) as raised:
            Admin(web, service).merge("v", "ann", alias_environment="visitors")

    assert [v.field for v in raised.value.violations] == ["alias_environment"]


@pytest.mark.parametrize(("alias", "into"), [("ann", "nobody"), ("nobody", "ann")])
def test_both_contacts_of_a_merge_must_be_known(
    admin: Admin, alias: str, into: str
) -> None:
    """A misspelt id would lead astray for ever."""
    admin.upsert(contact("ann", {}))

    with pytest.raises(UnknownContact):
        admin.merge(alias, into)

    assert admin.web.history.read("bank", "nobody") is None


def test_another_revision_is_noticed(admin: Admin) -> None:
    """Its attributes count from then on."""
    admin.upsert(contact("ann", {"age": 1}))
    admin.web.publish(environment([offer("card")], rule=None))

    answer = admin.upsert(contact("ann", {"member": True}))

    assert [v.field for v in answer.rejects[0].violations] == ["attributes.member"]


def test_environments_are_those_published(admin: Admin) -> None:
    """Others are unknown names, not contacts."""
    with pytest.raises(UnknownName, match="there are bank, visitors"):
        admin.get("ann", "nowhere")


def connected(bank: Server, token: str | None = None) -> AdminClient:
    text = (bank.data / "admin.token").read_text().strip() if token is None else token
    return AdminClient.connect(bank.admin, ClientAccess(text))


def test_over_the_wire(bank: Server) -> None:
    """The bank's own contact: stored, read, merged, erased, not found."""
    client = connected(bank)
    requests = [
        pb.UpsertContactsRequest(contacts=[contact(f"wire-{n}-{m}", {"age": n})])
        for n in range(3)
        for m in range(2)
    ]

    stored = client.upsert_contacts(iter(requests))
    found = client.get_contact(pb.GetContactRequest(contact_id="wire-2-1"))
    merging = pb.MergeContactsRequest(contact_id="wire-2-1", alias_id="wire-0-0")
    merged = client.merge_contacts(merging)
    erased = client.delete_contact(pb.DeleteContactRequest(contact_id="wire-0-0"))

    assert stored.upserted_count == 6
    assert found.contact.attributes["age"] == 2
    assert [n.contact_id for n in merged.names.aliases] == ["wire-0-0"]
    assert erased.counts == pb.ErasedCounts(ids=2, profiles=2)
    with pytest.raises(CallFailed) as raised:
        client.list_propositions(pb.ListPropositionsRequest(contact_id="wire-2-1"))
    assert (raised.value.code, raised.value.reason) == ("NOT_FOUND", "UNKNOWN_NAME")
    client.close()


METHODS = {
    "GetContact": pb.GetContactRequest(contact_id="x" * 300),
    "ListPropositions": pb.ListPropositionsRequest(contact_id="x" * 300),
    "DeleteContact": pb.DeleteContactRequest(contact_id="x" * 300),
    "MergeContacts": pb.MergeContactsRequest(contact_id="x" * 300),
    "UpsertContacts": pb.UpsertContactsRequest(contacts=[pb.Contact()] * 1_001),
}


@pytest.mark.parametrize("method", METHODS)
def test_wrong_requests_are_told_by_their_codes(bank: Server, method: str) -> None:
    """Token first; then bytes that are no message, and fields that are wrong."""
    metadata = connected(bank).metadata
    path = f"/propono.v1.ContactService/{method}"

    def code(data: bytes, sent: Any = metadata) -> str:
        with grpc.insecure_channel(bank.admin) as channel:
            if method == "UpsertContacts":
                call = channel.stream_unary(path).future(iter([data]), metadata=sent)
            else:
                call = channel.unary_unary(path).future(data, metadata=sent)
            return call.exception(DEADLINE_SECONDS).code().name

    wrong = METHODS[method].SerializeToString()
    assert code(wrong, ()) == "UNAUTHENTICATED"
    assert code(wrong, (("authorization", "Bearer x"),)) == "UNAUTHENTICATED"
    assert code(b"\xff") == "INVALID_ARGUMENT"
    assert code(wrong) == "INVALID_ARGUMENT"


def test_every_field_that_is_wrong_is_in_the_answer(bank: Server) -> None:
    """As BadRequest."""
    client = connected(bank)
    with pytest.raises(CallFailed, match=r"^contact_id: .*\npage_size: ") as raised:
        client.list_propositions(pb.ListPropositionsRequest(page_size=-1))

    assert raised.value.code == "INVALID_ARGUMENT"
    client.close()


def test_what_nobody_knows_is_not_there(admin: Admin) -> None:
    """Names with a history of nothing else are ids that were only asked about."""
    admin.upsert(contact("ann", {}))

    assert list(admin.page("ann").propositions) == []
    assert admin.web.profiles.has(ContactName("bank", "ann"))
    with pytest.raises(UnknownContact, match="neither a profile nor a history"):
        admin.page("nobody")
