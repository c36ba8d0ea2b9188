import datetime

from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from server.wire import decision_pb2 as _decision_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GoldenDecision(_message.Message):
    __slots__ = ("name", "etag", "label", "spaces", "decide_time", "contact", "context", "past", "delete_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    SPACES_FIELD_NUMBER: _ClassVar[int]
    DECIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    PAST_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    label: str
    spaces: _containers.RepeatedCompositeFieldContainer[GoldenSpace]
    decide_time: _timestamp_pb2.Timestamp
    contact: _struct_pb2.Struct
    context: _struct_pb2.Struct
    past: _containers.RepeatedCompositeFieldContainer[PastProposition]
    delete_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ..., label: _Optional[str] = ..., spaces: _Optional[_Iterable[_Union[GoldenSpace, _Mapping]]] = ..., decide_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., contact: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., context: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., past: _Optional[_Iterable[_Union[PastProposition, _Mapping]]] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GoldenSpace(_message.Message):
    __slots__ = ("name", "expected", "absent", "max_propositions", "categories", "themes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    ABSENT_FIELD_NUMBER: _ClassVar[int]
    MAX_PROPOSITIONS_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    THEMES_FIELD_NUMBER: _ClassVar[int]
    name: str
    expected: _containers.RepeatedCompositeFieldContainer[GoldenPlaces]
    absent: _containers.RepeatedScalarFieldContainer[str]
    max_propositions: int
    categories: _containers.RepeatedScalarFieldContainer[str]
    themes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., expected: _Optional[_Iterable[_Union[GoldenPlaces, _Mapping]]] = ..., absent: _Optional[_Iterable[str]] = ..., max_propositions: _Optional[int] = ..., categories: _Optional[_Iterable[str]] = ..., themes: _Optional[_Iterable[str]] = ...) -> None: ...

class GoldenPlaces(_message.Message):
    __slots__ = ("offers",)
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    offers: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, offers: _Optional[_Iterable[str]] = ...) -> None: ...

class PastProposition(_message.Message):
    __slots__ = ("offer", "space", "event_time", "status")
    OFFER_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    offer: str
    space: str
    event_time: _timestamp_pb2.Timestamp
    status: _decision_pb2.PropositionStatus
    def __init__(self, offer: _Optional[str] = ..., space: _Optional[str] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[_Union[_decision_pb2.PropositionStatus, str]] = ...) -> None: ...

class ListGoldenDecisionsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token", "filter", "show_deleted")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    SHOW_DELETED_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    filter: str
    show_deleted: bool
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[str] = ..., show_deleted: _Optional[bool] = ...) -> None: ...

class ListGoldenDecisionsResponse(_message.Message):
    __slots__ = ("golden_decisions", "next_page_token")
    GOLDEN_DECISIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    golden_decisions: _containers.RepeatedCompositeFieldContainer[GoldenDecision]
    next_page_token: str
    def __init__(self, golden_decisions: _Optional[_Iterable[_Union[GoldenDecision, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetGoldenDecisionRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetGoldenDecisionResponse(_message.Message):
    __slots__ = ("golden_decision",)
    GOLDEN_DECISION_FIELD_NUMBER: _ClassVar[int]
    golden_decision: GoldenDecision
    def __init__(self, golden_decision: _Optional[_Union[GoldenDecision, _Mapping]] = ...) -> None: ...

class CreateGoldenDecisionRequest(_message.Message):
    __slots__ = ("parent", "golden_decision_id", "golden_decision", "validate_only")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    GOLDEN_DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    GOLDEN_DECISION_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    parent: str
    golden_decision_id: str
    golden_decision: GoldenDecision
    validate_only: bool
    def __init__(self, parent: _Optional[str] = ..., golden_decision_id: _Optional[str] = ..., golden_decision: _Optional[_Union[GoldenDecision, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class CreateGoldenDecisionResponse(_message.Message):
    __slots__ = ("golden_decision",)
    GOLDEN_DECISION_FIELD_NUMBER: _ClassVar[int]
    golden_decision: GoldenDecision
    def __init__(self, golden_decision: _Optional[_Union[GoldenDecision, _Mapping]] = ...) -> None: ...

class UpdateGoldenDecisionRequest(_message.Message):
    __slots__ = ("golden_decision", "update_mask", "validate_only")
    GOLDEN_DECISION_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    golden_decision: GoldenDecision
    update_mask: _field_mask_pb2.FieldMask
    validate_only: bool
    def __init__(self, golden_decision: _Optional[_Union[GoldenDecision, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class UpdateGoldenDecisionResponse(_message.Message):
    __slots__ = ("golden_decision",)
    GOLDEN_DECISION_FIELD_NUMBER: _ClassVar[int]
    golden_decision: GoldenDecision
    def __init__(self, golden_decision: _Optional[_Union[GoldenDecision, _Mapping]] = ...) -> None: ...

class DeleteGoldenDecisionRequest(_message.Message):
    __slots__ = ("name", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class DeleteGoldenDecisionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
