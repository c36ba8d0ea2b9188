"""Why an offer is not proposed: one constructor per reason, each with its sentence.

Sentences are for offer managers, and end without a full stop.
"""

from collections.abc import Iterable
from enum import StrEnum
from math import isinf
from typing import NamedTuple

from server.engine.explanation.failing_conditions import FailingCondition
from server.engine.explanation.found_values import Found
from server.engine.explanation.plain_words import (
    listed,
    minute_by,
    moment,
    number,
    quoted,
)
from server.engine.live_offers import LiveWindow


class ReasonCode(StrEnum):
    """Why an offer is not proposed in a space, in the order of the pipeline.

    Stable: others script against the names, and new ones may come.
    """

    NOT_APPROVED = "not_approved"
    MISSING_CONTENT = "missing_content"
    CATEGORY_DISABLED = "category_disabled"
    OFFER_DISABLED = "offer_disabled"
    NOT_REQUESTED = "not_requested"
    EXCLUDED_BY_CALL = "excluded_by_call"
    WINDOW_NOT_OPEN_YET = "window_not_open_yet"
    WINDOW_CLOSED = "window_closed"
    ENVIRONMENT_RULE = "environment_rule"
    CATEGORY_RULE = "category_rule"
    OFFER_RULE = "offer_rule"
    NO_MATCHING_WEIGHT = "no_matching_weight"
    SHOWN_IN_SPACE = "shown_in_space"
    SHOWN_ELSEWHERE = "shown_elsewhere"
    PRESENTATION_RULE = "presentation_rule"
    QUOTA = "quota"
    NOT_RENDERED = "not_rendered"
    OUTRANKED = "outranked"


class RowCode(StrEnum):
    """Why a weight row does not count."""

    WINDOW_NOT_OPEN_YET = "window_not_open_yet"
    WINDOW_CLOSED = "window_closed"
    OTHER_SPACES = "other_spaces"
    RULE = "rule"
    WEIGHT_ZERO = "weight_zero"
    #: Of a formula.
    NO_ANSWER = "no_answer"
    NEGATIVE = "negative"
    #: Infinite or not a number, by itself or after the multipliers.
    NOT_FINITE = "not_finite"


class RowReason(NamedTuple):
    """One reason for which one weight row does not count."""

    code: RowCode
    #: `environments/bank/categories/cards:weights[0]`.
    resource: str
    label: str
    message: str
    #: Of a rule's condition, or a formula.
    condition: str = ""
    error: str | None = None
    found: tuple[Found, ...] = ()
    #: Of a window, the end that matters.
    at_ms: int | None = None


class Reason(NamedTuple):
    """One reason for which an offer is not proposed in a space."""

    code: ReasonCode
    #: What says so: `environments/bank/categories/cards`.
    resource: str
    #: In plain words.
    message: str
    #: The text of a condition that is not true.
    condition: str = ""
    #: Why the condition has no answer; None when it is false.
    error: str | None = None
    #: What it read of the contact and the call.
    found: tuple[Found, ...] = ()
    #: Propositions that a presentation rule counts.
    counted: int | None = None
    maximum: int | None = None
    #: When this reason ends by itself: a window opens, a presentation rule or a quota
    #: frees.
    frees_at_ms: int | None = None
    #: When a window closed.
    closed_at_ms: int | None = None
    #: Content fields that are missing, or spaces that show the offer.
    names: tuple[str, ...] = ()
    #: Why no row counts.
    rows: tuple[RowReason, ...] = ()
    #: The offer's weight, and the offer that took the last place with its weight.
    weight: float | None = None
    winner: str = ""
    winner_weight: float | None = None
    #: Propositions that a quota allows, or what it falls back on, and what was had of
    #: that; None when nobody knows.
    limit: int | None = None
    used: int | None = None
    #: Whether the quota's own counter cannot be read.
    is_damaged: bool = False


