"""Approvals against a simple model, over random edits, submissions and reviews."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from catalog_store.approvals import ApprovalState
from catalog_store.design_records import Ref
from catalog_store.design_store import DesignStore
from catalog_store.records import Catalog, Offer, UnixMs
from compiler.revision import compile_catalog
from server.access.callers import LOCAL_ADMINISTRATOR
from server.design.applying import ApplyOptions, apply_catalog
from server.design.approval_messages import parts_of
from server.design.approved import ApprovedVersions, published_catalog
from server.design.approving import AskedReview, AskedSubmission, review, submit
from server.design.editing import DesignEditor
from server.requests import InvalidRequest, NotPending
from tests.approvals import bank, records_of, shown_in
from tests.bank import NOON_MS, offer

REF = Ref("bank", "offers", "gold")
SPACES = ("banner", "side")
PARTS = ("", *SPACES)
TEXTS = st.sampled_from(["", "a", "b"])

EDITS = st.one_of(
    st.tuples(st.just("label"), TEXTS),
    st.tuples(st.just("title"), TEXTS),
    st.tuples(st.just("note"), TEXTS),
    st.tuples(st.just("own"), st.none() | TEXTS),
    st.tuples(st.just("spaces"), st.sets(st.sampled_from(SPACES))),
    st.tuples(st.just("enabled"), st.booleans()),
)
STEPS = st.one_of(
    EDITS,
    st.tuples(st.just("submit"), st.sampled_from(PARTS)),
    st.tuples(st.sampled_from(["approve", "reject"]), st.sampled_from(PARTS)),
    # The short way to something that is published.
    st.tuples(st.just("submit and approve"), st.sampled_from(PARTS)),
)


#: After them the offer is published everywhere.
LIVE: list[tuple[str, Any]] = [("submit and approve", part) for part in PARTS]


class Model:
    """What a person would keep on paper."""

    def __init__(self) -> None:
        self.now: dict[str, Any] = {
            "label": "a", "title": "a", "note": "", "own": None,
            "spaces": set(SPACES), "enabled": True,
        }  # fmt: skip
        self.approved: dict[str, object] = {}
        #: What was submitted last, and what came of it.
        self.asked: dict[str, tuple[object, str]] = {}

    def value(self, part: str) -> object:
        now = self.now
        if part == "":
            return now["label"]
        if part not in now["spaces"]:
            return None
        if part == "banner":
            texts = {"title": now["title"], "note": now["note"]}
        else:
            texts = {"title": now["title"] if now["own"] is None else now["own"]}
        return {name: text for name, text in texts.items() if text}

    def has(self, part: str) -> bool:
        """Whether the offer has such a part, now or as it is approved."""
        return (
            part == ""
            or part in self.now["spaces"]
            or self.approved.get(part) is not None
        )

    def state(self, part: str) -> str:
        value = self.value(part)
        submitted, result = self.asked.get(part, (object(), ""))
        if submitted == value:
            return result
        is_approved = part in self.approved and self.approved[part] == value
        return "approved" if is_approved else "editing"

    def published(self) -> dict[str, object] | None:
        shown = {s: v for s in SPACES if (v := self.approved.get(s)) is not None}
        if "" not in self.approved or not shown:
            return None
        return {
            "label": self.approved[""],
            "enabled": self.now["enabled"],
            "shown": shown,
        }

    def step(self, what: str, argument: Any) -> None:
        if what in self.now:
            self.now[what] = argument
        elif what == "submit" and self.has(argument):
            self.asked[argument] = (self.value(argument), "pending")
        elif self.has(argument) and self.state(argument) == "pending":
            result = "approved" if what == "approve" else "rejected"
            self.asked[argument] = (self.value(argument), result)
            if what == "approve":
                self.approved[argument] = self.value(argument)


class Design:
    """The same with a store and what is published of it."""

    def __init__(self, folder: Path) -> None:
        self.store = DesignStore(folder)
        self.editor = DesignEditor(self.store, lambda: UnixMs(NOON_MS))
        self.versions = ApprovedVersions()
        gold = self.offer(Model().now)
        records = records_of(bank(gold))
        apply_catalog(self.editor, "x", records, ApplyOptions())

    def offer(self, now: dict[str, Any]) -> Offer:
        own = {} if now["own"] is None else {"side": {"title": now["own"]}}
        return replace(
            offer("gold", 5),
            label=now["label"],
            content={"title": now["title"], "note": now["note"]},
            space_content=own,
            spaces=tuple(sorted(now["spaces"])),
            enabled=now["enabled"],
        )

    def step(self, what: str, argument: Any, now: dict[str, Any]) -> None:
        if what in now:
            changes = {REF: self.offer(now)}
            self.editor.change("x", "UpdateOffer", lambda _: changes)
            return
        try:
            if what == "submit":
                asked = AskedSubmission(REF, argument, "", (), None)
                submit(self.editor, asked, LOCAL_ADMINISTRATOR)
            else:
                said = AskedReview(REF, argument, what == "approve", "", "")
                review(self.editor, said, LOCAL_ADMINISTRATOR)
        except (InvalidRequest, NotPending):
            # The model is asked whether that was right.
            pass

    def published(self) -> dict[str, object] | None:
        design = self.editor.design()
        catalog = published_catalog(design, self.versions)
        # What is built once is built right.
        assert catalog == published_catalog(design)
        compile_catalog(Catalog(environments=catalog.environments))
        offers = catalog.environments[0].offers
        if not offers:
            return None
        (gold,) = offers
        shown = {space: shown_in(gold, space) for space in gold.spaces}
        return {"label": gold.label, "enabled": gold.enabled, "shown": shown}

    def states(self) -> dict[str, ApprovalState]:
        parts = parts_of(self.editor.design(), REF)
        return {part.place: part.state for part in parts}


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.booleans(), st.lists(STEPS, max_size=14))
def test_what_is_published_is_what_was_approved(
    is_live: bool, steps: list[tuple[str, Any]]
) -> None:
    """After any steps: each part in its approved version, and as the model says."""
    with TemporaryDirectory(prefix="propono-test-") as folder:
        model, design = Model(), Design(Path(folder))
        with design.store:
            for step, argument in LIVE + steps if is_live else steps:
                for what in step.split(" and "):
                    model.step(what, argument)
                    design.step(what, argument, model.now)
                    states = {p: model.state(p) for p in PARTS if model.has(p)}
                    assert design.states() == states
                    assert design.published() == model.published()
