"""Approvals over a real port: submitted, reviewed, published, opened again."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from catalog_store.golden_decisions import GoldenSpace
from catalog_store.records import (
    GoldenDecision,
    PresentationRule,
    Quota,
    QuotaPeriod,
    Typology,
)
from catalog_store.revisions import Revisions
from server.access.roles import Role
from server.client import CallFailed
from tests.approvals import (
    NAME,
    REJECTED,
    Desk,
    bank,
    live_offers,
    records_of,
    shown_in,
)
from tests.bank import NOON_MS, offer
from tests.design_admin import design_admin

ALL = ("", "banner", "side")


@pytest.fixture
def desk(tmp_path: Path) -> Generator[Desk]:
    with design_admin(tmp_path) as admin:
        admin.apply(records_of(bank()))
        yield Desk(admin, tmp_path)


def refusal(failed: pytest.ExceptionInfo[CallFailed]) -> tuple[str, str]:
    return failed.value.code, failed.value.reason


def test_a_life(desk: Desk) -> None:
    """Edited, submitted, rejected, submitted again, approved, published, edited."""
    assert desk.states() == dict.fromkeys(ALL, "editing")
    ann, bob = desk.as_("ann"), desk.as_("bob")
    ann.submit("", comment="please")
    assert desk.states() == {"": "pending", "banner": "editing", "side": "editing"}
    bob.review("", REJECTED, comment="too heavy")
    assert desk.states()[""] == "rejected"
    ann.submit("")
    bob.review("", comment="fine")
    assert desk.states()[""] == "approved"
    assert desk.published() == {}
    desk.approve("banner")

    gold = desk.published()["gold"]
    assert (gold.spaces, gold.content) == (
        ("banner",),
        {"title": "Gold", "note": "Free"},
    )
    desk.edit(label="Golden")
    assert desk.states() == {"": "editing", "banner": "approved", "side": "editing"}
    assert desk.published()["gold"] == gold
    desk.approve("")
    assert desk.published()["gold"].label == "Golden"


def test_the_order_of_approvals_is_free(desk: Desk) -> None:
    """Content may come first."""
    desk.approve("side")
    assert desk.published() == {}
    desk.approve("")

    assert desk.published()["gold"].spaces == ("side",)


@pytest.mark.parametrize(
    ("change", "opened"),
    [
        ({"content": {"title": "New", "note": "Free"}}, {"banner", "side"}),
        ({"content": {"title": "Gold", "note": "New"}}, {"banner"}),
        ({"space_content": {"side": {"texts": {"title": "New"}}}}, {"side"}),
        ({"content": {"title": "Gold", "note": "Free", "unseen": "x"}}, set()),
        ({"spaces": ["banner"]}, {"side"}),
        ({"label": "New"}, {""}),
        ({"rule": "contact.age > 1"}, {""}),
        ({"weights": [{"weight": 1}]}, {""}),
        ({"window": {"end_time": {"seconds": 2_000_000_000}}}, {""}),
        ({"attributes": {"line": "cards"}}, {""}),
        ({"disabled": True}, set()),
    ],
)
def test_an_edit_opens_what_it_touches(
    desk: Desk, change: dict[str, object], opened: set[str]
) -> None:
    """And nothing else; taken back, it is as approved as before."""
    desk.approve(*ALL)
    before = desk.admin.call("GetOffer", name=NAME).offer
    desk.edit(**change)

    states = desk.states()
    assert {place for place, state in states.items() if state == "editing"} == opened
    before.ClearField("etag")
    desk.admin.call("UpdateOffer", offer=before, update_mask={"paths": list(change)})
    assert set(desk.states().values()) == {"approved"}


def test_a_pending_part_that_is_edited_waits_for_nobody(desk: Desk) -> None:
    """What a reviewer has seen is what is approved."""
    desk.submit("banner")
    desk.edit(content={"title": "Other"})

    assert desk.waiting() == []
    with pytest.raises(CallFailed) as failed:
        desk.review("banner")
    assert refusal(failed) == ("FAILED_PRECONDITION", "NOT_PENDING")


def test_two_spaces_show_what_each_has_approved(desk: Desk) -> None:
    """A field of both is changed, and approved for one of them only."""
    desk.approve(*ALL)
    desk.edit(content={"title": "New", "note": "Free"})
    desk.approve("side")
    gold = desk.published()["gold"]

    assert shown_in(gold, "side") == {"title": "New"}
    assert shown_in(gold, "banner") == {"title": "Gold", "note": "Free"}
    desk.approve("banner")
    gold = desk.published()["gold"]
    assert shown_in(gold, "banner") == {"title": "New", "note": "Free"}
    assert gold.space_content == {}


def test_what_is_approved_can_be_submitted_again(desk: Desk) -> None:
    """And rejected then: what was approved before stays published."""
    desk.approve(*ALL)
    gold = desk.published()["gold"]
    desk.submit("")
    assert desk.states()[""] == "pending"
    desk.review("", REJECTED)

    assert desk.states()[""] == "rejected"
    assert desk.published()["gold"] == gold


def test_leaving_a_space_takes_an_approval(desk: Desk) -> None:
    """Nobody takes an offer offline unseen, unless by disabling it."""
    desk.approve(*ALL)
    desk.edit(spaces=["banner"])
    assert desk.published()["gold"].spaces == ("banner", "side")
    desk.approve("side")
    assert desk.published()["gold"].spaces == ("banner",)
    assert desk.states() == {"": "approved", "banner": "approved"}


def test_disabling_takes_none(desk: Desk) -> None:
    """Neither at once nor with the next publication."""
    desk.approve(*ALL)
    desk.admin.call("Publish")
    desk.admin.call("SetOfferDisabled", name=NAME, disabled=True)
    assert not live_offers(desk.folder)["gold"].enabled
    assert not desk.published()["gold"].enabled
    assert set(desk.states().values()) == {"approved"}


def test_what_is_deleted_goes_with_the_next_publication(desk: Desk) -> None:
    """Its approvals go at once: an offer of the same name begins anew."""
    desk.approve(*ALL)
    desk.admin.call("Publish")
    desk.admin.call("DeleteOffer", name=NAME)
    assert "gold" in live_offers(desk.folder)
    assert desk.published() == {}
    desk.admin.apply(records_of(bank()))

    assert desk.states() == dict.fromkeys(ALL, "editing")


def test_two_reviewers_at_once(desk: Desk) -> None:
    """The second one learns that something was changed since they looked."""
    desk.submit("")
    etag = desk.submit("banner").etag
    desk.as_("bob").review("", etag=etag)
    with pytest.raises(CallFailed) as failed:
        desk.as_("eve").review("", REJECTED, etag=etag)

    assert refusal(failed) == ("ABORTED", "ETAG_MISMATCH")
    etag = desk.admin.call("GetOffer", name=NAME).offer.etag
    assert desk.as_("eve").review("banner", etag=etag).offer.etag != etag


def test_rules_about_unpublished_offers_stay_at_home(tmp_path: Path) -> None:
    """A rule that names none would be about all of them."""
    known = bank(offer("gold", 1), offer("new", 1))
    fields = {"period_ms": None, "maximum": 1}
    rules = [
        PresentationRule(name="both", offers=("gold", "new"), **fields),
        PresentationRule(name="one", offers=("new",), **fields),
    ]
    quota = Quota(name="few", limit=1, period=QuotaPeriod.TOTAL, offers=("new",))
    typology = Typology(name="typology", rules=("both", "one"))
    design = records_of(
        replace(
            known,
            presentation_rules=tuple(rules),
            typologies=(typology,),
            quotas=(quota,),
        )
    )
    with design_admin(tmp_path) as admin:
        admin.apply(design)
        desk = Desk(admin, tmp_path)
        desk.approve(*ALL)
        assert set(desk.published()) == {"gold"}
        assert counted(tmp_path) == ({"both": ("gold",)}, ("both",), [])
        desk._replace(name=NAME.replace("gold", "new")).approve(*ALL)

        assert set(desk.published()) == {"gold", "new"}
        both, new = ("gold", "new"), ("new",)
        found = ({"both": both, "one": new}, ("both", "one"), [("few", new)])
        assert counted(tmp_path) == found


def test_golden_decisions_wait_for_all_of_their_offers(tmp_path: Path) -> None:
    """One that names an offer which is not published could not hold."""
    golden = tuple(
        GoldenDecision(
            name=f"shows_{len(names)}",
            spaces=(GoldenSpace(name="side", expected=tuple((n,) for n in names)),),
            decided_at=NOON_MS,
        )
        for names in (("gold",), ("gold", "new"))
    )
    record = bank(offer("gold", 2), offer("new", 1), golden_decisions=golden)
    with design_admin(tmp_path) as admin:
        admin.apply(records_of(record))
        desk = Desk(admin, tmp_path)
        desk.approve(*ALL)
        assert set(desk.published()) == {"gold"}
        desk._replace(name=NAME.replace("gold", "new")).approve(*ALL)

        assert set(desk.published()) == {"gold", "new"}


def counted(folder: Path) -> tuple[Any, ...]:
    """Rules and quotas of the revision that decides, and the typology's rules."""
    revisions = Revisions(folder / "catalog")
    revision = revisions.open(revisions.current())
    try:
        found: Any = revision.environment("bank")
    finally:
        revision.close()
    rules = {one.name: one.offers for one in found.presentation_rules}
    quotas = [(one.name, one.offers) for one in found.quotas]
    return rules, found.typologies[0].rules, quotas


