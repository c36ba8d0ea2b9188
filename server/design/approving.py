"""Submitting parts of offers for approval, and reviewing them.

    submit    editing, approved, rejected, pending  ->  pending
    approve   pending  ->  approved: what was submitted is published from then on
    reject    pending  ->  rejected: what was approved before stays published

Reviewers that a submission names review it, and nobody else; where it names none, offer
managers do. Administrators may always.
"""

from typing import NamedTuple

from msgspec.structs import replace

from catalog_store.approvals import (
    ELIGIBILITY,
    ApprovalState,
    OfferApprovals,
    PartApproval,
    Review,
    Submission,
    part_of,
)
from catalog_store.design_records import Design, Ref
from catalog_store.records import Environment, Offer, UnixMs
from server.access.callers import Caller
from server.access.roles import Role
from server.design.approval_messages import (
    OfferPart,
    approvals_of,
    approvals_ref,
    etag_of,
    parts_of,
    spaces_in,
    unknown_offer,
)
from server.design.approved import has_approvals
from server.design.editing import Changes, DesignEditor, Edited
from server.design.nouns import resource_of
from server.requests import (
    InvalidRequest,
    NotPending,
    NotTheReviewer,
    OtherSource,
    OwnApproval,
    StaleEtag,
    UnknownName,
    Violation,
)

#: Who reviews what names no reviewer.
_REVIEWERS = frozenset({Role.ADMINISTRATOR, Role.OFFER_MANAGER})


class AskedSubmission(NamedTuple):
    """What is to be submitted, checked."""

    offer: Ref
    #: ELIGIBILITY, or a space.
    place: str
    comment: str
    reviewers: tuple[str, ...]
    deadline_ms: UnixMs | None


class AskedReview(NamedTuple):
    """What a reviewer says, checked."""

    offer: Ref
    place: str
    approved: bool
    comment: str
    #: Empty is any.
    etag: str


def submit(editor: DesignEditor, asked: AskedSubmission, caller: Caller) -> Edited:
    """Ask for an approval, again if need be.

    Raises UnknownName, OtherSource, InvalidRequest and what the editor raises.
    """

    def edit(design: Design) -> Changes:
        part = _part(design, asked.offer, asked.place)
        submission = Submission(
            value=part.now,
            submitter=caller.name,
            at_ms=editor.now_ms(),
            comment=asked.comment,
            reviewers=asked.reviewers,
            deadline_ms=asked.deadline_ms,
        )
        known = part.known or PartApproval()
        return _with_part(
            design, asked.offer, asked.place, replace(known, submission=submission)
        )

    return editor.change(caller.name, "SubmitForApproval", edit)


def review(editor: DesignEditor, asked: AskedReview, caller: Caller) -> Edited:
    """Approve or reject what is pending.

    Raises StaleEtag, NotPending, NotTheReviewer, OwnApproval and what `submit` raises.
    """

    def edit(design: Design) -> Changes:
        part = _part(design, asked.offer, asked.place)
        if asked.etag and asked.etag != etag_of(design, asked.offer):
            raise StaleEtag(resource_of(asked.offer))
        known, submission = part.known, part.known and part.known.submission
        if part.state is not ApprovalState.PENDING or not (known and submission):
            raise NotPending(_words(asked.offer, asked.place), part.state)
        _require_reviewer(caller, submission)
        if asked.approved:
            _require_another(editor, design, asked, part, submission, caller)
        said = Review(
            approved=asked.approved,
            reviewer=caller.name,
            at_ms=editor.now_ms(),
            comment=asked.comment,
        )
        reviewed = replace(known, submission=replace(submission, review=said))
        if asked.approved:
            reviewed = replace(reviewed, approved=part.now)
        return _with_part(design, asked.offer, asked.place, reviewed)

    return editor.change(caller.name, "Review", edit)


def _part(design: Design, ref: Ref, place: str) -> OfferPart:
    """Raises UnknownName, OtherSource and InvalidRequest."""
    environment = design.records.get(Ref(ref.environment))
    if environment is None:
        names = [one.name for one in design.catalog.environments]
        raise UnknownName("environment", ref.environment, names)
    if ref not in design.records:
        raise unknown_offer(design, ref)
    record = environment.record
    assert isinstance(record, Environment)
    if not has_approvals(record):
        raise OtherSource(
            f"offers of environment {ref.environment!r} need no approval: all of it is"
            " published; its source would have to be the records"
        )
    for part in parts_of(design, ref):
        if part.place == place:
            return part
    text = f"is no space that offer {ref.name!r} is for; leave it out for eligibility"
    raise InvalidRequest([Violation("space", text)])


def _with_part(design: Design, ref: Ref, place: str, part: PartApproval) -> Changes:
    known = approvals_of(design, ref)
    parts = {**(known.parts if known is not None else {}), place: part}
    return {approvals_ref(ref): OfferApprovals(name=ref.name, parts=parts)}


def _require_reviewer(caller: Caller, submission: Submission) -> None:
    if caller.role is Role.ADMINISTRATOR or caller.name in submission.reviewers:
        return
    if submission.reviewers or caller.role not in _REVIEWERS:
        raise NotTheReviewer(caller.name, submission.reviewers)


def _require_another(
    editor: DesignEditor,
    design: Design,
    asked: AskedReview,
    part: OfferPart,
    submission: Submission,
    caller: Caller,
) -> None:
    """Whoever reviews is not who edited or submitted, if the environment says so."""
    environment = design.records[Ref(asked.offer.environment)].record
    assert isinstance(environment, Environment)
    if not environment.forbids_own_approval:
        return
    if caller.name in {submission.submitter, *_authors(editor, design, asked, part)}:
        raise OwnApproval(caller.name, _words(asked.offer, asked.place))


def _authors(
    editor: DesignEditor, design: Design, asked: AskedReview, part: OfferPart
) -> set[str]:
    """Who made a part what it is, since it was as it is approved."""
    spaces = spaces_in(design, asked.offer.environment)
    approved = part.known.approved if part.known is not None else None
    found: set[str] = set()
    newer, author = part.now, ""
    for state in editor.states_of(asked.offer):
        offer = state.record
        older = (
            part_of(offer, asked.place, spaces) if isinstance(offer, Offer) else None
        )
        if older != newer:
            found.add(author)
        if older is None or older == approved:
            return found
        newer, author = older, state.author.name
    return found | {author}


def _words(ref: Ref, place: str) -> str:
    what = "eligibility" if place == ELIGIBILITY else f"content in {place}"
    return f"{what} of {resource_of(ref)}"
