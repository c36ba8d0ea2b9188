import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from server.wire import decision_pb2 as _decision_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EnvironmentSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENVIRONMENT_SOURCE_UNSPECIFIED: _ClassVar[EnvironmentSource]
    ENVIRONMENT_SOURCE_RECORDS: _ClassVar[EnvironmentSource]
    ENVIRONMENT_SOURCE_ARTIFACT: _ClassVar[EnvironmentSource]

class AttributeType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTRIBUTE_TYPE_UNSPECIFIED: _ClassVar[AttributeType]
    ATTRIBUTE_TYPE_BOOL: _ClassVar[AttributeType]
    ATTRIBUTE_TYPE_INT: _ClassVar[AttributeType]
    ATTRIBUTE_TYPE_DOUBLE: _ClassVar[AttributeType]
    ATTRIBUTE_TYPE_STRING: _ClassVar[AttributeType]
    ATTRIBUTE_TYPE_TIMESTAMP: _ClassVar[AttributeType]
    ATTRIBUTE_TYPE_DURATION: _ClassVar[AttributeType]
    ATTRIBUTE_TYPE_BOOL_LIST: _ClassVar[AttributeType]
    ATTRIBUTE_TYPE_INT_LIST: _ClassVar[AttributeType]
    ATTRIBUTE_TYPE_DOUBLE_LIST: _ClassVar[AttributeType]
    ATTRIBUTE_TYPE_STRING_LIST: _ClassVar[AttributeType]

class ApprovalState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    APPROVAL_STATE_UNSPECIFIED: _ClassVar[ApprovalState]
    APPROVAL_STATE_EDITING: _ClassVar[ApprovalState]
    APPROVAL_STATE_PENDING: _ClassVar[ApprovalState]
    APPROVAL_STATE_APPROVED: _ClassVar[ApprovalState]
    APPROVAL_STATE_REJECTED: _ClassVar[ApprovalState]

class Channel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANNEL_UNSPECIFIED: _ClassVar[Channel]
    CHANNEL_INBOUND_WEB: _ClassVar[Channel]
    CHANNEL_INBOUND_CALL_CENTER: _ClassVar[Channel]
    CHANNEL_EMAIL: _ClassVar[Channel]
    CHANNEL_SMS: _ClassVar[Channel]
    CHANNEL_PHONE: _ClassVar[Channel]
    CHANNEL_DIRECT_MAIL: _ClassVar[Channel]
    CHANNEL_MOBILE_APP: _ClassVar[Channel]
    CHANNEL_OTHER: _ClassVar[Channel]
ENVIRONMENT_SOURCE_UNSPECIFIED: EnvironmentSource
ENVIRONMENT_SOURCE_RECORDS: EnvironmentSource
ENVIRONMENT_SOURCE_ARTIFACT: EnvironmentSource
ATTRIBUTE_TYPE_UNSPECIFIED: AttributeType
ATTRIBUTE_TYPE_BOOL: AttributeType
ATTRIBUTE_TYPE_INT: AttributeType
ATTRIBUTE_TYPE_DOUBLE: AttributeType
ATTRIBUTE_TYPE_STRING: AttributeType
ATTRIBUTE_TYPE_TIMESTAMP: AttributeType
ATTRIBUTE_TYPE_DURATION: AttributeType
ATTRIBUTE_TYPE_BOOL_LIST: AttributeType
ATTRIBUTE_TYPE_INT_LIST: AttributeType
ATTRIBUTE_TYPE_DOUBLE_LIST: AttributeType
ATTRIBUTE_TYPE_STRING_LIST: AttributeType
APPROVAL_STATE_UNSPECIFIED: ApprovalState
APPROVAL_STATE_EDITING: ApprovalState
APPROVAL_STATE_PENDING: ApprovalState
APPROVAL_STATE_APPROVED: ApprovalState
APPROVAL_STATE_REJECTED: ApprovalState
CHANNEL_UNSPECIFIED: Channel
CHANNEL_INBOUND_WEB: Channel
CHANNEL_INBOUND_CALL_CENTER: Channel
CHANNEL_EMAIL: Channel
CHANNEL_SMS: Channel
CHANNEL_PHONE: Channel
CHANNEL_DIRECT_MAIL: Channel
CHANNEL_MOBILE_APP: Channel
CHANNEL_OTHER: Channel

