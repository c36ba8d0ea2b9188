import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from server.wire import approvals_pb2 as _approvals_pb2
from server.wire import catalog_pb2 as _catalog_pb2
from server.wire import design_offers_pb2 as _design_offers_pb2
from server.wire import design_spaces_pb2 as _design_spaces_pb2
from server.wire import golden_decisions_pb2 as _golden_decisions_pb2
from server.wire import limits_pb2 as _limits_pb2
from server.wire import scheduling_pb2 as _scheduling_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DesignAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DESIGN_ACTION_UNSPECIFIED: _ClassVar[DesignAction]
    DESIGN_ACTION_CREATE: _ClassVar[DesignAction]
    DESIGN_ACTION_UPDATE: _ClassVar[DesignAction]
    DESIGN_ACTION_DELETE: _ClassVar[DesignAction]
DESIGN_ACTION_UNSPECIFIED: DesignAction
DESIGN_ACTION_CREATE: DesignAction
DESIGN_ACTION_UPDATE: DesignAction
DESIGN_ACTION_DELETE: DesignAction

class Revision(_message.Message):
    __slots__ = ("name", "number", "digest", "publish_time", "publisher", "rollback_of", "offer_count", "rule_count", "current")
    NAME_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_TIME_FIELD_NUMBER: _ClassVar[int]
    PUBLISHER_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_OF_FIELD_NUMBER: _ClassVar[int]
    OFFER_COUNT_FIELD_NUMBER: _ClassVar[int]
    RULE_COUNT_FIELD_NUMBER: _ClassVar[int]
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    name: str
    number: int
    digest: str
    publish_time: _timestamp_pb2.Timestamp
    publisher: str
    rollback_of: int
    offer_count: int
    rule_count: int
    current: bool
    def __init__(self, name: _Optional[str] = ..., number: _Optional[int] = ..., digest: _Optional[str] = ..., publish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., publisher: _Optional[str] = ..., rollback_of: _Optional[int] = ..., offer_count: _Optional[int] = ..., rule_count: _Optional[int] = ..., current: _Optional[bool] = ...) -> None: ...

class ApplyCatalogRequest(_message.Message):
    __slots__ = ("options", "records")
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    options: ApplyOptions
    records: _containers.RepeatedCompositeFieldContainer[DesignRecord]
    def __init__(self, options: _Optional[_Union[ApplyOptions, _Mapping]] = ..., records: _Optional[_Iterable[_Union[DesignRecord, _Mapping]]] = ...) -> None: ...

class ApplyOptions(_message.Message):
    __slots__ = ("prune", "validate_only", "design_version")
    PRUNE_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    DESIGN_VERSION_FIELD_NUMBER: _ClassVar[int]
    prune: bool
    validate_only: bool
    design_version: int
    def __init__(self, prune: _Optional[bool] = ..., validate_only: _Optional[bool] = ..., design_version: _Optional[int] = ...) -> None: ...

class DesignRecord(_message.Message):
    __slots__ = ("environment", "category", "offer", "space", "segment", "presentation_rule", "typology", "quota", "golden_decision")
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    OFFER_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    PRESENTATION_RULE_FIELD_NUMBER: _ClassVar[int]
    TYPOLOGY_FIELD_NUMBER: _ClassVar[int]
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    GOLDEN_DECISION_FIELD_NUMBER: _ClassVar[int]
    environment: _catalog_pb2.Environment
    category: _catalog_pb2.Category
    offer: _catalog_pb2.Offer
    space: _catalog_pb2.Space
    segment: _catalog_pb2.Segment
    presentation_rule: _limits_pb2.PresentationRule
    typology: _limits_pb2.Typology
    quota: _limits_pb2.Quota
    golden_decision: _golden_decisions_pb2.GoldenDecision
    def __init__(self, environment: _Optional[_Union[_catalog_pb2.Environment, _Mapping]] = ..., category: _Optional[_Union[_catalog_pb2.Category, _Mapping]] = ..., offer: _Optional[_Union[_catalog_pb2.Offer, _Mapping]] = ..., space: _Optional[_Union[_catalog_pb2.Space, _Mapping]] = ..., segment: _Optional[_Union[_catalog_pb2.Segment, _Mapping]] = ..., presentation_rule: _Optional[_Union[_limits_pb2.PresentationRule, _Mapping]] = ..., typology: _Optional[_Union[_limits_pb2.Typology, _Mapping]] = ..., quota: _Optional[_Union[_limits_pb2.Quota, _Mapping]] = ..., golden_decision: _Optional[_Union[_golden_decisions_pb2.GoldenDecision, _Mapping]] = ...) -> None: ...

