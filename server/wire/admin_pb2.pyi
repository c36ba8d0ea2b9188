import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from server.wire import catalog_pb2 as _catalog_pb2
from server.wire import design_offers_pb2 as _design_offers_pb2
from server.wire import design_spaces_pb2 as _design_spaces_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

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

class SubmitForApprovalRequest(_message.Message):
    __slots__ = ("name", "space", "comment")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    name: str
    space: str
    comment: str
    def __init__(self, name: _Optional[str] = ..., space: _Optional[str] = ..., comment: _Optional[str] = ...) -> None: ...

class SubmitForApprovalResponse(_message.Message):
    __slots__ = ("offer",)
    OFFER_FIELD_NUMBER: _ClassVar[int]
    offer: _catalog_pb2.Offer
    def __init__(self, offer: _Optional[_Union[_catalog_pb2.Offer, _Mapping]] = ...) -> None: ...

class ReviewRequest(_message.Message):
    __slots__ = ("name", "space", "state", "comment", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    space: str
    state: _catalog_pb2.ApprovalState
    comment: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., space: _Optional[str] = ..., state: _Optional[_Union[_catalog_pb2.ApprovalState, str]] = ..., comment: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class ReviewResponse(_message.Message):
    __slots__ = ("offer",)
    OFFER_FIELD_NUMBER: _ClassVar[int]
    offer: _catalog_pb2.Offer
    def __init__(self, offer: _Optional[_Union[_catalog_pb2.Offer, _Mapping]] = ...) -> None: ...

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
    __slots__ = ("publish_time", "validate_only")
    PUBLISH_TIME_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    publish_time: _timestamp_pb2.Timestamp
    validate_only: bool
    def __init__(self, publish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class PublishResponse(_message.Message):
    __slots__ = ("revision", "diagnostics")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTICS_FIELD_NUMBER: _ClassVar[int]
    revision: Revision
    diagnostics: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, revision: _Optional[_Union[Revision, _Mapping]] = ..., diagnostics: _Optional[_Iterable[str]] = ...) -> None: ...

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
