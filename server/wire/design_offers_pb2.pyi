from google.protobuf import field_mask_pb2 as _field_mask_pb2
from server.wire import catalog_pb2 as _catalog_pb2
from server.wire import limits_pb2 as _limits_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListCategoriesRequest(_message.Message):
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

class ListCategoriesResponse(_message.Message):
    __slots__ = ("categories", "next_page_token")
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    categories: _containers.RepeatedCompositeFieldContainer[_catalog_pb2.Category]
    next_page_token: str
    def __init__(self, categories: _Optional[_Iterable[_Union[_catalog_pb2.Category, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetCategoryRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetCategoryResponse(_message.Message):
    __slots__ = ("category",)
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    category: _catalog_pb2.Category
    def __init__(self, category: _Optional[_Union[_catalog_pb2.Category, _Mapping]] = ...) -> None: ...

class CreateCategoryRequest(_message.Message):
    __slots__ = ("parent", "category_id", "category", "validate_only")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_ID_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    parent: str
    category_id: str
    category: _catalog_pb2.Category
    validate_only: bool
    def __init__(self, parent: _Optional[str] = ..., category_id: _Optional[str] = ..., category: _Optional[_Union[_catalog_pb2.Category, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class CreateCategoryResponse(_message.Message):
    __slots__ = ("category",)
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    category: _catalog_pb2.Category
    def __init__(self, category: _Optional[_Union[_catalog_pb2.Category, _Mapping]] = ...) -> None: ...

class UpdateCategoryRequest(_message.Message):
    __slots__ = ("category", "update_mask", "validate_only")
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    category: _catalog_pb2.Category
    update_mask: _field_mask_pb2.FieldMask
    validate_only: bool
    def __init__(self, category: _Optional[_Union[_catalog_pb2.Category, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class UpdateCategoryResponse(_message.Message):
    __slots__ = ("category",)
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    category: _catalog_pb2.Category
    def __init__(self, category: _Optional[_Union[_catalog_pb2.Category, _Mapping]] = ...) -> None: ...

class DeleteCategoryRequest(_message.Message):
    __slots__ = ("name", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class DeleteCategoryResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListOffersRequest(_message.Message):
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

class ListOffersResponse(_message.Message):
    __slots__ = ("offers", "next_page_token")
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    offers: _containers.RepeatedCompositeFieldContainer[_catalog_pb2.Offer]
    next_page_token: str
    def __init__(self, offers: _Optional[_Iterable[_Union[_catalog_pb2.Offer, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetOfferRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetOfferResponse(_message.Message):
    __slots__ = ("offer",)
    OFFER_FIELD_NUMBER: _ClassVar[int]
    offer: _catalog_pb2.Offer
    def __init__(self, offer: _Optional[_Union[_catalog_pb2.Offer, _Mapping]] = ...) -> None: ...

class CreateOfferRequest(_message.Message):
    __slots__ = ("parent", "offer_id", "offer", "validate_only")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    OFFER_ID_FIELD_NUMBER: _ClassVar[int]
    OFFER_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    parent: str
    offer_id: str
    offer: _catalog_pb2.Offer
    validate_only: bool
    def __init__(self, parent: _Optional[str] = ..., offer_id: _Optional[str] = ..., offer: _Optional[_Union[_catalog_pb2.Offer, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class CreateOfferResponse(_message.Message):
    __slots__ = ("offer",)
    OFFER_FIELD_NUMBER: _ClassVar[int]
    offer: _catalog_pb2.Offer
    def __init__(self, offer: _Optional[_Union[_catalog_pb2.Offer, _Mapping]] = ...) -> None: ...

class UpdateOfferRequest(_message.Message):
    __slots__ = ("offer", "update_mask", "validate_only")
    OFFER_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    offer: _catalog_pb2.Offer
    update_mask: _field_mask_pb2.FieldMask
    validate_only: bool
    def __init__(self, offer: _Optional[_Union[_catalog_pb2.Offer, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class UpdateOfferResponse(_message.Message):
    __slots__ = ("offer",)
    OFFER_FIELD_NUMBER: _ClassVar[int]
    offer: _catalog_pb2.Offer
    def __init__(self, offer: _Optional[_Union[_catalog_pb2.Offer, _Mapping]] = ...) -> None: ...

class DeleteOfferRequest(_message.Message):
    __slots__ = ("name", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class DeleteOfferResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListPresentationRulesRequest(_message.Message):
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

class ListPresentationRulesResponse(_message.Message):
    __slots__ = ("presentation_rules", "next_page_token")
    PRESENTATION_RULES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    presentation_rules: _containers.RepeatedCompositeFieldContainer[_limits_pb2.PresentationRule]
    next_page_token: str
    def __init__(self, presentation_rules: _Optional[_Iterable[_Union[_limits_pb2.PresentationRule, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetPresentationRuleRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetPresentationRuleResponse(_message.Message):
    __slots__ = ("presentation_rule",)
    PRESENTATION_RULE_FIELD_NUMBER: _ClassVar[int]
    presentation_rule: _limits_pb2.PresentationRule
    def __init__(self, presentation_rule: _Optional[_Union[_limits_pb2.PresentationRule, _Mapping]] = ...) -> None: ...

class CreatePresentationRuleRequest(_message.Message):
    __slots__ = ("parent", "presentation_rule_id", "presentation_rule", "validate_only")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PRESENTATION_RULE_ID_FIELD_NUMBER: _ClassVar[int]
    PRESENTATION_RULE_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    parent: str
    presentation_rule_id: str
    presentation_rule: _limits_pb2.PresentationRule
    validate_only: bool
    def __init__(self, parent: _Optional[str] = ..., presentation_rule_id: _Optional[str] = ..., presentation_rule: _Optional[_Union[_limits_pb2.PresentationRule, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class CreatePresentationRuleResponse(_message.Message):
    __slots__ = ("presentation_rule",)
    PRESENTATION_RULE_FIELD_NUMBER: _ClassVar[int]
    presentation_rule: _limits_pb2.PresentationRule
    def __init__(self, presentation_rule: _Optional[_Union[_limits_pb2.PresentationRule, _Mapping]] = ...) -> None: ...

class UpdatePresentationRuleRequest(_message.Message):
    __slots__ = ("presentation_rule", "update_mask", "validate_only")
    PRESENTATION_RULE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    presentation_rule: _limits_pb2.PresentationRule
    update_mask: _field_mask_pb2.FieldMask
    validate_only: bool
    def __init__(self, presentation_rule: _Optional[_Union[_limits_pb2.PresentationRule, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class UpdatePresentationRuleResponse(_message.Message):
    __slots__ = ("presentation_rule",)
    PRESENTATION_RULE_FIELD_NUMBER: _ClassVar[int]
    presentation_rule: _limits_pb2.PresentationRule
    def __init__(self, presentation_rule: _Optional[_Union[_limits_pb2.PresentationRule, _Mapping]] = ...) -> None: ...

class DeletePresentationRuleRequest(_message.Message):
    __slots__ = ("name", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class DeletePresentationRuleResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListTypologiesRequest(_message.Message):
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

class ListTypologiesResponse(_message.Message):
    __slots__ = ("typologies", "next_page_token")
    TYPOLOGIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    typologies: _containers.RepeatedCompositeFieldContainer[_limits_pb2.Typology]
    next_page_token: str
    def __init__(self, typologies: _Optional[_Iterable[_Union[_limits_pb2.Typology, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetTypologyRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetTypologyResponse(_message.Message):
    __slots__ = ("typology",)
    TYPOLOGY_FIELD_NUMBER: _ClassVar[int]
    typology: _limits_pb2.Typology
    def __init__(self, typology: _Optional[_Union[_limits_pb2.Typology, _Mapping]] = ...) -> None: ...

class CreateTypologyRequest(_message.Message):
    __slots__ = ("parent", "typology_id", "typology", "validate_only")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    TYPOLOGY_ID_FIELD_NUMBER: _ClassVar[int]
    TYPOLOGY_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    parent: str
    typology_id: str
    typology: _limits_pb2.Typology
    validate_only: bool
    def __init__(self, parent: _Optional[str] = ..., typology_id: _Optional[str] = ..., typology: _Optional[_Union[_limits_pb2.Typology, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class CreateTypologyResponse(_message.Message):
    __slots__ = ("typology",)
    TYPOLOGY_FIELD_NUMBER: _ClassVar[int]
    typology: _limits_pb2.Typology
    def __init__(self, typology: _Optional[_Union[_limits_pb2.Typology, _Mapping]] = ...) -> None: ...

class UpdateTypologyRequest(_message.Message):
    __slots__ = ("typology", "update_mask", "validate_only")
    TYPOLOGY_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    typology: _limits_pb2.Typology
    update_mask: _field_mask_pb2.FieldMask
    validate_only: bool
    def __init__(self, typology: _Optional[_Union[_limits_pb2.Typology, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class UpdateTypologyResponse(_message.Message):
    __slots__ = ("typology",)
    TYPOLOGY_FIELD_NUMBER: _ClassVar[int]
    typology: _limits_pb2.Typology
    def __init__(self, typology: _Optional[_Union[_limits_pb2.Typology, _Mapping]] = ...) -> None: ...

class DeleteTypologyRequest(_message.Message):
    __slots__ = ("name", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class DeleteTypologyResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