class Environment(_message.Message):
    __slots__ = ("name", "etag", "label", "targeting_dimension", "default", "anonymous", "anonymous_environment", "time_zone", "contact_attributes", "context_attributes", "rule", "weights", "typology", "source", "requires_profile", "delete_time", "forbids_own_approval")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    TARGETING_DIMENSION_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_FIELD_NUMBER: _ClassVar[int]
    ANONYMOUS_FIELD_NUMBER: _ClassVar[int]
    ANONYMOUS_ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    TYPOLOGY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    REQUIRES_PROFILE_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    FORBIDS_OWN_APPROVAL_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    label: str
    targeting_dimension: str
    default: bool
    anonymous: bool
    anonymous_environment: str
    time_zone: str
    contact_attributes: _containers.RepeatedCompositeFieldContainer[Attribute]
    context_attributes: _containers.RepeatedCompositeFieldContainer[Attribute]
    rule: str
    weights: _containers.RepeatedCompositeFieldContainer[WeightRow]
    typology: str
    source: EnvironmentSource
    requires_profile: bool
    delete_time: _timestamp_pb2.Timestamp
    forbids_own_approval: bool
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ..., label: _Optional[str] = ..., targeting_dimension: _Optional[str] = ..., default: _Optional[bool] = ..., anonymous: _Optional[bool] = ..., anonymous_environment: _Optional[str] = ..., time_zone: _Optional[str] = ..., contact_attributes: _Optional[_Iterable[_Union[Attribute, _Mapping]]] = ..., context_attributes: _Optional[_Iterable[_Union[Attribute, _Mapping]]] = ..., rule: _Optional[str] = ..., weights: _Optional[_Iterable[_Union[WeightRow, _Mapping]]] = ..., typology: _Optional[str] = ..., source: _Optional[_Union[EnvironmentSource, str]] = ..., requires_profile: _Optional[bool] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., forbids_own_approval: _Optional[bool] = ...) -> None: ...

class Attribute(_message.Message):
    __slots__ = ("name", "type", "description", "required", "minimum", "maximum")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: AttributeType
    description: str
    required: bool
    minimum: float
    maximum: float
    def __init__(self, name: _Optional[str] = ..., type: _Optional[_Union[AttributeType, str]] = ..., description: _Optional[str] = ..., required: _Optional[bool] = ..., minimum: _Optional[float] = ..., maximum: _Optional[float] = ...) -> None: ...

class Window(_message.Message):
    __slots__ = ("start_time", "end_time")
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class WeightRow(_message.Message):
    __slots__ = ("weight", "formula", "label", "window", "spaces", "rule")
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    FORMULA_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    SPACES_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    weight: float
    formula: str
    label: str
    window: Window
    spaces: _containers.RepeatedScalarFieldContainer[str]
    rule: str
    def __init__(self, weight: _Optional[float] = ..., formula: _Optional[str] = ..., label: _Optional[str] = ..., window: _Optional[_Union[Window, _Mapping]] = ..., spaces: _Optional[_Iterable[str]] = ..., rule: _Optional[str] = ...) -> None: ...

class Multiplier(_message.Message):
    __slots__ = ("factor", "window")
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    factor: float
    window: Window
    def __init__(self, factor: _Optional[float] = ..., window: _Optional[_Union[Window, _Mapping]] = ...) -> None: ...

class Category(_message.Message):
    __slots__ = ("name", "etag", "label", "parent", "disabled", "window", "themes", "rule", "multiplier", "weights", "always_included", "delete_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    DISABLED_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    THEMES_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    MULTIPLIER_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    ALWAYS_INCLUDED_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    label: str
    parent: str
    disabled: bool
    window: Window
    themes: _containers.RepeatedScalarFieldContainer[str]
    rule: str
    multiplier: Multiplier
    weights: _containers.RepeatedCompositeFieldContainer[WeightRow]
    always_included: bool
    delete_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ..., label: _Optional[str] = ..., parent: _Optional[str] = ..., disabled: _Optional[bool] = ..., window: _Optional[_Union[Window, _Mapping]] = ..., themes: _Optional[_Iterable[str]] = ..., rule: _Optional[str] = ..., multiplier: _Optional[_Union[Multiplier, _Mapping]] = ..., weights: _Optional[_Iterable[_Union[WeightRow, _Mapping]]] = ..., always_included: _Optional[bool] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Offer(_message.Message):
    __slots__ = ("name", "etag", "label", "category", "disabled", "window", "rule", "weights", "spaces", "content", "approval", "attributes", "delete_time", "space_content")
    class ContentEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class SpaceContentEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: ContentTexts
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[ContentTexts, _Mapping]] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    DISABLED_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    SPACES_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    SPACE_CONTENT_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    label: str
    category: str
    disabled: bool
    window: Window
    rule: str
    weights: _containers.RepeatedCompositeFieldContainer[WeightRow]
    spaces: _containers.RepeatedScalarFieldContainer[str]
    content: _containers.ScalarMap[str, str]
    approval: OfferApproval
    attributes: _containers.ScalarMap[str, str]
    delete_time: _timestamp_pb2.Timestamp
    space_content: _containers.MessageMap[str, ContentTexts]
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ..., label: _Optional[str] = ..., category: _Optional[str] = ..., disabled: _Optional[bool] = ..., window: _Optional[_Union[Window, _Mapping]] = ..., rule: _Optional[str] = ..., weights: _Optional[_Iterable[_Union[WeightRow, _Mapping]]] = ..., spaces: _Optional[_Iterable[str]] = ..., content: _Optional[_Mapping[str, str]] = ..., approval: _Optional[_Union[OfferApproval, _Mapping]] = ..., attributes: _Optional[_Mapping[str, str]] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., space_content: _Optional[_Mapping[str, ContentTexts]] = ...) -> None: ...

