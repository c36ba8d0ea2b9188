import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from server.wire import explanation_pb2 as _explanation_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IdentificationMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IDENTIFICATION_MODE_UNSPECIFIED: _ClassVar[IdentificationMode]
    IDENTIFICATION_MODE_EXPLICIT: _ClassVar[IdentificationMode]
    IDENTIFICATION_MODE_IMPLICIT: _ClassVar[IdentificationMode]
    IDENTIFICATION_MODE_ANONYMOUS: _ClassVar[IdentificationMode]

class ShortfallReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SHORTFALL_REASON_UNSPECIFIED: _ClassVar[ShortfallReason]
    SHORTFALL_REASON_NOT_ENOUGH_ELIGIBLE: _ClassVar[ShortfallReason]
    SHORTFALL_REASON_PRESENTATION_RULES: _ClassVar[ShortfallReason]
    SHORTFALL_REASON_QUOTAS: _ClassVar[ShortfallReason]
    SHORTFALL_REASON_SHOWN_ELSEWHERE: _ClassVar[ShortfallReason]
    SHORTFALL_REASON_UNKNOWN_SPACE: _ClassVar[ShortfallReason]
    SHORTFALL_REASON_NOT_IDENTIFIED: _ClassVar[ShortfallReason]
    SHORTFALL_REASON_NOT_RENDERED: _ClassVar[ShortfallReason]

class PropositionStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROPOSITION_STATUS_UNSPECIFIED: _ClassVar[PropositionStatus]
    PROPOSITION_STATUS_PRESENTED: _ClassVar[PropositionStatus]
    PROPOSITION_STATUS_INTERESTED: _ClassVar[PropositionStatus]
    PROPOSITION_STATUS_ACCEPTED: _ClassVar[PropositionStatus]
    PROPOSITION_STATUS_SCHEDULED: _ClassVar[PropositionStatus]
    PROPOSITION_STATUS_REJECTED: _ClassVar[PropositionStatus]
    PROPOSITION_STATUS_GENERATED: _ClassVar[PropositionStatus]

