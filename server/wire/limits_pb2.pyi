import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from server.wire import catalog_pb2 as _catalog_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Counted(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COUNTED_UNSPECIFIED: _ClassVar[Counted]
    COUNTED_ALL_OFFERS: _ClassVar[Counted]
    COUNTED_THIS_OFFER: _ClassVar[Counted]
    COUNTED_SAME_CATEGORY: _ClassVar[Counted]
    COUNTED_SCOPE: _ClassVar[Counted]
    COUNTED_SAME_ATTRIBUTE: _ClassVar[Counted]

class CountedFrom(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COUNTED_FROM_UNSPECIFIED: _ClassVar[CountedFrom]
    COUNTED_FROM_PROPOSITION: _ClassVar[CountedFrom]
    COUNTED_FROM_STATUS: _ClassVar[CountedFrom]

class CountedStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COUNTED_STATUS_UNSPECIFIED: _ClassVar[CountedStatus]
    COUNTED_STATUS_ANY: _ClassVar[CountedStatus]
    COUNTED_STATUS_ACCEPTED: _ClassVar[CountedStatus]
    COUNTED_STATUS_REJECTED: _ClassVar[CountedStatus]
    COUNTED_STATUS_ACCEPTED_OR_REJECTED: _ClassVar[CountedStatus]
    COUNTED_STATUS_PRESENTED: _ClassVar[CountedStatus]

class QuotaPeriod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUOTA_PERIOD_UNSPECIFIED: _ClassVar[QuotaPeriod]
    QUOTA_PERIOD_TOTAL: _ClassVar[QuotaPeriod]
    QUOTA_PERIOD_HOUR: _ClassVar[QuotaPeriod]
    QUOTA_PERIOD_DAY: _ClassVar[QuotaPeriod]
    QUOTA_PERIOD_WEEK: _ClassVar[QuotaPeriod]
    QUOTA_PERIOD_MONTH: _ClassVar[QuotaPeriod]
COUNTED_UNSPECIFIED: Counted
COUNTED_ALL_OFFERS: Counted
COUNTED_THIS_OFFER: Counted
COUNTED_SAME_CATEGORY: Counted
COUNTED_SCOPE: Counted
COUNTED_SAME_ATTRIBUTE: Counted
COUNTED_FROM_UNSPECIFIED: CountedFrom
COUNTED_FROM_PROPOSITION: CountedFrom
COUNTED_FROM_STATUS: CountedFrom
COUNTED_STATUS_UNSPECIFIED: CountedStatus
COUNTED_STATUS_ANY: CountedStatus
COUNTED_STATUS_ACCEPTED: CountedStatus
COUNTED_STATUS_REJECTED: CountedStatus
COUNTED_STATUS_ACCEPTED_OR_REJECTED: CountedStatus
COUNTED_STATUS_PRESENTED: CountedStatus
QUOTA_PERIOD_UNSPECIFIED: QuotaPeriod
QUOTA_PERIOD_TOTAL: QuotaPeriod
QUOTA_PERIOD_HOUR: QuotaPeriod
QUOTA_PERIOD_DAY: QuotaPeriod
QUOTA_PERIOD_WEEK: QuotaPeriod
QUOTA_PERIOD_MONTH: QuotaPeriod

class PresentationRule(_message.Message):
    __slots__ = ("name", "etag", "label", "inactive", "channel", "offers", "categories", "period", "maximum", "counted", "counted_status", "same_channel", "rule", "counted_from", "attribute", "rest", "counted_rule", "delete_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    INACTIVE_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    COUNTED_FIELD_NUMBER: _ClassVar[int]
    COUNTED_STATUS_FIELD_NUMBER: _ClassVar[int]
    SAME_CHANNEL_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    COUNTED_FROM_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    REST_FIELD_NUMBER: _ClassVar[int]
    COUNTED_RULE_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    label: str
    inactive: bool
    channel: _catalog_pb2.Channel
    offers: _containers.RepeatedScalarFieldContainer[str]
    categories: _containers.RepeatedScalarFieldContainer[str]
    period: _duration_pb2.Duration
    maximum: int
    counted: Counted
    counted_status: CountedStatus
    same_channel: bool
    rule: str
    counted_from: CountedFrom
    attribute: str
    rest: _duration_pb2.Duration
    counted_rule: str
    delete_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ..., label: _Optional[str] = ..., inactive: _Optional[bool] = ..., channel: _Optional[_Union[_catalog_pb2.Channel, str]] = ..., offers: _Optional[_Iterable[str]] = ..., categories: _Optional[_Iterable[str]] = ..., period: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., maximum: _Optional[int] = ..., counted: _Optional[_Union[Counted, str]] = ..., counted_status: _Optional[_Union[CountedStatus, str]] = ..., same_channel: _Optional[bool] = ..., rule: _Optional[str] = ..., counted_from: _Optional[_Union[CountedFrom, str]] = ..., attribute: _Optional[str] = ..., rest: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., counted_rule: _Optional[str] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Typology(_message.Message):
    __slots__ = ("name", "etag", "label", "rules", "delete_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    label: str
    rules: _containers.RepeatedScalarFieldContainer[str]
    delete_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ..., label: _Optional[str] = ..., rules: _Optional[_Iterable[str]] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Quota(_message.Message):
    __slots__ = ("name", "etag", "label", "offers", "categories", "limit", "period", "time_zone", "inactive", "fails_open", "fallback_limit", "delete_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    INACTIVE_FIELD_NUMBER: _ClassVar[int]
    FAILS_OPEN_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_LIMIT_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    label: str
    offers: _containers.RepeatedScalarFieldContainer[str]
    categories: _containers.RepeatedScalarFieldContainer[str]
    limit: int
    period: QuotaPeriod
    time_zone: str
    inactive: bool
    fails_open: bool
    fallback_limit: int
    delete_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ..., label: _Optional[str] = ..., offers: _Optional[_Iterable[str]] = ..., categories: _Optional[_Iterable[str]] = ..., limit: _Optional[int] = ..., period: _Optional[_Union[QuotaPeriod, str]] = ..., time_zone: _Optional[str] = ..., inactive: _Optional[bool] = ..., fails_open: _Optional[bool] = ..., fallback_limit: _Optional[int] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
