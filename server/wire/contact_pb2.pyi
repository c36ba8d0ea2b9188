import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from server.wire import decision_pb2 as _decision_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Contact(_message.Message):
    __slots__ = ("environment", "contact_id", "attributes")
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    environment: str
    contact_id: str
    attributes: _struct_pb2.Struct
    def __init__(self, environment: _Optional[str] = ..., contact_id: _Optional[str] = ..., attributes: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class UpsertContactsRequest(_message.Message):
    __slots__ = ("contacts",)
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    contacts: _containers.RepeatedCompositeFieldContainer[Contact]
    def __init__(self, contacts: _Optional[_Iterable[_Union[Contact, _Mapping]]] = ...) -> None: ...

class UpsertContactsResponse(_message.Message):
    __slots__ = ("upserted_count", "rejects", "rejected_count")
    UPSERTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REJECTS_FIELD_NUMBER: _ClassVar[int]
    REJECTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    upserted_count: int
    rejects: _containers.RepeatedCompositeFieldContainer[RejectedContact]
    rejected_count: int
    def __init__(self, upserted_count: _Optional[int] = ..., rejects: _Optional[_Iterable[_Union[RejectedContact, _Mapping]]] = ..., rejected_count: _Optional[int] = ...) -> None: ...

class RejectedContact(_message.Message):
    __slots__ = ("position", "contact_id", "violations")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    VIOLATIONS_FIELD_NUMBER: _ClassVar[int]
    position: int
    contact_id: str
    violations: _containers.RepeatedCompositeFieldContainer[ContactViolation]
    def __init__(self, position: _Optional[int] = ..., contact_id: _Optional[str] = ..., violations: _Optional[_Iterable[_Union[ContactViolation, _Mapping]]] = ...) -> None: ...

class ContactViolation(_message.Message):
    __slots__ = ("field", "description")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    field: str
    description: str
    def __init__(self, field: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class GetContactRequest(_message.Message):
    __slots__ = ("environment", "contact_id")
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    environment: str
    contact_id: str
    def __init__(self, environment: _Optional[str] = ..., contact_id: _Optional[str] = ...) -> None: ...

class GetContactResponse(_message.Message):
    __slots__ = ("contact", "has_profile", "names", "proposition_count")
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    HAS_PROFILE_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    PROPOSITION_COUNT_FIELD_NUMBER: _ClassVar[int]
    contact: Contact
    has_profile: bool
    names: ContactNames
    proposition_count: int
    def __init__(self, contact: _Optional[_Union[Contact, _Mapping]] = ..., has_profile: _Optional[bool] = ..., names: _Optional[_Union[ContactNames, _Mapping]] = ..., proposition_count: _Optional[int] = ...) -> None: ...

class ContactNames(_message.Message):
    __slots__ = ("owner", "aliases", "bindings")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    BINDINGS_FIELD_NUMBER: _ClassVar[int]
    owner: ContactName
    aliases: _containers.RepeatedCompositeFieldContainer[ContactName]
    bindings: _containers.RepeatedCompositeFieldContainer[VisitorBinding]
    def __init__(self, owner: _Optional[_Union[ContactName, _Mapping]] = ..., aliases: _Optional[_Iterable[_Union[ContactName, _Mapping]]] = ..., bindings: _Optional[_Iterable[_Union[VisitorBinding, _Mapping]]] = ...) -> None: ...

class ContactName(_message.Message):
    __slots__ = ("environment", "contact_id")
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    environment: str
    contact_id: str
    def __init__(self, environment: _Optional[str] = ..., contact_id: _Optional[str] = ...) -> None: ...

class VisitorBinding(_message.Message):
    __slots__ = ("environment", "visitor_id", "bind_time")
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    VISITOR_ID_FIELD_NUMBER: _ClassVar[int]
    BIND_TIME_FIELD_NUMBER: _ClassVar[int]
    environment: str
    visitor_id: str
    bind_time: _timestamp_pb2.Timestamp
    def __init__(self, environment: _Optional[str] = ..., visitor_id: _Optional[str] = ..., bind_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListPropositionsRequest(_message.Message):
    __slots__ = ("environment", "contact_id", "page_size", "page_token", "space", "statuses", "start_time", "end_time")
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    STATUSES_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    environment: str
    contact_id: str
    page_size: int
    page_token: str
    space: str
    statuses: _containers.RepeatedScalarFieldContainer[_decision_pb2.PropositionStatus]
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, environment: _Optional[str] = ..., contact_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., space: _Optional[str] = ..., statuses: _Optional[_Iterable[_Union[_decision_pb2.PropositionStatus, str]]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListPropositionsResponse(_message.Message):
    __slots__ = ("propositions", "next_page_token")
    PROPOSITIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    propositions: _containers.RepeatedCompositeFieldContainer[RecordedProposition]
    next_page_token: str
    def __init__(self, propositions: _Optional[_Iterable[_Union[RecordedProposition, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RecordedProposition(_message.Message):
    __slots__ = ("proposition", "space", "status", "changes", "environment", "interaction_id", "decide_time", "channel", "stored")
    PROPOSITION_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    INTERACTION_ID_FIELD_NUMBER: _ClassVar[int]
    DECIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    STORED_FIELD_NUMBER: _ClassVar[int]
    proposition: _decision_pb2.Proposition
    space: str
    status: _decision_pb2.PropositionStatus
    changes: _containers.RepeatedCompositeFieldContainer[StatusChange]
    environment: str
    interaction_id: str
    decide_time: _timestamp_pb2.Timestamp
    channel: str
    stored: _struct_pb2.Struct
    def __init__(self, proposition: _Optional[_Union[_decision_pb2.Proposition, _Mapping]] = ..., space: _Optional[str] = ..., status: _Optional[_Union[_decision_pb2.PropositionStatus, str]] = ..., changes: _Optional[_Iterable[_Union[StatusChange, _Mapping]]] = ..., environment: _Optional[str] = ..., interaction_id: _Optional[str] = ..., decide_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., channel: _Optional[str] = ..., stored: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class StatusChange(_message.Message):
    __slots__ = ("status", "event_time", "receive_time")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    status: _decision_pb2.PropositionStatus
    event_time: _timestamp_pb2.Timestamp
    receive_time: _timestamp_pb2.Timestamp
    def __init__(self, status: _Optional[_Union[_decision_pb2.PropositionStatus, str]] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., receive_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DeleteContactRequest(_message.Message):
    __slots__ = ("environment", "contact_id", "validate_only")
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    environment: str
    contact_id: str
    validate_only: bool
    def __init__(self, environment: _Optional[str] = ..., contact_id: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class DeleteContactResponse(_message.Message):
    __slots__ = ("receipt_id", "final_time", "erase_time", "counts", "names")
    RECEIPT_ID_FIELD_NUMBER: _ClassVar[int]
    FINAL_TIME_FIELD_NUMBER: _ClassVar[int]
    ERASE_TIME_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    receipt_id: str
    final_time: _timestamp_pb2.Timestamp
    erase_time: _timestamp_pb2.Timestamp
    counts: ErasedCounts
    names: ContactNames
    def __init__(self, receipt_id: _Optional[str] = ..., final_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., erase_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., counts: _Optional[_Union[ErasedCounts, _Mapping]] = ..., names: _Optional[_Union[ContactNames, _Mapping]] = ...) -> None: ...

class ErasedCounts(_message.Message):
    __slots__ = ("ids", "profiles", "propositions", "bindings", "inputs", "answers")
    IDS_FIELD_NUMBER: _ClassVar[int]
    PROFILES_FIELD_NUMBER: _ClassVar[int]
    PROPOSITIONS_FIELD_NUMBER: _ClassVar[int]
    BINDINGS_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    ids: int
    profiles: int
    propositions: int
    bindings: int
    inputs: int
    answers: int
    def __init__(self, ids: _Optional[int] = ..., profiles: _Optional[int] = ..., propositions: _Optional[int] = ..., bindings: _Optional[int] = ..., inputs: _Optional[int] = ..., answers: _Optional[int] = ...) -> None: ...

class MergeContactsRequest(_message.Message):
    __slots__ = ("environment", "contact_id", "alias_id", "alias_environment")
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    ALIAS_ID_FIELD_NUMBER: _ClassVar[int]
    ALIAS_ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    environment: str
    contact_id: str
    alias_id: str
    alias_environment: str
    def __init__(self, environment: _Optional[str] = ..., contact_id: _Optional[str] = ..., alias_id: _Optional[str] = ..., alias_environment: _Optional[str] = ...) -> None: ...

class MergeContactsResponse(_message.Message):
    __slots__ = ("contact", "names")
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    contact: Contact
    names: ContactNames
    def __init__(self, contact: _Optional[_Union[Contact, _Mapping]] = ..., names: _Optional[_Union[ContactNames, _Mapping]] = ...) -> None: ...