class ApplyCatalogResponse(_message.Message):
    __slots__ = ("design_version", "changes", "create_count", "update_count", "delete_count", "unchanged_count", "diagnostics")
    DESIGN_VERSION_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    CREATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    DELETE_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_COUNT_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTICS_FIELD_NUMBER: _ClassVar[int]
    design_version: int
    changes: _containers.RepeatedCompositeFieldContainer[DesignChange]
    create_count: int
    update_count: int
    delete_count: int
    unchanged_count: int
    diagnostics: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, design_version: _Optional[int] = ..., changes: _Optional[_Iterable[_Union[DesignChange, _Mapping]]] = ..., create_count: _Optional[int] = ..., update_count: _Optional[int] = ..., delete_count: _Optional[int] = ..., unchanged_count: _Optional[int] = ..., diagnostics: _Optional[_Iterable[str]] = ...) -> None: ...

class DesignChange(_message.Message):
    __slots__ = ("action", "name", "fields")
    ACTION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    action: DesignAction
    name: str
    fields: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, action: _Optional[_Union[DesignAction, str]] = ..., name: _Optional[str] = ..., fields: _Optional[_Iterable[str]] = ...) -> None: ...

class RecordedChange(_message.Message):
    __slots__ = ("name", "number", "change_time", "author", "method", "changes", "record_count")
    NAME_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANGE_TIME_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    RECORD_COUNT_FIELD_NUMBER: _ClassVar[int]
    name: str
    number: int
    change_time: _timestamp_pb2.Timestamp
    author: str
    method: str
    changes: _containers.RepeatedCompositeFieldContainer[DesignChange]
    record_count: int
    def __init__(self, name: _Optional[str] = ..., number: _Optional[int] = ..., change_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ..., method: _Optional[str] = ..., changes: _Optional[_Iterable[_Union[DesignChange, _Mapping]]] = ..., record_count: _Optional[int] = ...) -> None: ...

class ListDesignChangesRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "record")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    record: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., record: _Optional[str] = ...) -> None: ...

