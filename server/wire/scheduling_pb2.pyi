import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ScheduleState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCHEDULE_STATE_UNSPECIFIED: _ClassVar[ScheduleState]
    SCHEDULE_STATE_SCHEDULED: _ClassVar[ScheduleState]
    SCHEDULE_STATE_PUBLISHED: _ClassVar[ScheduleState]
    SCHEDULE_STATE_REFUSED: _ClassVar[ScheduleState]
    SCHEDULE_STATE_CANCELLED: _ClassVar[ScheduleState]
SCHEDULE_STATE_UNSPECIFIED: ScheduleState
SCHEDULE_STATE_SCHEDULED: ScheduleState
SCHEDULE_STATE_PUBLISHED: ScheduleState
SCHEDULE_STATE_REFUSED: ScheduleState
SCHEDULE_STATE_CANCELLED: ScheduleState

class ScheduledPublication(_message.Message):
    __slots__ = ("name", "publish_time", "create_time", "publisher", "design_version", "digest", "offer_count", "rule_count", "state", "reason", "end_time", "revision", "base_revision", "outdated")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_TIME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    PUBLISHER_FIELD_NUMBER: _ClassVar[int]
    DESIGN_VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    OFFER_COUNT_FIELD_NUMBER: _ClassVar[int]
    RULE_COUNT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    BASE_REVISION_FIELD_NUMBER: _ClassVar[int]
    OUTDATED_FIELD_NUMBER: _ClassVar[int]
    name: str
    publish_time: _timestamp_pb2.Timestamp
    create_time: _timestamp_pb2.Timestamp
    publisher: str
    design_version: int
    digest: str
    offer_count: int
    rule_count: int
    state: ScheduleState
    reason: str
    end_time: _timestamp_pb2.Timestamp
    revision: int
    base_revision: int
    outdated: bool
    def __init__(self, name: _Optional[str] = ..., publish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., publisher: _Optional[str] = ..., design_version: _Optional[int] = ..., digest: _Optional[str] = ..., offer_count: _Optional[int] = ..., rule_count: _Optional[int] = ..., state: _Optional[_Union[ScheduleState, str]] = ..., reason: _Optional[str] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revision: _Optional[int] = ..., base_revision: _Optional[int] = ..., outdated: _Optional[bool] = ...) -> None: ...

class ListScheduledPublicationsRequest(_message.Message):
    __slots__ = ("show_ended",)
    SHOW_ENDED_FIELD_NUMBER: _ClassVar[int]
    show_ended: bool
    def __init__(self, show_ended: _Optional[bool] = ...) -> None: ...

class ListScheduledPublicationsResponse(_message.Message):
    __slots__ = ("scheduled_publications",)
    SCHEDULED_PUBLICATIONS_FIELD_NUMBER: _ClassVar[int]
    scheduled_publications: _containers.RepeatedCompositeFieldContainer[ScheduledPublication]
    def __init__(self, scheduled_publications: _Optional[_Iterable[_Union[ScheduledPublication, _Mapping]]] = ...) -> None: ...

class CancelScheduledPublicationRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class CancelScheduledPublicationResponse(_message.Message):
    __slots__ = ("scheduled_publication",)
    SCHEDULED_PUBLICATION_FIELD_NUMBER: _ClassVar[int]
    scheduled_publication: ScheduledPublication
    def __init__(self, scheduled_publication: _Optional[_Union[ScheduledPublication, _Mapping]] = ...) -> None: ...