def not_approved(resource: str, space: str) -> Reason:
    message = f"is not approved for the space {space}"
    return Reason(ReasonCode.NOT_APPROVED, resource, message)


def missing_content(resource: str, space: str, fields: tuple[str, ...]) -> Reason:
    message = f"lacks content that the space {space} requires: {listed(fields)}"
    return Reason(ReasonCode.MISSING_CONTENT, resource, message, names=fields)


def category_disabled(resource: str, category: str) -> Reason:
    message = f"the category {category} is disabled, and with it all below it"
    return Reason(ReasonCode.CATEGORY_DISABLED, resource, message)


def offer_disabled(resource: str) -> Reason:
    return Reason(ReasonCode.OFFER_DISABLED, resource, "the offer is disabled")


def not_requested(
    resource: str,
    categories: tuple[str, ...],
    themes: tuple[str, ...],
    by: str,
) -> Reason:
    """`by` is who restricts: the call, or a space."""
    limits = [
        f"{kind} {listed(names)}"
        for kind, names in (("categories", categories), ("themes", themes))
        if names
    ]
    message = f"{by} asks for {' and '.join(limits)} only"
    return Reason(ReasonCode.NOT_REQUESTED, resource, message)


def excluded_by_call(resource: str) -> Reason:
    message = "the call names it among the offers to leave out"
    return Reason(ReasonCode.EXCLUDED_BY_CALL, resource, message)


def window_not_open(resource: str, what: str, window: LiveWindow, at_ms: int) -> Reason:
    """`what` is "the offer" or names a category."""
    if at_ms < window.start_ms:
        opens = _end(window.start_ms)
        message = f"{what} starts on {moment(opens)}"
        return Reason(
            ReasonCode.WINDOW_NOT_OPEN_YET, resource, message, frees_at_ms=opens
        )
    closed = _end(window.end_ms)
    message = f"{what} ended on {moment(closed)}"
    return Reason(ReasonCode.WINDOW_CLOSED, resource, message, closed_at_ms=closed)


def rule_not_true(code: ReasonCode, resource: str, failing: FailingCondition) -> Reason:
    """`code` says whose rule it is."""
    return Reason(
        code,
        resource,
        failing.message,
        condition=failing.text,
        error=failing.error,
        found=failing.found,
    )


def no_matching_weight(resource: str, rows: tuple[RowReason, ...]) -> Reason:
    if not rows:
        message = "has no weight row, and inherits none"
    else:
        count = len({row.resource for row in rows})
        rest = "its weight row does" if count == 1 else f"all {count} weight rows do"
        message = f"{rest} not count here: " + "; ".join(
            f"{row.label}: {row.message}" for row in rows[:_ROWS_TOLD_MAX]
        )
        if len(rows) > _ROWS_TOLD_MAX:
            message += f"; and {len(rows) - _ROWS_TOLD_MAX} more"
    return Reason(ReasonCode.NO_MATCHING_WEIGHT, resource, message, rows=rows)


def shown(resource: str, space: str, spaces: Iterable[str]) -> Reason:
    """`spaces` are those that show it already."""
    names = tuple(spaces)
    if space in names:
        message = f"the space {space} of this call shows it already"
        return Reason(ReasonCode.SHOWN_IN_SPACE, resource, message, names=(space,))
    message = f"the page shows it already, in {listed(names)}"
    return Reason(ReasonCode.SHOWN_ELSEWHERE, resource, message, names=names)


def presentation_rule(
    resource: str, name: str, counted: int, maximum: int, frees_at_ms: int | None
) -> Reason:
    frees = (
        "never free again"
        if frees_at_ms is None
        else f"free again on {minute_by(frees_at_ms)}"
    )
    message = f"{name} counts {counted} of at most {maximum}; {frees}"
    return Reason(
        ReasonCode.PRESENTATION_RULE,
        resource,
        message,
        counted=counted,
        maximum=maximum,
        frees_at_ms=frees_at_ms,
    )