class ListDesignChangesResponse(_message.Message):
    __slots__ = ("design_changes", "next_page_token")
    DESIGN_CHANGES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    design_changes: _containers.RepeatedCompositeFieldContainer[RecordedChange]
    next_page_token: str
    def __init__(self, design_changes: _Optional[_Iterable[_Union[RecordedChange, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetDesignChangeRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetDesignChangeResponse(_message.Message):
    __slots__ = ("design_change",)
    DESIGN_CHANGE_FIELD_NUMBER: _ClassVar[int]
    design_change: RecordedChange
    def __init__(self, design_change: _Optional[_Union[RecordedChange, _Mapping]] = ...) -> None: ...

class GetDesignRecordRequest(_message.Message):
    __slots__ = ("name", "design_version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESIGN_VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    design_version: int
    def __init__(self, name: _Optional[str] = ..., design_version: _Optional[int] = ...) -> None: ...

class GetDesignRecordResponse(_message.Message):
    __slots__ = ("design_version", "environment", "category", "offer", "space", "segment", "presentation_rule", "typology", "quota", "zone", "golden_decision")
    DESIGN_VERSION_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    OFFER_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    PRESENTATION_RULE_FIELD_NUMBER: _ClassVar[int]
    TYPOLOGY_FIELD_NUMBER: _ClassVar[int]
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    GOLDEN_DECISION_FIELD_NUMBER: _ClassVar[int]
    design_version: int
    environment: _catalog_pb2.Environment
    category: _catalog_pb2.Category
    offer: _catalog_pb2.Offer
    space: _catalog_pb2.Space
    segment: _catalog_pb2.Segment
    presentation_rule: _limits_pb2.PresentationRule
    typology: _limits_pb2.Typology
    quota: _limits_pb2.Quota
    zone: _catalog_pb2.Zone
    golden_decision: _golden_decisions_pb2.GoldenDecision
    def __init__(self, design_version: _Optional[int] = ..., environment: _Optional[_Union[_catalog_pb2.Environment, _Mapping]] = ..., category: _Optional[_Union[_catalog_pb2.Category, _Mapping]] = ..., offer: _Optional[_Union[_catalog_pb2.Offer, _Mapping]] = ..., space: _Optional[_Union[_catalog_pb2.Space, _Mapping]] = ..., segment: _Optional[_Union[_catalog_pb2.Segment, _Mapping]] = ..., presentation_rule: _Optional[_Union[_limits_pb2.PresentationRule, _Mapping]] = ..., typology: _Optional[_Union[_limits_pb2.Typology, _Mapping]] = ..., quota: _Optional[_Union[_limits_pb2.Quota, _Mapping]] = ..., zone: _Optional[_Union[_catalog_pb2.Zone, _Mapping]] = ..., golden_decision: _Optional[_Union[_golden_decisions_pb2.GoldenDecision, _Mapping]] = ...) -> None: ...

class ExportCatalogRequest(_message.Message):
    __slots__ = ("design_version",)
    DESIGN_VERSION_FIELD_NUMBER: _ClassVar[int]
    design_version: int
    def __init__(self, design_version: _Optional[int] = ...) -> None: ...

class ExportCatalogResponse(_message.Message):
    __slots__ = ("design_version", "records")
    DESIGN_VERSION_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    design_version: int
    records: _containers.RepeatedCompositeFieldContainer[DesignRecord]
    def __init__(self, design_version: _Optional[int] = ..., records: _Optional[_Iterable[_Union[DesignRecord, _Mapping]]] = ...) -> None: ...

class SubmitForApprovalRequest(_message.Message):
    __slots__ = ("name", "space", "comment", "reviewers", "deadline")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    REVIEWERS_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    name: str
    space: str
    comment: str
    reviewers: _containers.RepeatedScalarFieldContainer[str]
    deadline: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., space: _Optional[str] = ..., comment: _Optional[str] = ..., reviewers: _Optional[_Iterable[str]] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SubmitForApprovalResponse(_message.Message):
    __slots__ = ("offer",)
    OFFER_FIELD_NUMBER: _ClassVar[int]
    offer: _catalog_pb2.Offer
    def __init__(self, offer: _Optional[_Union[_catalog_pb2.Offer, _Mapping]] = ...) -> None: ...

class ReviewRequest(_message.Message):
    __slots__ = ("name", "space", "state", "comment", "etag", "publish")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_FIELD_NUMBER: _ClassVar[int]
    name: str
    space: str
    state: _catalog_pb2.ApprovalState
    comment: str
    etag: str
    publish: bool
    def __init__(self, name: _Optional[str] = ..., space: _Optional[str] = ..., state: _Optional[_Union[_catalog_pb2.ApprovalState, str]] = ..., comment: _Optional[str] = ..., etag: _Optional[str] = ..., publish: _Optional[bool] = ...) -> None: ...

class ReviewResponse(_message.Message):
    __slots__ = ("offer", "revision")
    OFFER_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    offer: _catalog_pb2.Offer
    revision: Revision
    def __init__(self, offer: _Optional[_Union[_catalog_pb2.Offer, _Mapping]] = ..., revision: _Optional[_Union[Revision, _Mapping]] = ...) -> None: ...

class SetOfferDisabledRequest(_message.Message):
    __slots__ = ("name", "disabled")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISABLED_FIELD_NUMBER: _ClassVar[int]
    name: str
    disabled: bool
    def __init__(self, name: _Optional[str] = ..., disabled: _Optional[bool] = ...) -> None: ...

class SetOfferDisabledResponse(_message.Message):
    __slots__ = ("offer",)
    OFFER_FIELD_NUMBER: _ClassVar[int]
    offer: _catalog_pb2.Offer
    def __init__(self, offer: _Optional[_Union[_catalog_pb2.Offer, _Mapping]] = ...) -> None: ...

class PublishRequest(_message.Message):
    __slots__ = ("publish_time", "validate_only", "strict")
    PUBLISH_TIME_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    STRICT_FIELD_NUMBER: _ClassVar[int]
    publish_time: _timestamp_pb2.Timestamp
    validate_only: bool
    strict: bool
    def __init__(self, publish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., validate_only: _Optional[bool] = ..., strict: _Optional[bool] = ...) -> None: ...

class PublishResponse(_message.Message):
    __slots__ = ("revision", "diagnostics", "scheduled_publication")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTICS_FIELD_NUMBER: _ClassVar[int]
    SCHEDULED_PUBLICATION_FIELD_NUMBER: _ClassVar[int]
    revision: Revision
    diagnostics: _containers.RepeatedScalarFieldContainer[str]
    scheduled_publication: _scheduling_pb2.ScheduledPublication
    def __init__(self, revision: _Optional[_Union[Revision, _Mapping]] = ..., diagnostics: _Optional[_Iterable[str]] = ..., scheduled_publication: _Optional[_Union[_scheduling_pb2.ScheduledPublication, _Mapping]] = ...) -> None: ...

class PushArtifactRequest(_message.Message):
    __slots__ = ("chunk",)
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    def __init__(self, chunk: _Optional[bytes] = ...) -> None: ...

class PushArtifactResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: Revision
    def __init__(self, revision: _Optional[_Union[Revision, _Mapping]] = ...) -> None: ...

class RollbackRequest(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...

class RollbackResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: Revision
    def __init__(self, revision: _Optional[_Union[Revision, _Mapping]] = ...) -> None: ...

class ListRevisionsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRevisionsResponse(_message.Message):
    __slots__ = ("revisions", "next_page_token")
    REVISIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    revisions: _containers.RepeatedCompositeFieldContainer[Revision]
    next_page_token: str
    def __init__(self, revisions: _Optional[_Iterable[_Union[Revision, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetRevisionRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetRevisionResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: Revision
    def __init__(self, revision: _Optional[_Union[Revision, _Mapping]] = ...) -> None: ...
