"""Whatever is sent about approvals, the answer says what is wrong with it."""

from collections.abc import Generator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from google.protobuf.message_factory import GetMessageClass

from catalog_store.design_records import Ref
from catalog_store.design_store import DesignStore
from catalog_store.design_values import key_of
from server.client import CallFailed
from tests.approvals import NAME, Desk, bank, records_of
from tests.bank import NOON_MS, offer
from tests.design_admin import METHODS, design_admin
from tests.message_mutation import flipped, mutate
from tests.test_design_bad_input import ABOUT_THE_REQUEST, MUTATIONS, SEED

NOW = NOON_MS // 1_000


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Generator[Desk]:
    folder = tmp_path_factory.mktemp("design")
    with design_admin(folder) as admin:
        admin.apply(records_of(bank(offer("gold", 1), offer("silver", 1))))
        desk = Desk(admin, folder)
        desk.submit("")
        yield desk


@pytest.mark.parametrize(
    ("method", "fields", "code", "text"),
    [
        ("SubmitForApproval", {"name": "gold"}, "INVALID_ARGUMENT", "name: "),
        ("SubmitForApproval", {"name": f"{NAME}x"}, "NOT_FOUND", "'goldx'"),
        ("SubmitForApproval", {"space": "none"}, "INVALID_ARGUMENT", "space: "),
        ("SubmitForApproval", {"comment": "x" * 2_001}, "INVALID_ARGUMENT", "2000"),
        ("SubmitForApproval", {"reviewers": ["A b"]}, "INVALID_ARGUMENT", "[0]"),
        ("SubmitForApproval", {"reviewers": ["a", "a"]}, "INVALID_ARGUMENT", "[1]"),
        (
            "SubmitForApproval",
            {"reviewers": [f"r{n}" for n in range(21)]},
            "INVALID_ARGUMENT",
            "at most 20",
        ),
        (
            "SubmitForApproval",
            {"deadline": {"seconds": NOW}},
            "INVALID_ARGUMENT",
            "deadline: is past",
        ),
        (
            "SubmitForApproval",
            {"deadline": {"seconds": 2**62}},
            "INVALID_ARGUMENT",
            "deadline: ",
        ),
        (
            "SubmitForApproval",
            {"deadline": {"seconds": NOW + 9, "nanos": -1}},
            "INVALID_ARGUMENT",
            "deadline: ",
        ),
        ("Review", {}, "INVALID_ARGUMENT", "state: "),
        ("Review", {"state": 2}, "INVALID_ARGUMENT", "state: "),
        ("Review", {"state": 99}, "INVALID_ARGUMENT", "state: "),
        ("Review", {"state": 4, "publish": True}, "INVALID_ARGUMENT", "publish: "),
        ("Review", {"state": 3, "etag": "x"}, "ABORTED", "read it again"),
        ("Review", {"state": 3, "space": "side"}, "FAILED_PRECONDITION", "submit it"),
        ("ListApprovals", {"page_size": -1}, "INVALID_ARGUMENT", "page_size"),
        ("ListApprovals", {"page_token": "a.b"[:2]}, "INVALID_ARGUMENT", "page_token"),
        ("ListApprovals", {"state": 9}, "INVALID_ARGUMENT", "state: "),
        ("ListApprovals", {"parent": "environments/x"}, "NOT_FOUND", "'x'"),
        ("ListApprovals", {"parent": f"{NAME}x"}, "NOT_FOUND", "did you mean 'gold'"),
        ("ListApprovals", {"parent": "offers/gold"}, "INVALID_ARGUMENT", "parent: "),
        ("ListApprovalLog", {"name": f"{NAME}x"}, "NOT_FOUND", "did you mean 'gold'"),
        ("ListApprovalLog", {"page_size": 1_001}, "INVALID_ARGUMENT", "page_size"),
    ],
)
def test_mistakes_are_named(
    desk: Desk, method: str, fields: dict[str, Any], code: str, text: str
) -> None:
    """With the field, and what to send instead."""
    name = {} if method == "ListApprovals" else {"name": NAME}
    told = desk.admin.refused(method, **{**name, **fields})

    assert (told[0], text in told[2]) == (code, True), told


def test_without_approvals_there_is_nothing_to_submit(tmp_path: Path) -> None:
    """All of the design is published there."""
    with design_admin(tmp_path) as admin:
        admin.apply(records_of(bank(source=None)))
        told = admin.refused("SubmitForApproval", name=NAME)

    assert told[:2] == ("FAILED_PRECONDITION", "OTHER_SOURCE")


@pytest.mark.parametrize(
    "method", ["SubmitForApproval", "Review", "ListApprovals", "ListApprovalLog"]
)
def test_mutated_requests_are_answered(desk: Desk, method: str) -> None:
    """With a code about the request, never UNKNOWN or INTERNAL; the seed is printed."""
    random = Random(f"{SEED}/{method}")
    print(f"PROPONO_SEED={SEED}")
    strange: list[tuple[str, str, bytes]] = []
    for _ in range(MUTATIONS):
        request = GetMessageClass(METHODS[method].input_type)()
        if "name" in request.DESCRIPTOR.fields_by_name:
            request.name = NAME
        mutate(random, request)
        data = request.SerializeToString()
        if random.random() < 0.2:
            data = flipped(random, data)
        try:
            desk.admin.send(method, data)
        except CallFailed as failure:
            is_known = failure.reason or failure.code == "RESOURCE_EXHAUSTED"
            if failure.code not in ABOUT_THE_REQUEST or not is_known:
                strange.append((failure.code, str(failure), data))

    assert strange == []


def test_an_offer_of_which_nothing_was_submitted_has_no_log(desk: Desk) -> None:
    """That is no mistake."""
    silver = desk._replace(name=NAME.replace("gold", "silver"))

    assert silver.log() == []


def test_pages_have_every_part_once(desk: Desk) -> None:
    """Whatever their size, in the same order."""
    whole = desk.admin.call("ListApprovals", state=1).approvals
    parts = [(one.offer, one.space) for one in whole]
    assert len(parts) >= 4
    for size in (1, 2, 3):
        found, token = [], ""
        while True:
            page = desk.admin.call(
                "ListApprovals", state=1, page_size=size, page_token=token
            )
            assert len(page.approvals) <= size
            found += [(one.offer, one.space) for one in page.approvals]
            token = page.next_page_token
            if not token:
                break
        assert found == parts


def test_lists_can_be_filtered_by_state(desk: Desk) -> None:
    """In the list of offers as well."""
    waiting = "approval.eligibility = APPROVAL_STATE_PENDING"
    desk.submit("")
    found = desk.admin.call("ListOffers", parent="environments/bank", filter=waiting)

    assert [one.name for one in found.offers] == [NAME]


def test_the_doctor_misses_the_offer_of_an_approval(tmp_path: Path) -> None:
    """What is kept of approvals is checked as every record is."""
    with design_admin(tmp_path) as admin:
        admin.apply(records_of(bank()))
        Desk(admin, tmp_path).submit("")
    with DesignStore(tmp_path / "design") as store:
        assert list(store.faults(lambda *_: None)) == []
        with store._lmdb_env.begin(write=True) as txn:
            key = key_of(Ref("bank", "offers", "gold"))
            txn.delete(key, db=store._tables.records)
        found = [fault.what for fault in store.faults(lambda *_: None)]

    assert "its offer is missing" in found
