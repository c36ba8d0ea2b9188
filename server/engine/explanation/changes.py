"""What would have to change for an offer to become eligible.

Looks for one set of changes: values of attributes, the contact's time, what the call
asks for. What only the catalog's owner can change is said in words. The set is put to
the scrutiny again as a whole, and if a reason is left that it does not concern, no
change is known.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from compiler.runtime.values import MISSING
from server.engine.call import Call
from server.engine.explanation.altered_call import (
    allowing_duplicates,
    asking_for,
    at_time,
    not_excluding,
    with_value,
)
from server.engine.explanation.change_search import Search, key_of
from server.engine.explanation.found_values import Place, Records, declared, places
from server.engine.explanation.plain_words import minute_by, moment, number, value_text
from server.engine.explanation.reasons import Reason, ReasonCode
from server.engine.explanation.scrutiny import Scrutiny


class ChangeKind(StrEnum):
    """What changes; all but the last are the caller's to make."""

    #: An attribute of the contact or the context gets a value, or none.
    ATTRIBUTE = "attribute"
    #: The contact sees the offers at another time.
    TIME = "time"
    #: The call asks for a category, and for no themes.
    CATEGORY = "category"
    #: The call no longer leaves the offer out.
    NOT_EXCLUDED = "not_excluded"
    #: The call allows an offer in several spaces.
    DUPLICATES = "duplicates"
    #: The catalog must be edited.
    DESIGN = "design"


class Change(NamedTuple):
    """One change; a set of them belongs together."""

    kind: ChangeKind
    #: In plain words.
    message: str
    #: Of an attribute: `contact` or `context`, its name, and the value to give it;
    #: MISSING is to leave it out.
    record: str = ""
    attribute: str = ""
    value: Any = None
    #: The contact's time.
    at_ms: int | None = None
    #: The category or offer concerned, or the resource to edit.
    name: str = ""

    @property
    def is_applicable(self) -> bool:
        """Whether a caller can make it."""
        return self.kind is not ChangeKind.DESIGN


#: What an explanation says when it knows no change.
NO_CHANGE_KNOWN = "no single change known"

#: What the owner of the catalog can do.
_DESIGN = {
    ReasonCode.NOT_APPROVED: "approve it for the space",
    ReasonCode.MISSING_CONTENT: "write the content that is missing",
    ReasonCode.CATEGORY_DISABLED: "enable the category",
    ReasonCode.OFFER_DISABLED: "enable the offer",
    ReasonCode.WINDOW_CLOSED: "move the end of its dates",
}
#: The same, in words that depend on the case.
_OF_OWNER = {ReasonCode.OUTRANKED, ReasonCode.QUOTA}


def changes_for(
    scrutiny: Scrutiny, offer: int, found: tuple[Reason, ...]
) -> tuple[Change, ...]:
    """The changes that leave none of the reasons found; empty when none are known."""
    codes = {reason.code for reason in found}
    if ReasonCode.SHOWN_IN_SPACE in codes:
        return ()
    name = scrutiny.call.environment.offers[offer].name
    by_design = [reason for reason in found if _is_by_design(scrutiny, offer, reason)]
    asked = tuple(_of_call(scrutiny, offer, codes))
    call = apply(scrutiny.call, scrutiny.page.place, name, asked)
    settled = {key_of(reason) for reason in by_design}
    changed = Search(scrutiny, offer, settled).run(call)
    if changed is None:
        return ()
    values = _of_values(scrutiny.call, changed)
    return (*asked, *values, *(_design(reason) for reason in by_design))


def apply(call: Call, place: int, offer: str, changes: tuple[Change, ...]) -> Call:
    """The call with every change that a caller can make.

    `place` is that of the space among those asked for.
    """
    for change in changes:
        match change.kind:
            case ChangeKind.ATTRIBUTE:
                where = _place(call, change)
                call = with_value(call, where, change.value)
            case ChangeKind.TIME:
                assert change.at_ms is not None
                call = at_time(call, change.at_ms)
            case ChangeKind.CATEGORY:
                call = asking_for(call, place, change.name)
            case ChangeKind.NOT_EXCLUDED:
                call = not_excluding(call, offer)
            case ChangeKind.DUPLICATES:
                call = allowing_duplicates(call)
            case ChangeKind.DESIGN:
                pass
    return call


def _is_by_design(scrutiny: Scrutiny, offer: int, reason: Reason) -> bool:
    if reason.code is ReasonCode.NO_MATCHING_WEIGHT:
        return not scrutiny.hopeful_rows(offer)
    return reason.code in _DESIGN or reason.code in _OF_OWNER


def _design(reason: Reason) -> Change:
    match reason.code:
        case ReasonCode.NO_MATCHING_WEIGHT:
            message = "give it a weight above 0 in this space"
        case ReasonCode.QUOTA:
            # A quota counts at the moment of the call, whenever the contact sees it.
            message = (
                "say what the quota has had, with `propono quotas set`"
                if reason.is_damaged
                else "raise the quota's limit"
            )
            if reason.frees_at_ms is not None:
                message += f", or ask again from {minute_by(reason.frees_at_ms)} on"
        case ReasonCode.OUTRANKED:
            assert reason.winner_weight is not None
            message = f"give it a weight above {number(reason.winner_weight)}"
        case code:
            message = _DESIGN[code]
    return Change(ChangeKind.DESIGN, message, name=reason.resource)


def _of_call(
    scrutiny: Scrutiny, offer: int, codes: set[ReasonCode]
) -> Iterator[Change]:
    """What is only a matter of asking."""
    live = scrutiny.call.environment.offers[offer]
    if ReasonCode.NOT_REQUESTED in codes:
        message = f"ask for the category {live.category}"
        yield Change(ChangeKind.CATEGORY, message, name=live.category)
    if ReasonCode.EXCLUDED_BY_CALL in codes:
        message = "do not name it among the offers to leave out"
        yield Change(ChangeKind.NOT_EXCLUDED, message, name=live.name)
    if ReasonCode.SHOWN_ELSEWHERE in codes:
        message = "allow duplicates across the spaces of the call"
        yield Change(ChangeKind.DUPLICATES, message)


def _of_values(before: Call, after: Call) -> Iterator[Change]:
    """The attributes and the time in which two calls differ."""
    for place in places(before.environment):
        was, now = (Records(c.contact, c.context).at(place) for c in (before, after))
        if now is not was:
            yield _attribute(before, place, was, now)
    if after.at_ms != before.at_ms:
        message = f"decide for {moment(after.at_ms)}"
        yield Change(ChangeKind.TIME, message, at_ms=after.at_ms)


def _attribute(call: Call, place: Place, was: Any, now: Any) -> Change:
    attribute = declared(call.environment, place)
    name = f"{place.record}.{attribute.name}"
    if now is MISSING:
        message = f"leave out {name}"
    else:
        had = value_text(was, attribute.type)
        message = f"set {name} to {value_text(now, attribute.type)}, now {had}"
    return Change(ChangeKind.ATTRIBUTE, message, place.record, attribute.name, now)


def _place(call: Call, change: Change) -> Place:
    """Where an attribute is; raises KeyError for one that is not declared."""
    for place in places(call.environment):
        name = declared(call.environment, place).name
        if (place.record, name) == (change.record, change.attribute):
            return place
    raise KeyError(f"{change.record}.{change.attribute}")
