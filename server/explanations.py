"""The reasons of a decision, for the wire.

Made beside the answer, after a recorded decision is committed: whoever asks why holds
no lock while the offers are gone through.
"""

import json
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf import struct_pb2

from compiler.runtime.values import MISSING
from server.engine.call import Call
from server.engine.decision import Decision
from server.engine.explanation.changes import Change
from server.engine.explanation.found_values import Found, declared, places
from server.engine.explanation.offers import (
    OfferExplanation,
    SpaceExplanation,
    explain_offers,
)
from server.engine.explanation.reasons import Reason, RowReason
from server.engine.explanation.summary import CategorySummary, summarize
from server.requests import InvalidRequest, Violation
from server.translation import AskedExplanation, timestamp
from server.wire import explanation_pb2 as pb

#: Explanations, one per offer and space, in one page.
PAGE_MAX = 500

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def explained(
    asked: AskedExplanation, call: Call, decision: Decision, revision: int
) -> Generator[None, None, pb.Explanation]:
    """The explanation asked for; yields between steps of about a millisecond.

    Raises InvalidRequest for a page of another revision.
    """
    offers, next_page_token = _offers(asked, call, revision)
    explanation = pb.Explanation(seed=call.seed, next_page_token=next_page_token)
    summaries = yield from summarize(call, decision)
    explanation.categories.extend(map(_summary, summaries))
    for one in explain_offers(call, decision, offers):
        for place in range(len(one.spaces)):
            explanation.offers.append(_offer(call, decision, one, place))
        yield
    return explanation


def _offers(
    asked: AskedExplanation, call: Call, revision: int
) -> tuple[list[int], str]:
    """The numbers of the offers to explain, and the token of the next page."""
    environment = call.environment
    if not asked.full:
        return [], ""
    if asked.offers:
        numbers = environment.offer_numbers
        return [numbers[name] for name in asked.offers if name in numbers], ""
    first = 0
    if asked.page_token:
        decided_by, _, number = asked.page_token.partition("-")
        is_number = number.isascii() and number.isdecimal()
        if decided_by != str(revision) or not is_number:
            text = f"is not of revision {revision}, which decides now; start over"
            raise InvalidRequest([Violation("explain_page_token", text)])
        first = int(number)
    stop = first + max(1, PAGE_MAX // max(1, len(call.spaces)))
    count = len(environment.offers)
    token = f"{revision}-{stop}" if stop < count else ""
    return list(range(first, min(stop, count))), token


def _summary(summary: CategorySummary) -> pb.CategorySummary:
    return pb.CategorySummary(
        space=summary.space,
        category=summary.category,
        offers=summary.offers,
        proposed=summary.proposed,
        reasons=[
            pb.ReasonCount(code=f"REASON_CODE_{code.name}", offers=offers)
            for code, offers in summary.first_reasons.items()
        ],
    )


def _offer(
    call: Call, decision: Decision, one: OfferExplanation, place: int
) -> pb.OfferExplanation:
    in_space: SpaceExplanation = one.spaces[place]
    live = call.environment.offers[one.offer]
    explanation = pb.OfferExplanation(
        space=in_space.space,
        offer=one.name,
        category=live.category,
        reasons=map(_reason, in_space.reasons),
        changes=[_change(change, call) for change in in_space.changes],
    )
    for reason in in_space.reasons:
        if reason.weight is not None:
            explanation.weight = reason.weight
    if in_space.rank is not None:
        explanation.proposed = True
        explanation.rank = in_space.rank
        for chosen in decision.spaces[place].chosen:
            if chosen.scored.offer.number == one.offer:
                explanation.weight = chosen.scored.weight
                explanation.weight_row = chosen.scored.row.label
    return explanation


def _reason(reason: Reason) -> pb.Reason:
    return pb.Reason(
        code=f"REASON_CODE_{reason.code.name}",
        resource=reason.resource,
        message=reason.message,
        condition=reason.condition,
        error=reason.error or "",
        found=map(_found, reason.found),
        counted=reason.counted or 0,
        maximum=reason.maximum or 0,
        frees_at=None if reason.frees_at_ms is None else timestamp(reason.frees_at_ms),
        names=reason.names,
        rows=map(_row, reason.rows),
        winner=reason.winner,
        winner_weight=reason.winner_weight or 0.0,
        quota_limit=reason.limit or 0,
        quota_used=reason.used or 0,
    )


def _row(row: RowReason) -> pb.RowReason:
    return pb.RowReason(
        code=f"ROW_REASON_CODE_{row.code.name}",
        resource=row.resource,
        label=row.label,
        message=row.message,
        condition=row.condition,
        error=row.error or "",
        found=map(_found, row.found),
    )


def _found(found: Found) -> pb.FoundValue:
    value = None if found.value is MISSING else _value(found.value, found.type)
    return pb.FoundValue(attribute=found.attribute, value=value)


def _change(change: Change, call: Call) -> pb.Change:
    value = None
    if change.attribute and change.value is not MISSING:
        value = _value(change.value, _type(change, call))
    return pb.Change(
        kind=f"CHANGE_KIND_{change.kind.name}",
        message=change.message,
        attribute=f"{change.record}.{change.attribute}" if change.attribute else "",
        value=value,
        contact_time=None if change.at_ms is None else timestamp(change.at_ms),
        name=change.name,
    )


def _type(change: Change, call: Call) -> str:
    """That of the attribute that a change is about."""
    attributes = (
        declared(call.environment, place)
        for place in places(call.environment)
        if place.record == change.record
    )
    return next(str(a.type) for a in attributes if a.name == change.attribute)


def _value(value: Any, type_: str) -> struct_pb2.Value:
    """A value as a call's context would send it."""
    match value:
        case None:
            return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
        case bool():
            return struct_pb2.Value(bool_value=value)
        case int() if type_ == "timestamp":
            return struct_pb2.Value(string_value=_moment_text(value))
        case int() if type_ == "duration":
            sign, rest = ("-" if value < 0 else ""), abs(value)
            seconds, fraction = divmod(rest, 1_000_000)
            text = f"{sign}{seconds}.{fraction:06}".rstrip("0").rstrip(".") + "s"
            return struct_pb2.Value(string_value=text)
        case int() | float():
            return struct_pb2.Value(number_value=value)
        case str():
            return struct_pb2.Value(string_value=value)
        case tuple() | list():
            inner = type_.removeprefix("list(").removesuffix(")")
            values = [_value(each, inner) for each in value]  # pyright: ignore[reportUnknownVariableType]
            return struct_pb2.Value(list_value=struct_pb2.ListValue(values=values))
        case _:
            raise TypeError(f"no value of a rule: {json.dumps(value, default=str)}")


def _moment_text(us: int) -> str:
    at = _EPOCH + timedelta(microseconds=us)
    return at.isoformat().replace("+00:00", "Z")
