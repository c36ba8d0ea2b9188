"""SetOfferDisabled: an offer is out of every decision at once, or back in."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import grpc
import pytest

from catalog_store.design_records import Ref, catalog_records
from catalog_store.records import Offer, Record, UnixMs
from catalog_store.revisions import PublicationBusy, Revisions
from server import publication
from server.client import Client
from server.data_folder import DataFolder
from server.files import read_catalog
from server.publication import publish_files, switch_offer
from server.wire import admin_pb2
from server.wire import decision_pb2 as pb
from tests.bank import NOON_MS
from tests.design_admin import DesignAdmin, design_admin
from tests.servers import BANK, DEADLINE_SECONDS, Server, serving

NAME = "environments/recipient/offers/classic_credit_card"


@pytest.fixture
def admin(tmp_path: Path) -> Generator[DesignAdmin]:
    with design_admin(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def bank() -> dict[Ref, Record]:
    return catalog_records(read_catalog(BANK).catalog)


def live(folder: Path) -> tuple[int, dict[str, Offer]]:
    """The current revision's number, and the offers of clients in it."""
    revisions = Revisions(folder / "catalog")
    current = revisions.current()
    revision = revisions.open(current)
    try:
        offers = revision.environment("recipient").offers
    finally:
        revision.close()
    return current.number, {one.name: one for one in offers}


def switch(admin: DesignAdmin, disabled: bool) -> Any:
    return admin.call("SetOfferDisabled", name=NAME, disabled=disabled).offer


def test_an_offer_is_out_at_once_and_nothing_else_changes(
    admin: DesignAdmin, bank: dict[Ref, Record], tmp_path: Path
) -> None:
    """What was edited since the publication stays unpublished."""
    admin.apply(bank)
    digest = admin.call("Publish").revision.digest
    _, before = live(tmp_path)
    segment = {"name": "environments/recipient/segments/affluent", "rule": "true"}
    admin.call("UpdateSegment", segment=segment)
    offer = switch(admin, True)
    number, after = live(tmp_path)

    assert (offer.disabled, number) == (True, 2)
    assert offer.etag == admin.call("GetOffer", name=NAME).offer.etag
    changed = {name for name in after if after[name] != before[name]}
    assert (changed, after["classic_credit_card"].enabled) == (
        {"classic_credit_card"},
        False,
    )
    again = switch(admin, True)
    assert (again.etag, live(tmp_path)[0]) == (offer.etag, 2)
    assert not switch(admin, False).disabled
    assert live(tmp_path) == (3, before)
    back = admin.call("GetRevision", name="revisions/3").revision
    assert (back.digest, back.publisher) == (digest, "anyone")


def test_before_anything_is_published_it_is_an_edit(
    admin: DesignAdmin, bank: dict[Ref, Record]
) -> None:
    """The first publication leaves the offer out."""
    admin.apply(bank)

    assert switch(admin, True).disabled
    assert list(admin.call("ListRevisions").revisions) == []


def test_what_was_published_from_files_is_switched_too(
    admin: DesignAdmin, tmp_path: Path
) -> None:
    """There is no design of it, and so no etag."""
    now_ms = UnixMs(NOON_MS)
    publish_files(DataFolder(tmp_path), BANK, publisher="x", now_ms=now_ms)
    offer = switch(admin, True)
    number, offers = live(tmp_path)

    assert (offer.disabled, offer.etag, number) == (True, "", 2)
    assert not offers["classic_credit_card"].enabled
    assert admin.refused("GetOffer", name=NAME)[0] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("environments/recipient/offers/none", "NOT_FOUND"),
        ("environments/none/offers/none", "NOT_FOUND"),
        ("environments/recipient", "INVALID_ARGUMENT"),
        ("", "INVALID_ARGUMENT"),
        ("environments/recipient/segments/affluent", "INVALID_ARGUMENT"),
    ],
)
def test_what_is_no_offer_is_refused(
    admin: DesignAdmin, bank: dict[Ref, Record], name: str, code: str
) -> None:
    """Whether or not something was published."""
    assert admin.refused("SetOfferDisabled", name=name)[0] == code
    admin.apply(bank)
    admin.call("Publish")
    assert admin.refused("SetOfferDisabled", name=name)[0] == code
    assert len(admin.call("ListRevisions").revisions) == 1


def test_a_publication_meanwhile_is_not_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else's revision came in between: ABORTED, to be tried again."""
    folder, now_ms = DataFolder(tmp_path), UnixMs(NOON_MS)
    publish_files(folder, BANK, publisher="x", now_ms=now_ms)
    compile_catalog = publication.compile_catalog
    others: list[int] = []

    def compiling(*arguments: Any, **options: Any) -> Any:
        if not others:
            others.append(1)
            publish_files(folder, BANK, publisher="other", now_ms=now_ms)
        return compile_catalog(*arguments, **options)

    monkeypatch.setattr(publication, "compile_catalog", compiling)
    place = ("recipient", "classic_credit_card")
    with pytest.raises(PublicationBusy, match="meanwhile"):
        switch_offer(folder, *place, enabled=False, publisher="x", now_ms=now_ms)

    assert live(tmp_path)[0] == 2
    switch_offer(folder, *place, enabled=False, publisher="x", now_ms=now_ms)
    assert live(tmp_path)[0] == 3


def test_when_it_is_answered_every_worker_does_so(tmp_path: Path) -> None:
    """And so it is for a publication: what decides next is what was published."""
    publish_files(DataFolder(tmp_path), BANK, publisher="ann", now_ms=NOON_MS)
    with serving(tmp_path, 2) as server, grpc.insecure_channel(server.admin) as channel:
        switching = channel.unary_unary(
            "/propono.v1.AdminService/SetOfferDisabled",
            request_serializer=admin_pb2.SetOfferDisabledRequest.SerializeToString,
        )
        token = (tmp_path / "admin.token").read_text().strip()
        metadata = (("authorization", f"Bearer {token}"),)
        seen: list[set[int]] = []
        for disabled in (True, False):
            request = admin_pb2.SetOfferDisabledRequest(name=NAME, disabled=disabled)
            switching(request, metadata=metadata, timeout=DEADLINE_SECONDS)
            seen.append(_revisions_of_both_workers(server))

    assert seen == [{2}, {3}]


def _revisions_of_both_workers(server: Server) -> set[int]:
    """Over connections of their own."""
    found: set[int] = set()
    for number in range(16):
        client = Client.connect(server.decisions, DEADLINE_SECONDS)
        request = pb.ProposeRequest(contact_id=f"new{number}", dry_run=True)
        request.spaces.add(space="web_home_side")
        found.add(client.propose(request).revision)
        client.close()
    return found