class OnShortfall(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ON_SHORTFALL_UNSPECIFIED: _ClassVar[OnShortfall]
    ON_SHORTFALL_BLANK: _ClassVar[OnShortfall]
    ON_SHORTFALL_CANCEL: _ClassVar[OnShortfall]

class BatchOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BATCH_OUTCOME_UNSPECIFIED: _ClassVar[BatchOutcome]
    BATCH_OUTCOME_DECIDED: _ClassVar[BatchOutcome]
    BATCH_OUTCOME_EXCLUDED: _ClassVar[BatchOutcome]
    BATCH_OUTCOME_CANCELED: _ClassVar[BatchOutcome]
    BATCH_OUTCOME_FAILED: _ClassVar[BatchOutcome]
IDENTIFICATION_MODE_UNSPECIFIED: IdentificationMode
IDENTIFICATION_MODE_EXPLICIT: IdentificationMode
IDENTIFICATION_MODE_IMPLICIT: IdentificationMode
IDENTIFICATION_MODE_ANONYMOUS: IdentificationMode
SHORTFALL_REASON_UNSPECIFIED: ShortfallReason
SHORTFALL_REASON_NOT_ENOUGH_ELIGIBLE: ShortfallReason
SHORTFALL_REASON_PRESENTATION_RULES: ShortfallReason
SHORTFALL_REASON_QUOTAS: ShortfallReason
SHORTFALL_REASON_SHOWN_ELSEWHERE: ShortfallReason
SHORTFALL_REASON_UNKNOWN_SPACE: ShortfallReason
SHORTFALL_REASON_NOT_IDENTIFIED: ShortfallReason
SHORTFALL_REASON_NOT_RENDERED: ShortfallReason
PROPOSITION_STATUS_UNSPECIFIED: PropositionStatus
PROPOSITION_STATUS_PRESENTED: PropositionStatus
PROPOSITION_STATUS_INTERESTED: PropositionStatus
PROPOSITION_STATUS_ACCEPTED: PropositionStatus
PROPOSITION_STATUS_SCHEDULED: PropositionStatus
PROPOSITION_STATUS_REJECTED: PropositionStatus
PROPOSITION_STATUS_GENERATED: PropositionStatus
ON_SHORTFALL_UNSPECIFIED: OnShortfall
ON_SHORTFALL_BLANK: OnShortfall
ON_SHORTFALL_CANCEL: OnShortfall
BATCH_OUTCOME_UNSPECIFIED: BatchOutcome
BATCH_OUTCOME_DECIDED: BatchOutcome
BATCH_OUTCOME_EXCLUDED: BatchOutcome
BATCH_OUTCOME_CANCELED: BatchOutcome
BATCH_OUTCOME_FAILED: BatchOutcome

class ProposeRequest(_message.Message):
    __slots__ = ("request_id", "environment", "contact_id", "visitor_id", "spaces", "context", "dry_run", "contact_time", "explain", "excluded_offers", "allow_duplicates", "explained_offers", "explain_page_token")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    VISITOR_ID_FIELD_NUMBER: _ClassVar[int]
    SPACES_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    CONTACT_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_OFFERS_FIELD_NUMBER: _ClassVar[int]
    ALLOW_DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    EXPLAINED_OFFERS_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    environment: str
    contact_id: str
    visitor_id: str
    spaces: _containers.RepeatedCompositeFieldContainer[SpaceRequest]
    context: _struct_pb2.Struct
    dry_run: bool
    contact_time: _timestamp_pb2.Timestamp
    explain: _explanation_pb2.ExplainLevel
    excluded_offers: _containers.RepeatedScalarFieldContainer[str]
    allow_duplicates: bool
    explained_offers: _containers.RepeatedScalarFieldContainer[str]
    explain_page_token: str
    def __init__(self, request_id: _Optional[str] = ..., environment: _Optional[str] = ..., contact_id: _Optional[str] = ..., visitor_id: _Optional[str] = ..., spaces: _Optional[_Iterable[_Union[SpaceRequest, _Mapping]]] = ..., context: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., dry_run: _Optional[bool] = ..., contact_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., explain: _Optional[_Union[_explanation_pb2.ExplainLevel, str]] = ..., excluded_offers: _Optional[_Iterable[str]] = ..., allow_duplicates: _Optional[bool] = ..., explained_offers: _Optional[_Iterable[str]] = ..., explain_page_token: _Optional[str] = ...) -> None: ...

class SpaceRequest(_message.Message):
    __slots__ = ("space", "max_propositions", "categories", "themes")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    MAX_PROPOSITIONS_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    THEMES_FIELD_NUMBER: _ClassVar[int]
    space: str
    max_propositions: int
    categories: _containers.RepeatedScalarFieldContainer[str]
    themes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, space: _Optional[str] = ..., max_propositions: _Optional[int] = ..., categories: _Optional[_Iterable[str]] = ..., themes: _Optional[_Iterable[str]] = ...) -> None: ...

class ProposeResponse(_message.Message):
    __slots__ = ("interaction_id", "revision", "identification_mode", "visitor_id", "results", "warnings", "explanation")
    INTERACTION_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    IDENTIFICATION_MODE_FIELD_NUMBER: _ClassVar[int]
    VISITOR_ID_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    interaction_id: str
    revision: int
    identification_mode: IdentificationMode
    visitor_id: str
    results: _containers.RepeatedCompositeFieldContainer[SpaceResult]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    explanation: _explanation_pb2.Explanation
    def __init__(self, interaction_id: _Optional[str] = ..., revision: _Optional[int] = ..., identification_mode: _Optional[_Union[IdentificationMode, str]] = ..., visitor_id: _Optional[str] = ..., results: _Optional[_Iterable[_Union[SpaceResult, _Mapping]]] = ..., warnings: _Optional[_Iterable[str]] = ..., explanation: _Optional[_Union[_explanation_pb2.Explanation, _Mapping]] = ...) -> None: ...

class SpaceResult(_message.Message):
    __slots__ = ("space", "propositions", "default_content", "shortfall_reason")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    PROPOSITIONS_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_CONTENT_FIELD_NUMBER: _ClassVar[int]
    SHORTFALL_REASON_FIELD_NUMBER: _ClassVar[int]
    space: str
    propositions: _containers.RepeatedCompositeFieldContainer[Proposition]
    default_content: str
    shortfall_reason: ShortfallReason
    def __init__(self, space: _Optional[str] = ..., propositions: _Optional[_Iterable[_Union[Proposition, _Mapping]]] = ..., default_content: _Optional[str] = ..., shortfall_reason: _Optional[_Union[ShortfallReason, str]] = ...) -> None: ...

