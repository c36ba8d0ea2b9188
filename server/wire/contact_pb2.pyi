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
    __slots__ = ("contact",)
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    contact: Contact
    def __init__(self, contact: _Optional[_Union[Contact, _Mapping]] = ...) -> None: ...

class UpsertContactsResponse(_message.Message):
    __slots__ = ("upserted_count", "rejects", "rejected_count")
    UPSERTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REJECTS_FIELD_NUMBER: _ClassVar[int]
    REJECTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    upserted_count: int
    rejects: _containers.RepeatedScalarFieldContainer[str]
    rejected_count: int
    def __init__(self, upserted_count: _Optional[int] = ..., rejects: _Optional[_Iterable[str]] = ..., rejected_count: _Optional[int] = ...) -> None: ...

class GetContactRequest(_message.Message):
    __slots__ = ("environment", "contact_id")
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    environment: str
    contact_id: str
    def __init__(self, environment: _Optional[str] = ..., contact_id: _Optional[str] = ...) -> None: ...

class GetContactResponse(_message.Message):
    __slots__ = ("contact",)
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    contact: Contact
    def __init__(self, contact: _Optional[_Union[Contact, _Mapping]] = ...) -> None: ...

class ListPropositionsRequest(_message.Message):
    __slots__ = ("environment", "contact_id", "page_size", "page_token")
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    environment: str
    contact_id: str
    page_size: int
    page_token: str
    def __init__(self, environment: _Optional[str] = ..., contact_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPropositionsResponse(_message.Message):
    __slots__ = ("propositions", "next_page_token")
    PROPOSITIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    propositions: _containers.RepeatedCompositeFieldContainer[RecordedProposition]
    next_page_token: str
    def __init__(self, propositions: _Optional[_Iterable[_Union[RecordedProposition, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RecordedProposition(_message.Message):
    __slots__ = ("proposition", "space", "status", "changes")
    PROPOSITION_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    proposition: _decision_pb2.Proposition
    space: str
    status: _decision_pb2.PropositionStatus
    changes: _containers.RepeatedCompositeFieldContainer[StatusChange]
    def __init__(self, proposition: _Optional[_Union[_decision_pb2.Proposition, _Mapping]] = ..., space: _Optional[str] = ..., status: _Optional[_Union[_decision_pb2.PropositionStatus, str]] = ..., changes: _Optional[_Iterable[_Union[StatusChange, _Mapping]]] = ...) -> None: ...

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
    __slots__ = ("environment", "contact_id")
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    environment: str
    contact_id: str
    def __init__(self, environment: _Optional[str] = ..., contact_id: _Optional[str] = ...) -> None: ...

class DeleteContactResponse(_message.Message):
    __slots__ = ("receipt_id", "final_time")
    RECEIPT_ID_FIELD_NUMBER: _ClassVar[int]
    FINAL_TIME_FIELD_NUMBER: _ClassVar[int]
    receipt_id: str
    final_time: _timestamp_pb2.Timestamp
    def __init__(self, receipt_id: _Optional[str] = ..., final_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class MergeContactsRequest(_message.Message):
    __slots__ = ("environment", "contact_id", "alias_id")
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    ALIAS_ID_FIELD_NUMBER: _ClassVar[int]
    environment: str
    contact_id: str
    alias_id: str
    def __init__(self, environment: _Optional[str] = ..., contact_id: _Optional[str] = ..., alias_id: _Optional[str] = ...) -> None: ...

class MergeContactsResponse(_message.Message):
    __slots__ = ("contact",)
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    contact: Contact
    def __init__(self, contact: _Optional[_Union[Contact, _Mapping]] = ...) -> None: ...
