"""The only place where our errors meet gRPC's vocabulary.

Every error carries ErrorInfo with a reason that never changes; what was wrong with a
request comes as BadRequest, and what may be retried with RetryInfo. An error that is
not listed here is our fault: its text goes to the log, and the caller learns only
that we failed.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

import grpc
from google.protobuf import any_pb2, duration_pb2, message
from google.rpc import (  # pyright: ignore[reportMissingTypeStubs]
    code_pb2,
    error_details_pb2,
    status_pb2,
)
from grpc_status import rpc_status

from catalog_store.artifact import ArtifactError, OldArtifact, UntrustedArtifact
from catalog_store.design_errors import DamagedDesign, DesignStoreFailed, UnknownChange
from catalog_store.revisions import (
    CatalogFolderFailed,
    DamagedRevision,
    NothingPublished,
    PublicationBusy,
    UnknownRevision,
    UntrustedRevision,
)
from catalog_store.scheduled_publications import (
    DamagedSchedule,
    ScheduleEnded,
    ScheduleFull,
    UnknownSchedule,
)
from catalog_store.signal_page import WorkersBehind
from contact_store import errors as contact_errors
from server.audit.entries import AuditFailed
from server.golden.failures import GoldenDecisionsFailed
from server.refusals import LowDisk, Overloaded, RateLimited, TooLate
from server.requests import (
    AnswerTooLarge,
    DesignChanged,
    InvalidRequest,
    NameTaken,
    NotPending,
    NotPublishable,
    NotTheReviewer,
    OtherSource,
    OwnApproval,
    PermissionDenied,
    RequestTooLarge,
    StaleEtag,
    StillInUse,
    TokenExpired,
    Unauthenticated,
    UnknownMethod,
    UnknownName,
)

DOMAIN = "propono"

_log = logging.getLogger(__name__)


class _Meaning(NamedTuple):
    code: int
    reason: str
    #: Sent as RetryInfo; None when a retry would fail again.
    retry_after_ms: int | None = None


_MEANINGS: dict[type[Exception], _Meaning] = {
    AnswerTooLarge: _Meaning(code_pb2.RESOURCE_EXHAUSTED, "ANSWER_TOO_LARGE"),
    RequestTooLarge: _Meaning(code_pb2.RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE"),
    InvalidRequest: _Meaning(code_pb2.INVALID_ARGUMENT, "INVALID_REQUEST"),
    contact_errors.InvalidContactId: _Meaning(
        code_pb2.INVALID_ARGUMENT, "INVALID_REQUEST"
    ),
    UnknownName: _Meaning(code_pb2.NOT_FOUND, "UNKNOWN_NAME"),
    UnknownRevision: _Meaning(code_pb2.NOT_FOUND, "UNKNOWN_REVISION"),
    contact_errors.UnknownProposition: _Meaning(
        code_pb2.NOT_FOUND, "UNKNOWN_PROPOSITION"
    ),
    contact_errors.RequestIdReused: _Meaning(
        code_pb2.ALREADY_EXISTS, "REQUEST_ID_REUSED"
    ),
    contact_errors.HistoryFull: _Meaning(code_pb2.RESOURCE_EXHAUSTED, "HISTORY_FULL"),
    contact_errors.StatusLogFull: _Meaning(
        code_pb2.RESOURCE_EXHAUSTED, "STATUS_LOG_FULL"
    ),
    Overloaded: _Meaning(code_pb2.RESOURCE_EXHAUSTED, "OVERLOADED", 100),
    RateLimited: _Meaning(code_pb2.RESOURCE_EXHAUSTED, "RATE_LIMITED"),
    LowDisk: _Meaning(code_pb2.UNAVAILABLE, "LOW_DISK", 5_000),
    TooLate: _Meaning(code_pb2.DEADLINE_EXCEEDED, "TOO_LATE"),
    NothingPublished: _Meaning(code_pb2.UNAVAILABLE, "NOTHING_PUBLISHED", 1_000),
    Unauthenticated: _Meaning(code_pb2.UNAUTHENTICATED, "UNAUTHENTICATED"),
    AuditFailed: _Meaning(code_pb2.UNAVAILABLE, "AUDIT_FAILED", 1_000),
    TokenExpired: _Meaning(code_pb2.UNAUTHENTICATED, "TOKEN_EXPIRED"),
    PermissionDenied: _Meaning(code_pb2.PERMISSION_DENIED, "PERMISSION_DENIED"),
    contact_errors.StoreStalled: _Meaning(code_pb2.UNAVAILABLE, "STORE_STALLED", 1_000),
    contact_errors.StoreFailed: _Meaning(code_pb2.UNAVAILABLE, "STORE_FAILED", 1_000),
    PublicationBusy: _Meaning(code_pb2.ABORTED, "PUBLICATION_BUSY", 1_000),
    UntrustedArtifact: _Meaning(code_pb2.FAILED_PRECONDITION, "UNTRUSTED_ARTIFACT"),
    OldArtifact: _Meaning(code_pb2.FAILED_PRECONDITION, "OLD_ARTIFACT"),
    ArtifactError: _Meaning(code_pb2.INVALID_ARGUMENT, "INVALID_ARTIFACT"),
    WorkersBehind: _Meaning(code_pb2.DEADLINE_EXCEEDED, "WORKERS_BEHIND"),
    CatalogFolderFailed: _Meaning(code_pb2.UNAVAILABLE, "CATALOG_FOLDER_FAILED", 1_000),
    UntrustedRevision: _Meaning(code_pb2.FAILED_PRECONDITION, "UNTRUSTED_REVISION"),
    NameTaken: _Meaning(code_pb2.ALREADY_EXISTS, "NAME_TAKEN"),
    StaleEtag: _Meaning(code_pb2.ABORTED, "ETAG_MISMATCH"),
    # Before what it is a kind of.
    GoldenDecisionsFailed: _Meaning(
        code_pb2.FAILED_PRECONDITION, "GOLDEN_DECISION_FAILED"
    ),
    NotPublishable: _Meaning(code_pb2.FAILED_PRECONDITION, "NOT_PUBLISHABLE"),
    NotPending: _Meaning(code_pb2.FAILED_PRECONDITION, "NOT_PENDING"),
    NotTheReviewer: _Meaning(code_pb2.PERMISSION_DENIED, "NOT_THE_REVIEWER"),
    OwnApproval: _Meaning(code_pb2.PERMISSION_DENIED, "OWN_APPROVAL"),
    OtherSource: _Meaning(code_pb2.FAILED_PRECONDITION, "OTHER_SOURCE"),
    DesignChanged: _Meaning(code_pb2.ABORTED, "DESIGN_CHANGED"),
    StillInUse: _Meaning(code_pb2.FAILED_PRECONDITION, "STILL_IN_USE"),
    DesignStoreFailed: _Meaning(code_pb2.UNAVAILABLE, "STORE_FAILED", 1_000),
    UnknownChange: _Meaning(code_pb2.NOT_FOUND, "UNKNOWN_CHANGE"),
    DamagedDesign: _Meaning(code_pb2.DATA_LOSS, "DAMAGED_DESIGN"),
    UnknownSchedule: _Meaning(code_pb2.NOT_FOUND, "UNKNOWN_SCHEDULE"),
    ScheduleEnded: _Meaning(code_pb2.FAILED_PRECONDITION, "SCHEDULE_ENDED"),
    ScheduleFull: _Meaning(code_pb2.RESOURCE_EXHAUSTED, "SCHEDULE_FULL"),
    DamagedSchedule: _Meaning(code_pb2.DATA_LOSS, "DAMAGED_SCHEDULE"),
    DamagedRevision: _Meaning(code_pb2.DATA_LOSS, "DAMAGED_REVISION"),
    contact_errors.CorruptRecord: _Meaning(code_pb2.DATA_LOSS, "CORRUPT_RECORD"),
    UnknownMethod: _Meaning(code_pb2.UNIMPLEMENTED, "UNKNOWN_METHOD"),
}


def status_of(
    error: Exception, about: Callable[[], Mapping[str, object]] = dict
) -> grpc.Status:
    """The gRPC status that tells a caller about an error.

    `about` is asked for the call, for the log, if nobody foresaw the error.
    """
    for kind, meaning in _MEANINGS.items():
        if isinstance(error, kind):
            return _status(meaning, str(error), _details(error, meaning))
    _log.error(
        "a call failed for a reason that nobody foresaw",
        exc_info=error,
        extra=about(),
    )
    return _status(_Meaning(code_pb2.INTERNAL, "INTERNAL"), "internal error", [])


def code_of(error: Exception) -> str:
    """The name of the gRPC code that `status_of` gives."""
    for kind, meaning in _MEANINGS.items():
        if isinstance(error, kind):
            return code_pb2.Code.Name(meaning.code)
    return "INTERNAL"


def _details(error: Exception, meaning: _Meaning) -> list[message.Message]:
    details: list[message.Message] = []
    if isinstance(error, InvalidRequest):
        violations = [
            error_details_pb2.BadRequest.FieldViolation(
                field=violation.field, description=violation.description
            )
            for violation in error.violations
        ]
        details.append(error_details_pb2.BadRequest(field_violations=violations))
    if isinstance(error, StillInUse):
        details.append(
            error_details_pb2.PreconditionFailure(
                violations=[
                    error_details_pb2.PreconditionFailure.Violation(
                        type="IN_USE", subject=one.field, description=one.description
                    )
                    for one in error.violations
                ]
            )
        )
    if isinstance(error, GoldenDecisionsFailed):
        details.append(
            error_details_pb2.PreconditionFailure(
                violations=[
                    error_details_pb2.PreconditionFailure.Violation(
                        type="GOLDEN_DECISION",
                        subject=one.field,
                        description=one.description,
                    )
                    for one in error.violations
                ]
            )
        )
    if isinstance(error, contact_errors.InvalidContactId):
        violation = error_details_pb2.BadRequest.FieldViolation(
            field="contact_id", description=str(error)
        )
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    retry_after_ms = meaning.retry_after_ms
    if isinstance(error, RateLimited):
        retry_after_ms = error.retry_after_ms
    if retry_after_ms is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(retry_after_ms)
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    return details


def _status(
    meaning: _Meaning, text: str, details: list[message.Message]
) -> grpc.Status:
    info = error_details_pb2.ErrorInfo(reason=meaning.reason, domain=DOMAIN)
    status = status_pb2.Status(code=meaning.code, message=text)
    for detail in (info, *details):
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    # grpc_status is typed in terms of a class that its stubs do not have.
    return cast(Any, rpc_status).to_status(status)
