"""Erasure of what the services themselves wrote: no byte of the contact is left."""

from pathlib import Path

import pytest

from server.batch import BatchService
from server.decision_service import Sources
from server.wire import contact_pb2
from server.wire import decision_pb2 as pb
from tests.contact_admin import Admin, contact, contact_admin
from tests.erased_contact import Stores, left_in_files
from tests.services import offers

ATTRIBUTES = {"age": 30, "job": "gone-nurse", "tags": ["gone-tag"]}


def batch(admin: Admin, *contact_ids: str) -> list[str]:
    """Ids of the propositions of one recorded batch, the same at each call."""
    web = admin.web
    sources = Sources(lambda: web.clock.now_ms, lambda size: bytes([7]) * size)
    service = BatchService(web.cell, web.history, web.profiles, sources, 1.0)
    request = pb.ProposeBatchRequest(
        contact_ids=contact_ids,
        spaces=[pb.SpaceRequest(space="banner")],
        request_id="batch",
    )
    answers = [a for a in service.propose_batch(request, "web") if a is not None]
    return [
        one.proposition_id
        for answer in answers
        for decided in pb.ProposeBatchResponse.FromString(answer).decisions
        for one in decided.decision.results[0].propositions
    ]


@pytest.mark.parametrize("erased_by", ["gone-ann", "gone-old", "gone-cookie"])
def test_no_byte_is_left_of_what_services_wrote(tmp_path: Path, erased_by: str) -> None:
    """Calls, retries, updates, a batch, a merge and a visitor, all kept for replay."""
    with contact_admin(tmp_path, kept_share=1.0) as admin:
        web = admin.web
        for one in ("gone-ann", "gone-old"):
            admin.upsert(contact(one, ATTRIBUTES))
        admin.upsert(contact("stays-bob", {"job": "stays-cook"}))
        web.propose("page", environment="visitors", visitor_id="gone-cookie")
        call = {"contact_id": "gone-ann", "visitor_id": "gone-cookie"}
        first = web.propose("banner", request_id="1", **call)
        made = first.results[0].propositions[0].proposition_id
        web.update(made, "accepted", request_id="2")
        old = web.propose("banner", contact_id="gone-old", request_id="3")
        admin.merge("gone-old", "gone-ann")
        in_batch = batch(admin, "gone-old", "stays-bob")
        ids = [made, old.results[0].propositions[0].proposition_id, in_batch[0]]
        environment = "visitors" if erased_by == "gone-cookie" else "bank"
        stores = Stores(tmp_path / "before", web.history, web.profiles)
        stores.folder.mkdir()
        assert {*ids, "gone-nurse"} <= set(left_in_files(stores, ids))

        receipt = admin.delete(erased_by, environment=environment)

        assert receipt.counts == contact_pb2.ErasedCounts(
            ids=3, profiles=2, propositions=4, bindings=1, inputs=4, answers=4
        )
        stores = Stores(tmp_path / "after", web.history, web.profiles)
        stores.folder.mkdir()
        assert left_in_files(stores, ids) == []
        assert admin.get("stays-bob").proposition_count == 1

        again = batch(admin, "gone-old", "stays-bob")
        assert again[1] == in_batch[1]
        assert again[0] != in_batch[0]
        assert offers(web.propose("banner", request_id="1", **call)) == ["card"]