class ContentTexts(_message.Message):
    __slots__ = ("texts",)
    class TextsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    texts: _containers.ScalarMap[str, str]
    def __init__(self, texts: _Optional[_Mapping[str, str]] = ...) -> None: ...

class OfferApproval(_message.Message):
    __slots__ = ("eligibility", "content")
    class ContentEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: ApprovalState
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[ApprovalState, str]] = ...) -> None: ...
    ELIGIBILITY_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    eligibility: ApprovalState
    content: _containers.ScalarMap[str, ApprovalState]
    def __init__(self, eligibility: _Optional[_Union[ApprovalState, str]] = ..., content: _Optional[_Mapping[str, ApprovalState]] = ...) -> None: ...

class ContentField(_message.Message):
    __slots__ = ("name", "required", "description")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    required: bool
    description: str
    def __init__(self, name: _Optional[str] = ..., required: _Optional[bool] = ..., description: _Optional[str] = ...) -> None: ...

class Space(_message.Message):
    __slots__ = ("name", "etag", "label", "channel", "fields", "default_content", "default_categories", "default_themes", "anonymous_space", "recording_disabled", "implicit_identification", "binds_visitors", "proposition_status", "acceptance_status", "rendering", "acceptance_url", "click_url", "stored_on_proposition", "stored_on_acceptance", "delete_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_CONTENT_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_THEMES_FIELD_NUMBER: _ClassVar[int]
    ANONYMOUS_SPACE_FIELD_NUMBER: _ClassVar[int]
    RECORDING_DISABLED_FIELD_NUMBER: _ClassVar[int]
    IMPLICIT_IDENTIFICATION_FIELD_NUMBER: _ClassVar[int]
    BINDS_VISITORS_FIELD_NUMBER: _ClassVar[int]
    PROPOSITION_STATUS_FIELD_NUMBER: _ClassVar[int]
    ACCEPTANCE_STATUS_FIELD_NUMBER: _ClassVar[int]
    RENDERING_FIELD_NUMBER: _ClassVar[int]
    ACCEPTANCE_URL_FIELD_NUMBER: _ClassVar[int]
    CLICK_URL_FIELD_NUMBER: _ClassVar[int]
    STORED_ON_PROPOSITION_FIELD_NUMBER: _ClassVar[int]
    STORED_ON_ACCEPTANCE_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    label: str
    channel: Channel
    fields: _containers.RepeatedCompositeFieldContainer[ContentField]
    default_content: str
    default_categories: _containers.RepeatedScalarFieldContainer[str]
    default_themes: _containers.RepeatedScalarFieldContainer[str]
    anonymous_space: str
    recording_disabled: bool
    implicit_identification: bool
    binds_visitors: bool
    proposition_status: _decision_pb2.PropositionStatus
    acceptance_status: _decision_pb2.PropositionStatus
    rendering: Rendering
    acceptance_url: str
    click_url: str
    stored_on_proposition: _containers.RepeatedCompositeFieldContainer[StoredExpression]
    stored_on_acceptance: _containers.RepeatedCompositeFieldContainer[StoredExpression]
    delete_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ..., label: _Optional[str] = ..., channel: _Optional[_Union[Channel, str]] = ..., fields: _Optional[_Iterable[_Union[ContentField, _Mapping]]] = ..., default_content: _Optional[str] = ..., default_categories: _Optional[_Iterable[str]] = ..., default_themes: _Optional[_Iterable[str]] = ..., anonymous_space: _Optional[str] = ..., recording_disabled: _Optional[bool] = ..., implicit_identification: _Optional[bool] = ..., binds_visitors: _Optional[bool] = ..., proposition_status: _Optional[_Union[_decision_pb2.PropositionStatus, str]] = ..., acceptance_status: _Optional[_Union[_decision_pb2.PropositionStatus, str]] = ..., rendering: _Optional[_Union[Rendering, _Mapping]] = ..., acceptance_url: _Optional[str] = ..., click_url: _Optional[str] = ..., stored_on_proposition: _Optional[_Iterable[_Union[StoredExpression, _Mapping]]] = ..., stored_on_acceptance: _Optional[_Iterable[_Union[StoredExpression, _Mapping]]] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Rendering(_message.Message):
    __slots__ = ("html", "text", "json")
    HTML_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    html: str
    text: str
    json: _struct_pb2.Struct
    def __init__(self, html: _Optional[str] = ..., text: _Optional[str] = ..., json: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class StoredExpression(_message.Message):
    __slots__ = ("name", "expression")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    expression: str
    def __init__(self, name: _Optional[str] = ..., expression: _Optional[str] = ...) -> None: ...

class Segment(_message.Message):
    __slots__ = ("name", "etag", "label", "rule", "delete_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    label: str
    rule: str
    delete_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ..., label: _Optional[str] = ..., rule: _Optional[str] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Zone(_message.Message):
    __slots__ = ("name", "etag", "label", "spaces", "delete_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    SPACES_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    label: str
    spaces: _containers.RepeatedScalarFieldContainer[str]
    delete_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ..., label: _Optional[str] = ..., spaces: _Optional[_Iterable[str]] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
