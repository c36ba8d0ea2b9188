"""What of requests and answers is kept, and what never.

Of calls that edit, approve and publish, all of it. Of calls about contacts, what names
no contact: an erasure could not reach the log, which nobody rewrites. The receipt of an
erasure is kept; it leads whoever has it to the line.
"""

from typing import Any, NamedTuple

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message

from server.audit.entries import NAME_CHARACTERS_MAX, left_out
from server.transport import MESSAGE_BYTES_MAX

#: All that is kept of calls about contacts.
_OF_CONTACTS = frozenset(
    {
        "environment",
        "alias_environment",
        "validate_only",
        "receipt_id",
        "counts",
        "upserted_count",
        "rejected_count",
    }
)
_CONTACT_SERVICE = "propono.v1.ContactService"
#: Collections whose names are not their nouns' with an s.
_COLLECTIONS = {
    "category": "categories",
    "typology": "typologies",
    "presentation_rule": "presentationRules",
    "scheduled_publication": "scheduledPublications",
    "golden_decision": "goldenDecisions",
}


class Asked(NamedTuple):
    """What a request is about, and what is kept of it."""

    resource: str
    #: JSON values; None where nothing is.
    content: Any


def asked_by(method: str, data: bytes | None) -> Asked:
    """Of an encoded request; of None, a stream, only what the method's name says."""
    described = _described(method)
    if data is not None and len(data) > MESSAGE_BYTES_MAX:
        # The method refuses it; there is no reason to read it before.
        return Asked(_collection(described), left_out(data))
    request = None if data is None else _parsed(described.input_type, data)
    if request is None:
        return Asked(_collection(described), None)
    resource = _resource(described, request) or _collection(described)
    return Asked(resource[:NAME_CHARACTERS_MAX], _kept(described, request))


def answered_with(method: str, data: bytes) -> Any:
    """What is kept of an encoded answer, as JSON values."""
    described = _described(method)
    answer = _parsed(described.output_type, data)
    return None if answer is None else _kept(described, answer) or None


def content_of(message: Message) -> dict[str, Any]:
    """A message as JSON values, whatever is in it."""
    try:
        return MessageToDict(message, preserving_proto_field_name=True)
    except Exception:
        # A NaN, a year 10,000, a mask that is no path: JSON has no words for it.
        return left_out(message.SerializeToString())


def _described(method: str) -> MethodDescriptor:
    pool = descriptor_pool.Default()
    return pool.FindMethodByName(method[1:].replace("/", "."))


def _parsed(kind: Any, data: bytes) -> Message | None:
    try:
        return message_factory.GetMessageClass(kind).FromString(data)
    except DecodeError:
        return None


def _kept(described: MethodDescriptor, message: Message) -> Any:
    fields = content_of(message)
    if described.containing_service.full_name != _CONTACT_SERVICE:
        return fields
    return {name: value for name, value in fields.items() if name in _OF_CONTACTS}


def _resource(described: MethodDescriptor, request: Any) -> str:
    """The resource name that a request begins with, in the ways that ours do."""
    fields: dict[str, FieldDescriptor] = request.DESCRIPTOR.fields_by_name
    if "name" in fields:
        return request.name
    if described.name == "Rollback":
        return f"revisions/{request.revision}"
    if described.containing_service.full_name == _CONTACT_SERVICE:
        environment = getattr(request, "environment", "")
        return f"environments/{environment}" if environment else ""
    noun = _noun(described.name)
    if described.name.startswith("Create"):
        parent = f"{request.parent}/" if "parent" in fields else ""
        return f"{parent}{_collection(described)}/{getattr(request, f'{noun}_id')}"
    return getattr(request, noun).name if noun in fields else ""


def _noun(method_name: str) -> str:
    """`presentation_rule` of `CreatePresentationRule`."""
    words = "".join(f" {c}" if c.isupper() else c for c in method_name).lower().split()
    return "_".join(words[1:])


def _collection(described: MethodDescriptor) -> str:
    """What a method is about when its request does not say."""
    if described.containing_service.full_name == _CONTACT_SERVICE:
        return "contacts"
    if described.name in ("SubmitForApproval", "Review", "SetOfferDisabled"):
        return "offers"
    if described.name in ("Publish", "PushArtifact", "Rollback"):
        return "revisions"
    noun = _noun(described.name)
    return _COLLECTIONS.get(noun, f"{noun}s")
