"""Approvals as tables, and for scripts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from server.cli.output import print_table

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from server.wire.approvals_pb2 import Approval, ApprovalEvent


def part_json(part: "Approval") -> dict[str, object]:
    """One part of an offer for scripts."""
    return {
        "offer": part.offer,
        "space": part.space or None,
        "state": _state(part.state),
        "has_approved_version": part.has_approved_version,
        "submitter": part.submitter or None,
        "submit_time": _time(part.submit_time) if part.submitter else None,
        "submit_comment": part.submit_comment,
        "reviewers": list(part.reviewers),
        "deadline": _time(part.deadline) if part.HasField("deadline") else None,
        "overdue": part.overdue,
        "reviewer": part.reviewer or None,
        "review_time": _time(part.review_time) if part.reviewer else None,
        "review_comment": part.review_comment,
        "etag": part.etag,
    }


def event_json(event: "ApprovalEvent") -> dict[str, object]:
    """Something that was submitted or reviewed, for scripts."""
    return {
        "time": _time(event.event_time),
        "author": event.author,
        "space": event.space or None,
        "state": _state(event.state),
        "comment": event.comment,
        "design_version": event.design_version,
    }


def print_parts(parts: "Sequence[Approval]") -> None:
    """What waits for whom, since when, and what was said last."""
    headings = "offer", "part", "state", "waits for", "since", "deadline", "said last"
    print_table({name: "" for name in headings}, [_row(part) for part in parts])


def print_log(events: "Sequence[ApprovalEvent]") -> None:
    """Newest first."""
    if not events:
        click.echo("nothing was submitted yet")
        return
    headings = "when", "who", "part", "became", "and said"
    rows = [
        (
            _shown(one.event_time),
            one.author,
            one.space or "eligibility",
            _state(one.state),
            one.comment,
        )
        for one in events
    ]
    print_table({name: "" for name in headings}, rows)


def _row(part: "Approval") -> tuple[object, ...]:
    state = _state(part.state)
    waits_for = ", ".join(part.reviewers) or "offer managers"
    deadline = _shown(part.deadline) if part.HasField("deadline") else ""
    said = part.review_comment if part.reviewer else part.submit_comment
    who = part.reviewer or part.submitter
    return (
        part.offer.removeprefix("environments/").replace("/offers/", "/"),
        part.space or "eligibility",
        state,
        waits_for if state == "pending" else "",
        _shown(part.submit_time) if state == "pending" else "",
        f"{deadline} overdue" if part.overdue else deadline,
        f"{who}: {said}" if said else "",
    )


def _state(number: int) -> str:
    from server.wire.catalog_pb2 import ApprovalState

    return ApprovalState.Name(number).removeprefix("APPROVAL_STATE_").lower()


def _shown(time: "Timestamp") -> str:
    return f"{time.ToDatetime():%Y-%m-%d %H:%M}"


def _time(time: "Timestamp") -> str:
    return time.ToDatetime().isoformat(timespec="seconds") + "Z"
