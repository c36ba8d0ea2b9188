"""What a status update does to a proposition.

    update                     the last applied update      outcome
    -------------------------  ---------------------------  -------------------
    first of its proposition   none                         applied
    with event time            happened at or before it     applied
    with event time            happened after it            logged only
    without event time         any                          applied, except:
    without event time, to     current status accepted      logged only
      generated or presented     or rejected

An update without event time happened when it was received. The status that the
decision gave is no update, so that a client whose clock is slow is still heard.
"""

from msgspec.structs import replace

from catalog_store.records import UnixMs
from contact_store.errors import StatusLogFull
from contact_store.records import (
    STATUS_CHANGES_MAX,
    Proposition,
    PropositionStatus,
    StatusChange,
)

_ANSWERED = {PropositionStatus.ACCEPTED, PropositionStatus.REJECTED}
_UNANSWERED = {PropositionStatus.GENERATED, PropositionStatus.PRESENTED}


def with_change(proposition: Proposition, change: StatusChange) -> Proposition:
    """The proposition after an update; raises StatusLogFull."""
    log = (*(proposition.changes or (_first_entry(proposition),)), change)
    if len(log) > STATUS_CHANGES_MAX:
        raise StatusLogFull(
            f"the proposition's log is full: at most {STATUS_CHANGES_MAX - 1} updates"
        )
    return replace(proposition, status=status_after(log), changes=log)


def status_after(log: tuple[StatusChange, ...]) -> PropositionStatus:
    """The status that counts after a whole log, its first entry included."""
    return _last_applied(log)[0]


def status_since(proposition: Proposition) -> UnixMs:
    """When a proposition got the status that it has; its event time until an update."""
    log = proposition.changes
    since = _last_applied(log)[1] if log else None
    return proposition.event_time_ms if since is None else since


def _last_applied(
    log: tuple[StatusChange, ...],
) -> tuple[PropositionStatus, UnixMs | None]:
    """The status after a log, and when the update that gave it happened, if one did."""
    status = log[0].status
    applied_at: UnixMs | None = None
    for change in log[1:]:
        at = change.event_time_ms
        if at is None:
            if status in _ANSWERED and change.status in _UNANSWERED:
                continue
            at = change.received_at_ms
        elif applied_at is not None and at < applied_at:
            continue
        status, applied_at = change.status, at
    return status, applied_at


def _first_entry(proposition: Proposition) -> StatusChange:
    return StatusChange(
        proposition.status, proposition.event_time_ms, proposition.decided_at_ms
    )