def quota(
    resource: str,
    name: str,
    limit: int,
    used: int | None,
    frees_at_ms: int | None,
    *,
    falls_back: bool = False,
) -> Reason:
    """`used` is None when the counter is damaged, and nothing is fallen back on."""
    frees = (
        "never free again"
        if frees_at_ms is None
        else f"free again on {minute_by(frees_at_ms)}"
    )
    had = "has a damaged counter, and so none left"
    if falls_back:
        had = f"has a damaged counter, and falls back on {limit}, which had {used}"
    elif used is not None:
        had = f"has had {used} of at most {limit}"
    return Reason(
        ReasonCode.QUOTA,
        resource,
        f"the quota {name} {had}; {frees}",
        frees_at_ms=frees_at_ms,
        limit=limit,
        used=used,
        is_damaged=falls_back or used is None,
    )


def not_rendered(resource: str, why: str) -> Reason:
    return Reason(ReasonCode.NOT_RENDERED, resource, f"cannot be shown: {why}")


def outranked(
    resource: str, weight: float, winner: str, winner_weight: float
) -> Reason:
    how = (
        f"lost the draw among offers of weight {number(weight)}: the last place went"
        if weight == winner_weight
        else f"its weight is {number(weight)}, and the last place went"
    )
    message = f"{how} to {winner}, with {number(winner_weight)}"
    return Reason(
        ReasonCode.OUTRANKED,
        resource,
        message,
        weight=weight,
        winner=winner,
        winner_weight=winner_weight,
    )


#: Rows in the message of NO_MATCHING_WEIGHT; the reason has them all.
_ROWS_TOLD_MAX = 3


def row_window(resource: str, label: str, window: LiveWindow, at_ms: int) -> RowReason:
    if at_ms < window.start_ms:
        opens = _end(window.start_ms)
        message = f"starts on {moment(opens)}"
        code = RowCode.WINDOW_NOT_OPEN_YET
        return RowReason(code, resource, label, message, at_ms=opens)
    closed = _end(window.end_ms)
    message = f"ended on {moment(closed)}"
    return RowReason(RowCode.WINDOW_CLOSED, resource, label, message, at_ms=closed)


def row_of_other_spaces(resource: str, label: str, spaces: Iterable[str]) -> RowReason:
    message = f"is for {listed(sorted(spaces))} only"
    return RowReason(RowCode.OTHER_SPACES, resource, label, message)


def row_rule(resource: str, label: str, failing: FailingCondition) -> RowReason:
    return RowReason(
        RowCode.RULE,
        resource,
        label,
        failing.message,
        failing.text,
        failing.error,
        failing.found,
    )


def row_weight_zero(resource: str, label: str, formula: str) -> RowReason:
    """`formula` is empty for a plain number."""
    message = f"the formula {quoted(formula)} gives 0" if formula else "its weight is 0"
    return RowReason(RowCode.WEIGHT_ZERO, resource, label, message, formula)


def row_without_answer(
    resource: str, label: str, formula: str, error: str, found: tuple[Found, ...]
) -> RowReason:
    message = f"the formula {quoted(formula)} has no answer: {error}"
    return RowReason(RowCode.NO_ANSWER, resource, label, message, formula, error, found)


def row_negative(resource: str, label: str, formula: str, weight: float) -> RowReason:
    message = f"the formula {quoted(formula)} gives {number(weight)}"
    return RowReason(RowCode.NEGATIVE, resource, label, message, formula)


def row_not_finite(resource: str, label: str, formula: str) -> RowReason:
    what = f"the formula {quoted(formula)}" if formula else "its weight"
    message = f"{what} leaves the range of numbers"
    return RowReason(RowCode.NOT_FINITE, resource, label, message, formula)


def _end(moment_ms: float) -> int:
    assert not isinf(moment_ms), "an unbounded end is never the reason"
    return int(moment_ms)
