"""ListDesignChanges, GetDesignChange, GetDesignRecord: who changed what, and what was.

Each call is plain code for one thread.
"""

from typing import Any

from catalog_store.design_errors import UnknownChange
from catalog_store.design_past import LoggedChange
from catalog_store.design_records import Ref
from catalog_store.design_store import DesignStore
from server.design.comparing import Action, Difference, differences
from server.design.nouns import NOUN_OF_KIND, NOUNS, Noun, resource_of
from server.design.translation import message_of
from server.paging import page_size
from server.requests import InvalidRequest, Violation
from server.translation import timestamp
from server.wire import admin_pb2 as pb

#: Records of one change that a list shows, and that GetDesignChange does.
LISTED_RECORDS_MAX = 10
RECORDS_MAX = 1_000
#: Bytes of a page of several, as for lists of nouns.
_PAGE_BYTES_MAX = 2 << 20

_ACTION = {
    Action.CREATE: pb.DESIGN_ACTION_CREATE,
    Action.UPDATE: pb.DESIGN_ACTION_UPDATE,
    Action.DELETE: pb.DESIGN_ACTION_DELETE,
}


class DesignPast:
    """What is kept of the changes of one store."""

    def __init__(self, store: DesignStore) -> None:
        self._store = store

    def list(
        self, request: pb.ListDesignChangesRequest
    ) -> pb.ListDesignChangesResponse:
        """Newest first; raises InvalidRequest and DamagedDesign."""
        size = page_size(request.page_size)
        before = 2**63
        if request.page_token:
            before = _number(request.page_token, "page_token", "a token of a page")
        ref = ref_named(request.record, "record") if request.record else None
        answer = pb.ListDesignChangesResponse()
        left = _PAGE_BYTES_MAX
        for change in self._store.log(before, ref, size + 1, LISTED_RECORDS_MAX):
            message = _message(change)
            left -= message.ByteSize()
            listed = answer.design_changes
            if len(listed) == size or (left < 0 and listed):
                answer.next_page_token = str(listed[-1].number)
                break
            listed.append(message)
        return answer

    def get(self, request: pb.GetDesignChangeRequest) -> pb.GetDesignChangeResponse:
        """Raises InvalidRequest, UnknownChange and DamagedDesign."""
        collection, _, number = request.name.partition("/")
        if collection != "designChanges":
            number = ""
        version = _number(number, "name", "`designChanges/<number>`")
        change = self._store.logged_change(version, RECORDS_MAX)
        return pb.GetDesignChangeResponse(design_change=_message(change))

    def record(self, request: pb.GetDesignRecordRequest) -> pb.GetDesignRecordResponse:
        """Raises InvalidRequest, UnknownChange and DamagedDesign."""
        ref = ref_named(request.name, "name")
        version = (
            request.design_version
            if request.HasField("design_version")
            else self._store.version()
        )
        stored = self._store.record_at(ref, version)
        if stored is None:
            raise UnknownChange(
                f"{request.name} is not in the design of change {version}"
            )
        message: Any = message_of(ref, stored)
        noun = NOUN_OF_KIND[ref.kind]
        return pb.GetDesignRecordResponse(
            design_version=stored.version, **{noun.field: message}
        )


def ref_named(name: str, field: str) -> Ref:
    """What any resource name of the design names; raises InvalidRequest."""
    parts = name.split("/")
    nouns: dict[str, Noun] = {noun.collection: noun for noun in NOUNS}
    collection = parts[2] if len(parts) > 2 else "environments"
    if collection not in nouns:
        known = ", ".join(sorted(nouns))
        text = f"names no {collection[:64]!r} of the design; there are {known}"
        raise InvalidRequest([Violation(field, text)])
    return nouns[collection].ref_of(name, field)


def _message(change: LoggedChange) -> pb.RecordedChange:
    nouns = [entry for entry in change.entries if entry.ref.kind in NOUN_OF_KIND]
    before = {entry.ref: entry.before for entry in nouns if entry.before is not None}
    changed = {entry.ref: entry.after for entry in nouns}
    # Approvals have no message of their own: they are what is approved of an offer.
    approved = [
        Difference(
            Action.UPDATE,
            resource_of(entry.ref._replace(kind="offers")),
            ("approvals",),
        )
        for entry in change.entries
        if entry.ref.kind not in NOUN_OF_KIND
    ]
    return pb.RecordedChange(
        name=f"designChanges/{change.version}",
        number=change.version,
        change_time=timestamp(change.author.at_ms),
        author=change.author.name,
        method=change.author.method,
        changes=[
            pb.DesignChange(
                action=_ACTION[one.action], name=one.name, fields=one.fields
            )
            for one in [*differences(before, changed), *approved]
        ],
        record_count=change.entry_count,
    )


def _number(text: str, field: str, shape: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise InvalidRequest([Violation(field, f"is not {shape}")])
    return int(text)
