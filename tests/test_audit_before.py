"""What the audit log has of a change: what was before it, and what after."""

import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import grpc
import pytest

from server.access.roles import Role
from server.audit.entries import ASKED, Entry
from server.audit.reading import read_log
from server.wire import admin_pb2 as pb
from server.wire import admin_pb2_grpc, design_offers_pb2, design_spaces_pb2
from tests.access import bearer, give_token
from tests.servers import run, serving

BANK = "environments/recipient"
OFFER = f"{BANK}/offers/gold_card"


class Administrator:
    """Calls the admin port of a server, and reads its audit log."""

    def __init__(self, stub: Any, token: str, folder: Path) -> None:
        self._stub = stub
        self._metadata = bearer(token)
        self._folder = folder

    def call(self, method: str, request: Any) -> Entry:
        """How the audit log says that a call ended, which succeeded."""
        call = getattr(self._stub, method)
        call(request, metadata=self._metadata, timeout=60)
        last = [line.entry for line in read_log(self._folder)][-1]
        assert (last.method.rpartition("/")[2], last.result) == (method, "OK")
        return last


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose design is the bank's, and published."""
    data = tmp_path_factory.mktemp("prepared") / "data"
    run("catalog", "apply", "examples/bank/catalog", "--yes", "--data", data)
    run("catalog", "publish", "--data", data)
    return data


@pytest.fixture
def administrator(prepared: Path, tmp_path: Path) -> Generator[Administrator]:
    data = Path(shutil.copytree(prepared, tmp_path / "data"))
    token = give_token(data, Role.ADMINISTRATOR)
    with (
        serving(data, 1, "--auth", "required") as server,
        grpc.insecure_channel(server.admin) as channel,
    ):
        stub = admin_pb2_grpc.AdminServiceStub(channel)
        yield Administrator(stub, token, data / "audit")


def test_an_edit_has_the_record_before_and_after(administrator: Administrator) -> None:
    """What is new has nothing before it, and what is deleted nothing after."""
    updated = administrator.call(
        "UpdateOffer",
        design_offers_pb2.UpdateOfferRequest(
            offer={"name": OFFER, "label": "Other"}, update_mask={"paths": ["label"]}
        ),
    )
    assert updated.before["name"] == updated.after["offer"]["name"] == OFFER
    assert updated.before["label"] != updated.after["offer"]["label"] == "Other"

    category = updated.before["category"]
    new = design_offers_pb2.CreateOfferRequest(
        parent=BANK, offer_id="new", offer={"label": "New", "category": category}
    )
    assert administrator.call("CreateOffer", new).before is None
    name = f"{BANK}/offers/new"
    deleted = administrator.call(
        "DeleteOffer", design_offers_pb2.DeleteOfferRequest(name=name)
    )
    assert (deleted.before["label"], deleted.after) == ("New", None)


def test_what_is_only_checked_has_nothing_before(administrator: Administrator) -> None:
    """Nothing was changed."""
    asked = design_offers_pb2.UpdateOfferRequest(
        offer={"name": OFFER, "label": "Other"},
        update_mask={"paths": ["label"]},
        validate_only=True,
    )

    assert administrator.call("UpdateOffer", asked).before is None


def test_a_publication_names_the_revision_before(administrator: Administrator) -> None:
    """Published, switched off or rolled back: whoever reads knows where to go back."""
    published = administrator.call("Publish", pb.PublishRequest())
    assert published.before["revision"] == 1
    assert published.after["revision"]["number"] == "2"
    back = administrator.call("Rollback", pb.RollbackRequest(revision=1))
    assert (back.before["revision"], back.after["revision"]["number"]) == (2, "3")

    disable = pb.SetOfferDisabledRequest(name=OFFER, disabled=True)
    disabled = administrator.call("SetOfferDisabled", disable)
    assert "disabled" not in disabled.before
    assert disabled.after["offer"]["disabled"] is True


def test_a_review_has_the_approvals_before_and_after(
    administrator: Administrator,
) -> None:
    """An offer's states are in what is told of it."""
    source = design_spaces_pb2.UpdateEnvironmentRequest(
        environment={"name": BANK, "source": "ENVIRONMENT_SOURCE_RECORDS"},
        update_mask={"paths": ["source"]},
    )
    changed = administrator.call("UpdateEnvironment", source)
    assert "design_version" in changed.before
    administrator.call(
        "UpdateOffer",
        design_offers_pb2.UpdateOfferRequest(
            offer={"name": OFFER, "label": "Other"}, update_mask={"paths": ["label"]}
        ),
    )
    submitted = administrator.call(
        "SubmitForApproval", pb.SubmitForApprovalRequest(name=OFFER)
    )
    reviewed = administrator.call(
        "Review", pb.ReviewRequest(name=OFFER, state="APPROVAL_STATE_APPROVED")
    )

    states = [
        submitted.before["approval"]["eligibility"],
        reviewed.before["approval"]["eligibility"],
        reviewed.after["offer"]["approval"]["eligibility"],
    ]
    assert [s.removeprefix("APPROVAL_STATE_") for s in states] == [
        "EDITING",
        "PENDING",
        "APPROVED",
    ]


def test_many_records_are_named_by_the_version_before(tmp_path: Path) -> None:
    """A command's as well: what was applied to nothing was applied to version 0."""
    run("catalog", "apply", "examples/bank/catalog", "--yes", "--data", str(tmp_path))

    lines = [line.entry for line in read_log(tmp_path / "audit")]
    assert [line.result for line in lines] == [ASKED, "OK"]
    assert lines[-1].before == {"design_version": 0}