@pytest.mark.parametrize(
    ("reviewers", "who", "role", "reason"),
    [
        ((), "bob", Role.OFFER_MANAGER, ""),
        ((), "bob", Role.DELIVERY_MANAGER, "NOT_THE_REVIEWER"),
        (("bob",), "bob", Role.DELIVERY_MANAGER, ""),
        (("eve",), "bob", Role.OFFER_MANAGER, "NOT_THE_REVIEWER"),
        (("eve",), "bob", Role.ADMINISTRATOR, ""),
    ],
)
def test_who_reviews(
    desk: Desk, reviewers: tuple[str, ...], who: str, role: Role, reason: str
) -> None:
    """Those who are named, else offer managers; administrators always."""
    desk.submit("", reviewers=reviewers)
    reviewer = desk.as_(who, role)
    if not reason:
        reviewer.review("")
        return
    with pytest.raises(CallFailed) as failed:
        reviewer.review("")

    assert refusal(failed) == ("PERMISSION_DENIED", reason)


def test_nobody_approves_their_own_change(tmp_path: Path) -> None:
    """Whoever edited or submitted a part, where the environment says so."""
    with design_admin(tmp_path) as admin:
        admin.apply(records_of(bank(forbids_own_approval=True)))
        desk = Desk(admin, tmp_path)
        desk.approve(*ALL)
        desk.as_("eve").edit(content={"title": "New", "note": "Free"})
        desk.as_("ann").submit("side")
        for who in ("ann", "eve"):
            with pytest.raises(CallFailed) as failed:
                desk.as_(who, Role.ADMINISTRATOR).review("side")
            assert refusal(failed) == ("PERMISSION_DENIED", "OWN_APPROVAL")
        desk.as_("eve").review("side", REJECTED)
        desk.as_("ann").submit("side")
        desk.as_("bob").review("side")

        # Who changed the title has no part in the eligibility.
        desk.as_("bob").edit(label="New")
        desk.as_("ann").submit("")
        assert desk.as_("eve").review("").offer.approval.eligibility == 3


