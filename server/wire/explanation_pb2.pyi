import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExplainLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPLAIN_LEVEL_UNSPECIFIED: _ClassVar[ExplainLevel]
    EXPLAIN_LEVEL_SUMMARY: _ClassVar[ExplainLevel]
    EXPLAIN_LEVEL_FULL: _ClassVar[ExplainLevel]

class ReasonCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REASON_CODE_UNSPECIFIED: _ClassVar[ReasonCode]
    REASON_CODE_NOT_APPROVED: _ClassVar[ReasonCode]
    REASON_CODE_MISSING_CONTENT: _ClassVar[ReasonCode]
    REASON_CODE_CATEGORY_DISABLED: _ClassVar[ReasonCode]
    REASON_CODE_OFFER_DISABLED: _ClassVar[ReasonCode]
    REASON_CODE_NOT_REQUESTED: _ClassVar[ReasonCode]
    REASON_CODE_EXCLUDED_BY_CALL: _ClassVar[ReasonCode]
    REASON_CODE_WINDOW_NOT_OPEN_YET: _ClassVar[ReasonCode]
    REASON_CODE_WINDOW_CLOSED: _ClassVar[ReasonCode]
    REASON_CODE_ENVIRONMENT_RULE: _ClassVar[ReasonCode]
    REASON_CODE_CATEGORY_RULE: _ClassVar[ReasonCode]
    REASON_CODE_OFFER_RULE: _ClassVar[ReasonCode]
    REASON_CODE_NO_MATCHING_WEIGHT: _ClassVar[ReasonCode]
    REASON_CODE_SHOWN_IN_SPACE: _ClassVar[ReasonCode]
    REASON_CODE_SHOWN_ELSEWHERE: _ClassVar[ReasonCode]
    REASON_CODE_PRESENTATION_RULE: _ClassVar[ReasonCode]
    REASON_CODE_OUTRANKED: _ClassVar[ReasonCode]
    REASON_CODE_NOT_RENDERED: _ClassVar[ReasonCode]
    REASON_CODE_QUOTA: _ClassVar[ReasonCode]

class RowReasonCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROW_REASON_CODE_UNSPECIFIED: _ClassVar[RowReasonCode]
    ROW_REASON_CODE_WINDOW_NOT_OPEN_YET: _ClassVar[RowReasonCode]
    ROW_REASON_CODE_WINDOW_CLOSED: _ClassVar[RowReasonCode]
    ROW_REASON_CODE_OTHER_SPACES: _ClassVar[RowReasonCode]
    ROW_REASON_CODE_RULE: _ClassVar[RowReasonCode]
    ROW_REASON_CODE_WEIGHT_ZERO: _ClassVar[RowReasonCode]
    ROW_REASON_CODE_NO_ANSWER: _ClassVar[RowReasonCode]
    ROW_REASON_CODE_NEGATIVE: _ClassVar[RowReasonCode]
    ROW_REASON_CODE_NOT_FINITE: _ClassVar[RowReasonCode]

class ChangeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANGE_KIND_UNSPECIFIED: _ClassVar[ChangeKind]
    CHANGE_KIND_ATTRIBUTE: _ClassVar[ChangeKind]
    CHANGE_KIND_TIME: _ClassVar[ChangeKind]
    CHANGE_KIND_CATEGORY: _ClassVar[ChangeKind]
    CHANGE_KIND_NOT_EXCLUDED: _ClassVar[ChangeKind]
    CHANGE_KIND_DUPLICATES: _ClassVar[ChangeKind]
    CHANGE_KIND_DESIGN: _ClassVar[ChangeKind]
EXPLAIN_LEVEL_UNSPECIFIED: ExplainLevel
EXPLAIN_LEVEL_SUMMARY: ExplainLevel
EXPLAIN_LEVEL_FULL: ExplainLevel
REASON_CODE_UNSPECIFIED: ReasonCode
REASON_CODE_NOT_APPROVED: ReasonCode
REASON_CODE_MISSING_CONTENT: ReasonCode
REASON_CODE_CATEGORY_DISABLED: ReasonCode
REASON_CODE_OFFER_DISABLED: ReasonCode
REASON_CODE_NOT_REQUESTED: ReasonCode
REASON_CODE_EXCLUDED_BY_CALL: ReasonCode
REASON_CODE_WINDOW_NOT_OPEN_YET: ReasonCode
REASON_CODE_WINDOW_CLOSED: ReasonCode
REASON_CODE_ENVIRONMENT_RULE: ReasonCode
REASON_CODE_CATEGORY_RULE: ReasonCode
REASON_CODE_OFFER_RULE: ReasonCode
REASON_CODE_NO_MATCHING_WEIGHT: ReasonCode
REASON_CODE_SHOWN_IN_SPACE: ReasonCode
REASON_CODE_SHOWN_ELSEWHERE: ReasonCode
REASON_CODE_PRESENTATION_RULE: ReasonCode
REASON_CODE_OUTRANKED: ReasonCode
REASON_CODE_NOT_RENDERED: ReasonCode
REASON_CODE_QUOTA: ReasonCode
ROW_REASON_CODE_UNSPECIFIED: RowReasonCode
ROW_REASON_CODE_WINDOW_NOT_OPEN_YET: RowReasonCode
ROW_REASON_CODE_WINDOW_CLOSED: RowReasonCode
ROW_REASON_CODE_OTHER_SPACES: RowReasonCode
ROW_REASON_CODE_RULE: RowReasonCode
ROW_REASON_CODE_WEIGHT_ZERO: RowReasonCode
ROW_REASON_CODE_NO_ANSWER: RowReasonCode
ROW_REASON_CODE_NEGATIVE: RowReasonCode
ROW_REASON_CODE_NOT_FINITE: RowReasonCode
CHANGE_KIND_UNSPECIFIED: ChangeKind
CHANGE_KIND_ATTRIBUTE: ChangeKind
CHANGE_KIND_TIME: ChangeKind
CHANGE_KIND_CATEGORY: ChangeKind
CHANGE_KIND_NOT_EXCLUDED: ChangeKind
CHANGE_KIND_DUPLICATES: ChangeKind
CHANGE_KIND_DESIGN: ChangeKind