class Proposition(_message.Message):
    __slots__ = ("proposition_id", "offer", "category", "weight", "rank", "content", "representation", "acceptance_url", "click_url", "event_time")
    class ContentEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PROPOSITION_ID_FIELD_NUMBER: _ClassVar[int]
    OFFER_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    REPRESENTATION_FIELD_NUMBER: _ClassVar[int]
    ACCEPTANCE_URL_FIELD_NUMBER: _ClassVar[int]
    CLICK_URL_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    proposition_id: str
    offer: str
    category: str
    weight: float
    rank: int
    content: _containers.ScalarMap[str, str]
    representation: Representation
    acceptance_url: str
    click_url: str
    event_time: _timestamp_pb2.Timestamp
    def __init__(self, proposition_id: _Optional[str] = ..., offer: _Optional[str] = ..., category: _Optional[str] = ..., weight: _Optional[float] = ..., rank: _Optional[int] = ..., content: _Optional[_Mapping[str, str]] = ..., representation: _Optional[_Union[Representation, _Mapping]] = ..., acceptance_url: _Optional[str] = ..., click_url: _Optional[str] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Representation(_message.Message):
    __slots__ = ("html", "text", "json")
    HTML_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    html: str
    text: str
    json: _struct_pb2.Struct
    def __init__(self, html: _Optional[str] = ..., text: _Optional[str] = ..., json: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class UpdatePropositionRequest(_message.Message):
    __slots__ = ("request_id", "proposition_id", "status", "context", "event_time")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PROPOSITION_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    proposition_id: str
    status: PropositionStatus
    context: _struct_pb2.Struct
    event_time: _timestamp_pb2.Timestamp
    def __init__(self, request_id: _Optional[str] = ..., proposition_id: _Optional[str] = ..., status: _Optional[_Union[PropositionStatus, str]] = ..., context: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class UpdatePropositionResponse(_message.Message):
    __slots__ = ("proposition_id", "status")
    PROPOSITION_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    proposition_id: str
    status: PropositionStatus
    def __init__(self, proposition_id: _Optional[str] = ..., status: _Optional[_Union[PropositionStatus, str]] = ...) -> None: ...

class ProposeBatchRequest(_message.Message):
    __slots__ = ("environment", "contact_ids", "segment", "after_contact_id", "spaces", "context", "contact_time", "dry_run", "min_propositions", "on_shortfall", "request_id", "excluded_offers", "allow_duplicates")
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    CONTACT_IDS_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    AFTER_CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    SPACES_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    CONTACT_TIME_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    MIN_PROPOSITIONS_FIELD_NUMBER: _ClassVar[int]
    ON_SHORTFALL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_OFFERS_FIELD_NUMBER: _ClassVar[int]
    ALLOW_DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    environment: str
    contact_ids: _containers.RepeatedScalarFieldContainer[str]
    segment: str
    after_contact_id: str
    spaces: _containers.RepeatedCompositeFieldContainer[SpaceRequest]
    context: _struct_pb2.Struct
    contact_time: _timestamp_pb2.Timestamp
    dry_run: bool
    min_propositions: int
    on_shortfall: OnShortfall
    request_id: str
    excluded_offers: _containers.RepeatedScalarFieldContainer[str]
    allow_duplicates: bool
    def __init__(self, environment: _Optional[str] = ..., contact_ids: _Optional[_Iterable[str]] = ..., segment: _Optional[str] = ..., after_contact_id: _Optional[str] = ..., spaces: _Optional[_Iterable[_Union[SpaceRequest, _Mapping]]] = ..., context: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., contact_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., dry_run: _Optional[bool] = ..., min_propositions: _Optional[int] = ..., on_shortfall: _Optional[_Union[OnShortfall, str]] = ..., request_id: _Optional[str] = ..., excluded_offers: _Optional[_Iterable[str]] = ..., allow_duplicates: _Optional[bool] = ...) -> None: ...

class ProposeBatchResponse(_message.Message):
    __slots__ = ("decisions",)
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    decisions: _containers.RepeatedCompositeFieldContainer[ContactDecision]
    def __init__(self, decisions: _Optional[_Iterable[_Union[ContactDecision, _Mapping]]] = ...) -> None: ...

class ContactDecision(_message.Message):
    __slots__ = ("contact_id", "outcome", "decision", "error")
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    contact_id: str
    outcome: BatchOutcome
    decision: ProposeResponse
    error: str
    def __init__(self, contact_id: _Optional[str] = ..., outcome: _Optional[_Union[BatchOutcome, str]] = ..., decision: _Optional[_Union[ProposeResponse, _Mapping]] = ..., error: _Optional[str] = ...) -> None: ...
