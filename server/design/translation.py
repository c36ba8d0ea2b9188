"""Records as messages and back, and mistakes in records as fields of messages."""

import re
from collections.abc import Callable
from typing import Any

from catalog_store.design_records import Ref, Stored
from catalog_store.records import Record, UnixMs
from server.design.nouns import NOUN_OF_KIND, Noun, resource_of
from server.requests import InvalidRequest, Violation
from server.translation import timestamp

#: Fields that a record names otherwise than its message does, inside of which a name
#: is anybody's: `content.start`.
_OWN_NAMES = (
    "content.", "space_content.", "attributes.", "rendering.json.", "contact.",
    "context.",
)  # fmt: skip
_FIELD_OF = {
    "enabled": "disabled",
    "active": "inactive",
    "recording": "recording_disabled",
    "on_failure": "fails_open",
    "period_ms": "period",
    "rest_ms": "rest",
    "start": "start_time",
    "end": "end_time",
    "decided_at": "decide_time",
    "at": "event_time",
}
#: An offer of several in one place of a golden decision.
_IN_GROUP = re.compile(r"(\.expected\[[0-9]+\])(?=\[)")


def message_of(ref: Ref, stored: Stored, deleted_at_ms: UnixMs | None = None) -> Any:
    """A record as its message."""
    noun = NOUN_OF_KIND[ref.kind]
    message = noun.message()
    noun.form.write(message, stored.record)
    message.name = noun.name_of(ref)
    message.etag = stored.etag
    if deleted_at_ms is not None:
        message.delete_time.CopyFrom(timestamp(deleted_at_ms))
    return message


def record_of(noun: Noun, message: Any, ref: Ref, path: str) -> Record:
    """A message as its record; raises InvalidRequest naming fields below `path`."""
    found: list[Violation] = []
    name = ref.name or ref.environment
    record = noun.form.read(message, path, found, name=name)
    if found:
        raise InvalidRequest(found)
    return record


def field_of(source_name: str, own: Callable[[str], str | None]) -> str:
    """The field that a diagnostic's source names: in a request, or of another record.

    `own` gives the path of a resource that the request itself holds.
    """
    resource, _, path = source_name.partition(":")
    path = message_path(path)
    prefix = own(resource)
    if prefix is not None:
        return f"{prefix}{path}"
    # One that is not in the request, as the contract names it.
    parts = resource.split("/")
    if len(parts) in (2, 4) and parts[0] == "environments":
        kind, name = (parts[2], parts[3]) if len(parts) == 4 else ("", "")
        if kind in NOUN_OF_KIND:
            resource = resource_of(Ref(parts[1], kind, name))
    return f"{resource}: {path}" if path else resource


def message_path(path: str) -> str:
    """The path of a record's field, as its message has it."""
    if path.startswith(_OWN_NAMES):
        return path
    path = _IN_GROUP.sub(r"\1.offers", path)
    return re.sub(r"[a-z_]+", lambda step: _FIELD_OF.get(step[0], step[0]), path)