class Explanation(_message.Message):
    __slots__ = ("offers", "seed", "categories", "next_page_token")
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    offers: _containers.RepeatedCompositeFieldContainer[OfferExplanation]
    seed: int
    categories: _containers.RepeatedCompositeFieldContainer[CategorySummary]
    next_page_token: str
    def __init__(self, offers: _Optional[_Iterable[_Union[OfferExplanation, _Mapping]]] = ..., seed: _Optional[int] = ..., categories: _Optional[_Iterable[_Union[CategorySummary, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CategorySummary(_message.Message):
    __slots__ = ("space", "category", "offers", "proposed", "reasons")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    space: str
    category: str
    offers: int
    proposed: int
    reasons: _containers.RepeatedCompositeFieldContainer[ReasonCount]
    def __init__(self, space: _Optional[str] = ..., category: _Optional[str] = ..., offers: _Optional[int] = ..., proposed: _Optional[int] = ..., reasons: _Optional[_Iterable[_Union[ReasonCount, _Mapping]]] = ...) -> None: ...

class ReasonCount(_message.Message):
    __slots__ = ("code", "offers")
    CODE_FIELD_NUMBER: _ClassVar[int]
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    code: ReasonCode
    offers: int
    def __init__(self, code: _Optional[_Union[ReasonCode, str]] = ..., offers: _Optional[int] = ...) -> None: ...

class OfferExplanation(_message.Message):
    __slots__ = ("space", "offer", "category", "proposed", "rank", "weight", "weight_row", "reasons", "changes")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    OFFER_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_ROW_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    space: str
    offer: str
    category: str
    proposed: bool
    rank: int
    weight: float
    weight_row: str
    reasons: _containers.RepeatedCompositeFieldContainer[Reason]
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    def __init__(self, space: _Optional[str] = ..., offer: _Optional[str] = ..., category: _Optional[str] = ..., proposed: _Optional[bool] = ..., rank: _Optional[int] = ..., weight: _Optional[float] = ..., weight_row: _Optional[str] = ..., reasons: _Optional[_Iterable[_Union[Reason, _Mapping]]] = ..., changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ...) -> None: ...

class Reason(_message.Message):
    __slots__ = ("code", "resource", "message", "condition", "error", "found", "counted", "maximum", "frees_at", "names", "rows", "winner", "winner_weight", "quota_limit", "quota_used")
    CODE_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    COUNTED_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    FREES_AT_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    WINNER_FIELD_NUMBER: _ClassVar[int]
    WINNER_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    QUOTA_LIMIT_FIELD_NUMBER: _ClassVar[int]
    QUOTA_USED_FIELD_NUMBER: _ClassVar[int]
    code: ReasonCode
    resource: str
    message: str
    condition: str
    error: str
    found: _containers.RepeatedCompositeFieldContainer[FoundValue]
    counted: int
    maximum: int
    frees_at: _timestamp_pb2.Timestamp
    names: _containers.RepeatedScalarFieldContainer[str]
    rows: _containers.RepeatedCompositeFieldContainer[RowReason]
    winner: str
    winner_weight: float
    quota_limit: int
    quota_used: int
    def __init__(self, code: _Optional[_Union[ReasonCode, str]] = ..., resource: _Optional[str] = ..., message: _Optional[str] = ..., condition: _Optional[str] = ..., error: _Optional[str] = ..., found: _Optional[_Iterable[_Union[FoundValue, _Mapping]]] = ..., counted: _Optional[int] = ..., maximum: _Optional[int] = ..., frees_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., names: _Optional[_Iterable[str]] = ..., rows: _Optional[_Iterable[_Union[RowReason, _Mapping]]] = ..., winner: _Optional[str] = ..., winner_weight: _Optional[float] = ..., quota_limit: _Optional[int] = ..., quota_used: _Optional[int] = ...) -> None: ...

class RowReason(_message.Message):
    __slots__ = ("code", "resource", "label", "message", "condition", "error", "found")
    CODE_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    code: RowReasonCode
    resource: str
    label: str
    message: str
    condition: str
    error: str
    found: _containers.RepeatedCompositeFieldContainer[FoundValue]
    def __init__(self, code: _Optional[_Union[RowReasonCode, str]] = ..., resource: _Optional[str] = ..., label: _Optional[str] = ..., message: _Optional[str] = ..., condition: _Optional[str] = ..., error: _Optional[str] = ..., found: _Optional[_Iterable[_Union[FoundValue, _Mapping]]] = ...) -> None: ...

class FoundValue(_message.Message):
    __slots__ = ("attribute", "value")
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    attribute: str
    value: _struct_pb2.Value
    def __init__(self, attribute: _Optional[str] = ..., value: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("kind", "message", "attribute", "value", "contact_time", "name")
    KIND_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CONTACT_TIME_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    kind: ChangeKind
    message: str
    attribute: str
    value: _struct_pb2.Value
    contact_time: _timestamp_pb2.Timestamp
    name: str
    def __init__(self, kind: _Optional[_Union[ChangeKind, str]] = ..., message: _Optional[str] = ..., attribute: _Optional[str] = ..., value: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., contact_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., name: _Optional[str] = ...) -> None: ...