def test_deadlines_pass(desk: Desk) -> None:
    """What is late is still pending, and can be reviewed."""
    deadline = {"seconds": NOON_MS // 1_000 + 60}
    desk.submit("", deadline=deadline, comment="soon", reviewers=["bob"])
    (waiting,) = desk.waiting(parent="environments/bank")
    assert (waiting.overdue, list(waiting.reviewers)) == (False, ["bob"])
    desk.admin.clock.now_ms += 60_000
    (waiting,) = desk.waiting()
    assert (waiting.overdue, waiting.submit_comment) == (True, "soon")
    desk.as_("bob").review("")
    assert desk.waiting() == []


def test_the_log_tells_everything(desk: Desk) -> None:
    """Who, what, and with which words; after the offer is gone as well."""
    desk.as_("ann").submit("", comment="a")
    desk.as_("bob").review("", REJECTED, comment="b")
    desk.as_("ann").submit("side", comment="c")
    desk.as_("bob").review("side", comment="d")
    desk.admin.call("DeleteOffer", name=NAME)

    assert desk.log() == [
        ("ann", "", "pending", "a"),
        ("bob", "", "rejected", "b"),
        ("ann", "side", "pending", "c"),
        ("bob", "side", "approved", "d"),
    ]


def test_approving_publishes_at_once_if_asked(desk: Desk) -> None:
    """When the offer is complete by that, and not before."""
    desk.submit("")
    assert not desk.review("", publish=True).HasField("revision")
    desk.submit("side")
    revision = desk.review("side", publish=True).revision
    assert (revision.number, revision.publisher) == (1, "anyone")
    assert live_offers(desk.folder)["gold"].spaces == ("side",)


def test_whoever_may_not_publish_does_not_by_reviewing(desk: Desk) -> None:
    """And nothing is reviewed."""
    desk.submit("", reviewers=["bob"])
    with pytest.raises(CallFailed) as failed:
        desk.as_("bob", Role.DELIVERY_MANAGER).review("", publish=True)

    assert refusal(failed) == ("PERMISSION_DENIED", "PERMISSION_DENIED")
    assert desk.states()[""] == "pending"


def test_what_approved_versions_need_stays(desk: Desk) -> None:
    """A category that only what is approved is in cannot be deleted."""
    desk.approve(*ALL)
    desk.admin.call(
        "CreateCategory", parent="environments/bank", category_id="other", category={}
    )
    desk.edit(category="other")
    with pytest.raises(CallFailed) as failed:
        desk.admin.call("DeleteCategory", name="environments/bank/categories/all")
    assert refusal(failed) == ("FAILED_PRECONDITION", "STILL_IN_USE")
    assert NAME in str(failed.value)
    desk.approve("")

    desk.admin.call("DeleteCategory", name="environments/bank/categories/all")
    assert desk.published()["gold"].category == "other"


def test_what_is_published_stays_when_approvals_begin(tmp_path: Path) -> None:
    """The offers of the revision that decides are their first approved versions."""
    was = bank(offer("gold", 5), offer("old", 1), source=None)
    is_now = bank(offer("gold", 5, rule="contact.age > 1"), offer("new", 1))
    records = records_of(is_now)
    with design_admin(tmp_path) as admin:
        admin.apply(records_of(was))
        admin.call("Publish")
        admin.apply(records, prune=True)
        desk = Desk(admin, tmp_path)

        assert desk.states() == {
            "": "editing",
            "banner": "approved",
            "side": "approved",
        }
        assert {event[1:] for event in desk.log()} == {
            (place, "approved", "") for place in ALL
        }
        assert set(desk.published()) == {"gold"}
        assert live_offers(tmp_path)["gold"].rule is None
        # And they are forgotten when approvals end.
        admin.apply(records_of(bank(*is_now.offers, source=None)))
        assert desk.states() == {"": "unspecified"}
        assert set(desk.published()) == {"gold", "new"}
