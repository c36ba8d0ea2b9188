"""What was submitted, reviewed and approved of offers: one record an offer.

An offer has parts that are approved one by one: its eligibility, which is all of it
but its content, and its content in each space. What a part is of an offer is an offer
with nothing else in it.

What state a part is in is not kept. It follows from what the design has now:

    as it was last submitted     pending until it is reviewed, then what the review says
    as it was approved           approved
    anything else                editing

So an edit opens again what it touches and nothing else, and taking it back is enough.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from msgspec.structs import replace

from catalog_store.records import Offer, Record, Space, UnixMs

#: The part that is no space's.
ELIGIBILITY = ""

#: Characters of a comment.
COMMENT_MAX = 2_000
REVIEWERS_MAX = 20
#: As those of callers.
REVIEWER_PATTERN = r"[a-z0-9][a-z0-9_.-]{0,63}"


class ApprovalState(StrEnum):
    """Of one part, as the design has it."""

    EDITING = "editing"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class Review(Record, frozen=True):
    """A reviewer's word."""

    approved: bool
    reviewer: str
    at_ms: UnixMs
    comment: str = ""


class Submission(Record, frozen=True):
    """What somebody wanted to have approved."""

    #: What the part was then.
    value: Offer
    submitter: str
    at_ms: UnixMs
    comment: str = ""
    #: Callers who may review it; none named is every offer manager.
    reviewers: tuple[str, ...] = ()
    deadline_ms: UnixMs | None = None
    review: Review | None = None


class PartApproval(Record, frozen=True):
    """What became of one part of an offer."""

    #: What of it is published; None is nothing.
    approved: Offer | None = None
    #: The last one.
    submission: Submission | None = None


class OfferApprovals(Record, frozen=True):
    """What became of an offer's parts."""

    #: The offer's.
    name: str
    #: Space -> its part; ELIGIBILITY is the other one.
    parts: dict[str, PartApproval]


def eligibility_of(offer: Offer) -> Offer:
    """All but content. Nobody needs an approval to take an offer out, or back in."""
    return replace(offer, enabled=True, spaces=(), content={}, space_content={})


def content_of(offer: Offer, space: Space) -> Offer:
    """What a space shows of an offer; of one that is not for it, nothing."""
    part = Offer(name=offer.name, label="", category="")
    if space.name not in offer.spaces:
        return part
    return _narrowed(
        replace(part, spaces=(space.name,), content=offer.content_in(space.name)), space
    )


def part_of(offer: Offer, place: str, spaces: Mapping[str, Space]) -> Offer:
    """A part as an offer has it; `place` is ELIGIBILITY or a space there is."""
    if place == ELIGIBILITY:
        return eligibility_of(offer)
    return content_of(offer, spaces[place])


def state_of(
    known: PartApproval | None, now: Offer, space: Space | None
) -> ApprovalState:
    """Of a part that is now like this; `space` is the one whose content it is."""
    if known is None:
        return ApprovalState.EDITING
    submission = known.submission
    if submission is not None and _narrowed(submission.value, space) == now:
        if submission.review is None:
            return ApprovalState.PENDING
        return (
            ApprovalState.APPROVED
            if submission.review.approved
            else ApprovalState.REJECTED
        )
    if known.approved is not None and _narrowed(known.approved, space) == now:
        return ApprovalState.APPROVED
    return ApprovalState.EDITING


def places_of(
    offer: Offer, known: OfferApprovals | None, spaces: Mapping[str, Space]
) -> list[str]:
    """The parts of an offer: eligibility, and spaces in order of name.

    The spaces that it is for, and those that it was approved for and still is in.
    """
    online = _shown(known, spaces) if known is not None else {}
    found = {name for name in offer.spaces if name in spaces} | online.keys()
    return [ELIGIBILITY, *sorted(found)]


def approved_offer(
    offer: Offer, known: OfferApprovals | None, spaces: Mapping[str, Space]
) -> Offer | None:
    """The approved version of an offer; None if that is nothing yet.

    Its eligibility, and at least one space's content, have to be approved.
    """
    eligibility = known.parts.get(ELIGIBILITY) if known is not None else None
    if known is None or eligibility is None or eligibility.approved is None:
        return None
    shown = _shown(known, spaces)
    if not shown:
        return None
    content, own = _in_common(offer, shown, spaces)
    return replace(
        eligibility.approved,
        enabled=offer.enabled,
        spaces=tuple(sorted(shown)),
        content=content,
        space_content=own,
    )


def approvals_of_published(offer: Offer, spaces: Mapping[str, Space]) -> OfferApprovals:
    """What it takes for an offer to stay published as it is."""
    parts = {ELIGIBILITY: PartApproval(approved=eligibility_of(offer))}
    for name in offer.spaces:
        if name in spaces:
            parts[name] = PartApproval(approved=content_of(offer, spaces[name]))
    return OfferApprovals(name=offer.name, parts=parts)


def _narrowed(part: Offer, space: Space | None) -> Offer:
    """What is left of a part in a space that no longer shows some of its fields."""
    if space is None:
        return part
    texts = part.content
    kept = {f.name: texts[f.name] for f in space.fields if texts.get(f.name)}
    return part if kept == texts else replace(part, content=kept)


def _shown(
    known: OfferApprovals, spaces: Mapping[str, Space]
) -> dict[str, dict[str, str]]:
    """Space -> the approved texts of its fields, for those that the offer is in."""
    return {
        name: _narrowed(part.approved, spaces[name]).content
        for name, part in known.parts.items()
        if name in spaces and part.approved is not None and part.approved.spaces
    }


def _in_common(
    offer: Offer, shown: Mapping[str, Mapping[str, str]], spaces: Mapping[str, Space]
) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Texts of all spaces, and of those that show others than most."""
    content: dict[str, str] = {}
    own: dict[str, dict[str, str]] = {}
    for name, texts in _by_field(shown, spaces):
        found = set(texts.values())
        wanted = offer.content.get(name, "")
        common = wanted if wanted in found else min(found)
        if common:
            content[name] = common
        for space, text in texts.items():
            if text != common:
                own.setdefault(space, {})[name] = text
    return content, own


def _by_field(
    shown: Mapping[str, Mapping[str, str]], spaces: Mapping[str, Space]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Each field, with its text in each of the spaces that show it."""
    declared: Iterable[str] = {f.name for name in shown for f in spaces[name].fields}
    for field in sorted(declared):
        yield (
            field,
            {
                name: shown[name].get(field, "")
                for name in sorted(shown)
                if any(f.name == field for f in spaces[name].fields)
            },
        )
